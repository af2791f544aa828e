"""Records that are gone at the source: marked with the moment and the proof, never removed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlite_utils import Database

from vmo_bridge.store.clock import from_epoch, to_epoch

State = Literal["deleted", "missing", "dropped"]
"""``deleted``: the source says so; ``missing``: it no longer names it (deleted, or hidden from our
user: both look the same); ``dropped``: the raw record is there and no longer tells of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burial:
    """A raw record that is gone."""

    key: str
    state: State
    at: datetime
    """When it was deleted by the source's word, else when it was first missed."""
    proof: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tombstone:
    """What stands where a record was."""

    ref: str
    state: str
    gone_at: datetime
    proof: str


class Tombstones:
    """The tombstones of all streams: one line a record, or one for a raw record that became none.

    A line is never removed: when the record comes back it is given the moment. So the views can
    still show any past day as it was.
    """

    def __init__(self, db: Database) -> None:
        self._db = db

    def bury(
        self, stream_id: int, kinds: Sequence[str], burials: Iterable[Burial], seen_at: datetime
    ) -> int:
        """Mark raw records that are held as gone, with all records they became; returns how many.

        What the source once told of a record that came back since is not told again; and what
        changed after its deletion was made anew under the same key.
        """
        buried = 0
        for each in burials:
            place = self._db.execute(
                "select page, position from ledger where stream_id = ? and key = ? "
                "and gone_at is null and (? <> 'deleted' or coalesce(changed_at, 0) <= ?)",
                [stream_id, each.key, each.state, to_epoch(each.at)],
            ).fetchone()
            if place is None or self._was_told(stream_id, each):
                continue
            self._mark(stream_id, self._refs(kinds, place) or [None], each, seen_at)
            self._db.execute(
                "update ledger set gone_at = ? where stream_id = ? and key = ?",
                [to_epoch(each.at), stream_id, each.key],
            )
            buried += 1
        return buried

    def prove(self, stream_id: int, deletions: Iterable[Burial]) -> None:
        """Say of raw records that were only missing when and by what proof they were deleted."""
        self._db.conn.executemany(
            "update tombstone set state = 'deleted', gone_at = ?, proof = ? "
            "where stream_id = ? and key = ? and state = 'missing' and back_at is null",
            [(to_epoch(each.at), each.proof, stream_id, each.key) for each in deletions],
        )

    def drop(
        self,
        stream_id: int,
        kinds: Sequence[str],
        places: dict[str, tuple[int, int]],
        told: set[str],
        seen_at: datetime,
    ) -> None:
        """Bury what stands at the places of raw records (by key) and is not among the ``told``."""
        for key, place in places.items():
            refs = [ref for ref in self._refs(kinds, place) if ref not in told]
            if refs:
                self._mark(stream_id, refs, Burial(key=key, state="dropped", at=seen_at), seen_at)

    def revive(self, refs: Iterable[str], seen_at: datetime) -> None:
        """The records are there again."""
        self._db.execute(
            "update tombstone set back_at = ? where back_at is null "
            "and ref in (select value from json_each(?))",
            [to_epoch(seen_at), json.dumps(list(refs))],
        )

    def revive_keys(self, stream_id: int, keys: Sequence[str], seen_at: datetime) -> None:
        """The raw records are there again, unchanged; what one dropped before stays dropped."""
        keys_json = json.dumps(list(keys))
        self._db.execute(
            "update tombstone set back_at = ? where back_at is null and stream_id = ? "
            "and state <> 'dropped' and key in (select value from json_each(?))",
            [to_epoch(seen_at), stream_id, keys_json],
        )
        self._db.execute(
            "update ledger set gone_at = null where stream_id = ? "
            "and key in (select value from json_each(?))",
            [stream_id, keys_json],
        )

    def any(self) -> bool:
        """Whether there is any."""
        return self._db.execute("select 1 from tombstone limit 1").fetchone() is not None

    def of(self, ref: str) -> Tombstone | None:
        """The tombstone of a record, if it is gone."""
        row = self._db.execute(
            "select ref, state, gone_at, proof from tombstone "
            "where ref = ? and back_at is null order by seen_at desc limit 1",
            [ref],
        ).fetchone()
        if row is None:
            return None
        gone_at = from_epoch(row[2])
        assert gone_at is not None  # noqa: S101 - the column is not null
        return Tombstone(ref=row[0], state=row[1], gone_at=gone_at, proof=row[3] or "")

    def count(self, stream_id: int) -> int:
        """How many raw records of a stream are gone now."""
        (count,) = self._db.execute(
            "select count(*) from ledger where stream_id = ? and gone_at is not null", [stream_id]
        ).fetchone()
        return int(count)

    def _mark(
        self, stream_id: int, refs: Sequence[str | None], burial: Burial, seen_at: datetime
    ) -> None:
        common = (burial.state, to_epoch(burial.at), to_epoch(seen_at), burial.proof or None)
        self._db.conn.executemany(
            "insert into tombstone (stream_id, key, ref, state, gone_at, seen_at, proof) "
            "values (?, ?, ?, ?, ?, ?, ?)",
            [(stream_id, burial.key, ref, *common) for ref in refs],
        )

    def _was_told(self, stream_id: int, burial: Burial) -> bool:
        """Whether this very deletion was told before, and the record came back after it."""
        if burial.state != "deleted":
            return False
        found = self._db.execute(
            "select 1 from tombstone where stream_id = ? and key = ? "
            "and back_at is not null and gone_at >= ? limit 1",
            [stream_id, burial.key, to_epoch(burial.at)],
        ).fetchone()
        return found is not None

    def _refs(self, kinds: Sequence[str], place: tuple[int, int]) -> list[str]:
        """The current records that came from a place, those that are gone not."""
        refs: list[str] = []
        for kind in kinds:
            rows = self._db.execute(
                f"select ref from {kind} r where page = ? and position = ? and not exists "
                "(select 1 from tombstone t where t.ref = r.ref and t.back_at is null)",
                place,
            ).fetchall()
            refs += [ref for (ref,) in rows]
        return refs
