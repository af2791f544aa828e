"""Keep raw records: pseudonyms → what is new → normalise → store, with where each came from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from vmo_bridge.connectors.abilities import Dated
from vmo_bridge.connectors.contract import Connector, RawRecord, Stream
from vmo_bridge.errors import RecordError, VmoBridgeError
from vmo_bridge.records import Record
from vmo_bridge.store import Store
from vmo_bridge.store.clock import to_epoch
from vmo_bridge.store.raw import Place, RawRow, raw_row
from vmo_bridge.store.versions import UNSOUND, Placed
from vmo_bridge.sync.people import People

_NO_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class Kept:
    """What became of some raw records."""

    read: int = 0
    changed: int = 0
    quarantined: int = 0
    own: int = 0
    """Changes that were nothing but our own writes coming back."""


@dataclass(slots=True, kw_only=True)
class Keeper:
    """Keeps the raw records of one stream; its methods belong into a transaction."""

    connector: Connector
    store: Store
    people: People
    run_id: int
    stream: Stream
    stream_id: int
    _all_new: bool = False
    """Whether nothing of the last page was held, as on a first sync: then the next page is tried
    without looking up what is held of it."""

    def keep(
        self, records: Sequence[RawRecord], seen_at: datetime, *, older_too: bool = False
    ) -> Kept:
        """Save what is new; ``older_too`` takes what comes for what the source has now."""
        # Asked once a page: of a protocol it is slow to ask.
        dated = self.connector if isinstance(self.connector, Dated) else None
        rows = [self._row(record, dated) for record in records]
        own: list[RawRow] = []
        new = None
        if self._all_new and rows and not older_too:
            new = self.store.raw.keep_new(self.stream_id, self.run_id, seen_at, rows)
        if new is None:
            changed, before = self.store.raw.changed(self.stream_id, rows, older_too=older_too)
            self._all_new = not before and len(changed) == len(rows)
            own = self._echoes(changed, before)
            if own:
                self.store.raw.touch(self.stream_id, own)
                changed, before = _without(own, changed, before)
            if not changed:
                return Kept(read=len(rows), own=len(own))
            page = self.store.raw.keep(self.stream_id, self.run_id, seen_at, changed)
        else:
            page, changed, before = new, rows, {}
        batch = _Batch(page, seen_at, dict(enumerate(changed)), older_too=older_too)
        self._normalise(batch)
        if new is None or not self.store.versions.add(page, seen_at, batch.placed):
            self._save(batch)
        self._settle(batch, before)
        return Kept(
            read=len(rows), changed=len(changed), quarantined=len(batch.refused), own=len(own)
        )

    def _echoes(self, changed: Sequence[RawRow], before: Mapping[str, Place]) -> list[RawRow]:
        """Those in which nothing changed but what we wrote ourselves.

        Our write was the last one when it was read back (its receipt has the moment), and all that
        we read of the record says what it said before. A version of its own would make of our
        values an edit that somebody made.
        """
        if not before or not self.store.outbox.wrote_to(self.connector.name):
            return []
        moments = self.store.outbox.own_moments(self.connector.name, before)
        likely = [row for row in changed if row.key in before and row.key in moments]
        held = self.store.raw.payloads([before[row.key] for row in likely])
        return [
            row for row in likely if self._is_echo(row, held[before[row.key]], moments[row.key])
        ]

    def _is_echo(self, row: RawRow, held: Mapping[str, Any], moments: Collection[int]) -> bool:
        """Whether a raw record changed last at one of ``moments``, and says the same as before."""
        if row.changed_at is not None and row.changed_at not in moments:
            return False
        try:
            now = list(self.connector.normalise(self.stream.name, row.content))
            then = list(self.connector.normalise(self.stream.name, held))
        except Exception:  # noqa: BLE001 - what is wrong with it is told where it is kept
            return False
        if row.changed_at is None and any(to_epoch(it.updated_at) not in moments for it in now):
            return False
        return _timeless(now) == _timeless(then)

    def rebuild(self, page: int, seen_at: datetime) -> Kept:
        """Normalise a stored page anew; what comes out as it is held is left alone."""
        rows = dict(self.store.raw.rows_of(self.stream_id, page))
        batch = _Batch(page, seen_at, rows, older_too=True, only_new=True)
        self._normalise(batch)
        self._save(batch)
        self._settle(batch, {row.key: (page, position) for position, row in rows.items()})
        return Kept(read=len(rows), changed=batch.written, quarantined=len(batch.refused))

    def key(self, key: str) -> str:
        """A raw record's key as the ledger has it: of a person only the pseudonym."""
        masked = self.people.mask(self.stream, {self.stream.key_field: key})
        return str(masked.get(self.stream.key_field, key))

    def _row(self, record: RawRecord, dated: Dated | None) -> RawRow:
        masked = self.people.mask(self.stream, record)
        key = masked.get(self.stream.key_field)
        moment = dated.changed_at(self.stream.name, record) if dated else None
        row = raw_row(str(key), masked, None if moment is None else to_epoch(moment))
        if key in (None, ""):
            # Each apart: under one key, all but the last would vanish without a word.
            return msgspec.structs.replace(row, key=f"without a key, {row.hash.hex()}")
        return row

    def _normalise(self, batch: _Batch) -> None:
        for position, row in batch.rows.items():
            try:
                batch.placed += [(record, position) for record in self._records(row)]
            except RecordError as error:
                batch.refused.append((position, row.key, error.reason))

    def _records(self, row: RawRow) -> list[Record]:
        """The records of one raw record; a connector's own mistake costs that record only."""
        try:
            return list(self.connector.normalise(self.stream.name, row.content))
        except VmoBridgeError:
            raise
        except Exception as error:
            raise RecordError(f"the connector stumbled: {type(error).__name__}: {error}") from error

    def _save(self, batch: _Batch) -> None:
        """Save the records; those that do not keep to their own types are refused instead."""
        try:
            with self.store.transaction():
                self._save_versions(batch)
        except UNSOUND:
            sound = []
            for record, position in batch.placed:
                flaw = unsound(record)
                if flaw:
                    batch.refused.append((position, batch.rows[position].key, flaw))
                else:
                    sound.append((record, position))
            if len(sound) == len(batch.placed):
                raise
            batch.placed = sound
            self._save_versions(batch)

    def _save_versions(self, batch: _Batch) -> None:
        batch.written = self.store.versions.save(
            batch.page,
            batch.seen_at,
            batch.placed,
            older_too=batch.older_too,
            only_new=batch.only_new,
        )

    def _settle(self, batch: _Batch, before: dict[str, tuple[int, int]]) -> None:
        """Quarantine what was refused; bury what its raw record no longer tells of."""
        refused = {key for _, key, _ in batch.refused}
        accepted = [row.key for row in batch.rows.values() if row.key not in refused]
        self.store.raw.quarantine(
            self.stream_id, batch.page, batch.refused, accepted, batch.seen_at
        )
        told = {record.ref for record, _ in batch.placed}
        if self.store.tombstones.any():
            self.store.tombstones.revive(told, batch.seen_at)
        # What cannot be read now may tell of them all the same: they stay.
        self.store.tombstones.drop(
            self.stream_id,
            self.stream.kinds,
            {key: place for key, place in before.items() if key not in refused},
            told,
            batch.seen_at,
        )


