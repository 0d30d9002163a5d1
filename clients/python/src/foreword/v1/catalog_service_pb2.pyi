from foreword.v1 import book_pb2 as _book_pb2
from foreword.v1 import category_pb2 as _category_pb2
from foreword.v1 import filter_pb2 as _filter_pb2
from foreword.v1 import user_book_pb2 as _user_book_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BookOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BOOK_ORDER_UNSPECIFIED: _ClassVar[BookOrder]
    BOOK_ORDER_POPULAR: _ClassVar[BookOrder]
    BOOK_ORDER_TITLE: _ClassVar[BookOrder]
    BOOK_ORDER_NEWEST: _ClassVar[BookOrder]
    BOOK_ORDER_CHEAPEST: _ClassVar[BookOrder]
BOOK_ORDER_UNSPECIFIED: BookOrder
BOOK_ORDER_POPULAR: BookOrder
BOOK_ORDER_TITLE: BookOrder
BOOK_ORDER_NEWEST: BookOrder
BOOK_ORDER_CHEAPEST: BookOrder

class GetBookRequest(_message.Message):
    __slots__ = ("book_id", "include_related", "user_id")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_RELATED_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    include_related: bool
    user_id: str
    def __init__(self, book_id: _Optional[str] = ..., include_related: _Optional[bool] = ..., user_id: _Optional[str] = ...) -> None: ...

class GetBookResponse(_message.Message):
    __slots__ = ("book", "editions", "series_books", "user_book", "stale")
    BOOK_FIELD_NUMBER: _ClassVar[int]
    EDITIONS_FIELD_NUMBER: _ClassVar[int]
    SERIES_BOOKS_FIELD_NUMBER: _ClassVar[int]
    USER_BOOK_FIELD_NUMBER: _ClassVar[int]
    STALE_FIELD_NUMBER: _ClassVar[int]
    book: _book_pb2.Book
    editions: _containers.RepeatedCompositeFieldContainer[_book_pb2.Book]
    series_books: _containers.RepeatedCompositeFieldContainer[_book_pb2.Book]
    user_book: _user_book_pb2.UserBook
    stale: bool
    def __init__(self, book: _Optional[_Union[_book_pb2.Book, _Mapping]] = ..., editions: _Optional[_Iterable[_Union[_book_pb2.Book, _Mapping]]] = ..., series_books: _Optional[_Iterable[_Union[_book_pb2.Book, _Mapping]]] = ..., user_book: _Optional[_Union[_user_book_pb2.UserBook, _Mapping]] = ..., stale: _Optional[bool] = ...) -> None: ...

