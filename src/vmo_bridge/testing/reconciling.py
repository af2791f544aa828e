"""The contract of what some sources can: count by moment, name all, tell of deletions, be cut."""

# ruff: noqa: S101 - a conformance suite is made of asserts

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vmo_bridge.connectors.abilities import (
    Dated,
    Deleting,
    Metered,
    SideBySide,
    Sweeping,
)
from vmo_bridge.connectors.contract import Connector
from vmo_bridge.errors import AccessError, RetryLater, SourceError
from vmo_bridge.sync.parallel import pages_at_once
from vmo_bridge.testing.source import (
    Source,
    Suite,
    is_utc,
    keys_of,
    need,
    pages_of,
    rows_in,
    rows_of,
    whole,
)

_HUGE = "größer als jede Spalte, 字 🙂 \N{COMBINING ACUTE ACCENT}" * 3000
"""A text of some 100,000 characters that no varchar holds."""


def able(connector: Connector, ability: Any) -> Any:
    """The connector as one with an ability; skips the check where it has it not."""
    if not isinstance(connector, ability):
        pytest.skip(f"{type(connector).__name__} is not {ability.__name__}")
    return connector


class ReconcilingContract(Suite):
    """Certificates, tombstones and slices side by side rest on these."""

    def test_what_slices_select_by_is_when_a_record_changed(
        self, source: Source, connector: Connector
    ) -> None:
        """Read again from its own moment on, a record comes again."""
        dated = able(connector, Dated)
        for stream in source.chosen(connector):
            rows = rows_of(connector, stream)
            stamped = {
                key: dated.changed_at(stream.name, row)
                for key, row in zip(keys_of(stream, rows), rows, strict=True)
            }
            assert all(at is None or is_utc(at) for at in stamped.values()), stream.name
            moments = sorted(at for at in stamped.values() if at)
            for since in moments[:1] + moments[-1:]:
                pieces = connector.slices(stream, since, None)
                again = {
                    key
                    for piece in pieces
                    for key in keys_of(stream, rows_in(connector.read(piece)))
                }
                lost = {key for key, at in stamped.items() if at and at >= since} - again
                assert not lost, f"{stream.name}: since {since} {len(lost)} are not read"

    def test_a_moment_that_cannot_be_read_is_none(
        self, source: Source, connector: Connector
    ) -> None:
        """It costs the window its place, not the page its records."""
        dated = able(connector, Dated)
        for stream in source.chosen(connector):
            assert dated.changed_at(stream.name, {}) is None

    def test_windows_count_what_is_read(self, source: Source, connector: Connector) -> None:
        """Each by itself, and together the whole."""
        dated = able(connector, Dated)
        for stream in source.chosen(connector):
            rows = rows_of(connector, stream)
            moments = sorted(at for row in rows if (at := dated.changed_at(stream.name, row)))
            windows = _windows(moments)
            tallies = dated.tally(stream, windows)
            if not tallies:
                continue
            assert [(each.since, each.until) for each in tallies] == windows
            if not any(each.approximate for each in tallies):
                assert sum(each.count for each in tallies) == len(rows), stream.name
            if len(moments) < len(rows):
                continue  # where one has no moment, only the source can say in which window it is
            for each in tallies:
                within = [at for at in moments if _is_in(at, each.since, each.until)]
                told = f"{stream.name}: from {each.since} until {each.until}"
                assert each.approximate or each.count == len(within), f"{told}: {each.count}"
                assert each.newest in (None, max(within, default=None)), f"{told}: {each.newest}"

    def test_a_sweep_names_what_a_read_gives_each_once(
        self, source: Source, connector: Connector
    ) -> None:
        """What it leaves out is buried, what it makes up is asked for for ever."""
        sweeping = able(connector, Sweeping)
        for stream in source.chosen(connector):
            batches = sweeping.sweep(stream)
            if batches is None:
                continue
            seen = [each for batch in batches for each in batch]
            double = [key for key, n in Counter(each.key for each in seen).items() if n > 1]
            assert not double, f"{stream.name}: {double[:3]} are named twice"
            rows = rows_of(connector, stream)
            assert {each.key for each in seen} == {*keys_of(stream, rows)}, stream.name
            if isinstance(connector, Dated):
                stamps = {
                    key: connector.changed_at(stream.name, row)
                    for key, row in zip(keys_of(stream, rows), rows, strict=True)
                }
                other = [
                    each.key for each in seen if each.changed_at not in (None, stamps[each.key])
                ]
                assert not other, f"{stream.name}: {other[:3]} changed at another moment"

    def test_records_are_fetched_by_name_and_unknown_names_bring_none(
        self, source: Source, connector: Connector
    ) -> None:
        """Just as a read gives them."""
        sweeping = able(connector, Sweeping)
        for stream in source.chosen(connector):
            if sweeping.sweep(stream) is None:
                continue
            rows = {str(row[stream.key_field]): row for row in rows_of(connector, stream)}
            wanted = [*rows][:3]
            pages = list(sweeping.fetch(stream, [*wanted, "no-such-key-of-anybody"]))
            found = {str(row[stream.key_field]): row for row in rows_in(pages)}
            assert found == {key: rows[key] for key in wanted}, stream.name
            assert not rows_in(sweeping.fetch(stream, [])), stream.name

    def test_a_broken_sweep_is_an_error_and_never_an_end(
        self, source: Source, connector: Connector
    ) -> None:
        """The rest would be taken for deleted."""
        sweeping = able(connector, Sweeping)
        need(source.hide_error, "'hide_error'")
        assert source.hide_error
        stream = max(source.chosen(connector), key=lambda each: len(rows_of(connector, each)))
        begun = sweeping.sweep(stream)
        if begun is None:
            pytest.skip(f"{stream.name} cannot be swept")
        keys = {*keys_of(stream, rows_of(connector, stream))}
        seen = {each.key for each in next(begun, ())}
        source.hide_error()
        with pytest.raises((SourceError, AccessError, RetryLater)):
            list(sweeping.sweep(stream) or ())
        try:
            seen |= {each.key for batch in begun for each in batch}
        except (SourceError, AccessError, RetryLater):
            return
        assert seen == keys, f"{stream.name}: the sweep broke in the middle, and just ended"

    def test_a_deleted_record_is_neither_named_nor_read_nor_counted(
        self, source: Source, connector: Connector
    ) -> None:
        """And where the source tells of deletions, it is told with its moment."""
        sweeping = able(connector, Sweeping)
        need(source.delete, "'delete'")
        assert source.delete
        for stream in source.chosen(connector):
            rows = rows_of(connector, stream)
            if sweeping.sweep(stream) is None or not rows:
                continue
            key = str(rows[0][stream.key_field])
            before = datetime.now(tz=UTC) - timedelta(minutes=1)
            if not source.delete(stream.name, key):
                continue
            batches = sweeping.sweep(stream)
            assert batches is not None
            assert key not in {each.key for batch in batches for each in batch}
            assert key not in keys_of(stream, rows_of(connector, stream))
            assert not rows_in(sweeping.fetch(stream, [key]))
            if isinstance(connector, Deleting):
                told = {each.key: each.at for each in connector.deletions(stream, before)}
                assert key in told, f"{stream.name}: the deletion of {key} is not told"
                assert is_utc(told[key])
                assert told[key] >= before

    def test_slices_read_side_by_side_give_what_they_give_one_by_one(
        self, source: Source, connector: Connector
    ) -> None:
        """One connector, several threads."""
        at_once = able(connector, SideBySide).at_once
        assert at_once >= 1
        for stream in source.chosen(connector):
            pieces = whole(connector, stream) * 3  # a short stream is one slice: thrice the same
            pages = pages_at_once(pieces, connector.read, max(at_once, 3))
            together = [row for _, page in pages if page for row in page.records]
            alone = Counter(keys_of(stream, rows_of(connector, stream)))
            assert Counter(keys_of(stream, together)) == {key: 3 * n for key, n in alone.items()}

    def test_calls_are_counted(self, source: Source, connector: Connector) -> None:
        """What a source was asked stands in ``status``."""
        metered = able(connector, Metered)
        before = metered.budget().spent
        _ = pages_of(connector, source.chosen(connector)[0])
        assert metered.budget().spent > before

    def test_records_that_change_between_pages_are_not_lost(
        self, source: Source, connector: Connector
    ) -> None:
        """They come in this read or in the next one, which begins where this one ended."""
        need(source.change, "'change'")
        assert source.change
        for stream in source.chosen(connector):
            before = {*keys_of(stream, rows_of(connector, stream))}
            came: list[str] = []
            newest: list[datetime] = []
            changed = 0
            for piece in whole(connector, stream):
                for page in connector.read(piece):
                    keys = keys_of(stream, page.records)
                    came += keys
                    newest += [page.newest] if page.newest else []
                    if keys and changed < 3:
                        source.change(stream.name, keys[0])
                        changed += 1
            next_one = source.connect()
            # Of records that do not say when they changed the next read may have to be whole.
            since = max(newest, default=None) if isinstance(connector, Dated) else None
            for piece in next_one.slices(stream, since, None):
                came += keys_of(stream, rows_in(next_one.read(piece)))
            next_one.close()
            assert before <= {*came}, f"{stream.name}: {len(before - {*came})} records were lost"

    def test_a_huge_text_of_any_letters_is_kept_whole(
        self, source: Source, connector: Connector
    ) -> None:
        """Where the source itself lets it be as long."""
        need(source.insert, "'insert'")
        assert source.insert
        name, key = source.insert(_HUGE)
        stream = next(each for each in connector.streams if each.name == name)
        (row,) = [row for row in rows_of(connector, stream) if str(row[stream.key_field]) == key]
        texts = [str(value) for value in row.values()]
        assert any(_HUGE.strip() in text for text in texts), "the text is cut, or other letters"


def _windows(moments: Sequence[datetime]) -> list[tuple[datetime | None, datetime | None]]:
    """Three that meet, at whole minutes within these moments; one if there are none."""
    within = [moments[len(moments) // 3], moments[-len(moments) // 3]] if moments else []
    cuts = sorted({each.replace(second=0, microsecond=0) for each in within})
    return list(zip([None, *cuts], [*cuts, None], strict=True))


def _is_in(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or at >= since) and (until is None or at < until)
