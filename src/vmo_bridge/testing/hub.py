"""A store of the suite's own, and syncs of a source into it: what it holds is the proof."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from vmo_bridge.connectors.contract import Stream
from vmo_bridge.store import Store
from vmo_bridge.store.marks import StreamMark
from vmo_bridge.sync import Care, Scope, StreamOutcome, sync_source
from vmo_bridge.testing.source import PEOPLE, Source, masked, pages_of, rows_in, rows_of
from vmo_bridge.watch import Stopped, Watch

OVERLAP = timedelta(minutes=5)
"""What was committed so late is found by the next read; what came later, by name."""


class Hub:
    """Syncs the stream of a source that has the most pages; each sync has a connector of its own.

    The store is opened anew for each sync, so what it holds is what a kill would have left.
    """

    def __init__(self, source: Source, folder: Path) -> None:
        self._source = source
        self._file = folder / "suite.db"
        connector = source.connect()
        self.name = connector.name
        pages = {each.name: pages_of(connector, each) for each in source.chosen(connector)}
        self.stream: Stream = max(source.chosen(connector), key=lambda each: len(pages[each.name]))
        """The stream that is synced."""
        self.pages = len(pages[self.stream.name])
        """How many pages it had at first."""
        rows = rows_in(pages[self.stream.name])
        self.keys = [str(row[self.stream.key_field]) for row in rows]
        """The source's keys, in the order in which they were read at first."""
        connector.close()

    def sync(
        self,
        *,
        between: Callable[[], None] | None = None,
        stop: bool = False,
        sweep: bool = False,
        by_name: bool = True,
    ) -> StreamOutcome | None:
        """Sync it; ``between`` is called behind each page. None where it was stopped.

        ``stop``: behind the first page; without ``by_name`` nothing is named that nobody asks for.
        """
        every = timedelta(hours=24) if by_name else None
        connector = self._source.connect()
        try:
            with Store(self._file, owner="suite") as store, suppress(Stopped):
                (outcome,) = sync_source(
                    connector,
                    store,
                    PEOPLE,
                    1,
                    care=Care(overlap=OVERLAP, sweep_every=every),
                    watch=_Between(between, stop=stop),
                    scope=Scope(streams=(f"{self.name}:{self.stream.name}",), sweep=sweep),
                )
                return outcome
        finally:
            connector.close()
        return None

    def whole(self, **how: Any) -> StreamOutcome:
        """Sync it, without any problem."""
        outcome = self.sync(**how)
        if outcome is None or outcome.problem:
            raise AssertionError(f"{self.stream.name} is not whole: {outcome and outcome.problem}")
        return outcome

    def held(self) -> dict[str, Any]:
        """The latest raw record of every key that is held and there."""
        with Store(self._file, owner="suite") as store:
            stream_id = self._mark(store).id
            return {
                row.key: row.content
                for page in store.raw.pages(stream_id)
                for _, row in store.raw.rows_of(stream_id, page)
            }

    def there(self) -> dict[str, Any]:
        """What the source has, read by a connector that knows nothing."""
        connector = self._source.connect()
        try:
            rows = [masked(self.stream, row) for row in rows_of(connector, self.stream)]
        finally:
            connector.close()
        return {
            str(row[self.stream.key_field]): msgspec.json.decode(msgspec.json.encode(row))
            for row in rows
        }

    def watermark(self) -> datetime:
        """From when on the next sync reads."""
        with Store(self._file, owner="suite") as store:
            moment = self._mark(store).watermark
        if moment is None:
            raise AssertionError(f"{self.stream.name} was synced and has no watermark")
        return moment

    def differs(self) -> str:
        """What the store holds otherwise than the source; empty if nothing."""
        held, there = self.held(), self.there()
        found = {
            "not held": there.keys() - held.keys(),
            "held and not there": held.keys() - there.keys(),
            "held as they were": {k for k in held.keys() & there.keys() if held[k] != there[k]},
        }
        return "; ".join(f"{what}: {sorted(keys)[:3]}" for what, keys in found.items() if keys)

    def _mark(self, store: Store) -> StreamMark:
        return store.marks.stream(self.name, self.stream.name, self.stream.kinds)


class _Between(Watch):
    """Does something behind each page, or stops there."""

    def __init__(self, between: Callable[[], None] | None, *, stop: bool) -> None:
        self._between = between
        self._stop = stop

    def stopping(self) -> bool:
        return self._stop

    def advance(self, steps: int = 1) -> None:  # noqa: ARG002
        if self._between:
            self._between()
