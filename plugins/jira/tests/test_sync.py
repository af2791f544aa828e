"""Whatever is edited while we read, and wherever a read breaks, the store ends as the source."""

from __future__ import annotations

import contextlib
import random
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmo_bridge.plugin import Slice
from vmo_bridge.sandbox.jira.store import millis
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.store import Store
from vmo_bridge.sync import Care, sync_source
from vmo_bridge.sync.people import People
from vmo_bridge.watch import Stopped, Watch
from vmo_bridge_jira.connector import ISSUES, Jira

Connect = Callable[..., Jira]
PEOPLE = People(b"key", names=False)
DENSE = datetime(2025, 6, 1, 12, tzinfo=UTC)


class Unquiet:
    """A connector under whose hands the source changes, page by page."""

    def __init__(self, inner: Jira, between: Callable[[], None]) -> None:
        self.inner = inner
        self.name = inner.name
        self.between = between

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def read(self, piece: Slice) -> Any:
        for page in self.inner.read(piece):
            yield page
            if piece.stream == ISSUES.name:
                self.between()


class Breaking(Watch):
    """Ends a read after so many pages."""

    def __init__(self, pages: int) -> None:
        self.left = pages

    def advance(self, steps: int = 1) -> None:
        self.left -= 1

    def stopping(self) -> bool:
        return self.left <= 0


def sync(connector: Any, store: Store, watch: Watch | None = None) -> None:
    overlap = timedelta(minutes=10)
    outcomes = sync_source(
        connector, store, PEOPLE, 1, care=Care(overlap=overlap), watch=watch or Watch()
    )
    assert [each.problem for each in outcomes if each.problem] == []


def held(store: Store) -> dict[str, tuple[str, str]]:
    return {
        row["number"]: (row["title"], row["original_state"])
        for kind in ("ticket", "initiative")
        for row in store.versions.all(kind)
    }


def in_source(server: SandboxServer) -> dict[str, tuple[str, str]]:
    return {row["key"]: (row["summary"], row["status"]) for row in server.jira.store.select("")}


@pytest.fixture
def edits(server: SandboxServer) -> Callable[[random.Random, int], None]:
    """Changes some issues now: an old one, a new one, one that moves its state."""

    def edit(chance: random.Random, count: int) -> None:
        store = server.jira.store
        for _ in range(count):
            issue = chance.choice(store.select(""))
            values = {"summary": f"words {chance.random():.9f}"}
            if chance.random() < 0.4:
                values |= {"status": "Done", "category": "done"}
            store.update(issue, values, [], "admin")

    return edit


def grow_old(server: SandboxServer, chance: random.Random) -> None:
    """Stamp all issues anew, long ago: some of one millisecond, many of one minute."""
    spread = chance.choice([1, 10, 60_000, 10**8])
    with server._instance.writing() as db:
        for issue in server.jira.store.select(""):
            at = millis(DENSE) + chance.randrange(spread)
            db.execute(
                "update _jira_issue set updated = ?, touched = ?, created = ? where id = ?",
                [at, at, millis(DENSE), issue["id"]],
            )


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 10**6),
    counts=st.lists(st.integers(0, 6), min_size=3, max_size=12),
    breaks=st.lists(st.integers(1, 6), max_size=2),
    deployment=st.sampled_from(["cloud", "server"]),
)
def test_whatever_moves_meanwhile_the_store_ends_as_the_source(
    server: SandboxServer,
    connect: Connect,
    edits: Callable[[random.Random, int], None],
    tmp_path: Path,
    seed: int,
    counts: list[int],
    breaks: list[int],
    deployment: str,
) -> None:
    chance = random.Random(seed)
    grow_old(server, chance)
    left = iter(counts)
    unquiet = Unquiet(connect(deployment), lambda: edits(chance, next(left, 0)))
    folder = Path(tempfile.mkdtemp(dir=tmp_path))  # one test, many stores
    with Store(folder / "store.db", owner="test") as store:
        for pages in breaks:
            with contextlib.suppress(Stopped):
                sync(unquiet, store, Breaking(pages + 3))
        sync(unquiet, store)
        sync(connect(deployment), store)
        assert held(store) == in_source(server)


def test_an_import_of_one_minute_that_is_edited_while_it_is_read_is_whole(
    server: SandboxServer,
    connect: Connect,
    deployment: str,
    edits: Callable[[random.Random, int], None],
    tmp_path: Path,
) -> None:
    model = server.jira.store.select("WHERE kind = 'Bug' LIMIT 1")[0]
    server.jira.store.load(
        model | {"id": 50_000 + n, "key": f"CASE-{5000 + n}", "project": "CASE",
                 "updated": millis(DENSE) + n // 7, "created": millis(DENSE)}
        for n in range(120)
    )  # fmt: skip
    chance = random.Random(7)
    unquiet = Unquiet(connect(deployment, page_size=20), lambda: edits(chance, 4))
    with Store(tmp_path / "store.db", owner="test") as store:
        with pytest.raises(Stopped):
            sync(unquiet, store, Breaking(6))
        calm = iter(range(25))
        unquiet.between = lambda: edits(chance, 4 if next(calm, None) is not None else 0)
        sync(unquiet, store)
        sync(connect(deployment), store)
        assert held(store) == in_source(server)
