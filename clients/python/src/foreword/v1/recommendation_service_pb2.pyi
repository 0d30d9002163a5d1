from foreword.v1 import book_pb2 as _book_pb2
from foreword.v1 import category_pb2 as _category_pb2
from foreword.v1 import event_pb2 as _event_pb2
from foreword.v1 import filter_pb2 as _filter_pb2
from foreword.v1 import reason_pb2 as _reason_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ShelfKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHELF_KIND_UNSPECIFIED: _ClassVar[ShelfKind]
    SHELF_KIND_PICKED_FOR_YOU: _ClassVar[ShelfKind]
    SHELF_KIND_CATEGORY: _ClassVar[ShelfKind]
    SHELF_KIND_BECAUSE_YOU_READ: _ClassVar[ShelfKind]
    SHELF_KIND_TRENDING: _ClassVar[ShelfKind]
    SHELF_KIND_NEXT_IN_SERIES: _ClassVar[ShelfKind]
    SHELF_KIND_SIMILAR_TO: _ClassVar[ShelfKind]
    SHELF_KIND_POPULAR: _ClassVar[ShelfKind]

class Fallback(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FALLBACK_UNSPECIFIED: _ClassVar[Fallback]
    FALLBACK_UNKNOWN_USER: _ClassVar[Fallback]
    FALLBACK_NO_HISTORY: _ClassVar[Fallback]
    FALLBACK_NO_MODEL: _ClassVar[Fallback]
    FALLBACK_STORE_UNAVAILABLE: _ClassVar[Fallback]
    FALLBACK_NO_NEIGHBOURS: _ClassVar[Fallback]
    FALLBACK_NO_TREND: _ClassVar[Fallback]
SHELF_KIND_UNSPECIFIED: ShelfKind
SHELF_KIND_PICKED_FOR_YOU: ShelfKind
SHELF_KIND_CATEGORY: ShelfKind
SHELF_KIND_BECAUSE_YOU_READ: ShelfKind
SHELF_KIND_TRENDING: ShelfKind
SHELF_KIND_NEXT_IN_SERIES: ShelfKind
SHELF_KIND_SIMILAR_TO: ShelfKind
SHELF_KIND_POPULAR: ShelfKind
FALLBACK_UNSPECIFIED: Fallback
FALLBACK_UNKNOWN_USER: Fallback
FALLBACK_NO_HISTORY: Fallback
FALLBACK_NO_MODEL: Fallback
FALLBACK_STORE_UNAVAILABLE: Fallback
FALLBACK_NO_NEIGHBOURS: Fallback
FALLBACK_NO_TREND: Fallback

class RecommendRequest(_message.Message):
    __slots__ = ("user_id", "history", "filter", "max_results", "shown_token", "user_revision")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    MAX_RESULTS_FIELD_NUMBER: _ClassVar[int]
    SHOWN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_REVISION_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    history: _containers.RepeatedCompositeFieldContainer[_event_pb2.HistoryItem]
    filter: _filter_pb2.BookFilter
    max_results: int
    shown_token: str
    user_revision: int
    def __init__(self, user_id: _Optional[str] = ..., history: _Optional[_Iterable[_Union[_event_pb2.HistoryItem, _Mapping]]] = ..., filter: _Optional[_Union[_filter_pb2.BookFilter, _Mapping]] = ..., max_results: _Optional[int] = ..., shown_token: _Optional[str] = ..., user_revision: _Optional[int] = ...) -> None: ...

class RecommendResponse(_message.Message):
    __slots__ = ("books", "attribution_token", "model_version", "fallback", "shown_token", "user_revision", "stale")
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    SHOWN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_REVISION_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    books: _containers.RepeatedCompositeFieldContainer[RecommendedBook]
    attribution_token: str
    model_version: str
    fallback: Fallback
    shown_token: str
    user_revision: int
    stale: bool
    def __init__(self, books: _Optional[_Iterable[_Union[RecommendedBook, _Mapping]]] = ..., attribution_token: _Optional[str] = ..., model_version: _Optional[str] = ..., fallback: _Optional[_Union[Fallback, str]] = ..., shown_token: _Optional[str] = ..., user_revision: _Optional[int] = ..., stale: _Optional[bool] = ...) -> None: ...

class SimilarBooksRequest(_message.Message):
    __slots__ = ("book_id", "filter", "max_results", "shown_token")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    MAX_RESULTS_FIELD_NUMBER: _ClassVar[int]
    SHOWN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    filter: _filter_pb2.BookFilter
    max_results: int
    shown_token: str
    def __init__(self, book_id: _Optional[str] = ..., filter: _Optional[_Union[_filter_pb2.BookFilter, _Mapping]] = ..., max_results: _Optional[int] = ..., shown_token: _Optional[str] = ...) -> None: ...

class SimilarBooksResponse(_message.Message):
    __slots__ = ("books", "attribution_token", "model_version", "fallback", "shown_token")
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    SHOWN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    books: _containers.RepeatedCompositeFieldContainer[RecommendedBook]
    attribution_token: str
    model_version: str
    fallback: Fallback
    shown_token: str
    def __init__(self, books: _Optional[_Iterable[_Union[RecommendedBook, _Mapping]]] = ..., attribution_token: _Optional[str] = ..., model_version: _Optional[str] = ..., fallback: _Optional[_Union[Fallback, str]] = ..., shown_token: _Optional[str] = ...) -> None: ...

class TrendingRequest(_message.Message):
    __slots__ = ("filter", "max_results", "shown_token")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    MAX_RESULTS_FIELD_NUMBER: _ClassVar[int]
    SHOWN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    filter: _filter_pb2.BookFilter
    max_results: int
    shown_token: str
    def __init__(self, filter: _Optional[_Union[_filter_pb2.BookFilter, _Mapping]] = ..., max_results: _Optional[int] = ..., shown_token: _Optional[str] = ...) -> None: ...

class TrendingResponse(_message.Message):
    __slots__ = ("books", "attribution_token", "model_version", "fallback", "shown_token")
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    SHOWN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    books: _containers.RepeatedCompositeFieldContainer[RecommendedBook]
    attribution_token: str
    model_version: str
    fallback: Fallback
    shown_token: str
    def __init__(self, books: _Optional[_Iterable[_Union[RecommendedBook, _Mapping]]] = ..., attribution_token: _Optional[str] = ..., model_version: _Optional[str] = ..., fallback: _Optional[_Union[Fallback, str]] = ..., shown_token: _Optional[str] = ...) -> None: ...

class RecommendPageRequest(_message.Message):
    __slots__ = ("user_id", "history", "filter", "shelves", "shown_token", "user_revision")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SHELVES_FIELD_NUMBER: _ClassVar[int]
    SHOWN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_REVISION_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    history: _containers.RepeatedCompositeFieldContainer[_event_pb2.HistoryItem]
    filter: _filter_pb2.BookFilter
    shelves: _containers.RepeatedCompositeFieldContainer[ShelfRequest]
    shown_token: str
    user_revision: int
    def __init__(self, user_id: _Optional[str] = ..., history: _Optional[_Iterable[_Union[_event_pb2.HistoryItem, _Mapping]]] = ..., filter: _Optional[_Union[_filter_pb2.BookFilter, _Mapping]] = ..., shelves: _Optional[_Iterable[_Union[ShelfRequest, _Mapping]]] = ..., shown_token: _Optional[str] = ..., user_revision: _Optional[int] = ...) -> None: ...

class RecommendPageResponse(_message.Message):
    __slots__ = ("shelves", "model_version", "shown_token", "user_revision", "stale")
    SHELVES_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    SHOWN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    USER_REVISION_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    shelves: _containers.RepeatedCompositeFieldContainer[Shelf]
    model_version: str
    shown_token: str
    user_revision: int
    stale: bool
    def __init__(self, shelves: _Optional[_Iterable[_Union[Shelf, _Mapping]]] = ..., model_version: _Optional[str] = ..., shown_token: _Optional[str] = ..., user_revision: _Optional[int] = ..., stale: _Optional[bool] = ...) -> None: ...

class ShelfRequest(_message.Message):
    __slots__ = ("kind", "category", "book_id", "max_shelves", "max_results")
    KIND_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    MAX_SHELVES_FIELD_NUMBER: _ClassVar[int]
    MAX_RESULTS_FIELD_NUMBER: _ClassVar[int]
    kind: ShelfKind
    category: str
    book_id: str
    max_shelves: int
    max_results: int
    def __init__(self, kind: _Optional[_Union[ShelfKind, str]] = ..., category: _Optional[str] = ..., book_id: _Optional[str] = ..., max_shelves: _Optional[int] = ..., max_results: _Optional[int] = ...) -> None: ...

class Shelf(_message.Message):
    __slots__ = ("kind", "request_index", "category", "book", "event_kind", "rating", "books", "attribution_token", "fallback")
    KIND_FIELD_NUMBER: _ClassVar[int]
    REQUEST_INDEX_FIELD_NUMBER: _ClassVar[int]
    CATEGORY_FIELD_NUMBER: _ClassVar[int]
    BOOK_FIELD_NUMBER: _ClassVar[int]
    EVENT_KIND_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTION_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FALLBACK_FIELD_NUMBER: _ClassVar[int]
    kind: ShelfKind
    request_index: int
    category: _category_pb2.Category
    book: _book_pb2.Book
    event_kind: _event_pb2.EventKind
    rating: float
    books: _containers.RepeatedCompositeFieldContainer[RecommendedBook]
    attribution_token: str
    fallback: Fallback
    def __init__(self, kind: _Optional[_Union[ShelfKind, str]] = ..., request_index: _Optional[int] = ..., category: _Optional[_Union[_category_pb2.Category, _Mapping]] = ..., book: _Optional[_Union[_book_pb2.Book, _Mapping]] = ..., event_kind: _Optional[_Union[_event_pb2.EventKind, str]] = ..., rating: _Optional[float] = ..., books: _Optional[_Iterable[_Union[RecommendedBook, _Mapping]]] = ..., attribution_token: _Optional[str] = ..., fallback: _Optional[_Union[Fallback, str]] = ...) -> None: ...

class RecommendedBook(_message.Message):
    __slots__ = ("book", "score", "reasons", "source")
    BOOK_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    book: _book_pb2.Book
    score: float
    reasons: _containers.RepeatedCompositeFieldContainer[_reason_pb2.Reason]
    source: Source
    def __init__(self, book: _Optional[_Union[_book_pb2.Book, _Mapping]] = ..., score: _Optional[float] = ..., reasons: _Optional[_Iterable[_Union[_reason_pb2.Reason, _Mapping]]] = ..., source: _Optional[_Union[Source, _Mapping]] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("kind", "simulated")
    class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        KIND_UNSPECIFIED: _ClassVar[Source.Kind]
        KIND_PERSONAL: _ClassVar[Source.Kind]
        KIND_SIMILAR: _ClassVar[Source.Kind]
        KIND_POPULAR: _ClassVar[Source.Kind]
        KIND_TRENDING: _ClassVar[Source.Kind]
        KIND_UNRANKED: _ClassVar[Source.Kind]
        KIND_PINNED: _ClassVar[Source.Kind]
    KIND_UNSPECIFIED: Source.Kind
    KIND_PERSONAL: Source.Kind
    KIND_SIMILAR: Source.Kind
    KIND_POPULAR: Source.Kind
    KIND_TRENDING: Source.Kind
    KIND_UNRANKED: Source.Kind
    KIND_PINNED: Source.Kind
    KIND_FIELD_NUMBER: _ClassVar[int]
    SIMULATED_FIELD_NUMBER: _ClassVar[int]
    kind: Source.Kind
    simulated: bool
    def __init__(self, kind: _Optional[_Union[Source.Kind, str]] = ..., simulated: _Optional[bool] = ...) -> None: ...
