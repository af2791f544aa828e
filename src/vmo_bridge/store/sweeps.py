"""What a sweep of a source's keys finds, set against the ledger of what we hold."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlite_utils import Database

from vmo_bridge.store.clock import to_epoch


class Sweep:
    """The keys of one stream as the source names them, beside the ledger's.

    They stand in a temporary table in memory, never on disk (the source's own keys may name
    people): some 100 bytes a key, gone with the connection.
    """

    def __init__(self, db: Database, stream_id: int) -> None:
        self._db = db
        self._stream_id = stream_id
        db.execute("drop table if exists temp.seen")
        db.execute(
            "create temp table seen (key text primary key, asked text, changed_at integer) "
            "without rowid"
        )

    def add(self, seen: Iterable[tuple[str, str, datetime | None]]) -> None:
        """Note a batch of (our key, the source's key, when it changed)."""
        self._db.conn.executemany(
            "insert or replace into seen values (?, ?, ?)",
            [(key, asked, None if at is None else to_epoch(at)) for key, asked, at in seen],
        )

    @property
    def count(self) -> int:
        """How many records the source named."""
        return int(self._db.execute("select count(*) from seen").fetchone()[0])

    def returned(self) -> list[str]:
        """Keys that were buried, and are named again as they were."""
        return self._keys(
            "select l.key from ledger l join seen s on s.key = l.key where l.stream_id = :stream "
            "and l.gone_at is not null and coalesce(s.changed_at = l.changed_at, 1)"
        )

    def to_fetch(self) -> list[str]:
        """The source's keys of what we lack, or hold as of another moment: no read brought it."""
        return self._keys(
            "select s.asked from seen s left join ledger l "
            "on l.stream_id = :stream and l.key = s.key "
            "where l.key is null or coalesce(s.changed_at <> l.changed_at, 0) order by s.key"
        )

    def missing(self) -> int:
        """How many named records we lack, by now."""
        return len(
            self._keys(
                "select s.key from seen s left join ledger l "
                "on l.stream_id = :stream and l.key = s.key where l.key is null"
            )
        )

    def extra(self) -> list[str]:
        """Keys that we hold as there, and that the source did not name."""
        return self._keys(
            "select l.key from ledger l left join seen s on s.key = l.key "
            "where l.stream_id = :stream and l.gone_at is null and s.key is null order by 1"
        )

    def close(self) -> None:
        """Forget the keys."""
        self._db.execute("drop table if exists temp.seen")

    def _keys(self, sql: str) -> list[str]:
        rows = self._db.execute(sql, {"stream": self._stream_id}).fetchall()
        return [key for (key,) in rows]
