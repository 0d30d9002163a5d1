"""The client for asyncio against the real service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import foreword
import pytest
from conftest import PATIENCE, Service
from foreword import AsyncClient, Retry
from foreword.v1 import (
    Event,
    EventEntry,
    EventKind,
    ExportUserRequest,
    RecommendRequest,
    RecordEventsRequest,
    StreamEventsRequest,
    TrendingRequest,
)


def entries(*books: str) -> list[EventEntry]:
    return [
        EventEntry(event=Event(event_id=f"line-{book}", user_id="1", book_id=book, kind=EventKind.EVENT_KIND_PURCHASE))
        for book in books
    ]


def test_many_readers_are_asked_for_at_once(service: Service) -> None:
    async def play() -> None:
        async with AsyncClient(service.target) as client:
            asked = [RecommendRequest(user_id=str(user), max_results=3) for user in range(1, 101)]
            answers = await asyncio.gather(*map(client.recommend, asked))
            assert [len(answer.books) for answer in answers] == [3] * 100
            bought = answers[0].books[0].book.id
            await client.record_events(RecordEventsRequest(entries=entries(bought)))
            again = await client.recommend(asked[0])
            assert bought not in [found.book.id for found in again.books]
            assert again.user_revision >= client.revisions.get("1") > 0

    asyncio.run(play())


def test_a_cancelled_call_ends_at_once_and_harms_no_other(service: Service) -> None:
    async def play() -> None:
        async with AsyncClient(service.target, timeout=PATIENCE) as client:
            await client.trending(TrendingRequest())
            with service.paused():
                waiting = asyncio.create_task(client.trending(TrendingRequest()))
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(asyncio.shield(waiting), 0.2)
                began = time.monotonic()
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                assert time.monotonic() - began < PATIENCE / 2
            assert (await client.trending(TrendingRequest())).books

    asyncio.run(play())


def test_a_call_that_waits_for_its_next_attempt_can_be_cancelled(service: Service) -> None:
    service.stop()

    async def play() -> None:
        retry = Retry(attempts=100, first_wait=30, longest_wait=30)
        async with AsyncClient(service.target, timeout=PATIENCE, retry=retry) as client:
            began = time.monotonic()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.trending(TrendingRequest()), 0.5)
            assert time.monotonic() - began < 20

    asyncio.run(play())
    service.start()


def test_timeouts_and_reasons_are_those_of_the_other_client(service: Service) -> None:
    async def play() -> None:
        async with AsyncClient(service.target, timeout=0.5) as client:
            with pytest.raises(foreword.InvalidRequestError) as invalid:
                await client.trending(TrendingRequest(max_results=-1), timeout=PATIENCE)
            assert invalid.value.reason == "FIELDS_INVALID"
            with service.paused():
                with pytest.raises(foreword.DeadlineExceededError):
                    await client.trending(TrendingRequest())

    asyncio.run(play())


def test_streams_take_what_comes_of_async_iterators(service: Service) -> None:
    async def play() -> None:
        async def requests() -> AsyncIterator[StreamEventsRequest]:
            for book in ("1", "2"):
                yield StreamEventsRequest(entries=entries(book))

        async with AsyncClient(service.target) as client:
            results = [it.event_id async for answer in client.stream_events(requests()) for it in answer.results]
            assert results == ["line-1", "line-2"]
            with pytest.raises(foreword.NotFoundError):
                async for _ in client.export_user(ExportUserRequest(user_id="nobody")):
                    pass

    asyncio.run(play())


def test_a_stream_that_nobody_reads_is_no_call(service: Service) -> None:
    shown: list[str] = []

    def token() -> str:
        # Asked for at each call.
        shown.append("token")
        return "token"

    async def play() -> None:
        async with AsyncClient(service.target, token=token) as client:
            pieces = client.export_user(ExportUserRequest(user_id="1"))
            client.stream_events([StreamEventsRequest(entries=entries("1"))])
            assert shown == []
            assert any([piece.events async for piece in pieces])
            assert shown == ["token"]

    asyncio.run(play())
