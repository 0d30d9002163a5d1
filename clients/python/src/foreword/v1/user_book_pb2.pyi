import datetime

from foreword.v1 import book_pb2 as _book_pb2
from foreword.v1 import event_pb2 as _event_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class UserBook(_message.Message):
    __slots__ = ("book", "actions")
    BOOK_FIELD_NUMBER: _ClassVar[int]
    ACTIONS_FIELD_NUMBER: _ClassVar[int]
    book: _book_pb2.Book
    actions: _containers.RepeatedCompositeFieldContainer[UserAction]
    def __init__(self, book: _Optional[_Union[_book_pb2.Book, _Mapping]] = ..., actions: _Optional[_Iterable[_Union[UserAction, _Mapping]]] = ...) -> None: ...

class UserAction(_message.Message):
    __slots__ = ("kind", "rating", "event_time", "event_id")
    KIND_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    kind: _event_pb2.EventKind
    rating: float
    event_time: _timestamp_pb2.Timestamp
    event_id: str
    def __init__(self, kind: _Optional[_Union[_event_pb2.EventKind, str]] = ..., rating: _Optional[float] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., event_id: _Optional[str] = ...) -> None: ...
