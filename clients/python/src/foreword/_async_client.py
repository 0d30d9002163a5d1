"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from types import TracebackType

import grpc
from grpc import aio

from foreword._calls import Metadata, Method, Request, Response
from foreword._channel import OPTIONS, Tls, Token, check, with_token
from foreword._errors import of_call
from foreword._methods import AsyncMethods
from foreword._retry import Retry, Tries
from foreword._revisions import Revisions


class AsyncClient(AsyncMethods):
    """Calls a service from one event loop; all else is as of `Client`. A task that is cancelled cancels
    its call, and the client stays usable. A function given as `token` must not wait.
    """

    def __init__(
        self,
        target: str,
        *,
        tls: Tls | None = None,
        token: Token | None = None,
        timeout: float = 5.0,
        retry: Retry = Retry(),
        revisions: Revisions | None = None,
    ) -> None:
        check(target, tls, token)
        self._token = token
        self._timeout = timeout
        self._retry = retry
        self.revisions = Revisions() if revisions is None else revisions
        """What is known of readers."""
        self.channel = connect(target, tls)
        """For what this class does not do; it shows no token by itself."""

    async def close(self) -> None:
        """Ends every call that is under way."""
        await self.channel.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _unary(
        self, method: Method[Request, Response], request: Request, timeout: float | None, metadata: Metadata
    ) -> Response:
        # The caller's message stays as it is.
        sent = method.request()
        sent.CopyFrom(request)
        self.revisions.sent_with(sent)
        call = self.channel.unary_unary(method.path, method.request.SerializeToString, method.response.FromString)
        tries = Tries(self._retry, method.repeatable, self._timeout if timeout is None else timeout)
        while True:
            try:
                answer = await call(
                    sent, timeout=tries.attempt_timeout(), metadata=with_token(metadata, self._token)
                )
            except grpc.RpcError as cause:
                error = of_call(cause)
                wait = tries.wait_after(error)
                if wait is None:
                    raise error from cause
                await asyncio.sleep(wait)
            else:
                self.revisions.read_from(sent, answer)
                return answer

    def _stream_of_one(
        self, method: Method[Request, Response], request: Request, timeout: float | None, metadata: Metadata
    ) -> AsyncIterator[Response]:
        call = self.channel.unary_stream(method.path, method.request.SerializeToString, method.response.FromString)
        return self._read(lambda: call(request, timeout=timeout, metadata=with_token(metadata, self._token)))

    def _stream(
        self,
        method: Method[Request, Response],
        requests: Iterable[Request] | AsyncIterable[Request],
        timeout: float | None,
        metadata: Metadata,
    ) -> AsyncIterator[Response]:
        call = self.channel.stream_stream(method.path, method.request.SerializeToString, method.response.FromString)
        sent = aiter(requests) if isinstance(requests, AsyncIterable) else iter(requests)
        return self._read(lambda: call(sent, timeout=timeout, metadata=with_token(metadata, self._token)))

    async def _read(
        self,
        begin: Callable[[], aio.UnaryStreamCall[Request, Response] | aio.StreamStreamCall[Request, Response]],
    ) -> AsyncIterator[Response]:
        # Not before somebody reads: a call that nobody reads would never be ended.
        answers = begin()
        try:
            async for answer in answers:
                yield answer
        except grpc.RpcError as cause:
            raise of_call(cause) from cause
        finally:
            # Whoever reads no further ends the call.
            answers.cancel()


def connect(target: str, tls: Tls | None) -> aio.Channel:
    if tls is None:
        return aio.insecure_channel(target, OPTIONS)
    return aio.secure_channel(target, tls.credentials(), OPTIONS + tls.options())
