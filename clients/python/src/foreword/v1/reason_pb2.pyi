from foreword.v1 import event_pb2 as _event_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReasonCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_CODE_UNSPECIFIED: _ClassVar[ReasonCode]
    REASON_CODE_HISTORY: _ClassVar[ReasonCode]
    REASON_CODE_POPULAR_IN_CATEGORY: _ClassVar[ReasonCode]
    REASON_CODE_POPULAR: _ClassVar[ReasonCode]
    REASON_CODE_TRENDING: _ClassVar[ReasonCode]
    REASON_CODE_SIMILAR_TO: _ClassVar[ReasonCode]
    REASON_CODE_NEXT_IN_SERIES: _ClassVar[ReasonCode]
    REASON_CODE_BY_AUTHOR: _ClassVar[ReasonCode]
REASON_CODE_UNSPECIFIED: ReasonCode
REASON_CODE_HISTORY: ReasonCode
REASON_CODE_POPULAR_IN_CATEGORY: ReasonCode
REASON_CODE_POPULAR: ReasonCode
REASON_CODE_TRENDING: ReasonCode
REASON_CODE_SIMILAR_TO: ReasonCode
REASON_CODE_NEXT_IN_SERIES: ReasonCode
REASON_CODE_BY_AUTHOR: ReasonCode

class Reason(_message.Message):
    __slots__ = ("code", "book_id", "book_title", "event_kind", "rating", "share", "category", "series", "author")
    CODE_FIELD_NUMBER: _ClassVar[int]
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    BOOK_TITLE_FIELD_NUMBER: _ClassVar[int]
    EVENT_KIND_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    SHARE_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    SERIES_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    code: ReasonCode
    book_id: str
    book_title: str
    event_kind: _event_pb2.EventKind
    rating: float
    share: float
    category: str
    series: str
    author: str
    def __init__(self, code: _Optional[_Union[ReasonCode, str]] = ..., book_id: _Optional[str] = ..., book_title: _Optional[str] = ..., event_kind: _Optional[_Union[_event_pb2.EventKind, str]] = ..., rating: _Optional[float] = ..., share: _Optional[float] = ..., category: _Optional[str] = ..., series: _Optional[str] = ..., author: _Optional[str] = ...) -> None: ...
