"""Pages of a first read are kept without looking up what is held; the store must not tell."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmo_bridge.errors import StoreError
from vmo_bridge.records import Record
from vmo_bridge.store import Store
from vmo_bridge.sync.keep import Keeper
from vmo_bridge.sync.people import People

SEEN = datetime(2026, 5, 1, tzinfo=UTC)
TABLES = ("ledger", "ticket", "ticket_history", "quarantine", "tombstone", "raw_page")


def row(key: str, updated: int = 1, **more: Any) -> dict[str, Any]:
    return {"key": key, "updated": updated, "number": key, "state": "new", "opened": 0, **more}


@contextmanager
def keeping(fakes: SimpleNamespace, platform: Any) -> Iterator[Keeper]:
    """A keeper with a store of its own; ``named`` gives a ticket another ref."""

    class Connector(fakes.Connector):  # type: ignore[misc, name-defined]
        def changed_at(self, stream: str, record: Mapping[str, Any]) -> datetime:
            return datetime.fromtimestamp(record["updated"], tz=UTC)

        def tally(self, stream: Any, windows: Any) -> list[Any]:
            return []

        def normalise(self, stream: str, record: Mapping[str, Any]) -> Iterable[Record]:
            for ticket in super().normalise(stream, record):
                name = record.get("named", record["key"])
                yield msgspec.structs.replace(ticket, ref=f"desk/{name}")

    with (
        tempfile.TemporaryDirectory() as folder,
        Store(Path(folder) / "vmo-bridge.db", owner="test") as store,
    ):
        connector = Connector(platform)
        (stream,) = (each for each in connector.streams if each.name == "tickets")
        mark = store.marks.stream("desk", "tickets", ["ticket"])
        yield Keeper(
            connector=connector, store=store, people=People(b"key", names=False), run_id=1,
            stream=stream, stream_id=mark.id,
        )  # fmt: skip


def kept(keeper: Keeper, pages: Sequence[Sequence[dict[str, Any]]]) -> list[tuple[int, int, int]]:
    told = []
    for page in pages:
        with keeper.store.transaction():
            each = keeper.keep(page, SEEN)
        told.append((each.read, each.changed, each.quarantined))
    return told


def everything(keeper: Keeper) -> dict[str, list[Any]]:
    db = keeper.store._db
    return {name: sorted(db.execute(f"select * from {name}"), key=repr) for name in TABLES}


ROWS = st.builds(
    row,
    st.sampled_from("abcdefghijkl"),
    st.integers(1, 3),
    title=st.sampled_from([None, "x", "y"]),
    # Two raw records may tell of one ticket, and some hold what their type does not allow.
    named=st.sampled_from("aabcdefghijkl"),
    made_sla=st.sampled_from([None, True, True, True, "maybe", 0.5]),
)


@given(st.lists(st.lists(ROWS, max_size=4), min_size=2, max_size=5))
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_comes_the_store_is_the_same_as_if_all_had_been_looked_up(
    fakes: SimpleNamespace, platform: Any, pages: list[list[dict[str, Any]]]
) -> None:
    with keeping(fakes, platform) as quick, keeping(fakes, platform) as careful:
        careful.store.raw.keep_new = lambda *_: None  # type: ignore[method-assign]
        assert kept(quick, pages) == kept(careful, pages)
        assert everything(quick) == everything(careful)


def test_a_row_that_changes_while_it_is_first_read_leaves_its_former_version_behind(
    fakes: SimpleNamespace, platform: Any
) -> None:
    pages = [[row("a"), row("b")], [row("c"), row("d")], [row("e"), row("a", 9, title="late")]]
    with keeping(fakes, platform) as keeper:
        assert [changed for _, changed, _ in kept(keeper, pages)] == [2, 2, 2]
        found = everything(keeper)
        assert len(found["ticket"]) == len(found["ledger"]) == 5
        assert [each[0] for each in found["ticket_history"]] == ["desk/a"]
        (held,) = keeper.store.versions.by_refs(["desk/a"])
        assert keeper.store.raw.payload(held["page"], held["position"])["title"] == "late"


def test_nothing_is_looked_up_on_a_first_read(
    fakes: SimpleNamespace, platform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with keeping(fakes, platform) as keeper:
        kept(keeper, [[row("a")]])
        monkeypatch.setattr(keeper.store.raw, "changed", None)
        monkeypatch.setattr(keeper.store.versions, "save", None)
        assert kept(keeper, [[row("b"), row("c")], [row("d")]]) == [(2, 2, 0), (1, 1, 0)]
        assert len(everything(keeper)["ticket"]) == 4


def test_when_the_disk_is_full_nothing_of_the_transaction_is_kept(
    fakes: SimpleNamespace, platform: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with keeping(fakes, platform) as keeper:
        kept(keeper, [[row("a")]])
        before = everything(keeper)

        def full(*_: Any) -> int:
            keeper.store._db.conn.rollback()  # as SQLite does of itself
            raise sqlite3.OperationalError("database or disk is full")

        monkeypatch.setattr(keeper.store.versions, "_insert", full)
        with pytest.raises(StoreError, match="disk is full"), keeper.store.transaction():
            keeper.keep([row("b")], SEEN)
        assert everything(keeper) == before
