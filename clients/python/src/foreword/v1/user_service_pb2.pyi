import datetime

from foreword.v1 import category_pb2 as _category_pb2
from foreword.v1 import event_pb2 as _event_pb2
from foreword.v1 import user_book_pb2 as _user_book_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListUsersRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListUsersResponse(_message.Message):
    __slots__ = ("users", "next_page_token")
    USERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[UserSummary]
    next_page_token: str
    def __init__(self, users: _Optional[_Iterable[_Union[UserSummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UserSummary(_message.Message):
    __slots__ = ("user_id", "book_count", "last_event_time", "favourite_categories", "simulated")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    BOOK_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_EVENT_TIME_FIELD_NUMBER: _ClassVar[int]
    FAVOURITE_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    SIMULATED_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    book_count: int
    last_event_time: _timestamp_pb2.Timestamp
    favourite_categories: _containers.RepeatedCompositeFieldContainer[_category_pb2.Category]
    simulated: bool
    def __init__(self, user_id: _Optional[str] = ..., book_count: _Optional[int] = ..., last_event_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., favourite_categories: _Optional[_Iterable[_Union[_category_pb2.Category, _Mapping]]] = ..., simulated: _Optional[bool] = ...) -> None: ...

class ListUserBooksRequest(_message.Message):
    __slots__ = ("user_id", "any_kinds", "no_kinds", "page_size", "page_token")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    ANY_KINDS_FIELD_NUMBER: _ClassVar[int]
    NO_KINDS_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    any_kinds: _containers.RepeatedScalarFieldContainer[_event_pb2.EventKind]
    no_kinds: _containers.RepeatedScalarFieldContainer[_event_pb2.EventKind]
    page_size: int
    page_token: str
    def __init__(self, user_id: _Optional[str] = ..., any_kinds: _Optional[_Iterable[_Union[_event_pb2.EventKind, str]]] = ..., no_kinds: _Optional[_Iterable[_Union[_event_pb2.EventKind, str]]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListUserBooksResponse(_message.Message):
    __slots__ = ("books", "next_page_token", "total_count")
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    books: _containers.RepeatedCompositeFieldContainer[_user_book_pb2.UserBook]
    next_page_token: str
    total_count: int
    def __init__(self, books: _Optional[_Iterable[_Union[_user_book_pb2.UserBook, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_count: _Optional[int] = ...) -> None: ...

class ImportReadingListRequest(_message.Message):
    __slots__ = ("user_id", "data")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    data: bytes
    def __init__(self, user_id: _Optional[str] = ..., data: _Optional[bytes] = ...) -> None: ...

class ImportReadingListResponse(_message.Message):
    __slots__ = ("progress", "report")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    progress: ImportProgress
    report: ReadingListReport
    def __init__(self, progress: _Optional[_Union[ImportProgress, _Mapping]] = ..., report: _Optional[_Union[ReadingListReport, _Mapping]] = ...) -> None: ...

class ImportProgress(_message.Message):
    __slots__ = ("received_bytes", "read_line_count")
    RECEIVED_BYTES_FIELD_NUMBER: _ClassVar[int]
    READ_LINE_COUNT_FIELD_NUMBER: _ClassVar[int]
    received_bytes: int
    read_line_count: int
    def __init__(self, received_bytes: _Optional[int] = ..., read_line_count: _Optional[int] = ...) -> None: ...

class ReadingListReport(_message.Message):
    __slots__ = ("line_count", "stored_event_count", "repeated_event_count", "refused_line_count", "refusals", "unmatched_line_count", "unmatched_books", "notes", "user_revision")
    class Refusal(_message.Message):
        __slots__ = ("line", "column", "description")
        LINE_FIELD_NUMBER: _ClassVar[int]
        COLUMN_FIELD_NUMBER: _ClassVar[int]
        DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
        line: int
        column: str
        description: str
        def __init__(self, line: _Optional[int] = ..., column: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...
    class UnmatchedBook(_message.Message):
        __slots__ = ("line", "title", "author")
        LINE_FIELD_NUMBER: _ClassVar[int]
        TITLE_FIELD_NUMBER: _ClassVar[int]
        AUTHOR_FIELD_NUMBER: _ClassVar[int]
        line: int
        title: str
        author: str
        def __init__(self, line: _Optional[int] = ..., title: _Optional[str] = ..., author: _Optional[str] = ...) -> None: ...
    LINE_COUNT_FIELD_NUMBER: _ClassVar[int]
    STORED_EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    REPEATED_EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    REFUSED_LINE_COUNT_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    UNMATCHED_LINE_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNMATCHED_BOOKS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    USER_REVISION_FIELD_NUMBER: _ClassVar[int]
    line_count: int
    stored_event_count: int
    repeated_event_count: int
    refused_line_count: int
    refusals: _containers.RepeatedCompositeFieldContainer[ReadingListReport.Refusal]
    unmatched_line_count: int
    unmatched_books: _containers.RepeatedCompositeFieldContainer[ReadingListReport.UnmatchedBook]
    notes: _containers.RepeatedScalarFieldContainer[str]
    user_revision: int
    def __init__(self, line_count: _Optional[int] = ..., stored_event_count: _Optional[int] = ..., repeated_event_count: _Optional[int] = ..., refused_line_count: _Optional[int] = ..., refusals: _Optional[_Iterable[_Union[ReadingListReport.Refusal, _Mapping]]] = ..., unmatched_line_count: _Optional[int] = ..., unmatched_books: _Optional[_Iterable[_Union[ReadingListReport.UnmatchedBook, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ..., user_revision: _Optional[int] = ...) -> None: ...

class ExportUserRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class ExportUserResponse(_message.Message):
    __slots__ = ("events", "merged_user_ids")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    MERGED_USER_IDS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[StoredEvent]
    merged_user_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, events: _Optional[_Iterable[_Union[StoredEvent, _Mapping]]] = ..., merged_user_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class StoredEvent(_message.Message):
    __slots__ = ("event", "record_time", "origin", "retracted")
    class Origin(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ORIGIN_UNSPECIFIED: _ClassVar[StoredEvent.Origin]
        ORIGIN_CLIENT: _ClassVar[StoredEvent.Origin]
        ORIGIN_IMPORT: _ClassVar[StoredEvent.Origin]
        ORIGIN_SIMULATED: _ClassVar[StoredEvent.Origin]
    ORIGIN_UNSPECIFIED: StoredEvent.Origin
    ORIGIN_CLIENT: StoredEvent.Origin
    ORIGIN_IMPORT: StoredEvent.Origin
    ORIGIN_SIMULATED: StoredEvent.Origin
    EVENT_FIELD_NUMBER: _ClassVar[int]
    RECORD_TIME_FIELD_NUMBER: _ClassVar[int]
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    RETRACTED_FIELD_NUMBER: _ClassVar[int]
    event: _event_pb2.Event
    record_time: _timestamp_pb2.Timestamp
    origin: StoredEvent.Origin
    retracted: bool
    def __init__(self, event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ..., record_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., origin: _Optional[_Union[StoredEvent.Origin, str]] = ..., retracted: _Optional[bool] = ...) -> None: ...

class DeleteUserRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class DeleteUserResponse(_message.Message):
    __slots__ = ("deleted_event_count",)
    DELETED_EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    deleted_event_count: int
    def __init__(self, deleted_event_count: _Optional[int] = ...) -> None: ...

class MergeUsersRequest(_message.Message):
    __slots__ = ("source_user_id", "target_user_id")
    SOURCE_USER_ID_FIELD_NUMBER: _ClassVar[int]
    TARGET_USER_ID_FIELD_NUMBER: _ClassVar[int]
    source_user_id: str
    target_user_id: str
    def __init__(self, source_user_id: _Optional[str] = ..., target_user_id: _Optional[str] = ...) -> None: ...

class MergeUsersResponse(_message.Message):
    __slots__ = ("user_revision", "moved_event_count", "repeated_event_count")
    USER_REVISION_FIELD_NUMBER: _ClassVar[int]
    MOVED_EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    REPEATED_EVENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    user_revision: int
    moved_event_count: int
    repeated_event_count: int
    def __init__(self, user_revision: _Optional[int] = ..., moved_event_count: _Optional[int] = ..., repeated_event_count: _Optional[int] = ...) -> None: ...
