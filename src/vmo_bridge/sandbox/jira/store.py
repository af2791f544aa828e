"""Issues, changes, links, properties and what is attached; every write is noted in the file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vmo_bridge.sandbox.servicenow.instance import Instance

COLUMNS = (
    "id", "key", "project", "kind", "status", "category", "priority", "parent", "reporter",
    "assignee", "summary", "description", "labels", "service", "demand", "rating", "comment",
    "custom", "resolved", "created", "updated", "touched",
)  # fmt: skip
_NUMBERS = {"id", "rating", "resolved", "created", "updated", "touched"}
Issue = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Attached:
    """A link to elsewhere, or a comment; times are milliseconds since 1970."""

    id: int
    author: str
    created: int
    updated: int
    content: dict[str, Any]


class JiraStore:
    """The site's content; times are milliseconds since 1970, ``touched`` is when it was written."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._people: dict[str, tuple[str, bool]] | None = None

    # -- making ------------------------------------------------------------------------------

    def create(self) -> None:
        """The tables of a new site."""
        columns = ", ".join(
            f"{name} {'INTEGER' if name in _NUMBERS else 'TEXT'}" for name in COLUMNS[1:]
        )
        db = self._instance.db
        db.execute(f"CREATE TABLE _jira_issue (id INTEGER PRIMARY KEY, {columns})")
        db.execute("CREATE UNIQUE INDEX _jira_key ON _jira_issue (key)")
        db.execute("CREATE INDEX _jira_updated ON _jira_issue (updated, id)")
        db.execute(
            "CREATE TABLE _jira_change (id INTEGER PRIMARY KEY, issue INTEGER, at INTEGER, "
            "author TEXT, items TEXT)"
        )
        db.execute("CREATE INDEX _jira_change_issue ON _jira_change (issue, at)")
        db.execute(
            "CREATE TABLE _jira_property (issue INTEGER, key TEXT, value TEXT, "
            "PRIMARY KEY (issue, key))"
        )
        db.execute(
            "CREATE TABLE _jira_link (id INTEGER PRIMARY KEY, kind TEXT, inward INTEGER, "
            "outward INTEGER)"
        )

        self.make_room()

    def make_room(self) -> None:
        """The table of what is attached, also in a site that was made before there was one."""
        with self._instance.writing() as db:
            db.execute(
                "CREATE TABLE IF NOT EXISTS _jira_attached (id INTEGER PRIMARY KEY, "
                "issue INTEGER, kind TEXT, author TEXT, created INTEGER, updated INTEGER, "
                "content TEXT)"
            )
            db.execute(
                "CREATE INDEX IF NOT EXISTS _jira_attached_issue ON _jira_attached (issue, kind)"
            )

    def load(self, issues: Iterable[Issue], changes: Iterable[Sequence[object]] = ()) -> int:
        """Put issues and changes (issue, at, author, items) in, past the log; returns how many."""
        marks = ", ".join("?" * len(COLUMNS))
        rows = [tuple(issue[name] for name in COLUMNS) for issue in issues]
        with self._instance.writing() as db:
            db.executemany(f"INSERT INTO _jira_issue VALUES ({marks})", rows)
            db.executemany(
                "INSERT INTO _jira_change (issue, at, author, items) VALUES (?, ?, ?, ?)", changes
            )
        return len(rows)

    # -- reading -----------------------------------------------------------------------------

    def select(self, sql: str, values: Sequence[object] = ()) -> list[Issue]:
        """Issues by what comes after ``FROM _jira_issue``."""
        names = ", ".join(COLUMNS)
        cursor = self._instance.db.execute(f"SELECT {names} FROM _jira_issue {sql}", values)
        return [dict(zip(COLUMNS, row, strict=True)) for row in cursor]

    def values(self, expressions: str, issue: int) -> list[Any]:
        """What SQL expressions are for one issue."""
        query = f"SELECT {expressions} FROM _jira_issue WHERE id = ?"
        return list(self._instance.db.execute(query, (issue,)).fetchone())

    def count(self, sql: str, values: Sequence[object] = ()) -> int:
        """How many issues."""
        query = f"SELECT count(*) FROM _jira_issue {sql}"
        return int(self._instance.db.execute(query, values).fetchone()[0])

    def named(self, names: Sequence[str]) -> list[Issue]:
        """Issues by ids or keys, by id; what is not there is left out."""
        marks = ", ".join("?" * len(names))
        sql = f"WHERE key IN ({marks}) OR CAST(id AS TEXT) IN ({marks}) ORDER BY id"
        return self.select(sql, [*(name.upper() for name in names), *names])

    def changes(self, ids: Sequence[int]) -> list[tuple[int, int, int, str, list[dict[str, Any]]]]:
        """(id, issue, at, author, items) of issues, by issue and time."""
        marks = ", ".join("?" * len(ids))
        cursor = self._instance.db.execute(
            "SELECT id, issue, at, author, items FROM _jira_change "
            f"WHERE issue IN ({marks}) ORDER BY issue, at, id",
            ids,
        )
        return [(*row[:4], json.loads(row[4])) for row in cursor]

    def links(self, issue: int) -> list[tuple[int, str, int, int]]:
        """(id, kind, inward, outward) of an issue's links."""
        cursor = self._instance.db.execute(
            "SELECT * FROM _jira_link WHERE inward = ? OR outward = ? ORDER BY id", (issue, issue)
        )
        return cursor.fetchall()

    def properties(self, issue: int) -> dict[str, Any]:
        """An issue's properties."""
        cursor = self._instance.db.execute(
            "SELECT key, value FROM _jira_property WHERE issue = ? ORDER BY key", (issue,)
        )
        return {key: json.loads(value) for key, value in cursor}

    def attached(self, kind: str, issue: int) -> list[Attached]:
        """What is attached to an issue, oldest first: ``remotelink`` or ``comment``."""
        cursor = self._instance.db.execute(
            "SELECT id, author, created, updated, content FROM _jira_attached "
            "WHERE kind = ? AND issue = ? ORDER BY id",
            (kind, issue),
        )
        return [
            Attached(number, author, created, updated, json.loads(content))
            for number, author, created, updated, content in cursor
        ]

    def person(self, user_name: str) -> tuple[str, bool]:
        """Name and whether active."""
        if self._people is None:
            cursor = self._instance.db.execute("SELECT user_name, name, active FROM sys_user")
            self._people = {user: (name, active == "true") for user, name, active in cursor}
        return self._people.get(user_name, (user_name, True))

    def now(self) -> datetime:
        """The time on the site."""
        return self._instance.clock()

    # -- writing -----------------------------------------------------------------------------

    def update(
        self, issue: Issue, values: Mapping[str, Any], items: list[dict[str, Any]], user: str
    ) -> None:
        """Change columns of an issue, with a line in its changelog."""
        now = millis(self.now())
        stamped = {**values, "updated": now, "touched": now}
        marks = ", ".join(f"{name} = ?" for name in stamped)
        with self._instance.writing() as db:
            db.execute(
                f"UPDATE _jira_issue SET {marks} WHERE id = ?", [*stamped.values(), issue["id"]]
            )
            db.execute(
                "INSERT INTO _jira_change (issue, at, author, items) VALUES (?, ?, ?, ?)",
                (issue["id"], now, user, json.dumps(items)),
            )
            noted = {item["fieldId"]: [item["fromString"], item["toString"]] for item in items}
            self._instance.note(user, "jira.issue", issue["key"], "update", noted)

    def insert(self, values: Mapping[str, Any], user: str) -> Issue:
        """A new issue of ``values["project"]``, the next in its count."""
        now = millis(self.now())
        issue: Issue = dict.fromkeys(COLUMNS, "") | {"labels": "[]", "custom": "{}"}
        issue |= {"rating": None, "resolved": None, "created": now, "updated": now, "touched": now}
        with self._instance.writing() as db:
            number = db.execute("SELECT max(id) FROM _jira_issue").fetchone()[0] + 1
            keys = self.select("WHERE project = ?", [values["project"]])
            last = max((int(each["key"].rpartition("-")[2]) for each in keys), default=0)
            issue |= {**values, "id": number, "key": f"{values['project']}-{last + 1}"}
            self.load([issue])
            noted = {name: ["", value] for name, value in values.items()}
            self._instance.note(user, "jira.issue", issue["key"], "insert", noted)
        return issue

    def set_property(self, issue: Issue, key: str, value: str, user: str) -> bool:
        """Keep a property (JSON text); returns whether it is new."""
        with self._instance.writing() as db:
            old = self.properties(issue["id"]).get(key)
            db.execute(
                "INSERT OR REPLACE INTO _jira_property VALUES (?, ?, ?)", (issue["id"], key, value)
            )
            operation = "insert" if old is None else "update"
            change = {key: [old, json.loads(value)]}
            self._instance.note(user, "jira.property", issue["key"], operation, change)
        return old is None

    def drop_property(self, issue: Issue, key: str, user: str) -> None:
        """Forget a property."""
        with self._instance.writing() as db:
            old = self.properties(issue["id"]).get(key)
            db.execute("DELETE FROM _jira_property WHERE issue = ? AND key = ?", (issue["id"], key))
            self._instance.note(user, "jira.property", issue["key"], "delete", {key: [old, None]})

    def link(self, kind: str, inward: Issue, outward: Issue, user: str) -> None:
        """Tie two issues."""
        with self._instance.writing() as db:
            db.execute(
                "INSERT INTO _jira_link (kind, inward, outward) VALUES (?, ?, ?)",
                (kind, inward["id"], outward["id"]),
            )
            change = {kind: ["", outward["key"]]}
            self._instance.note(user, "jira.link", inward["key"], "insert", change)

    def attach(
        self, kind: str, issue: Issue, content: Mapping[str, Any], user: str, *, to: int | None
    ) -> int:
        """Attach something, or change what is attached by its id ``to``; returns the id.

        Either moves the issue. Of links elsewhere that is not documented: it is the harder case.
        """
        old = {each.id: each.content for each in self.attached(kind, issue["id"])}
        now, text = millis(self.now()), json.dumps(content)
        with self._instance.writing() as db:
            if to is None:
                cursor = db.execute(
                    "INSERT INTO _jira_attached (issue, kind, author, created, updated, content) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (issue["id"], kind, user, now, now, text),
                )
            else:
                sql = "UPDATE _jira_attached SET content = ?, updated = ? WHERE id = ?"
                db.execute(sql, (text, now, to))
            made = to or int(cursor.lastrowid or 0)
            self._note_attached(kind, issue, user, (made, old.get(made), content))
        return made

    def detach(self, kind: str, issue: Issue, number: int, user: str) -> None:
        """Take away what is attached to an issue."""
        old = {each.id: each.content for each in self.attached(kind, issue["id"])}
        with self._instance.writing() as db:
            db.execute("DELETE FROM _jira_attached WHERE id = ?", (number,))
            self._note_attached(kind, issue, user, (number, old[number], None))

    def _note_attached(
        self, kind: str, issue: Issue, user: str, change: tuple[int, object, object]
    ) -> None:
        number, old, new = change
        operation = "insert" if old is None else "delete" if new is None else "update"
        self._instance.note(user, f"jira.{kind}", issue["key"], operation, {number: [old, new]})
        now = millis(self.now())
        self._instance.db.execute(
            "UPDATE _jira_issue SET updated = ?, touched = ? WHERE id = ?", (now, now, issue["id"])
        )

    def delete(self, key: str, user: str = "system") -> None:
        """Remove an issue without a trace, as Jira does."""
        with self._instance.writing() as db:
            db.execute("DELETE FROM _jira_issue WHERE key = ?", (key,))
            self._instance.note(user, "jira.issue", key, "delete", {})


def millis(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)
