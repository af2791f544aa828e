"""Signals and KPI results as the last run that counts left them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlite_utils import Database

from vmo_bridge.records import Finding, KpiResult, Signal
from vmo_bridge.store.clock import from_epoch, to_epoch

_LONGEST_ID = 160
"""Ids stand in fields of the target, which cut longer texts without a word."""


class Findings:
    """What detect and measure found."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def signals(self) -> list[Signal]:
        """All signals, ended ones too, the strongest first."""
        rows = self._db.execute(
            "select finding, state, raised_at, seen_at from signal order by id"
        ).fetchall()
        signals = [
            Signal(
                finding=msgspec.json.decode(row[0], type=Finding),
                state=row[1],
                raised_at=_moment(row[2]),
                seen_at=_moment(row[3]),
            )
            for row in rows
        ]
        return sorted(signals, key=lambda each: (each.finding.rule, -each.finding.strength))

    def save_signals(self, run_id: int, as_of: datetime, signals: Iterable[Signal]) -> None:
        """Replace the state of all these signals."""
        with self._db.atomic():
            self._db.conn.executemany(
                "insert or replace into signal "
                "(id, rule, state, raised_at, seen_at, as_of, run_id, finding) "
                "values (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        each.finding.id,
                        each.finding.rule,
                        each.state,
                        to_epoch(each.raised_at),
                        to_epoch(each.seen_at),
                        to_epoch(as_of),
                        run_id,
                        msgspec.json.encode(each.finding).decode(),
                    )
                    for each in signals
                ],
            )

    def kpis(self) -> list[KpiResult]:
        """All KPI results, by KPI, window and scope."""
        return list(self.kpis_by_id().values())

    def kpis_by_id(self) -> dict[str, KpiResult]:
        """All KPI results by their readable id."""
        rows = self._db.execute("select id, result from kpi_result order by rowid").fetchall()
        return {row[0]: msgspec.json.decode(row[1], type=KpiResult) for row in rows}

    def save_kpis(
        self, run_id: int, results: Sequence[KpiResult], *, keep: Iterable[str] = ()
    ) -> None:
        """Make these results the ones that count; what this run did not give is gone.

        ``keep`` names KPIs that could not be measured: their last results stay (their
        ``data_as_of`` tells how old they are).
        """
        with self._db.atomic():
            self._db.execute(
                "delete from kpi_result where kpi not in (select value from json_each(?))",
                [json.dumps(list(keep))],
            )
            self._db.conn.executemany(
                "insert into kpi_result (id, kpi, window, data_as_of, run_id, result) "
                "values (?, ?, ?, ?, ?, ?)",
                [
                    (
                        name,
                        each.kpi,
                        each.window,
                        to_epoch(each.data_as_of),
                        run_id,
                        msgspec.json.encode(each).decode(),
                    )
                    for name, each in zip(kpi_ids(results), results, strict=True)
                ],
            )


def kpi_ids(results: Sequence[KpiResult]) -> list[str]:
    """Readable ids, ``csat:last-90-days:payroll:field-operations``; ``all`` where it is all.

    Where several scopes read the same, or names are very long, a hash of the refs tells them
    apart: an id never depends on which other results a run happens to have.
    """
    plain = [
        ":".join((each.kpi, each.window, _slug(each.service), _slug(each.user_group)))
        for each in results
    ]
    often = Counter(plain)
    return [
        f"{name[:_LONGEST_ID]}:{_hash(each)}"
        if often[name] > 1 or len(name) > _LONGEST_ID
        else name
        for name, each in zip(plain, results, strict=True)
    ]


def _hash(result: KpiResult) -> str:
    scope = f"{result.service_ref}\n{result.user_group_ref}"
    return hashlib.blake2b(scope.encode(), digest_size=8).hexdigest()


def _slug(name: str | None) -> str:
    return "all" if name is None else re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _moment(seconds: int) -> datetime:
    moment = from_epoch(seconds)
    assert moment is not None  # noqa: S101 - the column is not null
    return moment
