"""Records and their versions: what is stands in a kind's table, what was in its history."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from vmo_bridge.errors import PluginError
from vmo_bridge.records import Record
from vmo_bridge.store.clock import to_epoch
from vmo_bridge.store.schema import KINDS, shape

_THERE = "ref not in (select ref from tombstone where back_at is null and ref is not null)"

Placed = tuple[Record, int]
"""A record and the position of its raw record in the page."""
UNSOUND = (sqlite3.Error, PluginError, ValueError, TypeError, AttributeError, OverflowError)
"""What is raised where a connector gave a record that does not keep to its own types."""


class Versions:
    """The records of all kinds."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def save(
        self,
        page: int,
        seen_at: datetime,
        records: Iterable[Placed],
        *,
        older_too: bool = False,
        only_new: bool = False,
    ) -> int:
        """Make the records of one page the current ones; what they replace becomes history.

        ``older_too``: also where what we hold is younger; ``only_new``: not where it is the same.
        Returns how many were written.
        """
        written = 0
        by_kind: dict[str, list[Placed]] = defaultdict(list)
        for placed in records:
            by_kind[placed[0].kind].append(placed)
        for kind, placed_records in by_kind.items():
            for batch in _each_ref_once(placed_records):
                kept = self._not_held(kind, batch) if only_new else batch
                self._save_batch(kind, page, to_epoch(seen_at), kept, older_too=older_too)
                written += len(kept)
        return written

    def add(self, page: int, seen_at: datetime, records: Iterable[Placed]) -> bool:
        """Add the records of a new page; False where one was held, or is not what its kind asks.

        Then none of them is there, and it is for ``save`` to see to them one by one. On a first
        sync this spares a look at what is held for every record, and a savepoint for every page.
        """
        rows: dict[str, list[list[Any]]] = defaultdict(list)
        epoch = to_epoch(seen_at)
        try:
            for record, position in records:
                table = shape(record.kind)
                row = table.encode(record)
                row += (row[table.updated_at], epoch, page, position)
                rows[record.kind].append(row)
            if all(
                self._insert("insert or ignore into", kind, each) == len(each)
                for kind, each in rows.items()
            ):
                return True
        except UNSOUND:
            if not self._db.conn.in_transaction:
                raise  # a full disk undoes all of it: nothing may be written after that
        for kind in KINDS:
            self._db.execute(f"delete from {kind} where page = ?", [page])
        return False

    def _not_held(self, kind: str, batch: Sequence[Placed]) -> list[Placed]:
        """Those that are not held just so."""
        table = shape(kind)
        columns = ", ".join(_quoted(table.columns))
        at = list(table.columns).index("ref")
        held = {
            row[at]: [*row]
            for row in self._db.execute(
                f"select {columns} from {kind} where ref in (select value from json_each(?))",
                [json.dumps([record.ref for record, _ in batch])],
            )
        }
        return [each for each in batch if held.get(each[0].ref) != table.encode(each[0])]

    def _save_batch(
        self, kind: str, page: int, seen_at: int, batch: Sequence[Placed], *, older_too: bool
    ) -> None:
        table = shape(kind)
        refs = json.dumps([record.ref for record, _ in batch])
        current: dict[str, int] = dict(
            self._db.execute(
                "select t.ref, t.valid_from from json_each(?) r "
                f"cross join {kind} t on t.ref = r.value",
                [refs],
            ).fetchall()
        )
        rows: list[list[Any]] = []
        late: list[list[Any]] = []
        for record, position in batch:
            row = table.encode(record)
            valid_from = row[table.updated_at]
            row += (valid_from, seen_at, page, position)
            # Two slices may deliver one record out of order: the older copy must not win.
            is_late = valid_from < current.get(record.ref, valid_from) and not older_too
            (late if is_late else rows).append(row)
        # What was buried and comes again is what the source has now, whatever its moment.
        risen = self._buried([row[0] for row in late])
        rows += [row for row in late if row[0] in risen]
        late = [row for row in late if row[0] not in risen]
        if current:
            self._retire(kind, [row[0] for row in rows if row[0] in current])
        self._insert("insert or replace into", kind, rows)
        self._insert("insert into", f"{kind}_history", late)

    def _buried(self, refs: Sequence[str]) -> set[str]:
        if not refs:
            return set()
        found = self._db.execute(
            "select ref from tombstone where back_at is null "
            "and ref in (select value from json_each(?))",
            [json.dumps(refs)],
        ).fetchall()
        return {ref for (ref,) in found}

    def _retire(self, kind: str, refs: Sequence[str]) -> None:
        columns = ", ".join(_quoted(shape(kind).all_columns))
        self._db.execute(
            f"insert into {kind}_history ({columns}) select {columns} from {kind} "
            "where ref in (select value from json_each(?))",
            [json.dumps(refs)],
        )

    def _insert(self, verb: str, table: str, rows: Sequence[Sequence[Any]]) -> int:
        """Returns how many were inserted."""
        if not rows:
            return 0
        columns = shape(table.removesuffix("_history")).all_columns
        marks = ", ".join("?" * len(columns))
        return self._db.conn.executemany(
            f"{verb} {table} ({', '.join(_quoted(columns))}) values ({marks})", rows
        ).rowcount

    def find(self, name: str) -> list[dict[str, Any]]:
        """Current records by ref, readable id or number: rows with ``kind``, as stored."""
        found = []
        for kind in KINDS:
            columns = ["ref", "id", *(["number"] if "number" in shape(kind).columns else [])]
            where = " or ".join(f"{column} = :name" for column in columns)
            found += [
                {"kind": kind, **row}
                for row in self._db.query(f"select * from {kind} where {where}", {"name": name})
            ]
        return found

    def all(self, kind: str) -> Iterator[dict[str, Any]]:
        """All current records of a kind that are still there, as stored."""
        yield from self._db.query(f"select * from {kind} where {_THERE} order by ref")

    def by_refs(self, refs: Sequence[str]) -> list[dict[str, Any]]:
        """Current records of any kind by ref, in the order asked for: rows with ``kind``."""
        found: dict[str, dict[str, Any]] = {}
        for kind in KINDS:
            rows = self._db.query(
                f"select * from {kind} where ref in (select value from json_each(?))",
                [json.dumps(list(refs))],
            )
            found.update((row["ref"], {"kind": kind, **row}) for row in rows)
        return [found[ref] for ref in refs if ref in found]

    def labels(self, refs: Sequence[str]) -> dict[str, str]:
        """What people call the records: their number, else their name, else the source's key."""
        labels: dict[str, str] = {}
        for kind in KINDS:
            columns = shape(kind).columns
            label = next((c for c in ("number", "name") if c in columns), "null")
            labels.update(
                self._db.execute(
                    f"select ref, coalesce({label}, substr(ref, instr(ref, '/') + 1)) from {kind} "
                    "where ref in (select value from json_each(?))",
                    [json.dumps(list(refs))],
                ).fetchall()
            )
        return labels

    def counts(self) -> dict[str, int]:
        """How many current records there are of each kind; those that are gone not."""
        return {
            kind: int(self._db.execute(f"select count(*) from {kind} where {_THERE}").fetchone()[0])
            for kind in KINDS
        }


def _quoted(columns: Iterable[str]) -> list[str]:
    return [f'"{column}"' for column in columns]


def _each_ref_once(records: Sequence[Placed]) -> Iterable[Sequence[Placed]]:
    """Cut where a ref comes again, so that its earlier version becomes history, not lost."""
    batch: list[Placed] = []
    seen: set[str] = set()
    for placed in records:
        if placed[0].ref in seen:
            yield batch
            batch, seen = [], set()
        batch.append(placed)
        seen.add(placed[0].ref)
    if batch:
        yield batch
