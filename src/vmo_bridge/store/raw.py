"""Raw payloads: one compressed blob a page, and a ledger of what we hold of every raw record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import zstandard
from sqlite_utils import Database

from vmo_bridge.store.clock import from_epoch, to_epoch

_ENCODER = msgspec.json.Encoder(order="sorted")


class RawRow(msgspec.Struct, frozen=True):
    """A raw record on its way into a page (a struct: one is made for every record read)."""

    key: str
    content: Mapping[str, Any]
    encoded: bytes
    hash: bytes


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A raw record that could not be normalised."""

    source: str
    stream: str
    key: str
    reason: str
    seen_at: int
    """Epoch seconds, UTC."""


def raw_row(key: str, content: Mapping[str, Any]) -> RawRow:
    """Encode a raw record and hash its content, whatever the order of its fields."""
    encoded = _ENCODER.encode(content)
    return RawRow(key, content, encoded, hashlib.blake2b(encoded, digest_size=8).digest())


class RawPages:
    """Raw pages, ledger and quarantine of all streams."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def changed(self, stream_id: int, rows: Sequence[RawRow]) -> list[RawRow]:
        """The rows whose content is new to us, each key once (its last appearance in the page)."""
        latest = {row.key: row for row in rows}
        known: dict[str, bytes] = dict(
            self._db.execute(
                "select key, hash from ledger where stream_id = ? "
                "and key in (select value from json_each(?))",
                [stream_id, json.dumps(list(latest))],
            ).fetchall()
        )
        return [row for row in latest.values() if known.get(row.key) != row.hash]

    def keep(
        self, stream_id: int, run_id: int, fetched_at: datetime, rows: Sequence[RawRow]
    ) -> int:
        """Store the rows as one page and enter them in the ledger; returns the page's id."""
        blob = zstandard.compress(b"[" + b",".join(row.encoded for row in rows) + b"]", 1)
        page = self._db.execute(
            "insert into raw_page (stream_id, run_id, fetched_at, content) values (?, ?, ?, ?)",
            [stream_id, run_id, to_epoch(fetched_at), blob],
        ).lastrowid
        assert page is not None  # noqa: S101 - an insert has a rowid
        self._db.conn.executemany(
            "insert or replace into ledger (stream_id, key, hash, page, position) "
            "values (?, ?, ?, ?, ?)",
            [(stream_id, row.key, row.hash, page, at) for at, row in enumerate(rows)],
        )
        return page

    def payload(self, page: int, position: int) -> dict[str, Any]:
        """The raw record at a place that a record version points to."""
        (blob,) = self._db.execute("select content from raw_page where id = ?", [page]).fetchone()
        content: dict[str, Any] = msgspec.json.decode(zstandard.decompress(blob))[position]
        return content

    def origin(self, page: int) -> tuple[str, str, datetime | None]:
        """(source, stream, when it was fetched) of a page."""
        source, stream, fetched_at = self._db.execute(
            "select s.source, s.name, p.fetched_at from raw_page p "
            "join stream s on s.id = p.stream_id where p.id = ?",
            [page],
        ).fetchone()
        return source, stream, from_epoch(fetched_at)

    def held(self, stream_id: int) -> int:
        """How many raw records of a stream we hold, quarantined ones included."""
        (count,) = self._db.execute(
            "select count(*) from ledger where stream_id = ?", [stream_id]
        ).fetchone()
        return int(count)

    def quarantine(
        self,
        stream_id: int,
        page: int,
        refused: Iterable[tuple[int, str, str]],
        accepted: Iterable[str],
        seen_at: datetime,
    ) -> None:
        """Note ``refused`` as (position, key, reason), and let out what is ``accepted`` now."""
        held = self._db.execute("select 1 from quarantine where stream_id = ?", [stream_id])
        if held.fetchone():
            self._db.conn.executemany(
                "delete from quarantine where stream_id = ? and key = ?",
                [(stream_id, key) for key in accepted],
            )
        self._db.conn.executemany(
            "insert or replace into quarantine (stream_id, key, reason, page, position, seen_at) "
            "values (?, ?, ?, ?, ?, ?)",
            [(stream_id, key, why, page, at, to_epoch(seen_at)) for at, key, why in refused],
        )

    def quarantined(self) -> list[Quarantined]:
        """All records in quarantine, by source, stream and key."""
        rows = self._db.execute(
            "select s.source, s.name, q.key, q.reason, q.seen_at from quarantine q "
            "join stream s on s.id = q.stream_id order by 1, 2, 3"
        ).fetchall()
        return [Quarantined(*row) for row in rows]
