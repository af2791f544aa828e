"""The Aggregate API: counts, minima, maxima, sums and averages, whole or by groups."""

from __future__ import annotations

import re
from typing import Any

from vmo_bridge.sandbox.servicenow import replies
from vmo_bridge.sandbox.servicenow.access import Access
from vmo_bridge.sandbox.servicenow.dictionary import NUMERIC
from vmo_bridge.sandbox.servicenow.faults import Faults
from vmo_bridge.sandbox.servicenow.instance import Instance
from vmo_bridge.sandbox.servicenow.query import parse
from vmo_bridge.sandbox.servicenow.render import Renderer
from vmo_bridge.sandbox.servicenow.replies import Call, Refused, Reply
from vmo_bridge.sandbox.servicenow.where import Compiler

_FUNCTIONS = ("avg", "min", "max", "sum")
_HAVING = re.compile(r"(count|sum|avg|min|max)\^(\w*)\^(=|!=|>|>=|<|<=)\^(-?[\d.]+)")


class StatsApi:
    """Answers calls to ``/api/now/stats``."""

    def __init__(self, instance: Instance, faults: Faults) -> None:
        self._instance = instance
        self._faults = faults

    def handle(self, call: Call, table: str) -> Reply:
        """One aggregate query."""
        dictionary = self._instance.dictionary
        if table not in dictionary.tables:
            raise replies.invalid_table(table)
        if call.method != "GET":
            raise Refused(
                405, "Method not supported", f"{call.method} method not supported for API"
            )
        access = Access(dictionary, call.user)
        if not access.has_rules(table):
            raise replies.no_record()
        refused = self._faults.take("aggregate_off", table=table, user=call.user.user_name)
        if refused or not access.may_read(table):
            raise replies.may_not_query()
        strict = self._faults.take("query_invalid", table=table) == "no_rows"
        nothing = not access.sees_deletions(table)
        return Reply(200, {"result": _Aggregate(self._instance, call, table).run(strict, nothing)})


class _Aggregate:
    """One call on its way to SQL and back."""

    def __init__(self, instance: Instance, call: Call, table: str) -> None:
        self._instance = instance
        self._call = call
        self._table = table
        self._compiler = Compiler(instance.dictionary, table, zone=call.zone, now=instance.clock())
        self._values: list[tuple[str, str]] = []
        self._selected: list[str] = []
        self._groups: list[str] = []

    def run(self, strict: bool, nothing: bool) -> Any:
        query = parse(self._call.param("sysparm_query"))
        query.order.clear()
        self._choose()
        # Every column is named before compile() hands out the joins.
        expressions = [self._sql(path) for path in self._groups]
        tail = f"{self._having()} {self._order(expressions)}"
        where = self._compiler.compile(query)
        if nothing or (strict and where.dropped):
            where.sql, where.values = "0", []
        root = self._instance.dictionary.root(self._table)
        columns = ", ".join([*expressions, *self._selected]) or "count(*)"
        grouped = f"GROUP BY {', '.join(expressions)}" if expressions else ""
        sql = (
            f'SELECT {columns} FROM "{root}" AS t {" ".join(where.joins)} WHERE {where.sql} '
            f"{grouped} {tail}"
        )
        found = self._instance.db.execute(sql, where.values).fetchall()
        if not self._groups:
            return {"stats": self._stats(found[0])} if self._selected else {"stats": {}}
        return [self._group(row) for row in found]

    def _choose(self) -> None:
        if self._call.flag("sysparm_count"):
            self._values.append(("count", ""))
            self._selected.append("count(*)")
        for function in _FUNCTIONS:
            for path in self._call.param(f"sysparm_{function}_fields").split(","):
                if path and (sql := self._function(function, path)):
                    self._values.append((function, path))
                    self._selected.append(sql)
        dictionary = self._instance.dictionary
        self._groups = [
            path
            for path in self._call.param("sysparm_group_by").split(",")
            if path and dictionary.walk(self._table, path)
        ]

    def _function(self, function: str, path: str) -> str:
        found = self._compiler.expression(path)
        if found is None:
            return ""
        sql, column = found
        if column.type in NUMERIC:
            sql = f"CAST(nullif({sql}, '') AS REAL)"
        elif function in {"avg", "sum"}:
            return ""
        return f"{function}(nullif({sql}, ''))"

    def _sql(self, path: str) -> str:
        found = self._compiler.expression(path)
        return found[0] if found else "''"

    def _having(self) -> str:
        match = _HAVING.fullmatch(self._call.param("sysparm_having"))
        if match is None or not self._groups:
            return ""
        function, path, sign, value = match.groups()
        sql = "count(*)" if function == "count" else self._function(function, path)
        return f"HAVING {sql} {sign} {float(value)}" if sql else ""

    def _order(self, expressions: list[str]) -> str:
        wanted, _, direction = self._call.param("sysparm_order_by").partition("^")
        if not expressions:
            return ""
        if wanted in self._groups:
            down = " DESC" if direction == "DESC" else ""
            return f"ORDER BY {self._sql(wanted)}{down}"
        if wanted.lower() in {"count", *_FUNCTIONS}:
            sql = "count(*)" if wanted.lower() == "count" else ""
            sql = sql or self._function(wanted.lower(), direction)
            return f"ORDER BY {sql} DESC" if sql else ""
        return f"ORDER BY {', '.join(expressions)}"

    def _stats(self, values: Any) -> dict[str, Any]:
        stats: dict[str, Any] = {}
        for (function, path), value in zip(self._values, values, strict=True):
            if function == "count":
                stats["count"] = str(value)
            else:
                stats.setdefault(function, {})[path] = _text(function, value)
        return stats

    def _group(self, row: Any) -> dict[str, Any]:
        size = len(self._groups)
        fields = [
            self._named(path, value) for path, value in zip(self._groups, row[:size], strict=True)
        ]
        return {"stats": self._stats(row[size:]), "groupby_fields": fields}

    def _named(self, path: str, value: str) -> dict[str, Any]:
        wanted = self._call.param("sysparm_display_value").lower()
        if wanted not in {"true", "all"}:
            return {"field": path, "value": value}
        columns = self._instance.dictionary.walk(self._table, path) or []
        renderer = Renderer(
            self._instance, self._table, base=self._call.base, zone=self._call.zone, quirks=False
        )
        owner = columns[-2].reference if len(columns) > 1 else self._table
        display = renderer.displays([value], columns[-1], owner)[0]
        if wanted == "true":
            return {"field": path, "value": display}
        return {"field": path, "value": value, "display_value": display}


def _text(function: str, value: Any) -> str:
    if value is None:
        return ""
    if function == "avg":
        return f"{value:.4f}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
