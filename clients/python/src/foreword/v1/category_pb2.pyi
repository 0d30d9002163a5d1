from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Category(_message.Message):
    __slots__ = ("slug", "title", "book_count")
    SLUG_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    BOOK_COUNT_FIELD_NUMBER: _ClassVar[int]
    slug: str
    title: str
    book_count: int
    def __init__(self, slug: _Optional[str] = ..., title: _Optional[str] = ..., book_count: _Optional[int] = ...) -> None: ...