class SearchBooksRequest(_message.Message):
    __slots__ = ("query", "page_size", "page_token")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    query: str
    page_size: int
    page_token: str
    def __init__(self, query: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class SearchBooksResponse(_message.Message):
    __slots__ = ("books", "next_page_token")
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    books: _containers.RepeatedCompositeFieldContainer[_book_pb2.Book]
    next_page_token: str
    def __init__(self, books: _Optional[_Iterable[_Union[_book_pb2.Book, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListBooksRequest(_message.Message):
    __slots__ = ("filter", "order", "page_size", "page_token")
    FILTER_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    filter: _filter_pb2.BookFilter
    order: BookOrder
    page_size: int
    page_token: str
    def __init__(self, filter: _Optional[_Union[_filter_pb2.BookFilter, _Mapping]] = ..., order: _Optional[_Union[BookOrder, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListBooksResponse(_message.Message):
    __slots__ = ("books", "next_page_token", "total_count")
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_COUNT_FIELD_NUMBER: _ClassVar[int]
    books: _containers.RepeatedCompositeFieldContainer[_book_pb2.Book]
    next_page_token: str
    total_count: int
    def __init__(self, books: _Optional[_Iterable[_Union[_book_pb2.Book, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., total_count: _Optional[int] = ...) -> None: ...

class ListCategoriesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCategoriesResponse(_message.Message):
    __slots__ = ("categories", "next_page_token")
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    categories: _containers.RepeatedCompositeFieldContainer[_category_pb2.Category]
    next_page_token: str
    def __init__(self, categories: _Optional[_Iterable[_Union[_category_pb2.Category, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpsertBooksRequest(_message.Message):
    __slots__ = ("books",)
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    books: _containers.RepeatedCompositeFieldContainer[_book_pb2.Book]
    def __init__(self, books: _Optional[_Iterable[_Union[_book_pb2.Book, _Mapping]]] = ...) -> None: ...

class UpsertBooksResponse(_message.Message):
    __slots__ = ("created_count", "changed_count", "unchanged_count", "numbers")
    CREATED_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    created_count: int
    changed_count: int
    unchanged_count: int
    numbers: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, created_count: _Optional[int] = ..., changed_count: _Optional[int] = ..., unchanged_count: _Optional[int] = ..., numbers: _Optional[_Iterable[int]] = ...) -> None: ...

class OfferUpdate(_message.Message):
    __slots__ = ("book_id", "stock", "price")
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    STOCK_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    stock: int
    price: _book_pb2.Price
    def __init__(self, book_id: _Optional[str] = ..., stock: _Optional[int] = ..., price: _Optional[_Union[_book_pb2.Price, _Mapping]] = ...) -> None: ...

class UpdateOffersRequest(_message.Message):
    __slots__ = ("offers",)
    OFFERS_FIELD_NUMBER: _ClassVar[int]
    offers: _containers.RepeatedCompositeFieldContainer[OfferUpdate]
    def __init__(self, offers: _Optional[_Iterable[_Union[OfferUpdate, _Mapping]]] = ...) -> None: ...

class UpdateOffersResponse(_message.Message):
    __slots__ = ("unknown_book_ids",)
    UNKNOWN_BOOK_IDS_FIELD_NUMBER: _ClassVar[int]
    unknown_book_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, unknown_book_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class AdjustStockRequest(_message.Message):
    __slots__ = ("request_id", "book_id", "change")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    book_id: str
    change: int
    def __init__(self, request_id: _Optional[str] = ..., book_id: _Optional[str] = ..., change: _Optional[int] = ...) -> None: ...

class AdjustStockResponse(_message.Message):
    __slots__ = ("stock", "applied_before")
    STOCK_FIELD_NUMBER: _ClassVar[int]
    APPLIED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    stock: int
    applied_before: bool
    def __init__(self, stock: _Optional[int] = ..., applied_before: _Optional[bool] = ...) -> None: ...

class DeleteBookRequest(_message.Message):
    __slots__ = ("book_id",)
    BOOK_ID_FIELD_NUMBER: _ClassVar[int]
    book_id: str
    def __init__(self, book_id: _Optional[str] = ...) -> None: ...

class DeleteBookResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ImportBooksRequest(_message.Message):
    __slots__ = ("books",)
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    books: _containers.RepeatedCompositeFieldContainer[_book_pb2.Book]
    def __init__(self, books: _Optional[_Iterable[_Union[_book_pb2.Book, _Mapping]]] = ...) -> None: ...

class ImportBooksResponse(_message.Message):
    __slots__ = ("created_count", "changed_count", "unchanged_count", "refusals")
    class Refusal(_message.Message):
        __slots__ = ("index", "field", "description")
        INDEX_FIELD_NUMBER: _ClassVar[int]
        FIELD_FIELD_NUMBER: _ClassVar[int]
        DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
        index: int
        field: str
        description: str
        def __init__(self, index: _Optional[int] = ..., field: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...
    CREATED_COUNT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_COUNT_FIELD_NUMBER: _ClassVar[int]
    REFUSALS_FIELD_NUMBER: _ClassVar[int]
    created_count: int
    changed_count: int
    unchanged_count: int
    refusals: _containers.RepeatedCompositeFieldContainer[ImportBooksResponse.Refusal]
    def __init__(self, created_count: _Optional[int] = ..., changed_count: _Optional[int] = ..., unchanged_count: _Optional[int] = ..., refusals: _Optional[_Iterable[_Union[ImportBooksResponse.Refusal, _Mapping]]] = ...) -> None: ...
