"""Raw payloads: one compressed blob a page, and a ledger of what we hold of every raw record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
import zstandard
from sqlite_utils import Database

from vmo_bridge.store.clock import from_epoch, to_epoch
from vmo_bridge.store.schema import KINDS

_ENCODER = msgspec.json.Encoder(order="sorted")


Place = tuple[int, int]
"""(page, position) of a raw record."""


class RawRow(msgspec.Struct, frozen=True):
    """A raw record on its way into a page (a struct: one is made for every record read)."""

    key: str
    content: Mapping[str, Any]
    encoded: bytes
    hash: bytes
    changed_at: int | None = None
    """Epoch seconds, by the source's clock; None where it does not say."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A raw record that could not be normalised."""

    source: str
    stream: str
    key: str
    reason: str
    seen_at: int
    """Epoch seconds, UTC."""


def raw_row(key: str, content: Mapping[str, Any], changed_at: int | None = None) -> RawRow:
    """Encode a raw record and hash its content, whatever the order of its fields."""
    encoded = _ENCODER.encode(content)
    digest = hashlib.blake2b(encoded, digest_size=8).digest()
    return RawRow(key, content, encoded, digest, changed_at)


class RawPages:
    """Raw pages, ledger and quarantine of all streams."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def changed(
        self, stream_id: int, rows: Sequence[RawRow], *, older_too: bool = False
    ) -> tuple[list[RawRow], dict[str, Place]]:
        """The rows whose content is new to us, each key once (its last appearance in the page).

        And, by key, the places of those that we held before.

        What was buried is new again. Two slices may deliver a record out of order: a copy that is
        older than what we hold is left out, unless the source was asked for just these records
        (``older_too``): then it is what the source has now.
        """
        latest = {row.key: row for row in rows}
        known = {
            key: (digest, changed_at or 0, (page, position))
            for key, digest, changed_at, page, position in self._db.execute(
                # A cross join looks each key up as it comes; "in" would sort them all first.
                "select l.key, l.hash, l.changed_at, l.page, l.position from json_each(?) k "
                "cross join ledger l on l.stream_id = ? and l.key = k.value "
                "where l.gone_at is null",
                [json.dumps(list(latest)), stream_id],
            )
        }
        if not known:
            return list(latest.values()), {}

        def is_new(row: RawRow) -> bool:
            digest, changed_at, _ = known.get(row.key, (None, 0, None))
            older = row.changed_at is not None and row.changed_at < changed_at
            return digest != row.hash and (older_too or not older)

        rows_ = [row for row in latest.values() if is_new(row)]
        return rows_, {row.key: known[row.key][2] for row in rows_ if row.key in known}

    def pages(self, stream_id: int) -> list[int]:
        """The pages that hold what we have of a stream, the oldest first."""
        rows = self._db.execute(
            "select distinct page from ledger where stream_id = ? order by 1", [stream_id]
        ).fetchall()
        return [page for (page,) in rows]

    def rows_of(self, stream_id: int, page: int) -> list[tuple[int, RawRow]]:
        """(position, raw record) of all of a page that is still the latest of its key."""
        content = self._content(page)
        return [
            (position, RawRow(key, content[position], b"", digest, changed_at))
            for key, position, digest, changed_at in self._db.execute(
                "select key, position, hash, changed_at from ledger "
                "where stream_id = ? and page = ? and gone_at is null order by position",
                [stream_id, page],
            )
        ]

    def keep(
        self, stream_id: int, run_id: int, fetched_at: datetime, rows: Sequence[RawRow]
    ) -> int:
        """Store the rows as one page and enter them in the ledger; returns the page's id."""
        page = self._keep_page(stream_id, run_id, fetched_at, rows)
        self._enter("insert or replace into", stream_id, page, rows)
        return page

    def keep_new(
        self, stream_id: int, run_id: int, fetched_at: datetime, rows: Sequence[RawRow]
    ) -> int | None:
        """As ``keep``, but without ``changed`` before it: None where one of the rows was held.

        Then nothing is kept. On a first sync this spares a look into the ledger for every row.
        """
        page = self._keep_page(stream_id, run_id, fetched_at, rows)
        entered = self._enter("insert or ignore into", stream_id, page, rows)
        if entered == len(rows):
            return page
        keys = json.dumps([row.key for row in rows])
        self._db.execute(
            "delete from ledger where stream_id = ? and page = ? "
            "and key in (select value from json_each(?))",
            [stream_id, page, keys],
        )
        self._db.execute("delete from raw_page where id = ?", [page])
        return None

    def _keep_page(
        self, stream_id: int, run_id: int, fetched_at: datetime, rows: Sequence[RawRow]
    ) -> int:
        blob = zstandard.compress(b"[" + b",".join([row.encoded for row in rows]) + b"]", 1)
        page = self._db.execute(
            "insert into raw_page (stream_id, run_id, fetched_at, content) values (?, ?, ?, ?)",
            [stream_id, run_id, to_epoch(fetched_at), blob],
        ).lastrowid
        assert page is not None  # noqa: S101 - an insert has a rowid
        return page

    def _enter(self, verb: str, stream_id: int, page: int, rows: Sequence[RawRow]) -> int:
        """Enter the rows of a page in the ledger; returns how many entries were written."""
        return self._db.conn.executemany(
            f"{verb} ledger (stream_id, key, hash, page, position, changed_at) "
            "values (?, ?, ?, ?, ?, ?)",
            [
                (stream_id, row.key, row.hash, page, at, row.changed_at)
                for at, row in enumerate(rows)
            ],
        ).rowcount

    def touch(self, stream_id: int, rows: Sequence[RawRow]) -> None:
        """Note the newest state of raw records whose payload says nothing new: hash and moment.

        What we hold of them stays, with the payload it came from.
        """
        self._db.conn.executemany(
            "update ledger set hash = ?, changed_at = ? where stream_id = ? and key = ?",
            [(row.hash, row.changed_at, stream_id, row.key) for row in rows],
        )

    def payload(self, page: int, position: int) -> dict[str, Any]:
        """The raw record at a place that a record version points to."""
        return self._content(page)[position]

    def payloads(self, places: Iterable[Place]) -> dict[Place, dict[str, Any]]:
        """The raw records at many places; each page is opened once."""
        found: dict[Place, dict[str, Any]] = {}
        for page, group in groupby(sorted(set(places)), key=lambda place: place[0]):
            content = self._content(page)
            found |= {place: content[place[1]] for place in group}
        return found

    def _content(self, page: int) -> list[dict[str, Any]]:
        (blob,) = self._db.execute("select content from raw_page where id = ?", [page]).fetchone()
        content: list[dict[str, Any]] = msgspec.json.decode(zstandard.decompress(blob))
        return content

    def age_out(self, before: datetime) -> int:
        """Remove pages fetched before a moment that only former versions come from.

        What is current, in the ledger or in quarantine keeps its payload. Returns how many went.
        """
        pointing = " union all ".join(
            f"select page from {table}" for table in ("ledger", "quarantine", *KINDS)
        )
        return self._db.execute(
            f"delete from raw_page where fetched_at < ? and id not in ({pointing})",
            [to_epoch(before)],
        ).rowcount

    def origin(self, page: int) -> tuple[str, str, datetime | None]:
        """(source, stream, when it was fetched) of a page."""
        source, stream, fetched_at = self._db.execute(
            "select s.source, s.name, p.fetched_at from raw_page p "
            "join stream s on s.id = p.stream_id where p.id = ?",
            [page],
        ).fetchone()
        return source, stream, from_epoch(fetched_at)

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

    def in_quarantine(self, stream_id: int) -> int:
        """How many records of a stream are in quarantine and still there."""
        (count,) = self._db.execute(
            "select count(*) from quarantine q left join ledger l "
            "on l.stream_id = q.stream_id and l.key = q.key "
            "where q.stream_id = ? and l.gone_at is null",
            [stream_id],
        ).fetchone()
        return int(count)

    def quarantined(self) -> list[Quarantined]:
        """All records in quarantine, by source, stream and key."""
        rows = self._db.execute(
            "select s.source, s.name, q.key, q.reason, q.seen_at from quarantine q "
            "join stream s on s.id = q.stream_id order by 1, 2, 3"
        ).fetchall()
        return [Quarantined(*row) for row in rows]