def _timeless(records: Sequence[Record]) -> list[Record]:
    """The records as they would be had they changed at the same moment."""
    return [msgspec.structs.replace(each, updated_at=_NO_MOMENT) for each in records]


def _without(
    own: Sequence[RawRow], changed: Sequence[RawRow], before: Mapping[str, Place]
) -> tuple[list[RawRow], dict[str, Place]]:
    """What is left of the changed rows, and of where they were held, without our own writes."""
    ours = {row.key for row in own}
    return (
        [row for row in changed if row.key not in ours],
        {key: place for key, place in before.items() if key not in ours},
    )


@dataclass(slots=True)
class _Batch:
    """Raw records by their position in a page, and what becomes of them."""

    page: int
    seen_at: datetime
    rows: dict[int, RawRow]
    older_too: bool = False
    only_new: bool = False
    placed: list[Placed] = field(default_factory=list)
    refused: list[tuple[int, str, str]] = field(default_factory=list)
    """(position, key, reason)."""
    written: int = 0


def unsound(record: Record) -> str:
    """What is wrong with a record's own fields; empty if nothing is."""
    try:
        msgspec.convert(msgspec.structs.asdict(record), type(record))
    except msgspec.ValidationError as error:
        return f"the connector gave a {record.kind} that is none: {error}"
    for name, value in msgspec.structs.asdict(record).items():
        if isinstance(value, datetime) and value.tzinfo is None:
            return f"the connector gave {name} without a zone: {value.isoformat()}"
        if isinstance(value, int) and value.bit_length() > 63:
            return f"the connector gave {name} as a number that no store holds: {value}"
    return ""
