import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Surface(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SURFACE_UNSPECIFIED: _ClassVar[Surface]
    SURFACE_RECOMMEND: _ClassVar[Surface]
    SURFACE_SIMILAR_BOOKS: _ClassVar[Surface]
    SURFACE_TRENDING: _ClassVar[Surface]
SURFACE_UNSPECIFIED: Surface
SURFACE_RECOMMEND: Surface
SURFACE_SIMILAR_BOOKS: Surface
SURFACE_TRENDING: Surface

class Rule(_message.Message):
    __slots__ = ("rule_id", "book_id", "author", "series", "category", "pin", "boost", "bury", "surfaces", "start_time", "end_time", "note", "matches")
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    SERIES_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    PIN_FIELD_NUMBER: _ClassVar[int]
    BOOST_FIELD_NUMBER: _ClassVar[int]
    BURY_FIELD_NUMBER: _ClassVar[int]
    SURFACES_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    MATCHES_FIELD_NUMBER: _ClassVar[int]
    rule_id: str
    book_id: str
    author: str
    series: str
    category: str
    pin: Pin
    boost: Boost
    bury: Bury
    surfaces: _containers.RepeatedScalarFieldContainer[Surface]
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    note: str
    matches: int
    def __init__(self, rule_id: _Optional[str] = ..., book_id: _Optional[str] = ..., author: _Optional[str] = ..., series: _Optional[str] = ..., category: _Optional[str] = ..., pin: _Optional[_Union[Pin, _Mapping]] = ..., boost: _Optional[_Union[Boost, _Mapping]] = ..., bury: _Optional[_Union[Bury, _Mapping]] = ..., surfaces: _Optional[_Iterable[_Union[Surface, str]]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., note: _Optional[str] = ..., matches: _Optional[int] = ...) -> None: ...

class Pin(_message.Message):
    __slots__ = ("place",)
    PLACE_FIELD_NUMBER: _ClassVar[int]
    place: int
    def __init__(self, place: _Optional[int] = ...) -> None: ...

class Boost(_message.Message):
    __slots__ = ("factor",)
    FACTOR_FIELD_NUMBER: _ClassVar[int]
    factor: float
    def __init__(self, factor: _Optional[float] = ...) -> None: ...

class Bury(_message.Message):
    __slots__ = ("depth",)
    class Depth(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        DEPTH_UNSPECIFIED: _ClassVar[Bury.Depth]
        DEPTH_LAST: _ClassVar[Bury.Depth]
        DEPTH_OUT: _ClassVar[Bury.Depth]
    DEPTH_UNSPECIFIED: Bury.Depth
    DEPTH_LAST: Bury.Depth
    DEPTH_OUT: Bury.Depth
    DEPTH_FIELD_NUMBER: _ClassVar[int]
    depth: Bury.Depth
    def __init__(self, depth: _Optional[_Union[Bury.Depth, str]] = ...) -> None: ...
