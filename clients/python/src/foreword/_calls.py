"""What the generated methods ask of a client: to make a call of each kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from google.protobuf.message import Message

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)

Metadata = Sequence[tuple[str, str]]
"""Headers sent with a call, such as `[("x-request-id", "…")]`; names in lower case."""


@dataclass(frozen=True)
class Method(Generic[Request, Response]):
    """A method of the contract."""

    path: str
    request: type[Request]
    response: type[Response]
    repeatable: bool
    """Whether sending a request twice is sending it once, as the contract says."""


class Calls(ABC):
    @abstractmethod
    def _unary(
        self, method: Method[Request, Response], request: Request, timeout: float | None, metadata: Metadata
    ) -> Response: ...

    @abstractmethod
    def _stream_of_one(
        self, method: Method[Request, Response], request: Request, timeout: float | None, metadata: Metadata
    ) -> Iterator[Response]: ...

    @abstractmethod
    def _stream(
        self, method: Method[Request, Response], requests: Iterable[Request], timeout: float | None, metadata: Metadata
    ) -> Iterator[Response]: ...


class AsyncCalls(ABC):
    @abstractmethod
    async def _unary(
        self, method: Method[Request, Response], request: Request, timeout: float | None, metadata: Metadata
    ) -> Response: ...

    @abstractmethod
    def _stream_of_one(
        self, method: Method[Request, Response], request: Request, timeout: float | None, metadata: Metadata
    ) -> AsyncIterator[Response]: ...

    @abstractmethod
    def _stream(
        self,
        method: Method[Request, Response],
        requests: Iterable[Request] | AsyncIterable[Request],
        timeout: float | None,
        metadata: Metadata,
    ) -> AsyncIterator[Response]: ...
