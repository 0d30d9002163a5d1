"""The client for threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Protocol, TypeVar

import grpc

from foreword._calls import Metadata, Method, Request, Response
from foreword._channel import OPTIONS, Tls, Token, check, with_token
from foreword._errors import of_call
from foreword._methods import Methods
from foreword._retry import Retry, Tries
from foreword._revisions import Revisions

ResponseOut = TypeVar("ResponseOut", covariant=True)


class Answers(Protocol[ResponseOut]):
    """What grpcio returns for a stream; it has no name for it."""

    def __iter__(self) -> Iterator[ResponseOut]: ...
    def cancel(self) -> object: ...


class Client(Methods):
    """Calls a service, from any number of threads. Make one for the whole process, after it forked.

    `target` is a name of gRPC: `host:port`, `dns:///host:port`, `unix:path`. Without `tls` it is
    plaintext, and a `token` is then refused for any machine but this one. `timeout`, in seconds, holds
    for each call that has none of its own, its further attempts included; streams have no
    other than their own.

    Methods raise `ForewordError`, or what more is known of it.
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

    def close(self) -> None:
        """Ends every call that is under way."""
        self.channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _unary(
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
                answer = call(
                    sent, timeout=tries.attempt_timeout(), metadata=with_token(metadata, self._token)
                )
            except grpc.RpcError as cause:
                error = of_call(cause)
                wait = tries.wait_after(error)
                if wait is None:
                    raise error from cause
                time.sleep(wait)
            else:
                self.revisions.read_from(sent, answer)
                return answer

    def _stream_of_one(
        self, method: Method[Request, Response], request: Request, timeout: float | None, metadata: Metadata
    ) -> Iterator[Response]:
        call = self.channel.unary_stream(method.path, method.request.SerializeToString, method.response.FromString)
        return self._read(lambda: call(request, timeout=timeout, metadata=with_token(metadata, self._token)))

    def _stream(
        self, method: Method[Request, Response], requests: Iterable[Request], timeout: float | None, metadata: Metadata
    ) -> Iterator[Response]:
        call = self.channel.stream_stream(method.path, method.request.SerializeToString, method.response.FromString)
        sent = iter(requests)
        return self._read(lambda: call(sent, timeout=timeout, metadata=with_token(metadata, self._token)))

    def _read(self, begin: Callable[[], Answers[Response]]) -> Iterator[Response]:
        # Not before somebody reads: a call that nobody reads would never be ended.
        answers = begin()
        try:
            yield from answers
        except grpc.RpcError as cause:
            raise of_call(cause) from cause
        finally:
            # Whoever reads no further ends the call.
            answers.cancel()


def connect(target: str, tls: Tls | None) -> grpc.Channel:
    if tls is None:
        return grpc.insecure_channel(target, OPTIONS)
    return grpc.secure_channel(target, tls.credentials(), OPTIONS + tls.options())
