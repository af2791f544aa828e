"""The contract of reading: streams, slices, pages, counts, and records made of them."""

# ruff: noqa: S101 - a conformance suite is made of asserts

from __future__ import annotations

import pickle
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from vmo_bridge.connectors.contract import (
    CheckRow,
    Connector,
    RawRecord,
    Slice,
    Stream,
)
from vmo_bridge.records import RECORD_TYPES
from vmo_bridge.testing.source import (
    Source,
    Suite,
    is_utc,
    keys_of,
    masked,
    need,
    pages_of,
    records_in,
    rows_in,
    rows_of,
    whole,
)

KINDS = {each.kind: each for each in RECORD_TYPES}
OVERLAP = timedelta(minutes=10)
"""A connector may read so much again that has not changed; more is waste."""
_CUTS = 12
"""Of a stream with more pages, the first ones are cut behind each page, and so is the last."""


class ReadingContract(Suite):
    """What every connector has to do."""

    def test_streams_are_named_once_and_have_a_key_and_known_kinds(
        self, source: Source, connector: Connector
    ) -> None:
        """Marks, quarantine and versions hang on these names."""
        names = [each.name for each in connector.streams]
        assert names, "there is no stream"
        assert len(set(names)) == len(names), f"a stream's name stands twice in {names}"
        assert set(source.streams) <= set(names), "a stream that is to be tested is not there"
        for stream in connector.streams:
            assert stream.key_field, f"{stream.name} has no key_field"
            assert stream.kinds, f"{stream.name} becomes nothing"
            odd = set(stream.kinds) - set(KINDS)
            assert not odd, f"{stream.name}: {odd} are no kinds of record"

    def test_check_tells_each_stream_in_seconds_and_changes_nothing(
        self, source: Source, connector: Connector
    ) -> None:
        """A good source gets no failed row."""
        stream = source.chosen(connector)[0]
        before = rows_of(connector, stream)
        begin = time.monotonic()
        rows = list(connector.check())
        took = time.monotonic() - begin
        assert took < source.seconds, f"check took {took:.0f} s"
        assert all(isinstance(row, CheckRow) for row in rows), "check gives CheckRow"
        told = {row.what for row in rows}
        untold = {each.name for each in connector.streams} - told
        assert not untold, f"check does not tell of {untold}"
        failed = [row for row in rows if row.state == "failed"]
        assert not failed, f"a good source fails the check: {failed}"
        assert rows_of(connector, stream) == before, "check changed the source"

    def test_there_is_enough_to_interrupt(self, source: Source, connector: Connector) -> None:
        """Without three pages in some stream the checks below prove little."""
        most = max(len(pages_of(connector, stream)) for stream in source.chosen(connector))
        assert most >= 3, f"{most} pages are too few: give the source more records, smaller pages"

    def test_slices_survive_pickling_and_are_read_independently(
        self, source: Source, connector: Connector
    ) -> None:
        """They may be read by another connector, elsewhere, and in any order."""
        other = source.connect()
        try:
            for stream in source.chosen(connector):
                slices = whole(connector, stream)
                assert slices, f"{stream.name} has no slices"
                assert all(each.stream == stream.name for each in slices)
                sent = pickle.loads(pickle.dumps(slices))  # noqa: S301 - our own
                assert sent == slices, f"{stream.name}: a slice changes when it is pickled"
                there = [row for piece in reversed(sent) for row in rows_in(other.read(piece))]
                here = rows_of(connector, stream)
                assert _sorted(stream, there) == _sorted(stream, here), (
                    f"{stream.name}: slices read elsewhere, backwards, give something else"
                )
        finally:
            other.close()

    def test_reading_again_from_any_cursor_gives_exactly_the_rest(
        self, source: Source, connector: Connector
    ) -> None:
        """An interrupted read goes on behind the last page that was stored."""
        for stream in source.chosen(connector):
            for piece in whole(connector, stream):
                pages = list(connector.read(piece))
                cuts = range(len(pages))
                for cut in [*cuts[: _CUTS - 1], *cuts[-1:]] if len(cuts) > _CUTS else cuts:
                    cursor = pages[cut].cursor
                    assert cursor, f"{stream.name}: page {cut + 1} has no cursor"
                    rest = rows_in(connector.read(_from(piece, cursor)))
                    assert keys_of(stream, rest) == keys_of(stream, rows_in(pages[cut + 1 :])), (
                        f"{stream.name}: from the cursor of page {cut + 1} of {len(pages)} "
                        "not exactly the rest is read"
                    )

    def test_no_key_comes_twice_while_nothing_changes(
        self, source: Source, connector: Connector
    ) -> None:
        """And every raw record has its key."""
        for stream in source.chosen(connector):
            rows = rows_of(connector, stream)
            assert all(row.get(stream.key_field) for row in rows), f"{stream.name}: no key"
            double = [key for key, n in Counter(keys_of(stream, rows)).items() if n > 1]
            assert not double, f"{stream.name}: {double[:3]} came more than once"

    def test_pages_keep_to_their_size(self, source: Source, connector: Connector) -> None:
        """A page is one transaction, and one answer of the source."""
        for stream in source.chosen(connector):
            sizes = [len(page.records) for page in pages_of(connector, stream)]
            if source.page_size:
                assert max(sizes, default=0) <= source.page_size, f"{stream.name}: {sizes}"

    def test_newest_is_utc_and_never_goes_back(self, source: Source, connector: Connector) -> None:
        """The watermark is made of it."""
        for stream in source.chosen(connector):
            for piece in whole(connector, stream):
                moments = [page.newest for page in connector.read(piece) if page.newest]
                for moment in moments:
                    assert is_utc(moment), f"{stream.name}: newest {moment!r} is not aware UTC"
                assert moments == sorted(moments), f"{stream.name}: newest goes back"

    def test_newest_is_the_latest_change_read_so_far(
        self, source: Source, connector: Connector
    ) -> None:
        """Later than what was read, it would skip records; earlier, it would read them for ever."""
        for stream in source.chosen(connector):
            for piece in whole(connector, stream):
                latest: datetime | None = None
                for page in connector.read(piece):
                    moments = [each.updated_at for each in records_in(connector, stream, page)]
                    latest = max([*moments, latest] if latest else moments, default=None)
                    if latest and len(moments) >= len(page.records):
                        assert page.newest == latest, (
                            f"{stream.name}: newest is {page.newest}, the latest read is {latest}"
                        )

    def test_count_and_expected_are_what_is_read(
        self, source: Source, connector: Connector
    ) -> None:
        """The completeness certificate rests on it."""
        for stream in source.chosen(connector):
            count = connector.count(stream)
            read = len(rows_of(connector, stream))
            assert count is None or count == read, f"{stream.name}: {count} counted, {read} read"
            for piece in whole(connector, stream):
                pages = list(connector.read(piece))
                told = {page.expected for page in pages} - {None}
                assert told <= {len(rows_in(pages))}, f"{stream.name}: expected {told}"

    def test_changes_are_read_and_a_boundary_second_is_not_lost(
        self, source: Source, connector: Connector
    ) -> None:
        """``since`` is inclusive; what did not change is not read again, but for an overlap."""
        for stream in source.chosen(connector):
            stamps = _stamps(connector, stream)
            for since in _some(sorted(set(stamps.values()))):
                read = _keys_between(connector, stream, since, None)
                missing = {key for key, at in stamps.items() if at >= since} - read
                assert not missing, f"{stream.name}: since {since}: {len(missing)} records lost"
                stale = {key for key in read if stamps.get(key, since) < since - OVERLAP}
                assert not stale, f"{stream.name}: since {since}: {len(stale)} unchanged ones read"

    def test_until_is_exclusive(self, source: Source, connector: Connector) -> None:
        """Two windows that meet are together the whole, with nothing twice."""
        for stream in source.chosen(connector):
            stamps = _stamps(connector, stream)
            for cut in _some(sorted(set(stamps.values()))):
                early = _keys_between(connector, stream, None, cut)
                late = _keys_between(connector, stream, cut, None)
                wrong = {key for key in early if stamps.get(key, cut - OVERLAP) >= cut}
                assert not wrong, f"{stream.name}: until {cut} reads {len(wrong)} later records"
                assert set(stamps) <= early | late, f"{stream.name}: lost at {cut}"

    def test_a_change_over_there_arrives(self, source: Source, connector: Connector) -> None:
        """The next read, from the newest moment of the last, brings it."""
        need(source.change, "'change'")
        assert source.change
        for stream in source.chosen(connector):
            pages = pages_of(connector, stream)
            newest = max((page.newest for page in pages if page.newest), default=None)
            rows = rows_in(pages)
            if not rows or newest is None:
                continue
            key = keys_of(stream, rows)[0]
            source.change(stream.name, key)
            read = _keys_between(connector, stream, newest, None)
            assert key in read, f"{stream.name}: the change of {key} did not arrive"

    def test_a_link_leads_to_the_record(self, source: Source, connector: Connector) -> None:
        """People follow a number to where it comes from."""
        for stream in source.chosen(connector):
            for key in keys_of(stream, rows_of(connector, stream)[:1]):
                link = connector.link(stream.name, key)
                assert link.startswith(("https://", "http://", "file:")), link
                assert key in link, f"{link} does not name {key}"

    def test_closing_twice_is_harmless(self, connector: Connector) -> None:
        """Whoever cleans up need not know who did before."""
        connector.close()
        connector.close()


def _sorted(stream: Stream, rows: Sequence[RawRecord]) -> list[RawRecord]:
    return sorted(rows, key=lambda row: str(row[stream.key_field]))


def _from(piece: Slice, cursor: str) -> Slice:
    return Slice(stream=piece.stream, since=piece.since, until=piece.until, cursor=cursor)


def _stamps(connector: Connector, stream: Stream) -> dict[str, datetime]:
    """When each raw record changed, as far as our records tell."""
    found: dict[str, datetime] = {}
    for row in rows_of(connector, stream):
        for record in connector.normalise(stream.name, masked(stream, row)):
            found[str(row[stream.key_field])] = record.updated_at
    return found


def _some(moments: Sequence[datetime]) -> list[datetime]:
    """The first, the last, and some between."""
    if len(moments) <= 4:
        return list(moments)
    return [moments[0], moments[len(moments) // 3], moments[-len(moments) // 3], moments[-1]]


def _keys_between(
    connector: Connector, stream: Stream, since: datetime | None, until: datetime | None
) -> set[str]:
    slices = connector.slices(stream, since, until)
    return {key for piece in slices for key in keys_of(stream, rows_in(connector.read(piece)))}
