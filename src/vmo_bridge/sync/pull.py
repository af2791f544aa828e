"""Pull one source: page → pseudonyms → normalise → store, one transaction a page."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from vmo_bridge.connectors.contract import (
    Connector,
    Noting,
    Page,
    RawRecord,
    Remembering,
    Slice,
    Stream,
)
from vmo_bridge.errors import (
    AccessError,
    PluginError,
    RecordError,
    RetryLater,
    SignInError,
    SourceError,
    VmoBridgeError,
)
from vmo_bridge.records import Record
from vmo_bridge.store import Store
from vmo_bridge.store.clock import now
from vmo_bridge.store.marks import SliceMark, StreamMark
from vmo_bridge.store.memory import Memory
from vmo_bridge.store.raw import RawRow, raw_row
from vmo_bridge.sync.people import People
from vmo_bridge.watch import Watch

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class StreamOutcome:
    """How the sync of one stream went."""

    source: str
    stream: str
    read: int = 0
    changed: int = 0
    quarantined: int = 0
    problem: str = ""
    """Why it is not whole; empty if it is."""
    notes: list[str] = field(default_factory=list)
    """What the source has to tell of the read."""


def sync_source(
    connector: Connector,
    store: Store,
    people: People,
    run_id: int,
    *,
    overlap: timedelta,
    watch: Watch,
) -> list[StreamOutcome]:
    """Read all streams of a source; a stream that fails is noted, and the others go on.

    A source that is away, or refuses to let us in, is not asked for its other streams.
    """
    outcomes: list[StreamOutcome] = []
    memory = store.memory(connector.name)
    if isinstance(connector, Remembering):
        connector.remember(memory)
    gone = ""
    for stream in connector.streams:
        outcome = StreamOutcome(source=connector.name, stream=stream.name)
        outcomes.append(outcome)
        mark = store.marks.stream(connector.name, stream.name, stream.kinds)
        if not gone:
            pull = _Pull(
                connector=connector,
                store=store,
                people=people,
                memory=memory,
                run_id=run_id,
                stream=stream,
                mark=mark,
                outcome=outcome,
                watch=watch,
            )
            try:
                pull.run(overlap)
            except (RetryLater, SignInError) as error:
                gone = str(error)
            except (AccessError, SourceError, PluginError) as error:
                outcome.problem = str(error)
            if isinstance(connector, Noting):
                outcome.notes = list(connector.notes(stream.name))
        for note in outcome.notes:
            log.warning("%s:%s: %s", connector.name, stream.name, note)
        outcome.problem = outcome.problem or gone
        if outcome.problem:
            with store.transaction():
                store.marks.fail(mark.id, outcome.problem)
                memory.save()
            memory.settle()
            log.warning("%s:%s: %s", connector.name, stream.name, outcome.problem)
    return outcomes


@dataclass(slots=True, kw_only=True)
class _Pull:
    """The read of one stream, from its marks to its watermark."""

    connector: Connector
    store: Store
    people: People
    memory: Memory
    run_id: int
    stream: Stream
    mark: StreamMark
    outcome: StreamOutcome
    watch: Watch

    def run(self, overlap: timedelta) -> None:
        """Go on with what was interrupted, or else read what changed since the last whole read."""
        unfinished = self.store.marks.slices(self.mark.id)
        if unfinished:
            self.store.marks.resume(self.mark.id)
            self._read(self.store.marks.slices(self.mark.id))
            self._complete()
            if not all(piece.done for piece in unfinished):
                return
            # Only the end was missing: what changed since then is still to be read.
            self.mark = self.store.marks.stream(
                self.connector.name, self.stream.name, self.stream.kinds
            )
        self._read(self._begin(overlap))
        self._complete()

    def _complete(self) -> None:
        expected = self.connector.count(self.stream)
        with self._remembered():
            self.store.marks.complete(self.mark.id, expected=expected)

    @contextmanager
    def _remembered(self) -> Iterator[None]:
        """One transaction for what is done inside and what the connector remembers of it."""
        with self.store.transaction():
            yield
            self.memory.save()
        self.memory.settle()

    def _read(self, slices: Sequence[SliceMark]) -> None:
        started = False
        try:
            for piece in slices:
                if piece.done:
                    continue
                for page in self._pages(piece):
                    if not started:
                        self.watch.begin(f"{self.connector.name}:{self.stream.name}", page.expected)
                        started = True
                    self._keep(piece, page)
                    self.watch.advance(len(page.records))
                    self.watch.stop_here()
                with self._remembered():
                    self.store.marks.finish_slice(piece.id)
        finally:
            if started:
                self.watch.end(f"{self.outcome.changed} new or changed")

    def _pages(self, piece: SliceMark) -> Iterator[Page]:
        """The pages of a slice; a connector's own mistake costs this stream only."""
        try:
            yield from self.connector.read(self._slice(piece))
        except VmoBridgeError:
            raise
        except Exception as error:
            raise PluginError(f"the connector stumbled: {type(error).__name__}: {error}") from error

    def _begin(self, overlap: timedelta) -> Sequence[SliceMark]:
        since = self.mark.watermark
        since = since - overlap if since else None
        slices = self.connector.slices(self.stream, since, None)
        return self.store.marks.begin(
            self.mark.id, [(each.since, each.until, each.cursor) for each in slices]
        )

    def _slice(self, piece: SliceMark) -> Slice:
        return Slice(
            stream=self.stream.name, since=piece.since, until=piece.until, cursor=piece.cursor
        )

    def _keep(self, piece: SliceMark, page: Page) -> None:
        """Save what is new on a page, together with the page's cursor."""
        rows = [self._row(record) for record in page.records]
        seen_at = now()
        with self._remembered():
            changed = self.store.raw.changed(self.mark.id, rows)
            if changed:
                self._save(changed, seen_at)
            self.store.marks.advance(piece.id, cursor=page.cursor, newest=page.newest)
        self.outcome.read += len(rows)
        self.outcome.changed += len(changed)

    def _row(self, record: RawRecord) -> RawRow:
        masked = self.people.mask(self.stream, record)
        key = masked.get(self.stream.key_field)
        row = raw_row(str(key), masked)
        if key in (None, ""):
            # Each apart: under one key, all but the last would vanish without a word.
            return msgspec.structs.replace(row, key=f"without a key, {row.hash.hex()}")
        return row

    def _save(self, rows: Sequence[RawRow], seen_at: datetime) -> None:
        raw = self.store.raw
        page_id = raw.keep(self.mark.id, self.run_id, seen_at, rows)
        placed: list[tuple[Record, int]] = []
        refused: list[tuple[int, str, str]] = []
        for position, row in enumerate(rows):
            try:
                placed += [(record, position) for record in self._normalised(row)]
            except RecordError as error:
                refused.append((position, row.key, error.reason))
        self._save_sound(page_id, seen_at, placed, refused, rows)
        refused_keys = {key for _, key, _ in refused}
        accepted = [row.key for row in rows if row.key not in refused_keys]
        raw.quarantine(self.mark.id, page_id, refused, accepted, seen_at)
        self.outcome.quarantined += len(refused)

    def _save_sound(
        self,
        page_id: int,
        seen_at: datetime,
        placed: Sequence[tuple[Record, int]],
        refused: list[tuple[int, str, str]],
        rows: Sequence[RawRow],
    ) -> None:
        """Save the records; those that do not keep to their own types are refused instead."""
        try:
            with self.store.transaction():
                self.store.versions.save(page_id, seen_at, placed)
        except (sqlite3.Error, PluginError, ValueError, TypeError, AttributeError):
            sound = []
            for record, position in placed:
                flaw = unsound(record)
                if flaw:
                    refused.append((position, rows[position].key, flaw))
                else:
                    sound.append((record, position))
            if len(sound) == len(placed):
                raise
            self.store.versions.save(page_id, seen_at, sound)

    def _normalised(self, row: RawRow) -> list[Record]:
        """The records of one raw record; a connector's own mistake costs that record only."""
        try:
            return list(self.connector.normalise(self.stream.name, row.content))
        except VmoBridgeError:
            raise
        except Exception as error:
            raise RecordError(f"the connector stumbled: {type(error).__name__}: {error}") from error


def unsound(record: Record) -> str:
    """What is wrong with a record's own fields; empty if nothing is."""
    try:
        msgspec.convert(msgspec.structs.asdict(record), type(record))
    except msgspec.ValidationError as error:
        return f"the connector gave a {record.kind} that is none: {error}"
    for name, value in msgspec.structs.asdict(record).items():
        if isinstance(value, datetime) and value.tzinfo is None:
            return f"the connector gave {name} without a zone: {value.isoformat()}"
    return ""
