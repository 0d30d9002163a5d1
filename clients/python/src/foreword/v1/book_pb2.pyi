from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Book(_message.Message):
    __slots__ = ("id", "number", "title", "authors", "published_year", "language", "categories", "series", "volume", "work_id", "cover_uri", "publisher", "stock", "price", "min_age", "isbn13")
    ID_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    AUTHORS_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_YEAR_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    CATEGORIES_FIELD_NUMBER: _ClassVar[int]
    SERIES_FIELD_NUMBER: _ClassVar[int]
    VOLUME_FIELD_NUMBER: _ClassVar[int]
    WORK_ID_FIELD_NUMBER: _ClassVar[int]
    COVER_URI_FIELD_NUMBER: _ClassVar[int]
    PUBLISHER_FIELD_NUMBER: _ClassVar[int]
    STOCK_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    MIN_AGE_FIELD_NUMBER: _ClassVar[int]
    ISBN13_FIELD_NUMBER: _ClassVar[int]
    id: str
    number: int
    title: str
    authors: _containers.RepeatedScalarFieldContainer[str]
    published_year: int
    language: str
    categories: _containers.RepeatedScalarFieldContainer[str]
    series: str
    volume: float
    work_id: str
    cover_uri: str
    publisher: str
    stock: int
    price: Price
    min_age: int
    isbn13: str
    def __init__(self, id: _Optional[str] = ..., number: _Optional[int] = ..., title: _Optional[str] = ..., authors: _Optional[_Iterable[str]] = ..., published_year: _Optional[int] = ..., language: _Optional[str] = ..., categories: _Optional[_Iterable[str]] = ..., series: _Optional[str] = ..., volume: _Optional[float] = ..., work_id: _Optional[str] = ..., cover_uri: _Optional[str] = ..., publisher: _Optional[str] = ..., stock: _Optional[int] = ..., price: _Optional[_Union[Price, _Mapping]] = ..., min_age: _Optional[int] = ..., isbn13: _Optional[str] = ...) -> None: ...

class Price(_message.Message):
    __slots__ = ("minor_units", "currency")
    MINOR_UNITS_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    minor_units: int
    currency: str
    def __init__(self, minor_units: _Optional[int] = ..., currency: _Optional[str] = ...) -> None: ...
