from foreword.v1 import book_pb2 as _book_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BookFilter(_message.Message):
    __slots__ = ("any_categories", "all_categories", "no_categories", "languages", "excluded_book_ids", "include_sold_out", "max_price", "reader_age", "require_known_age")
    ANY_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    ALL_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    NO_CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_BOOK_IDS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SOLD_OUT_FIELD_NUMBER: _ClassVar[int]
    MAX_PRICE_FIELD_NUMBER: _ClassVar[int]
    READER_AGE_FIELD_NUMBER: _ClassVar[int]
    REQUIRE_KNOWN_AGE_FIELD_NUMBER: _ClassVar[int]
    any_categories: _containers.RepeatedScalarFieldContainer[str]
    all_categories: _containers.RepeatedScalarFieldContainer[str]
    no_categories: _containers.RepeatedScalarFieldContainer[str]
    languages: _containers.RepeatedScalarFieldContainer[str]
    excluded_book_ids: _containers.RepeatedScalarFieldContainer[str]
    include_sold_out: bool
    max_price: _book_pb2.Price
    reader_age: int
    require_known_age: bool
    def __init__(self, any_categories: _Optional[_Iterable[str]] = ..., all_categories: _Optional[_Iterable[str]] = ..., no_categories: _Optional[_Iterable[str]] = ..., languages: _Optional[_Iterable[str]] = ..., excluded_book_ids: _Optional[_Iterable[str]] = ..., include_sold_out: _Optional[bool] = ..., max_price: _Optional[_Union[_book_pb2.Price, _Mapping]] = ..., reader_age: _Optional[int] = ..., require_known_age: _Optional[bool] = ...) -> None: ...
