"""The SQLite file behind the instance: physical tables, rows, the dictionary, the write log."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from vmo_bridge.sandbox.servicenow import moments
from vmo_bridge.sandbox.servicenow.dictionary import Dictionary, Row
from vmo_bridge.sandbox.servicenow.query import Query, parse
from vmo_bridge.sandbox.servicenow.rules import Rules
from vmo_bridge.sandbox.servicenow.where import Compiler, Where

Clock = Callable[[], datetime]

#: Tables whose rows describe the others: a write to one of them renews the dictionary.
DESCRIBING = frozenset(
    {"sys_db_object", "sys_dictionary", "sys_choice", "sys_user_role", "sys_security_acl",
     "sys_security_acl_role"}
)  # fmt: skip

_INDEXED = {
    "task": ("number",),
    "task_sla": ("task",),
    "metric_instance": ("id",),
    "asmt_assessment_instance": ("task_id", "trigger_id", "number"),
    "asmt_metric_result": ("instance",),
    "sys_user": ("user_name", "department"),
    "sys_dictionary": ("name",),
    "sys_choice": ("name",),
    "sys_audit_delete": ("documentkey",),
    "sys_journal_field": ("element_id",),
}
_LOG = """CREATE TABLE IF NOT EXISTS "_write_log" (
  id INTEGER PRIMARY KEY, at TEXT NOT NULL, user TEXT NOT NULL, "table" TEXT NOT NULL,
  sys_id TEXT NOT NULL, operation TEXT NOT NULL, changes TEXT NOT NULL)"""


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


class Instance:
    """Rows and tables of one instance.

    All classes of a hierarchy share the physical table of its root, as on the platform; a class
    is told by ``sys_class_name``. Every value is text and never NULL. ``clock`` says "now".
    """

    def __init__(self, path: Path, clock: Clock = utc_now) -> None:
        self.path = path
        self.clock = clock
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.RLock()
        self._dictionary: Dictionary | None = None
        self._described = 0

    # -- connections -------------------------------------------------------------------------

    @property
    def db(self) -> sqlite3.Connection:
        """This thread's connection."""
        found: sqlite3.Connection | None = getattr(self._local, "db", None)
        if found is None:
            found = sqlite3.connect(
                self.path, isolation_level=None, check_same_thread=False, timeout=30
            )
            found.execute("PRAGMA journal_mode = WAL")
            found.execute("PRAGMA synchronous = NORMAL")
            self._local.db = found
            with self._lock:
                self._open.append(found)
        return found

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for db in self._open:
                db.close()
            self._open.clear()
            self._local = threading.local()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One write transaction; writers wait for each other, readers do not."""
        with self._lock:
            db = self.db
            if db.in_transaction:
                yield db
                return
            described = self._local.begun_at = self._described
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                self.forget_dictionary()
                raise
            db.execute("COMMIT")
            if described != self._described:
                # A reader may have looked before the commit: what it saw must not stay.
                self.forget_dictionary()

    # -- tables ------------------------------------------------------------------------------

    @property
    def dictionary(self) -> Dictionary:
        """Tables and columns as they stand now, for this thread."""
        if self.db.in_transaction and self._local.begun_at != self._described:
            return self._own_dictionary()
        found = self._dictionary
        if found is None:
            described = self._described
            found = self._read_dictionary()
            # What a writer sees before its commit is for the writer alone.
            if described == self._described and not self.db.in_transaction:
                self._dictionary = found
        return found

    def _own_dictionary(self) -> Dictionary:
        """With what this thread's open transaction has changed: no other may see it before."""
        seen_at, found = getattr(self._local, "own", (-1, None))
        if found is None or seen_at != self._described:
            found = self._read_dictionary()
            self._local.own = (self._described, found)
        return found

    def _read_dictionary(self) -> Dictionary:
        tables = self._all("sys_db_object")
        rules = Rules()
        # An instance that was made before there were rules has none.
        if any(row["name"] == "sys_security_acl" for row in tables):
            rules = Rules.read(
                self._all("sys_security_acl"),
                self._all("sys_security_acl_role"),
                self._all("sys_user_role"),
            )
        return Dictionary(tables, self._all("sys_dictionary"), self._all("sys_choice"), rules)

    def forget_dictionary(self) -> None:
        """Read the dictionary anew at the next look."""
        self._described += 1
        self._dictionary = None

    def _all(self, table: str) -> list[Row]:
        cursor = self.db.execute(f'SELECT * FROM "{table}"')
        names = [item[0] for item in cursor.description]
        return [dict(zip(names, values, strict=True)) for values in cursor]

    def create_storage(self, table: str, columns: Mapping[str, str]) -> None:
        """The physical table of a root with its indexes; ``columns`` maps elements to types."""
        body = "".join(f", {_defined(*each)}" for each in columns.items() if each[0] != "sys_id")
        db = self.db
        db.execute(f'CREATE TABLE "{table}" (sys_id TEXT PRIMARY KEY NOT NULL{body})')
        keyed = [f"{'sys_updated_on' if 'sys_updated_on' in columns else 'sys_created_on'}, sys_id"]
        if "sys_class_name" in columns:
            keyed += ["sys_class_name, sys_updated_on, sys_id", "sys_class_name, sys_id"]
        keyed += [f'"{name}"' for name in _INDEXED.get(table, ())]
        for number, key in enumerate(keyed):
            db.execute(f'CREATE INDEX "ix_{table}_{number}" ON "{table}" ({key})')

    def create_log(self) -> None:
        """The table every write through the interfaces is noted in."""
        self.db.execute(_LOG)

    def add_column(self, root: str, element: str, kind: str) -> None:
        """A physical column, unless a sibling class has one of that name already."""
        present = {row[1] for row in self.db.execute(f'PRAGMA table_info("{root}")')}
        if element not in present:
            self.db.execute(f'ALTER TABLE "{root}" ADD COLUMN {_defined(element, kind)}')

    # -- reading -----------------------------------------------------------------------------

    def compile(self, table: str, query: Query | str, *, zone: ZoneInfo, extra: str = "") -> Where:
        """``query`` as SQL for ``table``; ``extra`` is one more SQL condition on alias ``t``."""
        parsed = parse(query) if isinstance(query, str) else query
        where = Compiler(self.dictionary, table, zone=zone, now=self.clock()).compile(parsed)
        if extra:
            where.sql = f"({where.sql}) AND {extra}"
        return where

    def select(
        self, table: str, elements: Sequence[str], where: Where, *, limit: int = -1, offset: int = 0
    ) -> list[Row]:
        """Rows as dictionaries of ``elements``."""
        names = ", ".join(f't."{element}"' for element in elements)
        sql = (
            f'SELECT {names} FROM "{self.dictionary.root(table)}" AS t {" ".join(where.joins)} '
            f"WHERE {where.sql} {where.order} LIMIT ? OFFSET ?"
        )
        cursor = self.db.execute(sql, [*where.values, limit, offset])
        return [dict(zip(elements, values, strict=True)) for values in cursor]

    def count(self, table: str, where: Where) -> int:
        """How many rows there are."""
        sql = (
            f'SELECT count(*) FROM "{self.dictionary.root(table)}" AS t {" ".join(where.joins)} '
            f"WHERE {where.sql}"
        )
        return int(self.db.execute(sql, where.values).fetchone()[0])

    def by_ids(self, table: str, ids: Iterable[str]) -> dict[str, Row]:
        """Whole rows by sys_id, whatever class they are of."""
        found: dict[str, Row] = {}
        wanted = sorted(set(ids))
        root = self.dictionary.root(table)
        for start in range(0, len(wanted), 500):
            part = wanted[start : start + 500]
            cursor = self.db.execute(
                f'SELECT * FROM "{root}" WHERE sys_id IN ({",".join("?" * len(part))})', part
            )
            names = [item[0] for item in cursor.description]
            for values in cursor:
                row = dict(zip(names, values, strict=True))
                found[row["sys_id"]] = row
        return found

    def one(self, table: str, sys_id: str) -> Row | None:
        """One row of ``table`` or of a class that extends it; all physical columns."""
        row = self.by_ids(table, [sys_id]).get(sys_id)
        if row is None or not self.dictionary.is_hierarchy(table):
            return row
        return row if row["sys_class_name"] in self.dictionary.classes(table) else None

    def rows(self, table: str, query: str = "") -> list[Row]:
        """All rows that match, straight from the file: what tests and the seed look at."""
        where = self.compile(table, query, zone=ZoneInfo("UTC"))
        return self.select(table, list(self.dictionary.columns(table)), where)

    # -- writing -----------------------------------------------------------------------------

    def load(self, table: str, rows: Iterable[Row]) -> int:
        """Put rows in as they are, past rules and log; returns how many. For seeds and loads."""
        count = self.put(self.dictionary.root(table), rows)
        if table in DESCRIBING:
            self.forget_dictionary()
        return count

    def put(self, root: str, rows: Iterable[Row]) -> int:
        """Put rows into a physical table; the way in before there is a dictionary."""
        count = 0
        with self.writing() as db:
            by_shape: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
            for row in rows:
                by_shape.setdefault(tuple(row), []).append(tuple(row.values()))
                count += 1
            for names, values in by_shape.items():
                columns = ", ".join(f'"{name}"' for name in names)
                marks = ",".join("?" * len(names))
                db.executemany(f'INSERT INTO "{root}" ({columns}) VALUES ({marks})', values)
        return count

    def note(self, user: str, table: str, sys_id: str, operation: str, changes: object) -> None:
        """One line of the write log; call it inside the write's transaction."""
        self.db.execute(
            'INSERT INTO "_write_log" (at, user, "table", sys_id, operation, changes) '
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                moments.text(self.clock()),
                user,
                table,
                sys_id,
                operation,
                json.dumps(changes, sort_keys=True),
            ),
        )

    def write_log(self) -> list[dict[str, object]]:
        """All writes in their order, ``changes`` decoded: {element: [old, new]}."""
        cursor = self.db.execute('SELECT * FROM "_write_log" ORDER BY id')
        names = [item[0] for item in cursor.description]
        lines = [dict(zip(names, values, strict=True)) for values in cursor]
        for line in lines:
            line["changes"] = json.loads(str(line["changes"]))
        return lines


def _defined(element: str, kind: str) -> str:
    """A column definition: a yes-or-no column nobody filled in says no."""
    return f"\"{element}\" TEXT NOT NULL DEFAULT '{'false' if kind == 'boolean' else ''}'"
