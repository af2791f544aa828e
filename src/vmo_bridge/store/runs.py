"""The diary: which stage ran when, how it ended, and a few facts the store knows of itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from vmo_bridge.store.clock import from_epoch, now, to_epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one stage."""

    id: int
    stage: str
    state: str
    """running, done, partly (some streams failed), failed, interrupted, or looked (not saved)."""
    started_at: datetime | None
    ended_at: datetime | None
    as_of: datetime | None
    detail: Mapping[str, Any]


class Runs:
    """All runs of all stages."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def start(self, stage: str, *, as_of: datetime | None = None) -> int:
        """Note that a stage begins; returns the run's id.

        A run that never ended was killed: it is marked so, for we hold the lock and it cannot.
        """
        with self._db.atomic():
            self._db.execute(
                "update run set state = 'interrupted' where state = 'running' and stage = ?",
                [stage],
            )
            run_id = self._db.execute(
                "insert into run (stage, state, started_at, as_of) values (?, 'running', ?, ?)",
                [stage, to_epoch(now()), to_epoch(as_of) if as_of else None],
            ).lastrowid
        assert run_id is not None  # noqa: S101 - an insert has a rowid
        return run_id

    def end(self, run_id: int, state: str, detail: Mapping[str, Any]) -> None:
        """Note how a run ended."""
        with self._db.atomic():
            self._db.execute(
                "update run set state = ?, ended_at = ?, detail = ? where id = ?",
                [state, to_epoch(now()), json.dumps(detail), run_id],
            )

    def last(self, stage: str, state: str | None = None) -> Run | None:
        """The latest run of a stage (in that state, if one is named)."""
        row = self._db.execute(
            "select id, stage, state, started_at, ended_at, as_of, detail from run "
            "where stage = ? and (? is null or state = ?) order by id desc limit 1",
            [stage, state, state],
        ).fetchone()
        if row is None:
            return None
        return Run(
            id=row[0],
            stage=row[1],
            state=row[2],
            started_at=from_epoch(row[3]),
            ended_at=from_epoch(row[4]),
            as_of=from_epoch(row[5]),
            detail=json.loads(row[6] or "{}"),
        )

    def fact(self, name: str) -> str | None:
        """A fact the store knows of itself."""
        row = self._db.execute("select value from fact where name = ?", [name]).fetchone()
        return None if row is None else str(row[0])

    def set_fact(self, name: str, value: str) -> None:
        """Remember a fact."""
        with self._db.atomic():
            self._db.execute(
                "insert into fact (name, value) values (?, ?) "
                "on conflict (name) do update set value = excluded.value",
                [name, value],
            )
