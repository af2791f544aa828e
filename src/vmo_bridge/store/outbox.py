"""The outbox: what waits to be written back, and receipts of what the target stored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlite_utils import Database

from vmo_bridge.store.clock import from_epoch, now, to_epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """One change to one record of a target."""

    id: int = 0
    target: str
    """The connector's name."""
    table: str
    key: str | None
    match: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str]
    before: Mapping[str, str] = field(default_factory=dict)
    state: str = "waiting"
    """waiting, stored (read back and equal), not-stored, reverted, refused or superseded."""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReceipt:
    """What a target held right after a write."""

    target: str
    table: str
    key: str
    stored: Mapping[str, str]
    verdict: str
    seen_at: datetime | None


class Outbox:
    """All changes that were decided on, delivered or not."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def queue(self, run_id: int, target: str, items: Iterable[OutboxItem]) -> None:
        """Decide on these changes of a target; what waited from a run cut short is superseded.

        The new items were planned against what the target holds now, so they contain whatever of
        the old ones is still to be done.
        """
        with self._db.atomic():
            self._db.execute(
                "update outbox set state = 'superseded', ended_at = ? where state = 'waiting' "
                "and target = ?",
                [to_epoch(now()), target],
            )
            self._db.conn.executemany(
                'insert into outbox (run_id, target, "table", key, "match", "values", before, '
                "state, queued_at) values (?, ?, ?, ?, ?, ?, ?, 'waiting', ?)",
                [
                    (
                        run_id,
                        item.target,
                        item.table,
                        item.key,
                        json.dumps(dict(item.match)),
                        json.dumps(dict(item.values)),
                        json.dumps(dict(item.before)),
                        to_epoch(now()),
                    )
                    for item in items
                ],
            )

    def waiting(self, target: str) -> list[OutboxItem]:
        """What is still to be delivered to a target, oldest first."""
        rows = self._db.execute(
            'select id, target, "table", key, "match", "values", before, state from outbox '
            "where state = 'waiting' and target = ? order by id",
            [target],
        ).fetchall()
        return [
            OutboxItem(
                id=row[0],
                target=row[1],
                table=row[2],
                key=row[3],
                match=json.loads(row[4]),
                values=json.loads(row[5]),
                before=json.loads(row[6]),
                state=row[7],
            )
            for row in rows
        ]

    def end(
        self, item: OutboxItem, state: str, reason: str, receipt: StoredReceipt | None = None
    ) -> None:
        """Note what became of a change, together with its receipt."""
        with self._db.atomic():
            self._db.execute(
                "update outbox set state = ?, reason = ?, ended_at = ?, key = coalesce(?, key) "
                "where id = ?",
                [state, reason, to_epoch(now()), receipt.key if receipt else None, item.id],
            )
            if receipt:
                self._db.execute(
                    'insert into receipt (outbox_id, target, "table", key, stored, verdict, '
                    "seen_at) values (?, ?, ?, ?, ?, ?, ?)",
                    [
                        item.id,
                        receipt.target,
                        receipt.table,
                        receipt.key,
                        json.dumps(dict(receipt.stored)),
                        receipt.verdict,
                        to_epoch(receipt.seen_at or now()),
                    ],
                )

    def written_keys(self, target: str, table: str) -> set[str]:
        """Keys of the records of a table that we ever wrote to, or may have.

        A write that was cut off before it was read back has no receipt.
        """
        rows = self._db.execute(
            'select distinct key from outbox where target = ? and "table" = ? '
            "and key is not null and state <> 'refused'",
            [target, table],
        ).fetchall()
        return {row[0] for row in rows}

    def written_matches(self, target: str, table: str, field_: str) -> set[str]:
        """By which values of ``field_`` we ever looked for records to write to, as above."""
        rows = self._db.execute(
            'select distinct json_extract("match", ?) from outbox where target = ? and "table" = ? '
            "and state <> 'refused'",
            [f'$."{field_}"', target, table],
        ).fetchall()
        return {row[0] for row in rows if row[0] is not None}

    def receipts(self, target: str, key: str) -> list[StoredReceipt]:
        """All receipts of one record, oldest first."""
        rows = self._db.execute(
            'select target, "table", key, stored, verdict, seen_at from receipt '
            "where target = ? and key = ? order by id",
            [target, key],
        ).fetchall()
        return [
            StoredReceipt(
                target=row[0],
                table=row[1],
                key=row[2],
                stored=json.loads(row[3]),
                verdict=row[4],
                seen_at=from_epoch(row[5]),
            )
            for row in rows
        ]

    def counts(self) -> dict[str, int]:
        """How many changes are in each state."""
        return dict(
            self._db.execute("select state, count(*) from outbox group by state").fetchall()
        )
