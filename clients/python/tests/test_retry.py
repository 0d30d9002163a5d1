"""Attempts, against a service of the test's own that fails as it is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import foreword
import grpc
import pytest
from foreword import AsyncClient, Client, Retry
from foreword._retry import Tries
from foreword.v1 import RollBackModelRequest, TrendingRequest, TrendingResponse
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status

WAIT = 0.4
"""The seconds that the service wants clients to wait."""


class Failing(grpc.GenericRpcHandler):
    """Refuses so many calls with this code, and answers what comes then."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.refusals = 0
        self.code = grpc.StatusCode.UNAVAILABLE
        self.details: list[Message] = []
        server = grpc.server(ThreadPoolExecutor(4), handlers=[self])
        self.port = server.add_insecure_port("127.0.0.1:0")
        self.server = server
        server.start()

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes]:
        return grpc.unary_unary_rpc_method_handler(self.answer)

    def answer(self, _request: bytes, context: grpc.ServicerContext) -> bytes:
        self.times.append(time.monotonic())
        if len(self.times) > self.refusals:
            return TrendingResponse(model_version="7").SerializeToString()
        details = []
        for detail in self.details:
            packed = Any()
            packed.Pack(detail)
            details.append(packed)
        status = Status(code=self.code.value[0], message="not now", details=details)
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        context.abort(self.code, "not now")


@pytest.fixture
def failing() -> Iterator[Failing]:
    service = Failing()
    yield service
    service.server.stop(0).wait()


def ask(service: Failing, retry: Retry = Retry()) -> str:
    with Client(f"127.0.0.1:{service.port}", timeout=10, retry=retry) as client:
        return client.trending(TrendingRequest()).model_version


def ask_async(service: Failing, retry: Retry = Retry()) -> str:
    async def play() -> str:
        async with AsyncClient(f"127.0.0.1:{service.port}", timeout=10, retry=retry) as client:
            return (await client.trending(TrendingRequest())).model_version

    return asyncio.run(play())


def info() -> RetryInfo:
    return RetryInfo(retry_delay=Duration(nanos=int(WAIT * 1e9)))


@pytest.mark.parametrize("ask", [ask, ask_async])
@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_the_next_attempt_comes_when_the_service_says(
    failing: Failing, ask: Callable[[Failing], str], code: grpc.StatusCode
) -> None:
    failing.refusals, failing.code, failing.details = 2, code, [info()]
    assert ask(failing) == "7"
    waits = [after - before for before, after in zip(failing.times, failing.times[1:])]
    assert len(waits) == 2 and all(wait >= WAIT for wait in waits)


@pytest.mark.parametrize("ask", [ask, ask_async])
def test_attempts_are_as_many_as_were_allowed_and_each_waits_longer(
    failing: Failing, ask: Callable[[Failing, Retry], str]
) -> None:
    failing.refusals = 100
    with pytest.raises(foreword.UnavailableError):
        ask(failing, Retry(attempts=4, first_wait=0.1, longest_wait=0.3))
    waits = [after - before for before, after in zip(failing.times, failing.times[1:])]
    assert len(waits) == 3
    for wait, least in zip(waits, (0.05, 0.1, 0.15)):
        assert wait >= least


def test_what_waiting_does_not_mend_is_not_tried_again(failing: Failing) -> None:
    failing.refusals = 100
    for code, error in (
        (grpc.StatusCode.RESOURCE_EXHAUSTED, foreword.ResourceExhaustedError),
        (grpc.StatusCode.INTERNAL, foreword.ForewordError),
        (grpc.StatusCode.INVALID_ARGUMENT, foreword.InvalidRequestError),
    ):
        failing.code, failing.times = code, []
        with pytest.raises(error):
            ask(failing)
        assert len(failing.times) == 1


def test_what_may_not_be_sent_twice_is_sent_once(failing: Failing) -> None:
    failing.refusals, failing.details = 100, [info()]
    with Client(f"127.0.0.1:{failing.port}") as client:
        with pytest.raises(foreword.UnavailableError) as raised:
            client.roll_back_model(RollBackModelRequest())
        assert raised.value.retry_after == pytest.approx(WAIT)
    assert len(failing.times) == 1


def test_nobody_waits_beyond_the_timeout_for_another_attempt(failing: Failing) -> None:
    failing.refusals, failing.details = 100, [RetryInfo(retry_delay=Duration(seconds=60))]
    with Client(f"127.0.0.1:{failing.port}") as client:
        began = time.monotonic()
        with pytest.raises(foreword.UnavailableError) as raised:
            client.trending(TrendingRequest(), timeout=30)
        assert time.monotonic() - began < 30 and raised.value.retry_after == 60
    assert len(failing.times) == 1


def test_an_attempt_has_a_part_of_the_time_if_another_may_follow() -> None:
    for retry, repeatable, part in (
        (Retry(), True, 0.5),
        (Retry(), False, 1.0),
        (Retry(attempts=1), True, 1.0),
        (Retry(attempt_part=1), True, 1.0),
        (Retry(attempt_part=0.1), True, 0.1),
    ):
        assert Tries(retry, repeatable, 1000).attempt_timeout() == pytest.approx(part * 1000, abs=1), retry


def test_an_attempt_that_hangs_is_made_again_at_once_and_then_has_what_is_left() -> None:
    late = foreword.DeadlineExceededError(grpc.StatusCode.DEADLINE_EXCEEDED, "late", {})
    tries = Tries(Retry(attempts=3, attempt_part=0.1), True, 1)
    for _ in range(2):
        time.sleep(tries.attempt_timeout())
        assert tries.wait_after(late) == 0
    assert tries.attempt_timeout() > 0.1
    assert tries.wait_after(late) is None, "that was the last one"
    early = Tries(Retry(), True, 1000)
    early.attempt_timeout()
    assert early.wait_after(late) is None, "the service itself had no time"


def test_a_retry_that_makes_no_sense_is_refused() -> None:
    for wrong in ({"attempts": 0}, {"first_wait": 0.0}, {"longest_wait": 0.01}):
        with pytest.raises(ValueError, match="expected attempts"):
            Retry(**wrong)
    for part in (0.0, 1.1):
        with pytest.raises(ValueError, match="expected 0 < attempt_part <= 1"):
            Retry(attempt_part=part)
