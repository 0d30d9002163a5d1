"""The Python of docs/adopting.md, as it is, but for where the service is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Service
from foreword import Client
from foreword.v1 import Event, ExportUserRequest

PAGE = Path(__file__).parents[3] / "docs" / "adopting.md"
OUTBOX, SHARE = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def run(block: str, service: Service) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(compile(block.replace("localhost:50051", service.target), PAGE.name, "exec"), names)
    return names


def test_what_waits_in_the_outbox_is_told_once(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    service.stop()
    names = run(OUTBOX, service)
    assert capsys.readouterr().out.startswith("told later: UNAVAILABLE")
    service.start()
    # The channel of the page was made while nobody was there.
    with Client(service.target, timeout=60) as names["client"]:
        waiting = names["shop"].execute("SELECT place, event FROM outbox").fetchall()
        assert names["relay"]() == 2
        assert names["relay"]() == 0
        # A relay that ended before it deleted what was acknowledged.
        names["shop"].executemany("INSERT INTO outbox VALUES (?, ?)", waiting)
        assert names["relay"]() == 2
        told = names["client"].export_user(ExportUserRequest(user_id="7"))
        ids = [event.event.event_id for piece in told for event in piece.events]
        assert [ids.count(f"order-1-{line}") for line in (1, 2)] == [1, 1]
        with pytest.raises(names["sqlite3"].IntegrityError):
            names["buy"]("order-1-1", "7", "5")
        assert names["relay"]() == 0, "no order, and nothing to tell"


def test_what_is_refused_is_set_aside_and_keeps_nothing_from_being_told(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names = run(OUTBOX, service)
    with Client(service.target, timeout=60) as names["client"]:
        names["relay"]()
        names["shop"].execute("DELETE FROM orders WHERE id = 'order-1-2'")
        for order, book in (("first", "5"), ("order-1-2", "6"), ("long", "7" * 2_000_000), ("", "8"), ("last", "9")):
            names["buy"](order, "7", book)
        capsys.readouterr()
        assert names["relay"]() == 5
        assert names["relay"]() == 0
        told = names["client"].export_user(ExportUserRequest(user_id="7"))
        ids = [event.event.event_id for piece in told for event in piece.events]
    assert {"first", "last"} <= set(ids)
    printed = capsys.readouterr().out
    refused = names["shop"].execute("SELECT event, why FROM refused")
    aside = {Event.FromString(event).event_id: why for event, why in refused}
    assert len(aside) == 3
    for id, why in (("order-1-2", "OUTCOME_CONFLICTING"), ("long", "RESOURCE_EXHAUSTED"), ("", "OUTCOME_INVALID")):
        assert f"not told again: {id} {why}" in printed
        assert aside[id].startswith(why)


def test_a_share_of_the_readers_has_the_new_shelves(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    names = run(SHARE, service)
    count = int(capsys.readouterr().out.split()[0])
    assert 400 < count < 600
    for reader in map(str, range(100)):
        within = [share for share in range(101) if names["is_in_share"](reader, share)]
        assert within == list(range(101 - len(within), 101)), "who is in a share is in each larger one"
    names["SHARE"] = 100
    # A page does not wait as long as a test on a busy machine.
    with Client(service.target, timeout=60) as names["client"]:
        assert len(names["shelf"]("7")) == 10
        service.stop()
        assert names["shelf"]("7") == []
    service.start()
