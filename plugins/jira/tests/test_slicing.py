"""A first read in slices: none is lost between them, whatever changes and in which order."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vmo_bridge.plugin import SideBySide, Slice
from vmo_bridge.sandbox.jira.store import millis
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_jira.connector import FIELDS, ISSUES
from vmo_bridge_jira.moments import moment

Connect = Callable[..., Any]
EDITED_PAGES = 25
START = datetime(2024, 3, 1, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Already a few issues are worth a slice."""
    monkeypatch.setattr("vmo_bridge_jira.slicing._WORTH", 20)


def spread(server: SandboxServer, count: int, each: timedelta) -> None:
    """So many more issues, one after the other."""
    model = server.jira.store.select("WHERE kind = 'Bug' LIMIT 1")[0]
    stamps = [millis(START + n * each) for n in range(count)]
    server.jira.store.load(
        model | {"id": 50_000 + n, "key": f"CASE-{5000 + n}", "project": "CASE",
                 "created": at, "updated": at, "touched": at}
        for n, at in enumerate(stamps)
    )  # fmt: skip


def in_source(server: SandboxServer) -> list[str]:
    return sorted(str(row["id"]) for row in server.jira.store.select(""))


def test_how_many_are_read_at_once_is_set_or_goes_by_the_deployment(connect: Connect) -> None:
    assert isinstance(connect(), SideBySide)
    assert connect("cloud").at_once == 4
    assert connect("server").at_once == 2
    assert connect("server", parallel=8).at_once == 8


def test_the_slices_of_a_first_read_meet_and_give_every_issue_once(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    spread(server, 150, timedelta(hours=31, seconds=17))
    connector = connect(deployment)
    slices = connector.slices(ISSUES, None, None)
    assert len(slices) > 4
    assert slices[0].since is None
    assert slices[-1].until is None
    assert [each.until for each in slices[:-1]] == [each.since for each in slices[1:]]
    assert all(each.since.second == 0 for each in slices[1:])
    found = [[row["id"] for page in connector.read(each) for row in page.records]
             for each in slices]  # fmt: skip
    assert sorted(key for part in found for key in part) == in_source(server)
    assert max(map(len, found)) <= 2 * 20


def test_a_slice_does_not_read_beyond_its_end(
    server: SandboxServer, connect: Connect, deployment: str, wire: Any
) -> None:
    spread(server, 200, timedelta(minutes=7))
    piece = Slice(stream="issues", since=START, until=START + timedelta(hours=2))
    assert sum(len(page.records) for page in connect(deployment, page_size=50).read(piece)) == 18
    assert len([each for each in wire.requests if "/search" in each.url.path]) <= 2


@pytest.mark.parametrize(
    ("deployment", "more", "since"),
    [
        ("cloud", {"parallel": 1}, None),
        ("server", {"parallel": 1}, None),
        ("cloud", {}, START),
    ],
)
def test_what_is_not_read_at_once_or_not_from_the_beginning_is_one_slice(
    server: SandboxServer, connect: Connect, deployment: str, more: Any, since: Any
) -> None:
    spread(server, 60, timedelta(hours=5))
    connector = connect(deployment, **more)
    assert connector.slices(ISSUES, since, None) == [Slice(stream="issues", since=since)]
    assert len(connector.slices(FIELDS, None, None)) == 1


def test_an_import_of_one_minute_cannot_be_cut(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    spread(server, 90, timedelta(milliseconds=3))
    slices = connect(deployment).slices(ISSUES, None, None)
    found = [row["id"] for each in slices for page in connect(deployment).read(each)
             for row in page.records]  # fmt: skip
    assert sorted(found) == in_source(server)


def test_few_issues_and_none_are_one_slice(connect: Connect, deployment: str) -> None:
    few = connect(deployment, projects=[], jql='summary ~ "nobodywritesthis"')
    assert len(few.slices(ISSUES, None, None)) == 1


def test_slices_read_in_threads_while_issues_are_edited_miss_nothing_that_the_next_sync_does_not(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    spread(server, 160, timedelta(hours=29))
    connector = connect(deployment)
    slices = connector.slices(ISSUES, None, None)
    held: dict[str, str] = {}
    newest: list[datetime] = []
    turn, lock = Counter[str](), threading.Lock()

    def read(piece: Slice) -> None:
        for page in connector.read(piece):
            with lock:
                held.update({row["id"]: max(row["updated"], held.get(row["id"], ""))
                             for row in page.records})  # fmt: skip
                newest.extend(filter(None, [page.newest]))
                turn["page"] += 1
                if turn["page"] > EDITED_PAGES:
                    continue  # or it would never end
                for n in range(turn["page"] % 5, 160, 37):
                    (issue,) = server.jira.store.named([str(50_000 + n)])
                    server.jira.store.update(issue, {"labels": '["x"]'}, [], "admin")

    with ThreadPoolExecutor(connector.at_once) as pool:
        list(pool.map(read, slices))
    for page in connector.read(Slice(stream="issues", since=max(newest) - timedelta(minutes=10))):
        held.update({row["id"]: row["updated"] for row in page.records})
    assert held == {
        str(row["id"]): moment(row["updated"]).isoformat(timespec="milliseconds")
        for row in server.jira.store.select("")
    }
