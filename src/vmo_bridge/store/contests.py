"""Fields that a target did not keep as we wrote them: how often, and until when to leave them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlite_utils import Database

from vmo_bridge.store.clock import from_epoch, now, to_epoch

_FIRST_WAIT = timedelta(hours=1)
_TIMES = 4
_LONGEST_WAIT = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """A field of a record that did not hold what we wrote."""

    wished: str
    """What we wrote, or wanted to write, last."""
    strikes: int
    retry_at: datetime | None
    """Until then it is left alone; None: it was tried again and stood when it was read back."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One more time that a field was not kept."""

    record: str
    """The record's key; of a record that is not there yet, our own key for it."""
    field: str
    wished: str
    reason: str


class Contests:
    """The contested fields of all targets."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def of(self, target: str, table: str) -> dict[tuple[str, str], Contest]:
        """By record and field, those of a table."""
        rows = self._db.execute(
            "select record, field, wished, strikes, retry_at, reason from contest "
            'where target = ? and "table" = ?',
            [target, table],
        ).fetchall()
        return {
            (record, field): Contest(
                wished=wished, strikes=strikes, retry_at=from_epoch(retry_at), reason=reason
            )
            for record, field, wished, strikes, retry_at, reason in rows
        }

    def strike(self, target: str, table: str, strikes: Iterable[Strike]) -> None:
        """Note what was not kept; each time it is left alone four times as long, 14 days at most.

        From one hour on: a right that an admin gives meanwhile should tell soon.
        """
        known = self.of(target, table)
        rows = []
        for each in strikes:
            before = known.get((each.record, each.field))
            count = before.strikes + 1 if before else 1
            wait = min(_FIRST_WAIT * _TIMES ** min(count - 1, 8), _LONGEST_WAIT)
            retry_at = to_epoch(now() + wait)
            rows.append(
                (target, table, each.record, each.field, each.wished, count, retry_at, each.reason)
            )
        self._db.conn.executemany(
            "insert or replace into contest "
            '(target, "table", record, field, wished, strikes, retry_at, reason) '
            "values (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )

    def stood(self, target: str, table: str, record: str, fields: Iterable[str]) -> None:
        """Tried again, and it stood when it was read back; whether it lasts is to be seen."""
        self._db.conn.executemany(
            "update contest set retry_at = null "
            'where target = ? and "table" = ? and record = ? and field = ?',
            [(target, table, record, name) for name in fields],
        )

    def settle(self, target: str, table: str, records: Iterable[str]) -> None:
        """These records hold all that they should: whatever was contested there is over."""
        self._db.conn.executemany(
            'delete from contest where target = ? and "table" = ? and record = ?',
            [(target, table, record) for record in records],
        )

    def make_due(self, target: str) -> None:
        """Everything that is left alone for a while may be tried again at once."""
        self._db.execute(
            "update contest set retry_at = ? where target = ? and retry_at > ?",
            [to_epoch(now()), target, to_epoch(now())],
        )

    def counts(self) -> dict[str, int]:
        """How many fields of each target are contested."""
        return dict(
            self._db.execute("select target, count(*) from contest group by target").fetchall()
        )
