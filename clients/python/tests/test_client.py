"""The client for threads against the real service."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import foreword
import grpc
import pytest
from conftest import PATIENCE, Service, copy_of_shop, run
from foreword import Client, Retry, Tls
from foreword.v1 import (
    AdjustStockRequest,
    Event,
    EventEntry,
    EventKind,
    EventResult,
    ExportUserRequest,
    GetBookRequest,
    RecommendPageRequest,
    RecommendRequest,
    RecordEventsRequest,
    SearchBooksRequest,
    ShelfKind,
    ShelfRequest,
    StreamEventsRequest,
    TrendingRequest,
)


def purchase(user: str, book: str, event_id: str) -> RecordEventsRequest:
    event = Event(event_id=event_id, user_id=user, book_id=book, kind=EventKind.EVENT_KIND_PURCHASE)
    return RecordEventsRequest(entries=[EventEntry(event=event)])


def test_what_was_bought_is_not_recommended_again(service: Service) -> None:
    with Client(service.target) as client:
        ask = RecommendRequest(user_id="1", max_results=5)
        first = client.recommend(ask).books[0].book.id
        result = client.record_events(purchase("1", first, "order-1")).results[0]
        assert result.outcome == EventResult.OUTCOME_STORED
        assert client.revisions.get("1") == result.user_revision > 0
        answer = client.recommend(ask)
        assert first not in [found.book.id for found in answer.books]
        assert answer.user_revision >= result.user_revision
        assert ask.user_revision == 0, "the caller's message stays as it is"


def test_the_revision_goes_along_with_each_question_about_its_reader() -> None:
    revisions = foreword.Revisions(users_max=2)
    revisions.note("ann", 7)
    revisions.note("ann", 5)
    asked = [RecommendRequest(user_id="ann"), RecommendRequest(user_id="ann", user_revision=9)]
    page = RecommendPageRequest(user_id="ann")
    for question in (*asked, page):
        revisions.sent_with(question)
    assert [question.user_revision for question in asked] == [7, 9]
    assert page.user_revision == 7
    revisions.sent_with(TrendingRequest())
    revisions.note("bob", 1)
    revisions.note("cid", 2)
    assert [revisions.get(user) for user in ("ann", "bob", "cid")] == [0, 1, 2]


def test_a_service_that_hangs_costs_no_more_than_the_timeout(service: Service) -> None:
    with Client(service.target, timeout=0.5) as client:
        client.trending(TrendingRequest(), timeout=PATIENCE)
        with service.paused():
            began = time.monotonic()
            with pytest.raises(foreword.DeadlineExceededError) as raised:
                client.trending(TrendingRequest())
            assert 0.4 < time.monotonic() - began < PATIENCE / 2
            assert raised.value.code == grpc.StatusCode.DEADLINE_EXCEEDED
        client.trending(TrendingRequest(), timeout=PATIENCE)


def test_events_reach_a_service_that_is_started_again_meanwhile(service: Service) -> None:
    retry = Retry(attempts=1000, longest_wait=0.2)
    with Client(service.target, timeout=PATIENCE, retry=retry) as client:
        client.record_events(purchase("ann", "1", "before"))
        service.stop()
        again = threading.Timer(0.5, service.start)
        again.start()
        result = client.record_events(purchase("ann", "2", "meanwhile")).results[0]
        again.join()
        assert result.outcome in (EventResult.OUTCOME_STORED, EventResult.OUTCOME_REPEATED)
        repeated = client.record_events(purchase("ann", "2", "meanwhile")).results[0]
        assert repeated.outcome == EventResult.OUTCOME_REPEATED


def test_a_service_that_is_away_is_told_after_the_last_attempt(service: Service) -> None:
    service.stop()
    with Client(service.target, retry=Retry(attempts=2, first_wait=0.1)) as client:
        with pytest.raises(foreword.UnavailableError) as raised:
            client.trending(TrendingRequest())
        assert raised.value.reason is None
    service.start()


def test_errors_carry_what_the_service_says(service: Service) -> None:
    with Client(service.target) as client:
        with pytest.raises(foreword.NotFoundError) as unknown:
            client.get_book(GetBookRequest(book_id="no such book"))
        assert unknown.value.reason == "BOOK_UNKNOWN"
        with pytest.raises(foreword.InvalidRequestError) as invalid:
            client.trending(TrendingRequest(max_results=-1), metadata=[("x-request-id", "from-the-test")])
        assert invalid.value.reason == "FIELDS_INVALID"
        assert [violation.field for violation in invalid.value.violations] == ["max_results"]
        assert invalid.value.request_id == "from-the-test"
        book = client.recommend(RecommendRequest(user_id="1", max_results=1)).books[0].book
        take = AdjustStockRequest(request_id="too-many", book_id=book.id, change=-10_000)
        with pytest.raises(foreword.PreconditionError) as sold_out:
            client.adjust_stock(take)
        assert sold_out.value.reason == "SOLD_OUT"
        assert int(sold_out.value.info["stock"]) == book.stock


def test_streams_answer_and_fail_as_calls_do(service: Service) -> None:
    with Client(service.target) as client:
        requests = [
            StreamEventsRequest(entries=purchase("ann", book, f"line-{book}").entries) for book in ("1", "2")
        ]
        results = [result for answer in client.stream_events(requests) for result in answer.results]
        assert [result.event_id for result in results] == ["line-1", "line-2"]
        assert sum(len(piece.events) for piece in client.export_user(ExportUserRequest(user_id="ann"))) == 2
        with pytest.raises(foreword.NotFoundError) as raised:
            list(client.export_user(ExportUserRequest(user_id="nobody")))
        assert raised.value.reason == "USER_UNKNOWN"


def test_a_stream_that_nobody_reads_is_no_call(service: Service) -> None:
    shown: list[str] = []

    def token() -> str:
        # Asked for at each call.
        shown.append("token")
        return "token"

    with Client(service.target, token=token) as client:
        pieces = client.export_user(ExportUserRequest(user_id="1"))
        told = client.stream_events([StreamEventsRequest(entries=purchase("ann", "1", "line-1").entries)])
        assert shown == []
        assert any(piece.events for piece in pieces)
        assert [result.event_id for answer in told for result in answer.results] == ["line-1"]
        assert shown == ["token"] * 2


def test_mutual_tls_lets_in_who_has_a_certificate(tmp_path: Path) -> None:
    shop, certificates = copy_of_shop(tmp_path / "shop"), tmp_path / "certificates"
    run(shop, "certs", "--out", str(certificates), "--name", "recommendations")
    files = {name: (certificates / name).read_bytes() for name in ("ca.pem", "client.pem", "client.key")}
    settings = {"certificate": "server.pem", "key": "server.key", "client_ca": "ca.pem"}
    flags = [f"--set=tls.{key}={certificates / file}" for key, file in settings.items()]
    # A certificate that is not named in `access.certificates` has the role `reader`.
    service = Service(shop, *flags)
    try:
        ours = Tls(
            authorities=files["ca.pem"],
            certificate=files["client.pem"],
            key=files["client.key"],
            name="recommendations",
        )
        with Client(service.target, tls=ours) as client:
            assert len(client.trending(TrendingRequest(max_results=3)).books) == 3
            with pytest.raises(foreword.PermissionDeniedError) as raised:
                client.record_events(purchase("ann", "1", "order-1"))
            assert raised.value.reason == "ROLE_MISSING"
        nobody = Tls(authorities=files["ca.pem"], name="recommendations")
        with Client(service.target, tls=nobody, retry=Retry(attempts=1)) as client:
            with pytest.raises(foreword.ForewordError):
                client.trending(TrendingRequest())
        assert "BEGIN" not in repr(ours)
    finally:
        service.stop()


def test_a_key_that_is_refused_says_why(tmp_path: Path) -> None:
    shop = copy_of_shop(tmp_path / "shop")
    token = run(shop, "keys", "create", "--name", "page", "--role", "reader").strip()
    service = Service(shop, "--set=access.api_keys=true")
    try:
        with Client(service.target, token=lambda: token) as client:
            client.trending(TrendingRequest())
            with pytest.raises(foreword.PermissionDeniedError) as denied:
                client.record_events(purchase("ann", "1", "order-1"))
            assert denied.value.reason == "ROLE_MISSING"
        for wrong, reason in (("foreword_wrong", "CREDENTIALS_INVALID"), (None, "CREDENTIALS_MISSING")):
            with Client(service.target, token=wrong) as client:
                with pytest.raises(foreword.UnauthenticatedError) as raised:
                    client.trending(TrendingRequest())
                assert raised.value.reason == reason
    finally:
        service.stop()


def test_a_token_does_not_travel_in_plaintext() -> None:
    for target in ("recommendations:50051", "dns:///10.0.0.1:50051", "[2001:db8::1]:50051"):
        with pytest.raises(ValueError, match="plaintext"):
            Client(target, token="secret")
    for target in ("localhost:1", "127.0.0.1:1", "[::1]:1", "unix:/tmp/socket", "dns:///localhost:1"):
        Client(target, token="secret").close()


def test_a_search_and_a_page_are_methods_like_all_others(service: Service) -> None:
    with Client(service.target) as client:
        shelves = [ShelfRequest(kind=ShelfKind.SHELF_KIND_PICKED_FOR_YOU)]
        page = client.recommend_page(RecommendPageRequest(user_id="1", shelves=shelves))
        title = page.shelves[0].books[0].book.title
        assert client.search_books(SearchBooksRequest(query=title)).books
