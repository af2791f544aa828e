"""The contract of keeping: whatever happens meanwhile, the store ends as the source.

Each check syncs the stream with the most pages into a store of its own, and looks there.
"""

# ruff: noqa: S101 - a conformance suite is made of asserts

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from vmo_bridge.connectors.abilities import Sweeping
from vmo_bridge.connectors.contract import Connector
from vmo_bridge.errors import VmoBridgeError
from vmo_bridge.testing.hub import OVERLAP, Hub
from vmo_bridge.testing.source import Source, Suite, keys_of, need, pages_of, rows_of, whole

_EDITS = 4
"""So many records change while a stream is read."""


class KeepingContract(Suite):
    """Last pages, tokens, doubles, late commits, changes meanwhile, kills, clocks, deletions."""

    @pytest.fixture
    def hub(self, source: Source, tmp_path: Path) -> Hub:
        """A new store."""
        return Hub(source, tmp_path)

    def test_the_last_page_is_read_however_full_it_is(
        self, source: Source, connector: Connector
    ) -> None:
        """The whole is one page, exactly; or one record more, or one less."""
        need(source.sized, "'sized'")
        assert source.sized
        stream = max(source.chosen(connector), key=lambda each: len(pages_of(connector, each)))
        keys = sorted(keys_of(stream, rows_of(connector, stream)))
        for size in (len(keys), len(keys) - 1, len(keys) + 1):
            other = source.sized(size)
            try:
                found = sorted(keys_of(stream, rows_of(other, stream)))
            finally:
                other.close()
            assert found == keys, f"{stream.name}: in pages of {size}, not all {len(keys)} are read"

    def test_a_token_that_repeats_itself_ends_the_read(
        self, source: Source, connector: Connector
    ) -> None:
        """With an error, or whole all the same; never does it go round for ever."""
        need(source.repeat_token, "'repeat_token'")
        assert source.repeat_token
        stream = max(source.chosen(connector), key=lambda each: len(pages_of(connector, each)))
        rows = keys_of(stream, rows_of(connector, stream))
        source.repeat_token()
        read: list[str] = []
        try:
            for piece in whole(connector, stream):
                for page in connector.read(piece):
                    read += keys_of(stream, page.records)
                    assert len(read) <= 2 * len(rows), f"{stream.name}: it goes round for ever"
        except VmoBridgeError:
            return
        assert {*read} == {*rows}, f"{stream.name}: it ended, and is not whole"

    def test_a_record_that_comes_twice_is_kept_once(self, source: Source, hub: Hub) -> None:
        """Or the answer is refused."""
        need(source.double, "'double'")
        assert source.double
        there = hub.there()
        source.double()
        outcome = hub.sync()
        assert outcome is not None
        if not outcome.problem:
            assert hub.held() == there, "what came twice is not kept as it is"
            assert outcome.certificate is not None
            assert outcome.certificate.ours == len(there), "what came twice counts twice"

    def test_a_change_in_the_last_second_that_was_read_is_found(
        self, source: Source, hub: Hub
    ) -> None:
        """The next read begins in that second, not behind it."""
        need(source.edit, "'edit'")
        assert source.edit
        moment = _now()
        source.edit(hub.stream.name, hub.keys[0], moment)
        hub.whole()
        source.edit(hub.stream.name, hub.keys[1], moment)
        hub.whole(by_name=False)
        assert not hub.differs(), hub.differs()

    def test_what_is_committed_late_is_found_by_the_next_read(
        self, source: Source, hub: Hub
    ) -> None:
        """Its moment lies before the end of the last read, and nobody could see it then."""
        need(source.edit, "'edit'")
        assert source.edit
        moment = _now()
        source.edit(hub.stream.name, hub.keys[0], moment)
        hub.whole()
        source.edit(hub.stream.name, hub.keys[1], moment - OVERLAP / 2)
        hub.whole(by_name=False)
        assert not hub.differs(), hub.differs()

    def test_what_is_committed_far_too_late_is_found_by_its_name(
        self, source: Source, connector: Connector, hub: Hub
    ) -> None:
        """No read looks back so far: the sweep tells its moment, and it is fetched."""
        need(source.edit, "'edit'")
        assert source.edit
        _need_sweep(connector, hub)
        hub.whole()
        source.edit(hub.stream.name, hub.keys[-1], hub.watermark() - timedelta(days=1))
        hub.whole(sweep=True)
        assert not hub.differs(), hub.differs()

    def test_what_changes_while_pages_turn_ends_in_the_store(
        self, source: Source, hub: Hub
    ) -> None:
        """Read already or not yet: the rows move between the pages."""
        need(source.change, "'change'")
        assert source.change
        change, touched = source.change, _turns(hub.keys)

        def between() -> None:
            for key in next(touched, ()):
                change(hub.stream.name, key)

        hub.whole(between=between, by_name=False)
        hub.whole(by_name=False)
        assert not hub.differs(), hub.differs()

    def test_a_sync_that_is_stopped_behind_every_page_ends_whole(self, hub: Hub) -> None:
        """Each run goes on where the last one stood, with nothing but what is in the store."""
        for run in count(1):
            if hub.sync(stop=True, by_name=False) is not None:
                break
            assert run <= 3 * hub.pages + 3, f"after {run} runs of a page each it is not whole"
        hub.whole()
        assert not hub.differs(), hub.differs()

    def test_a_clock_that_is_ahead_of_ours_loses_nothing(self, source: Source, hub: Hub) -> None:
        """One record from the future hides none of the present, and none that is further on."""
        need(source.edit, "'edit'")
        assert source.edit
        name, ahead = hub.stream.name, _now() + timedelta(hours=2)
        source.edit(name, hub.keys[0], ahead)
        hub.whole()
        source.edit(name, hub.keys[1], _now())
        source.edit(name, hub.keys[2], ahead + timedelta(minutes=1))
        hub.whole(by_name=False)
        assert not hub.differs(), hub.differs()

    def test_a_clock_that_is_behind_ours_loses_nothing(self, source: Source, hub: Hub) -> None:
        """The next read begins where the source stood, not where we did."""
        need(source.edit, "'edit'")
        assert source.edit
        hub.whole()
        source.edit(hub.stream.name, hub.keys[0], hub.watermark() + timedelta(seconds=1))
        hub.whole(by_name=False)
        assert not hub.differs(), hub.differs()

    def test_what_is_deleted_is_no_longer_held(
        self, source: Source, connector: Connector, hub: Hub
    ) -> None:
        """After the next sweep at the latest; and nothing else is taken away."""
        need(source.delete, "'delete'")
        assert source.delete
        _need_sweep(connector, hub)
        hub.whole()
        if not source.delete(hub.stream.name, hub.keys[0]):
            pytest.skip(f"{hub.stream.name} has no record that can be deleted")
        outcome = hub.whole(sweep=True)
        assert not hub.differs(), hub.differs()
        assert outcome.gone, "a record is gone, and the outcome does not say so"


def _need_sweep(connector: Connector, hub: Hub) -> None:
    if not isinstance(connector, Sweeping) or connector.sweep(hub.stream) is None:
        pytest.skip(f"{type(connector).__name__} cannot name the records of {hub.stream.name}")


def _turns(keys: list[str]) -> Iterator[tuple[str, str]]:
    """For some pages a record of the beginning and one of the end."""
    return zip(keys[:_EDITS], keys[: -_EDITS - 1 : -1], strict=True)


def _now() -> datetime:
    """This moment, in whole seconds as sources have them."""
    return datetime.now(tz=UTC).replace(microsecond=0)
