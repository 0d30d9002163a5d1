"""Several replicas behind one name, of which one says nothing."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from conftest import PATIENCE, Service, copy_of_shop
from foreword import AsyncClient, Client, Retry
from foreword._channel import OPTIONS
from foreword.v1 import Event, EventEntry, EventKind, RecommendRequest, RecordEventsRequest, TrendingRequest

TIMEOUT = 10.0
ATTEMPT = TIMEOUT * Retry().attempt_part

ASK = RecommendRequest(user_id="ann", max_results=1)
"""What the other service answers with a revision: only it knows of her."""


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Service]:
    started = Service(copy_of_shop(tmp_path / "other"))
    event = Event(event_id="order-1", user_id="ann", book_id="1", kind=EventKind.EVENT_KIND_PURCHASE)
    with Client(started.target, timeout=PATIENCE) as client:
        client.record_events(RecordEventsRequest(entries=[EventEntry(event=event)]))
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses with commas between them are one target, but no name to send as that of the service."""
    for module in ("_client", "_async_client"):
        monkeypatch.setattr(f"foreword.{module}.OPTIONS", [*OPTIONS, ("grpc.default_authority", "replicas")])


def test_a_replica_that_takes_connections_and_says_nothing_is_not_waited_for(service: Service) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = f"ipv4:127.0.0.1:{silent.getsockname()[1]},{service.target}"
        with Client(target, timeout=TIMEOUT, retry=Retry(attempts=1)) as client:
            for _ in range(4):
                assert client.trending(TrendingRequest()).books


def test_what_one_replica_leaves_unanswered_another_answers_in_time(service: Service, other: Service) -> None:
    with Client(f"ipv4:{service.target},{other.target}", timeout=TIMEOUT) as client:
        give_up = time.monotonic() + PATIENCE
        seen: set[bool] = set()
        while len(seen) < 2:
            assert time.monotonic() < give_up, seen
            seen.add(client.recommend(ASK).user_revision > 0)
        began = time.monotonic()
        with other.paused():
            # They are asked in turn.
            for _ in range(2):
                assert client.recommend(ASK).user_revision == 0
        assert ATTEMPT <= time.monotonic() - began < 2 * TIMEOUT


def test_so_it_is_with_asyncio(service: Service, other: Service) -> None:
    async def play() -> None:
        async with AsyncClient(f"ipv4:{service.target},{other.target}", timeout=TIMEOUT) as client:
            give_up = time.monotonic() + PATIENCE
            seen: set[bool] = set()
            while len(seen) < 2:
                assert time.monotonic() < give_up, seen
                seen.add((await client.recommend(ASK)).user_revision > 0)
            began = time.monotonic()
            with other.paused():
                for _ in range(2):
                    assert (await client.recommend(ASK)).user_revision == 0
            assert ATTEMPT <= time.monotonic() - began < 2 * TIMEOUT

    asyncio.run(play())


def test_the_connection_of_a_service_that_hangs_is_given_up_between_calls(service: Service) -> None:
    with Client(service.target, timeout=PATIENCE) as client:
        client.trending(TrendingRequest())
        ready, lost = threading.Event(), threading.Event()

        def note(state: grpc.ChannelConnectivity) -> None:
            if state is grpc.ChannelConnectivity.READY:
                ready.set()
            elif ready.is_set():
                lost.set()

        client.channel.subscribe(note)
        assert ready.wait(PATIENCE)
        with service.paused():
            assert lost.wait(PATIENCE)
        assert client.trending(TrendingRequest()).books
