"""The contract of the abilities finds connectors that only say they can."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from vmo_bridge.connectors.abilities import Budget, Deletion, Seen, Tally
from vmo_bridge.connectors.contract import Page, Stream
from vmo_bridge.errors import SourceError
from vmo_bridge.testing import ReconcilingContract, Source

CHECKS = [name for name in dir(ReconcilingContract) if name.startswith("test_")]


class Honest:
    """What the abilities ask, over the fake platform; lies are put over its methods."""

    def __init__(self, fakes: Any, platform: Any, broken: list[bool]) -> None:
        self.inner = fakes.Connector(platform)
        self.fakes, self.platform, self.broken = fakes, platform, broken
        self.calls = 0
        self.at_once = 2

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def read(self, piece: Any) -> Iterator[Page]:
        self.calls += 1
        yield from self.inner.read(piece)

    def changed_at(self, stream: str, record: Any) -> datetime | None:
        return self.fakes.at(record["updated"]) if "updated" in record else None

    def tally(self, stream: Stream, windows: Sequence[Any]) -> list[Tally]:
        moments = [self.fakes.at(row["updated"]) for row in self._rows(stream).values()]
        found = []
        for since, until in windows:
            within = [
                at
                for at in moments
                if (since is None or at >= since) and (until is None or at < until)
            ]
            newest = max(within, default=None)
            found.append(Tally(since=since, until=until, count=len(within), newest=newest))
        return found

    def sweep(self, stream: Stream) -> Iterator[Sequence[Seen]]:
        for key, row in list(self._rows(stream).items()):
            if self.broken:
                raise SourceError("cut off")
            yield [Seen(key=key, changed_at=self.fakes.at(row["updated"]))]

    def fetch(self, stream: Stream, keys: Sequence[str]) -> Iterator[Page]:
        rows = self._rows(stream)
        yield Page(records=[dict(rows[key]) for key in keys if key in rows], cursor=None)

    def deletions(self, stream: Stream, since: datetime | None) -> list[Deletion]:
        return [
            Deletion(key=key, at=at, proof="audit")
            for name, key, at in self.platform.audit
            if name == stream.name and (since is None or at >= since)
        ]

    def budget(self) -> Budget:
        return Budget(spent=self.calls)

    def _rows(self, stream: Stream) -> dict[str, Any]:
        return self.platform.rows[stream.name]  # type: ignore[no-any-return]


def _but(change: Callable[[Any], Any], name: str) -> Callable[[Honest], None]:
    """A lie: the honest answer of a method, changed."""

    def lie(connector: Honest) -> None:
        honest = getattr(connector, name)
        setattr(connector, name, lambda *given: change(honest(*given)))

    return lie


def _all_but_first(batches: Any) -> Any:
    return iter(list(batches)[1:])


def _cut(row: Any) -> Any:
    return {**row, "title": row["title"][:255]}


def _ends_in_the_middle(connector: Honest) -> None:
    honest = connector.sweep

    def sweep(stream: Stream) -> Iterator[Sequence[Seen]]:
        if connector.broken:
            raise SourceError("cut off")
        begun = honest(stream)
        try:
            yield next(begun)
            yield from begun
        except SourceError:
            return

    connector.sweep = sweep  # type: ignore[method-assign]


def _reads_one_by_one(connector: Honest) -> None:
    """What is read in a second thread goes astray."""
    honest, mine = connector.read, threading.main_thread()

    def read(piece: Any) -> Iterator[Page]:
        alone = threading.current_thread() is mine
        return honest(piece) if alone else islice(honest(piece), 1)

    connector.read = read  # type: ignore[method-assign]


def _turns_by_offset(connector: Honest) -> None:
    def read(piece: Any) -> Iterator[Page]:
        since = piece.since.timestamp() if piece.since else 0
        start = 0
        while True:
            rows = sorted(
                connector.platform.rows["tickets"].values(), key=lambda row: row["updated"]
            )
            page = [dict(row) for row in rows if row["updated"] >= since][start : start + 3]
            if not page:
                return
            yield Page(
                records=page, cursor=f"{start}", newest=connector.fakes.at(page[-1]["updated"])
            )
            start += 3

    connector.read = read  # type: ignore[method-assign]


LIES: dict[str, tuple[Callable[[Honest], None], str]] = {
    "another moment": (
        _but(lambda at: at and at + timedelta(hours=1), "changed_at"),
        "test_what_slices_select_by_is_when_a_record_changed",
    ),
    "a moment without a zone": (
        _but(lambda at: at and at.replace(tzinfo=None), "changed_at"),
        "test_what_slices_select_by_is_when_a_record_changed",
    ),
    "a count that is one too high": (
        _but(
            lambda found: [
                Tally(since=each.since, until=each.until, count=each.count + 1) for each in found
            ],
            "tally",
        ),
        "test_windows_count_what_is_read",
    ),
    "a sweep that leaves one out": (
        _but(_all_but_first, "sweep"),
        "test_a_sweep_names_what_a_read_gives_each_once",
    ),
    "a sweep that names one twice": (
        _but(lambda batches: (each for batch in batches for each in (batch, batch)), "sweep"),
        "test_a_sweep_names_what_a_read_gives_each_once",
    ),
    "a fetch that gives other records": (
        _but(lambda pages: iter([]), "fetch"),
        "test_records_are_fetched_by_name_and_unknown_names_bring_none",
    ),
    "a broken sweep that just ends": (
        _but(lambda _: iter([]), "sweep"),
        "test_a_broken_sweep_is_an_error_and_never_an_end",
    ),
    "deletions that are not told": (
        _but(lambda _: [], "deletions"),
        "test_a_deleted_record_is_neither_named_nor_read_nor_counted",
    ),
    "counts that stand in another window": (
        _but(
            lambda found: [
                replace(each, count=found[number - 1].count) for number, each in enumerate(found)
            ],
            "tally",
        ),
        "test_windows_count_what_is_read",
    ),
    "a sweep that ends when it breaks in the middle": (
        _ends_in_the_middle,
        "test_a_broken_sweep_is_an_error_and_never_an_end",
    ),
    "a moment that is made up": (
        _but(lambda at: at or datetime(2000, 1, 1, tzinfo=UTC), "changed_at"),
        "test_a_moment_that_cannot_be_read_is_none",
    ),
    "a read that knows one thread only": (
        _reads_one_by_one,
        "test_slices_read_side_by_side_give_what_they_give_one_by_one",
    ),
    "pages by offset": (_turns_by_offset, "test_records_that_change_between_pages_are_not_lost"),
    "a text that is cut": (
        _but(
            lambda pages: (
                replace(page, records=[_cut(row) for row in page.records]) for page in pages
            ),
            "read",
        ),
        "test_a_huge_text_of_any_letters_is_kept_whole",
    ),
    "calls that are not counted": (
        _but(lambda _: Budget(spent=0), "budget"),
        "test_calls_are_counted",
    ),
}


@pytest.fixture
def given(fakes: Any, platform: Any) -> tuple[Source, Honest]:
    platform.audit = []
    platform.streams = (platform.streams[3],)
    for number in range(9):
        platform.ticket(f"{number}", title=f"t{number}", tick=30)
    broken: list[bool] = []
    connector = Honest(fakes, platform, broken)

    def delete(stream: str, key: str) -> bool:
        del platform.rows[stream][key]
        platform.audit.append((stream, key, datetime.now(tz=platform_zone)))
        return True

    platform_zone = fakes.at(0).tzinfo
    source = Source(
        connect=lambda: connector,
        change=platform.put,
        insert=lambda text: (platform.ticket("huge", title=text.strip()), ("tickets", "huge"))[1],
        delete=delete,
        hide_error=lambda: broken.append(True),
    )
    return source, connector


@pytest.mark.parametrize("check", CHECKS)
def test_an_honest_connector_passes(given: tuple[Source, Honest], check: str) -> None:
    getattr(ReconcilingContract(), check)(*given)


@pytest.mark.parametrize("lie", LIES)
def test_a_lie_is_found(given: tuple[Source, Honest], lie: str) -> None:
    source, connector = given
    tell, check = LIES[lie]
    tell(connector)
    with pytest.raises((AssertionError, TypeError, pytest.fail.Exception)):
        getattr(ReconcilingContract(), check)(source, connector)


def test_every_check_has_a_lie_that_it_finds() -> None:
    assert {*CHECKS} == {check for _, check in LIES.values()}


def test_who_has_no_ability_is_skipped_by_its_name(fakes: Any, platform: Any) -> None:
    connector = fakes.Connector(platform)
    source = Source(connect=lambda: connector)
    with pytest.raises(pytest.skip.Exception, match=re.escape("is not Sweeping")):
        ReconcilingContract().test_a_sweep_names_what_a_read_gives_each_once(source, connector)
