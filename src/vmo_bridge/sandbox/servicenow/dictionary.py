"""What the instance knows about its tables: classes, columns, choices and display columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from vmo_bridge.sandbox.servicenow.rules import Rules

NUMERIC = frozenset({"integer", "longint", "decimal", "float", "percent_complete", "currency"})
WHOLE = frozenset({"integer", "longint"})
JOURNAL = frozenset({"journal", "journal_input"})
MOMENT = frozenset({"glide_date_time", "due_date"})
DURATION = frozenset({"glide_duration", "timer"})

Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column where it is defined; subclasses of ``table`` inherit it.

    ``type`` is the platform's internal type, ``reference`` the table it points to ("" if none),
    ``max_length`` in characters (0 = unlimited).
    """

    table: str
    element: str
    type: str
    label: str
    reference: str = ""
    max_length: int = 0
    display: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """One table; ``parent`` is the table it extends ("" for a root)."""

    name: str
    label: str
    parent: str
    sys_id: str
    has_acl: bool = True


class Dictionary:
    """A view of sys_db_object, sys_dictionary, sys_choice and the rules as they stand now."""

    def __init__(
        self,
        tables: Iterable[Row],
        columns: Iterable[Row],
        choices: Iterable[Row],
        rules: Rules | None = None,
    ) -> None:
        self.rules = rules or Rules()
        rows = list(tables)
        names = {row["sys_id"]: row["name"] for row in rows}
        self.tables: dict[str, Table] = {
            row["name"]: Table(
                row["name"],
                row["label"],
                names.get(row["super_class"], ""),
                row["sys_id"],
                row["create_access_controls"] == "true",
            )
            for row in rows
        }
        self._own: dict[str, dict[str, Column]] = {name: {} for name in self.tables}
        self._forgetful: set[str] = set()
        for row in columns:
            if not row["element"] and "no_audit_delete" in row["attributes"].split(","):
                self._forgetful.add(row["name"])
            if row["element"] and row["name"] in self._own:
                self._own[row["name"]][row["element"]] = _column(row)
        self._choices: dict[tuple[str, str], dict[str, str]] = {}
        for row in sorted(
            choices, key=lambda r: (r["name"], r["element"], int(r["sequence"] or 0))
        ):
            if row["inactive"] != "true":
                self._choices.setdefault((row["name"], row["element"]), {})[row["value"]] = row[
                    "label"
                ]
        self._columns: dict[str, dict[str, Column]] = {}

    def chain(self, table: str) -> list[str]:
        """``table`` and the tables it extends, nearest first."""
        found = [table]
        while (parent := self.tables[found[-1]].parent) and parent in self.tables:
            found.append(parent)
        return found

    def audits_deletion(self, table: str) -> bool:
        """Whether the deletion of a row leaves one in sys_audit_delete."""
        return self._forgetful.isdisjoint(self.chain(table))

    def root(self, table: str) -> str:
        """The table that stores the rows: all classes of a hierarchy share one."""
        return self.chain(table)[-1]

    def columns(self, table: str) -> Mapping[str, Column]:
        """Own and inherited columns by element."""
        if table not in self._columns:
            merged: dict[str, Column] = {}
            for name in reversed(self.chain(table)):
                merged.update(self._own[name])
            self._columns[table] = merged
        return self._columns[table]

    def classes(self, table: str) -> tuple[str, ...]:
        """``table`` and everything that extends it."""
        return self._classes[table]

    @cached_property
    def _classes(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {name: [] for name in self.tables}
        for name in self.tables:
            for ancestor in self.chain(name):
                found[ancestor].append(name)
        return {name: tuple(sorted(classes)) for name, classes in found.items()}

    def is_hierarchy(self, table: str) -> bool:
        """Whether rows of ``table`` carry a class."""
        return "sys_class_name" in self.columns(table)

    def display_element(self, table: str) -> str:
        """The column whose value stands for a row of ``table`` in references to it."""
        columns = self.columns(table)
        for column in columns.values():
            if column.display:
                return column.element
        return next((name for name in ("name", "number", "u_name") if name in columns), "sys_id")

    def choices(self, table: str, element: str) -> Mapping[str, str]:
        """Value → label of a choice column; empty when it has no choices."""
        for name in self.chain(table):
            if (name, element) in self._choices:
                return self._choices[name, element]
        return {}

    def walk(self, table: str, path: str) -> list[Column] | None:
        """The columns of a dot-walked ``path`` from ``table``; None when it leads nowhere."""
        found: list[Column] = []
        for part in path.split("."):
            column = self.columns(table).get(part) if table in self.tables else None
            if column is None:
                return None
            found.append(column)
            table = column.reference
        return found


def _column(row: Row) -> Column:
    return Column(
        row["name"],
        row["element"],
        row["internal_type"],
        row["column_label"],
        row["reference"],
        int(row["max_length"] or 0),
        row["display"] == "true",
    )
