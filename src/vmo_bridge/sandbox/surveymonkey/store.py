"""Surveys and responses in the sandbox's file."""

from __future__ import annotations

import json
import sqlite3
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from vmo_bridge.sandbox.servicenow.instance import Instance

_SORT = {"date_modified": "modified", "id": "CAST(id AS INTEGER)"}
_BATCH = 1_000
Response = dict[str, Any]


class SurveyStore:
    """The account's content; moments are kept as UTC text without a zone."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._local = threading.local()

    def create(self) -> None:
        """The tables of a new account."""
        db = self._instance.db
        db.execute("CREATE TABLE _sm_survey (id TEXT PRIMARY KEY, modified TEXT, doc TEXT)")
        db.execute(
            "CREATE TABLE _sm_response (id TEXT PRIMARY KEY, survey TEXT, modified TEXT, "
            "status TEXT, doc TEXT)"
        )
        db.execute("CREATE INDEX _sm_modified ON _sm_response (survey, modified, id)")

    def put(self, survey: dict[str, Any]) -> None:
        """Add or replace a survey: what ``/details`` tells, without counts."""
        with self._instance.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO _sm_survey VALUES (?, ?, ?)",
                (survey["id"], survey["date_modified"], json.dumps(survey)),
            )

    def load(self, survey: str, responses: Iterable[Response]) -> int:
        """Add or replace responses as ``/responses/bulk`` tells them; returns how many."""
        rows = [
            (each["id"], survey, each["date_modified"][:19], each["response_status"],
             json.dumps(each))
            for each in responses
        ]  # fmt: skip
        with self._instance.writing() as db:
            db.executemany("INSERT OR REPLACE INTO _sm_response VALUES (?, ?, ?, ?, ?)", rows)
        return len(rows)

    def surveys(self) -> list[dict[str, Any]]:
        """All surveys with ``response_count`` and the date of the last change of either."""
        cursor = self._instance.db.execute(
            "SELECT s.doc, count(r.id), max(coalesce(max(r.modified), ''), s.modified) "
            "FROM _sm_survey s LEFT JOIN _sm_response r ON r.survey = s.id "
            "GROUP BY s.id ORDER BY s.id"
        )
        return [
            json.loads(doc) | {"response_count": count, "date_modified": modified}
            for doc, count, modified in cursor
        ]

    def survey(self, survey: str) -> dict[str, Any] | None:
        """One survey with its count and the date of its own last change; None if there is none."""
        db = self._instance.db
        row = db.execute("SELECT doc FROM _sm_survey WHERE id = ?", (survey,)).fetchone()
        return None if row is None else json.loads(row[0]) | {"response_count": self.count(survey)}

    def count(self, survey: str) -> int:
        """How many responses a survey has."""
        cursor = self._instance.db.execute(
            "SELECT count(*) FROM _sm_response WHERE survey = ?", (survey,)
        )
        return int(cursor.fetchone()[0])

    def exists(self, survey: str) -> bool:
        """Whether there is such a survey."""
        cursor = self._instance.db.execute("SELECT 1 FROM _sm_survey WHERE id = ?", (survey,))
        return cursor.fetchone() is not None

    def page(
        self, survey: str, *, size: int, offset: int, sort: str, desc: bool, **limits: str
    ) -> tuple[list[str], int]:
        """Responses as JSON texts and how many there are in all; ``limits`` start, end, status."""
        parts, values = ["survey = ?"], [survey]
        for name, condition in (
            ("start", "modified >= ?"), ("end", "modified <= ?"), ("status", "status = ?"),
        ):  # fmt: skip
            if limits.get(name):
                parts.append(condition)
                values.append(limits[name])
        where, way = " AND ".join(parts), "DESC" if desc else "ASC"
        db = self._instance.db
        if limits.get("status"):
            row = db.execute(f"SELECT count(*) FROM _sm_response WHERE {where}", values).fetchone()
            total = int(row[0])
        else:
            total = self._between(survey, limits.get("start"), limits.get("end"))
        order = f"{_SORT.get(sort, _SORT['date_modified'])} {way}, id {way}"
        # The page is found in the index alone: only its own rows are read.
        cursor = db.execute(
            "SELECT doc FROM _sm_response WHERE rowid IN (SELECT rowid FROM _sm_response "
            f"WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?) ORDER BY {order}",
            [*values, size, offset],
        )
        return [row[0] for row in cursor], total

    def _between(self, survey: str, start: str | None, end: str | None) -> int:
        """How many responses changed between two moments, both inclusive."""
        moments = self._moments(survey)
        first = bisect_left(moments, start) if start else 0
        behind = bisect_right(moments, end) if end else len(moments)
        return max(0, behind - first)

    def _moments(self, survey: str) -> list[str]:
        """When each response changed, in order; read again only after something was written.

        Each page tells the total, and counting 100,000 rows for each costs more than the page.
        """
        db = self._instance.db
        (others,) = db.execute("PRAGMA data_version").fetchone()
        state = (db, others, db.total_changes)
        known: dict[str, tuple[tuple[sqlite3.Connection, int, int], list[str]]]
        known = self._local.__dict__.setdefault("known", {})
        if survey not in known or known[survey][0] != state:
            cursor = db.execute(
                "SELECT modified FROM _sm_response WHERE survey = ? ORDER BY modified", (survey,)
            )
            known[survey] = state, [row[0] for row in cursor]
        return known[survey][1]

    def touch(self, response: str, **changes: str) -> None:
        """Let a response have been changed just now, in these keys if any."""
        now = self.now().strftime("%Y-%m-%dT%H:%M:%S")
        with self._instance.writing() as db:
            row = db.execute("SELECT doc FROM _sm_response WHERE id = ?", (response,)).fetchone()
            doc = json.loads(row[0]) | {"date_modified": f"{now}+00:00"} | changes
            db.execute(
                "UPDATE _sm_response SET modified = ?, status = ?, doc = ? WHERE id = ?",
                (now, doc["response_status"], json.dumps(doc), response),
            )

    def delete(self, survey: str) -> None:
        """Remove a survey with its responses."""
        with self._instance.writing() as db:
            db.execute("DELETE FROM _sm_response WHERE survey = ?", (survey,))
            db.execute("DELETE FROM _sm_survey WHERE id = ?", (survey,))

    def now(self) -> datetime:
        """The time at the provider."""
        return self._instance.clock().astimezone(UTC)
