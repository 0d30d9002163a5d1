import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EventKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_KIND_UNSPECIFIED: _ClassVar[EventKind]
    EVENT_KIND_VIEW: _ClassVar[EventKind]
    EVENT_KIND_WANT_TO_READ: _ClassVar[EventKind]
    EVENT_KIND_CART: _ClassVar[EventKind]
    EVENT_KIND_PURCHASE: _ClassVar[EventKind]
    EVENT_KIND_FINISH: _ClassVar[EventKind]
    EVENT_KIND_RATING: _ClassVar[EventKind]
    EVENT_KIND_DISMISS: _ClassVar[EventKind]
    EVENT_KIND_ABANDON: _ClassVar[EventKind]
    EVENT_KIND_RETURN: _ClassVar[EventKind]
    EVENT_KIND_IMPRESSION: _ClassVar[EventKind]
EVENT_KIND_UNSPECIFIED: EventKind
EVENT_KIND_VIEW: EventKind
EVENT_KIND_WANT_TO_READ: EventKind
EVENT_KIND_CART: EventKind
EVENT_KIND_PURCHASE: EventKind
EVENT_KIND_FINISH: EventKind
EVENT_KIND_RATING: EventKind
EVENT_KIND_DISMISS: EventKind
EVENT_KIND_ABANDON: EventKind
EVENT_KIND_RETURN: EventKind
EVENT_KIND_IMPRESSION: EventKind

class Event(_message.Message):
    __slots__ = ("event_id", "user_id", "book_id", "kind", "rating", "event_time", "attribution_token")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    user_id: str
    book_id: str
    kind: EventKind
    rating: float
    event_time: _timestamp_pb2.Timestamp
    attribution_token: str
    def __init__(self, event_id: _Optional[str] = ..., user_id: _Optional[str] = ..., book_id: _Optional[str] = ..., kind: _Optional[_Union[EventKind, str]] = ..., rating: _Optional[float] = ..., event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attribution_token: _Optional[str] = ...) -> None: ...

class Retraction(_message.Message):
    __slots__ = ("user_id", "event_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    event_id: str
    def __init__(self, user_id: _Optional[str] = ..., event_id: _Optional[str] = ...) -> None: ...

class EventEntry(_message.Message):
    __slots__ = ("event", "retraction")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    RETRACTION_FIELD_NUMBER: _ClassVar[int]
    event: Event
    retraction: Retraction
    def __init__(self, event: _Optional[_Union[Event, _Mapping]] = ..., retraction: _Optional[_Union[Retraction, _Mapping]] = ...) -> None: ...

class EventResult(_message.Message):
    __slots__ = ("event_id", "outcome", "user_revision", "unknown_book", "new_user", "violations")
    class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OUTCOME_UNSPECIFIED: _ClassVar[EventResult.Outcome]
        OUTCOME_STORED: _ClassVar[EventResult.Outcome]
        OUTCOME_REPEATED: _ClassVar[EventResult.Outcome]
        OUTCOME_CONFLICTING: _ClassVar[EventResult.Outcome]
        OUTCOME_RETRACTED: _ClassVar[EventResult.Outcome]
        OUTCOME_RETRACTED_BEFORE: _ClassVar[EventResult.Outcome]
        OUTCOME_NOT_FOUND: _ClassVar[EventResult.Outcome]
        OUTCOME_INVALID: _ClassVar[EventResult.Outcome]
    OUTCOME_UNSPECIFIED: EventResult.Outcome
    OUTCOME_STORED: EventResult.Outcome
    OUTCOME_REPEATED: EventResult.Outcome
    OUTCOME_CONFLICTING: EventResult.Outcome
    OUTCOME_RETRACTED: EventResult.Outcome
    OUTCOME_RETRACTED_BEFORE: EventResult.Outcome
    OUTCOME_NOT_FOUND: EventResult.Outcome
    OUTCOME_INVALID: EventResult.Outcome
    class Violation(_message.Message):
        __slots__ = ("field", "description")
        FIELD_FIELD_NUMBER: _ClassVar[int]
        DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
        field: str
        description: str
        def __init__(self, field: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    USER_REVISION_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_BOOK_FIELD_NUMBER: _ClassVar[int]
    NEW_USER_FIELD_NUMBER: _ClassVar[int]
    VIOLATIONS_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    outcome: EventResult.Outcome
    user_revision: int
    unknown_book: bool
    new_user: bool
    violations: _containers.RepeatedCompositeFieldContainer[EventResult.Violation]
    def __init__(self, event_id: _Optional[str] = ..., outcome: _Optional[_Union[EventResult.Outcome, str]] = ..., user_revision: _Optional[int] = ..., unknown_book: _Optional[bool] = ..., new_user: _Optional[bool] = ..., violations: _Optional[_Iterable[_Union[EventResult.Violation, _Mapping]]] = ...) -> None: ...

class HistoryItem(_message.Message):
    __slots__ = ("book_id", "kind", "rating")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    kind: EventKind
    rating: float
    def __init__(self, book_id: _Optional[str] = ..., kind: _Optional[_Union[EventKind, str]] = ..., rating: _Optional[float] = ...) -> None: ...
