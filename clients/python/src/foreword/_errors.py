"""What a call can end with instead of an answer: one exception for each thing that a caller would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

DETAILS = "grpc-status-details-bin"


@dataclass(frozen=True)
class Violation:
    """A field of a request that is not valid."""

    field: str
    description: str


class ForewordError(Exception):
    """A call that was not answered. Its subclasses say what to do about it; this one itself is an
    error of the service or of the network that nothing more is known of.
    """

    def __init__(self, code: grpc.StatusCode, message: str, trailers: Mapping[str, str | bytes]) -> None:
        super().__init__(f"{code.name}: {message}")
        self.code = code
        """The gRPC status."""
        self.message = message
        """What the service says, for people."""
        self.trailers = trailers
        """The metadata that came with the status."""
        self.reason: str | None = None
        """Why the service itself refused, for programs: `google.rpc.ErrorInfo.reason`, such as
        `SOLD_OUT`. `None` if it does not say, or if it was not reached.
        """
        self.info: Mapping[str, str] = {}
        """The metadata of the reason, such as the `stock`."""
        self.violations: tuple[Violation, ...] = ()
        """Each field at fault."""
        self.retry_after: float | None = None
        """Seconds to wait before trying again, if the service says so."""
        self._read_details()

    @property
    def request_id(self) -> str | None:
        """By which the service's log names the call."""
        value = self.trailers.get("x-request-id")
        return value if isinstance(value, str) else None

    def _read_details(self) -> None:
        encoded = self.trailers.get(DETAILS)
        try:
            details = Status.FromString(encoded) if isinstance(encoded, bytes) else Status()
        except DecodeError:
            # Whoever sent it, the code and the message still count.
            return
        for detail in details.details:
            info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
            if detail.Unpack(info):
                self.reason, self.info = info.reason, dict(info.metadata)
            elif detail.Unpack(bad):
                self.violations = tuple(Violation(it.field, it.description) for it in bad.field_violations)
            elif detail.Unpack(retry):
                self.retry_after = retry.retry_delay.ToTimedelta().total_seconds()


class UnavailableError(ForewordError):
    """The service is away, stopping or overloaded, and it was tried again: show something else meanwhile."""


class DeadlineExceededError(ForewordError):
    """There was no answer in time. Whether the service did what was asked, nobody knows."""


class ResourceExhaustedError(ForewordError):
    """This client asks too much: wait for `retry_after`."""


class InvalidRequestError(ForewordError):
    """The request is refused, now and again: mend what `violations` names."""


class NotFoundError(ForewordError):
    """The shop does not have what was asked about."""


class PreconditionError(ForewordError):
    """Things are not as the request needs them; `reason` says which, such as `SOLD_OUT`."""


class UnauthenticatedError(ForewordError):
    """The service does not know who calls: show a credential, or a newer one."""


class PermissionDeniedError(ForewordError):
    """The service knows who calls, and they may not."""


OF_CODE: dict[grpc.StatusCode, type[ForewordError]] = {
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhaustedError,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequestError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.FAILED_PRECONDITION: PreconditionError,
    grpc.StatusCode.ALREADY_EXISTS: PreconditionError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
}


def of_call(error: grpc.RpcError) -> ForewordError:
    """The exception for what grpcio raised; both of its clients raise objects with these methods."""
    if not isinstance(error, (grpc.Call, grpc.aio.AioRpcError)):
        return ForewordError(grpc.StatusCode.UNKNOWN, str(error), {})
    trailers: dict[str, str | bytes] = {}
    for key, value in error.trailing_metadata() or ():
        trailers[key] = value
    code = error.code()
    return OF_CODE.get(code, ForewordError)(code, error.details() or "", trailers)
