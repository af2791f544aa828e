"""Encoded queries as SQL: conditions, dot-walks and order over one table of the instance."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from vmo_bridge.sandbox.servicenow import moments
from vmo_bridge.sandbox.servicenow.dictionary import DURATION, MOMENT, NUMERIC, Column, Dictionary
from vmo_bridge.sandbox.servicenow.query import Condition, Query, Related, parse

_COMPARES = frozenset({"=", "!=", ">", ">=", "<", "<="})
_FIXED = {
    "ANYTHING": "1", "ISEMPTY": "? = ''", "EMPTYSTRING": "? = ''", "ISNOTEMPTY": "? <> ''"
}  # fmt: skip
_TEXTUAL = frozenset({"LIKE", "NOT LIKE", "STARTSWITH", "ENDSWITH"})


@dataclass(slots=True)
class Where:
    """What follows FROM: joins, a condition with bound values, an order; and what was dropped."""

    joins: list[str] = field(default_factory=list)
    sql: str = "1"
    values: list[str | float] = field(default_factory=list)
    order: str = ""
    dropped: list[str] = field(default_factory=list)


class Compiler:
    """Turns the conditions of one query on ``table`` into SQL; ``t`` is the table's alias.

    ``zone`` and ``now`` are the calling user's, for ``javascript:gs`` values.
    """

    def __init__(
        self, dictionary: Dictionary, table: str, *, zone: ZoneInfo, now: datetime
    ) -> None:
        self._dictionary = dictionary
        self._table = table
        self._zone = zone
        self._now = now
        self._joins: dict[str, str] = {}
        self._values: list[str | float] = []
        self._prefix = ""

    def compile(self, query: Query) -> Where:
        """The whole query; parts that name no column are dropped and reported."""
        where = Where(dropped=list(query.invalid))
        bound = self._lower_bound(query)
        classes = self._classes()
        # A leading `+` keeps SQLite from looking each set up in an index of its own.
        self._prefix = "+" if bound else ""
        sets = []
        for groups in query.sets:
            parts = [part for group in groups if (part := self._group(group, where.dropped))]
            sets.append(" AND ".join(parts) or "1")
        ored = " OR ".join(f"({part})" for part in sets)
        related = [self._related(each, where.dropped) for each in query.related]
        where.sql = " AND ".join([f"{bound}{classes}", f"({ored})", *related])
        where.values = self._values
        self._prefix = ""
        where.order = self._order(query, where.dropped)
        where.joins = list(self._joins.values())
        return where

    def expression(self, path: str) -> tuple[str, Column] | None:
        """The SQL of a (dot-walked) column and the column itself; None when there is none."""
        columns = self._dictionary.walk(self._table, path)
        if columns is None:
            return None
        return self._walked(path, columns), columns[-1]

    def _walked(self, path: str, columns: list[Column]) -> str:
        alias = "t"
        parts = path.split(".")
        for depth, column in enumerate(columns[:-1], start=1):
            walked = ".".join(parts[:depth])
            joined = f'"j.{walked}"'
            if walked not in self._joins:
                target = self._dictionary.root(column.reference)
                self._joins[walked] = (
                    f'LEFT JOIN "{target}" AS {joined} '
                    f'ON {joined}.sys_id = {alias}."{column.element}"'
                )
            alias = joined
        plain = f'{alias}."{parts[-1]}"'
        return f"{self._prefix}{plain}" if alias == "t" else f"coalesce({plain}, '')"

    def _related(self, related: Related, dropped: list[str]) -> str:
        """A join, or how many rows of another table point here."""
        dictionary = self._dictionary
        there = related.table in dictionary.tables
        named = there and related.field in dictionary.columns(related.table)
        if not named or related.own not in dictionary.columns(self._table):
            dropped.append(f"{related.table}.{related.field}")
            return "1"
        other = Compiler(dictionary, related.table, zone=self._zone, now=self._now)
        where = other.compile(parse(related.query))
        dropped.extend(where.dropped)
        self._values.extend(where.values)
        rows = (
            f'SELECT t."{related.field}" FROM "{dictionary.root(related.table)}" AS t '
            f"{' '.join(where.joins)} WHERE {where.sql}"
        )
        sign, number = related.count
        own = f't."{related.own}"'
        if not sign:
            return f"{own} IN ({rows})"
        # Who has none at all is in no group: then the groups that do not fit are left out.
        grouped = f'{rows} GROUP BY t."{related.field}" HAVING'
        none_fits = _holds(sign, number)
        how = f"NOT count(*) {sign} {number}" if none_fits else f"count(*) {sign} {number}"
        return f"{own} {'NOT IN' if none_fits else 'IN'} ({grouped} {how})"

    def _classes(self) -> str:
        root = self._dictionary.root(self._table)
        if self._table == root:
            return "1"
        classes = self._dictionary.classes(self._table)
        self._values.extend(classes)
        if len(classes) == 1:
            return "t.sys_class_name = ?"
        return f"t.sys_class_name IN ({','.join('?' * len(classes))})"

    def _lower_bound(self, query: Query) -> str:
        """A bound all sets share on the first order column, so that its index can be walked.

        Keyset pages are `u>=T ^NQ u=T^sys_id>X`: SQLite would read every match of each set and
        sort, where one range over the index (u, sys_id) gives the page in order.
        """
        if len(query.sets) < 2 or not query.order or query.order[0][1]:
            return ""
        path = query.order[0][0]
        lowest: list[str] = []
        for groups in query.sets:
            bounds = [
                group[0].value
                for group in groups
                if len(group) == 1
                and group[0].path == path
                and group[0].operator in {"=", ">", ">="}
                and not group[0].value.startswith("javascript:")
            ]
            if not bounds:
                return ""
            lowest.append(max(bounds))
        column = self._dictionary.columns(self._table).get(path)
        if column is None or column.type in NUMERIC:
            return ""
        self._values.append(min(lowest))
        return f't."{path}" >= ? AND '

    def _group(self, group: list[Condition], dropped: list[str]) -> str:
        parts = []
        for condition in group:
            known = len(self._values)
            part = self._condition(condition)
            if part is None:
                del self._values[known:]
                dropped.append(f"{condition.path}{condition.operator}{condition.value}")
            else:
                parts.append(part)
        return f"({' OR '.join(parts)})" if parts else ""

    def _condition(self, condition: Condition) -> str | None:
        found = self.expression(condition.path)
        if found is None:
            return None
        sql, column = found
        operator = condition.operator
        if operator in _FIXED:
            return _FIXED[operator].replace("?", sql)
        if operator in _TEXTUAL:
            return self._textual(condition, sql, column)
        if operator in _COMPARES:
            return self._compare(sql, column, operator, condition.value)
        if operator in {"BETWEEN", "ON", "NOTON"}:
            return self._between(sql, column, condition)
        return self._among(sql, condition)

    def _among(self, sql: str, condition: Condition) -> str | None:
        """Operators whose value names other values: a list, another column, a class."""
        operator, value = condition.operator, condition.value
        if operator in {"SAMEAS", "NSAMEAS"}:
            other = self.expression(value)
            sign = "=" if operator == "SAMEAS" else "<>"
            return None if other is None else f"{sql} {sign} {other[0]}"
        if operator == "INSTANCEOF":
            return self._instance_of(sql, value)
        values = value.split(",")
        self._values.extend(values)
        return f"{sql} {operator} ({','.join('?' * len(values))})"

    def _instance_of(self, sql: str, value: str) -> str | None:
        if value not in self._dictionary.tables:
            return None
        classes = self._dictionary.classes(value)
        self._values.extend(classes)
        return f"{sql} IN ({','.join('?' * len(classes))})"

    def _between(self, sql: str, column: Column, condition: Condition) -> str | None:
        ends = condition.value.split("@")[-2:]
        if len(ends) != 2:
            return None
        low, high = (moments.evaluated(end, self._zone, self._now) for end in ends)
        if low is None or high is None:
            return None
        parts = [self._compare(sql, column, ">=", low), self._compare(sql, column, "<=", high)]
        if None in parts:
            return None
        joined = f"({parts[0]} AND {parts[1]})"
        return f"NOT {joined}" if condition.operator == "NOTON" else joined

    def _textual(self, condition: Condition, sql: str, column: Column) -> str:
        if column.reference in self._dictionary.tables and column.type == "reference":
            sql = self._display(condition.path, column)
        self._values.append(condition.value)
        if condition.operator == "LIKE":
            return f"instr({sql}, ?) > 0"
        if condition.operator == "NOT LIKE":
            return f"instr({sql}, ?) = 0"
        self._values.append(condition.value)
        if condition.operator == "STARTSWITH":
            return f"substr({sql}, 1, length(?)) = ?"
        return f"substr({sql}, -length(?)) = ?"

    def _display(self, path: str, column: Column) -> str:
        """The display name of what a reference points to; the display may be a reference too."""
        while column.type == "reference" and column.reference in self._dictionary.tables:
            path = f"{path}.{self._dictionary.display_element(column.reference)}"
            column = self._dictionary.walk(self._table, path)[-1]  # type: ignore[index]  # it exists: the dictionary named it
        return self._walked(path, self._dictionary.walk(self._table, path) or [])

    def _compare(self, sql: str, column: Column, operator: str, value: str) -> str | None:
        if column.type in MOMENT or column.type in DURATION or column.type == "glide_date":
            evaluated = moments.evaluated(value, self._zone, self._now)
            if evaluated is None:
                return None
            value = evaluated
        sign = "<>" if operator == "!=" else operator
        if sign in {"=", "<>"}:
            if column.type == "boolean":
                value = {"1": "true", "0": "false"}.get(value, value.lower())
            self._values.append(value)
            return f"{sql} {sign} ?"
        if column.type in NUMERIC:
            try:
                self._values.append(float(value))
            except ValueError:
                return None
            return f"({sql} <> '' AND CAST({sql} AS REAL) {sign} ?)"
        self._values.append(value)
        # An empty value is NULL on the platform, and NULL is smaller than nothing.
        return f"({sql} <> '' AND {sql} {sign} ?)" if sign.startswith("<") else f"{sql} {sign} ?"

    def _order(self, query: Query, dropped: list[str]) -> str:
        parts = []
        for path, descending in query.order:
            found = self.expression(path)
            if found is None:
                dropped.append(f"ORDERBY{path}")
                continue
            sql, column = found
            if column.type == "reference" and column.reference in self._dictionary.tables:
                sql = self._display(path, column)
            elif column.type in NUMERIC:
                sql = f"CAST({sql} AS REAL)"
            parts.append(f"{sql} {'DESC' if descending else 'ASC'}")
        return f"ORDER BY {', '.join(parts)}" if parts else ""


def _holds(sign: str, number: int) -> bool:
    """Whether ``0 sign number`` is true."""
    return {
        "=": number == 0, "!=": number != 0, ">": False, ">=": number == 0, "<": number > 0,
        "<=": True,
    }[sign]  # fmt: skip
