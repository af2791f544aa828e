"""Slices read side by side give what they give one after the other, and end together."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmo_bridge.connectors.contract import Page, Slice, Stream
from vmo_bridge.errors import SourceError
from vmo_bridge.store import Store
from vmo_bridge.sync import Care, sync_source
from vmo_bridge.sync.parallel import pages_at_once
from vmo_bridge.sync.people import People
from vmo_bridge.watch import Watch


def pages(piece: int, count: int) -> Iterator[Page]:
    for number in range(count):
        yield Page(records=[{"key": f"{piece}.{number}"}], cursor=f"{number}")


@settings(deadline=None, max_examples=50)
@given(counts=st.lists(st.integers(0, 9), max_size=6), at_once=st.integers(1, 8))
def test_every_page_of_every_piece_comes_once_and_in_its_order(
    counts: list[int], at_once: int
) -> None:
    came: dict[int, list[str | None]] = defaultdict(list)
    for piece, page in pages_at_once(
        range(len(counts)), lambda piece: pages(piece, counts[piece]), at_once
    ):
        came[piece].append(None if page is None else page.cursor)
    assert dict(came) == {
        piece: [*map(str, range(count)), None] for piece, count in enumerate(counts)
    }


def test_they_are_really_read_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=30)

    def read(piece: int) -> Iterator[Page]:
        meeting.wait()  # breaks unless all three are here
        yield Page(records=[], cursor=str(piece))

    assert sum(page is not None for _, page in pages_at_once([0, 1, 2], read, 3)) == 3


def test_one_that_fails_ends_them_all_and_its_error_is_told() -> None:
    def read(piece: int) -> Iterator[Page]:
        yield from pages(piece, 1)
        if piece == 1:
            raise SourceError("it broke")
        yield from pages(piece, 10_000)

    with pytest.raises(SourceError, match="it broke"):
        list(pages_at_once([0, 1, 2], read, 3))
    assert not [each for each in threading.enumerate() if each.name.startswith("slice")]


def test_who_stops_taking_ends_the_threads() -> None:
    stream = pages_at_once([0, 1, 2], lambda piece: pages(piece, 10_000), 3)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert not [each for each in threading.enumerate() if each.name.startswith("slice")]


def test_a_record_that_moves_on_while_slices_are_read_is_held_as_it_is_now(
    fakes: SimpleNamespace, platform: Any, store: Store
) -> None:
    """The older copy comes last, from a slice that was slower; it must not win."""
    platform.streams = (platform.streams[3],)
    for number in range(4):
        platform.ticket(f"{number}", title=f"t{number}")
    old = [dict(row) for row in platform.rows["tickets"].values()]
    platform.ticket("0", title="newer")
    new = [dict(platform.rows["tickets"]["0"])]
    late_first = threading.Event()

    class SideBySide(fakes.Connector):  # type: ignore[misc]
        at_once = 2

        def changed_at(self, stream: str, record: Any) -> datetime:
            return fakes.at(record["updated"])

        def tally(self, stream: Stream, windows: Any) -> list[Any]:
            return []

        def slices(self, stream: Stream, since: Any, until: Any) -> list[Slice]:
            cut = fakes.at(new[0]["updated"])
            return [
                Slice(stream=stream.name, since=None, until=cut),
                Slice(stream=stream.name, since=cut),
            ]

        def read(self, piece: Slice) -> Iterator[Page]:
            if piece.since:
                yield Page(records=new, cursor="new", newest=fakes.at(new[0]["updated"]))
                late_first.set()
            else:
                late_first.wait(30)
                yield Page(records=old, cursor="old", newest=fakes.at(old[-1]["updated"]))

    def synced() -> Any:
        (outcome,) = sync_source(
            SideBySide(platform),
            store,
            People(b"key", names=False),
            1,
            care=Care(),
            watch=Watch(),
        )
        return outcome

    assert synced().problem == ""
    (held,) = store.versions.find("desk/0")
    assert held["title"] == "newer"
    late_first.clear()
    assert synced().changed == 0
    assert store._db.execute("select count(*) from ticket_history").fetchone() == (0,)
