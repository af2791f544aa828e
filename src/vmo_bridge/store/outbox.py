"""The outbox: what waits to be written back, and receipts of what the target stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from vmo_bridge.store.changes import Ending, OutboxItem, StoredReceipt, WritingRun
from vmo_bridge.store.clock import from_epoch, now, to_epoch

__all__ = ["Ending", "Outbox", "OutboxItem", "StoredReceipt", "WritingRun"]

_COLUMNS = (
    'id, run_id, target, "table", key, "match", "values", before, still, state, reason, sent_at'
)


class Outbox:
    """All changes that were decided on, delivered or not."""

    def __init__(self, db: Database) -> None:
        self._db = db

    # -- the way of an item ------------------------------------------------------------------

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
                "still, state, queued_at) values (?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?)",
                [
                    (
                        run_id,
                        item.target,
                        item.table,
                        item.key,
                        _json(item.match),
                        _json(item.values),
                        _json(item.before),
                        _json(item.still),
                        to_epoch(now()),
                    )
                    for item in items
                ],
            )

    def waiting(self, target: str) -> list[OutboxItem]:
        """What is still to be delivered to a target, oldest first."""
        return self._items("state = 'waiting' and target = ?", [target])

    def of_run(self, run_id: int, target: str) -> list[OutboxItem]:
        """Everything a run decided on for a target, in its order."""
        return self._items("run_id = ? and target = ?", [run_id, target])

    def targets_of(self, run_id: int) -> list[str]:
        """The targets that a run wrote to, or may have."""
        rows = self._db.execute(
            "select distinct target from outbox where run_id = ? and sent_at is not null "
            "order by target",
            [run_id],
        ).fetchall()
        return [target for (target,) in rows]

    def writing_runs(self) -> list[WritingRun]:
        """The runs that sent anything, the latest first."""
        rows = self._db.execute(
            "select run_id, target, min(sent_at), sum(state in ('stored', 'removed')), "
            "sum(state not in ('stored', 'removed')) from outbox where sent_at is not null "
            "group by run_id, target order by run_id desc, target"
        ).fetchall()
        return [
            WritingRun(
                run_id=run_id, target=target, began_at=from_epoch(at), stored=stored, other=other
            )
            for run_id, target, at, stored, other in rows
        ]

    def send(self, items: Sequence[OutboxItem]) -> None:
        """Note that these are about to be sent, as they are; they may be planned anew since."""
        with self._db.atomic():
            self._db.conn.executemany(
                'update outbox set sent_at = ?, key = ?, "values" = ?, before = ? where id = ?',
                [
                    (to_epoch(now()), item.key, _json(item.values), _json(item.before), item.id)
                    for item in items
                ],
            )

    def end(self, endings: Iterable[Ending]) -> None:
        """Note what became of changes, together with their receipts."""
        with self._db.atomic():
            for each in endings:
                self._end(each)

    def _end(self, ending: Ending) -> None:
        item, receipt = ending.item, ending.receipt
        self._db.execute(
            "update outbox set state = ?, reason = ?, ended_at = ?, key = coalesce(?, key) "
            "where id = ?",
            [
                ending.state,
                ending.reason,
                to_epoch(now()),
                receipt.key if receipt else item.key,
                item.id,
            ],
        )
        if receipt:
            self._db.execute(
                'insert into receipt (outbox_id, target, "table", key, stored, verdict, seen_at, '
                "changed_at) values (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    item.id,
                    receipt.target,
                    receipt.table,
                    receipt.key,
                    _json(receipt.stored),
                    receipt.verdict,
                    to_epoch(receipt.seen_at or now()),
                    to_epoch(receipt.changed_at) if receipt.changed_at else None,
                ],
            )

    def _items(self, where: str, values: Sequence[Any]) -> list[OutboxItem]:
        rows = self._db.execute(f"select {_COLUMNS} from outbox where {where} order by id", values)
        return [
            OutboxItem(
                id=row[0],
                run_id=row[1] or 0,
                target=row[2],
                table=row[3],
                key=row[4],
                match=json.loads(row[5]),
                values=json.loads(row[6]),
                before=json.loads(row[7]),
                still=json.loads(row[8] or "{}"),
                state=row[9],
                reason=row[10] or "",
                sent_at=from_epoch(row[11]),
            )
            for row in rows.fetchall()
        ]

    # -- what is known of earlier writes -----------------------------------------------------

    def sent_since(self, target: str, moment: datetime) -> int:
        """How many changes were sent to a target from a moment on, whatever became of them."""
        (count,) = self._db.execute(
            "select count(*) from outbox where target = ? and sent_at >= ?",
            [target, to_epoch(moment)],
        ).fetchone()
        return int(count)

    def written(
        self,
        target: str,
        table: str,
        same: Callable[[str, str], bool],
        *,
        restored_too: bool = False,
    ) -> dict[str, dict[str, str]]:
        """By record key, what each field held when we last read it back after a write of ours.

        Of a write that was kept in part only the fields that say the ``same`` as was written. What
        undo put back is whose it was before, and ours only if ``restored_too``.
        """
        rows = self._db.execute(
            "select r.key, r.stored, case r.verdict when 'stored' then null "
            "else coalesce(o.\"values\", '{}') end, u.stage = 'undo' "
            "from receipt r left join outbox o on o.id = r.outbox_id left join run u "
            'on u.id = o.run_id where r.target = ? and r."table" = ? order by r.id',
            [target, table],
        )
        found: dict[str, dict[str, str]] = {}
        for key, stored_, wished_, restored in rows:
            stored: dict[str, str] = json.loads(stored_)
            if wished_ is not None:
                wished = json.loads(wished_)
                stored = {
                    name: text
                    for name, text in stored.items()
                    if name in wished and same(text, wished[name])
                }
            ours = found.setdefault(key, {})
            ours.update(stored)
            if restored and not restored_too:
                for name in stored:
                    del ours[name]
        return found

    def own_moments(self, target: str, keys: Iterable[str]) -> dict[str, set[int]]:
        """By record key, the moments (epoch seconds) at which the last change was ours."""
        rows = self._db.execute(
            "select r.key, r.changed_at from json_each(?) k "
            "cross join receipt r on r.target = ? and r.key = k.value "
            "where r.changed_at is not null",
            [json.dumps(list(keys)), target],
        )
        found: dict[str, set[int]] = {}
        for key, changed_at in rows:
            found.setdefault(key, set()).add(changed_at)
        return found

    def wrote_to(self, target: str) -> bool:
        """Whether anything was ever written to a target."""
        row = self._db.execute("select 1 from receipt where target = ? limit 1", [target])
        return row.fetchone() is not None

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
            'select target, "table", key, stored, verdict, seen_at, changed_at from receipt '
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
                changed_at=from_epoch(row[6]),
            )
            for row in rows
        ]

    def counts(self) -> dict[str, int]:
        """How many changes are in each state."""
        return dict(
            self._db.execute("select state, count(*) from outbox group by state").fetchall()
        )

    def age_out(self, before: datetime) -> int:
        """Forget what ended before a moment, but the last word on each record, key and field.

        Without what we last wrote to a field it would count as somebody else's. Returns how many
        changes went.
        """
        with self._db.atomic():
            gone = self._db.execute(
                "delete from outbox where ended_at < :before and state <> 'waiting' and id not in "
                "(select max(id) from outbox where state <> 'refused' group by target, \"table\", "
                'coalesce(key, "match")) and id not in '
                "(select r.outbox_id from receipt r, json_each(r.stored) f "
                "where r.seen_at < :before and not exists (select 1 from receipt newer "
                'where newer.target = r.target and newer."table" = r."table" and newer.key = r.key '
                "and newer.verdict = 'stored' and newer.id > r.id "
                "and exists (select 1 from json_each(newer.stored) g where g.key = f.key)))",
                {"before": to_epoch(before)},
            ).rowcount
            self._db.execute(
                "delete from receipt where seen_at < ? and outbox_id not in "
                "(select id from outbox)",
                [to_epoch(before)],
            )
        return int(gone)


def _json(values: Mapping[str, str]) -> str:
    return json.dumps(dict(values))
