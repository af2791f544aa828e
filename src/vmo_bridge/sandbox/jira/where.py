"""JQL as SQL for the issues' table: known names only, dates in the caller's zone, by minute."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from vmo_bridge.sandbox.agency import helpdesk
from vmo_bridge.sandbox.jira import schema
from vmo_bridge.sandbox.jira.jql import Joined, Jql, Node, Term
from vmo_bridge.sandbox.jira.replies import JiraRefused
from vmo_bridge.sandbox.jira.store import JiraStore, millis

_COLUMNS = {
    "project": "project", "issuetype": "kind", "type": "kind", "status": "status",
    "statuscategory": "category", "key": "key", "issuekey": "key", "issue": "key", "id": "id",
    "updated": "updated", "updateddate": "updated", "created": "created",
    "createddate": "created", "resolved": "resolved", "resolutiondate": "resolved",
    "summary": "summary", "description": "description", "labels": "labels",
    "reporter": "reporter", "assignee": "assignee", "parent": "parent", "epic link": "parent",
    "cf[10014]": "parent", "servicenow demand": "demand", "cf[10010]": "demand",
    "affected service": "service", "cf[10050]": "service", "text": "text", "priority": "priority",
    "projecttype": f"CASE project WHEN '{helpdesk.PROJECT[0]}' THEN 'service_desk' "
                   "ELSE 'software' END",
}  # fmt: skip
_MOMENTS = {"updated", "created", "resolved"}
_FORMATS = ("%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M", "%Y/%m/%d", "%Y-%m-%d")
_PERIOD = re.compile(r"([+-]?\d+)([wdhm])")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes"}


@dataclass(slots=True)
class Where:
    """SQL with its values; ``order`` is (expression, descending) with the id last."""

    sql: str
    values: list[object]
    order: list[tuple[str, bool]]
    warnings: list[str] = field(default_factory=list)


class Translator:
    """Turns trees into SQL; ``strict`` refuses unknown values, otherwise they match nothing."""

    def __init__(
        self, store: JiraStore, zone: ZoneInfo, *, strict: bool = True, epochs: bool = True
    ) -> None:
        self._store = store
        self._zone = zone
        self._strict = strict
        self._epochs = epochs
        self._values: list[object] = []
        self._wrong: list[str] = []

    def where(self, jql: Jql) -> Where:
        """The condition; refused with every wrong name at once, as Jira does."""
        sql = "1" if jql.where is None else self._node(jql.where)
        order = [(self._order(name), desc) for name, desc in jql.order] or [("created", True)]
        if self._wrong and self._strict:
            raise JiraRefused(400, *dict.fromkeys(self._wrong))
        return Where(sql, self._values, [*order, ("id", False)], self._wrong)

    def _node(self, node: Node) -> str:
        if isinstance(node, Term):
            return self._term(node)
        return self._joined(node)

    def _joined(self, node: Joined) -> str:
        parts = [self._node(part) for part in node.parts]
        if node.how == "not":
            return f"NOT ({parts[0]})"
        return "(" + f" {node.how.upper()} ".join(parts) + ")"

    def _order(self, name: str) -> str:
        column = self._column(name)
        if column == "key":
            return "project || substr('0000000000' || substr(key, length(project) + 2), -10)"
        return f"coalesce({column}, 0)" if column in _MOMENTS else column or "id"

    def _column(self, name: str) -> str:
        column = _COLUMNS.get(name.lower(), "")
        if not column:
            self._wrong.append(
                f"Field '{name}' does not exist or you do not have permission to view it."
            )
        return column

    def _term(self, term: Term) -> str:
        column = self._column(term.field)
        if not column:
            return "0"
        if term.operator in {"is empty", "is not empty"}:
            sql = f"coalesce({column}, '') IN ('', '[]')"
            return f"NOT ({sql})" if "not" in term.operator else sql
        if column in _MOMENTS:
            return self._moment(column, term)
        if term.operator in {"~", "!~"}:
            return self._text(column, term)
        if column == "labels":
            known = " OR ".join(self._bound("value = ?", value) for value in term.values)
            sql = f"EXISTS (SELECT 1 FROM json_each(labels) WHERE {known})"
        else:
            sql = self._equal(column, term)
        return f"NOT ({sql})" if term.operator in {"!=", "not in"} else sql

    def _equal(self, column: str, term: Term) -> str:
        if term.operator in {"<", "<=", ">", ">="}:
            if column not in {"key", "id"}:
                self._wrong.append(
                    f"The operator '{term.operator}' is not supported by the '{term.field}' field."
                )
                return "0"
            rows = self._store.named(term.values)
            return self._bound(f"id {term.operator} ?", rows[0]["id"] if rows else 0)
        parts = [self._one(column, term.field, value) for value in term.values]
        return "(" + " OR ".join(parts) + ")"

    def _one(self, column: str, name: str, value: str) -> str:
        known = self._known(column, value)
        if known is None:
            text = f"The value '{value}' does not exist for the field '{name}'."
            if column in {"key", "id"}:
                text = f"An issue with key '{value}' does not exist for field '{name}'."
            self._wrong.append(text)
            return "0"
        return self._bound(f"{'key' if column == 'id' else column} = ?", known)

    def _known(self, column: str, value: str) -> str | None:
        """What is stored for a value of JQL; None when the site has no such thing."""
        lower = value.lower()
        names: dict[str, str] = {}
        match column:
            case "project":
                names = {text.lower(): key for key, text in schema.PROJECTS.items()}
                names |= {schema.project_id(key): key for key in schema.PROJECTS}
                names |= {key.lower(): key for key in schema.PROJECTS}
            case "kind":
                names = {number: kind for kind, number in schema.TYPES.items()}
                names |= {kind.lower(): kind for kind in schema.TYPES}
            case "status":
                names = {number: status for status, (number, _) in schema.STATUSES.items()}
                names |= {status.lower(): status for status in schema.STATUSES}
            case "category":
                names = {key: key for key in schema.CATEGORIES}
                names |= {text.lower(): key for key, (_, text) in schema.CATEGORIES.items()}
                names |= {str(number): key for key, (number, _) in schema.CATEGORIES.items()}
            case "key" | "id" | "parent":
                rows = self._store.named([value])
                return rows[0]["key"] if rows else None
            case _:
                return value
        return names.get(lower)

    def _text(self, column: str, term: Term) -> str:
        columns = ("summary", "description") if column == "text" else (column,)
        words = term.values[0].strip('"').replace("*", "").split()
        parts = [
            "(" + " OR ".join(self._bound(f"{name} LIKE ?", f"%{word}%") for name in columns) + ")"
            for word in words
        ]
        sql = "(" + " AND ".join(parts or ["0"]) + ")"
        return f"NOT {sql}" if term.operator == "!~" else sql

    def _moment(self, column: str, term: Term) -> str:
        moment = self._read(term.values[0]) if len(term.values) == 1 else None
        if moment is None or term.operator not in {"<", "<=", ">", ">=", "=", "!="}:
            self._wrong.append(
                f"Date value '{term.values[0]}' for field '{term.field}' is invalid. Valid formats "
                "include: 'yyyy/MM/dd HH:mm', 'yyyy-MM-dd HH:mm', 'yyyy/MM/dd', 'yyyy-MM-dd', or "
                "a period format e.g. '-5d', '4w 2d'."
            )
            return "0"
        return self._bound(f"coalesce({column}, 0) {term.operator} ?", millis(moment))

    def _read(self, value: str) -> datetime | None:
        now = self._store.now()
        if value.lower() == "now()":
            return now
        if value.lower() == "startofday()":
            local = now.astimezone(self._zone)
            return local.replace(hour=0, minute=0, second=0, microsecond=0)
        if value.isdigit() and len(value) >= 11:
            return datetime.fromtimestamp(int(value) / 1000, UTC) if self._epochs else None
        for pattern in _FORMATS:
            try:
                return datetime.strptime(value, pattern).replace(tzinfo=self._zone)
            except ValueError:
                continue
        periods = [_PERIOD.fullmatch(part) for part in value.split()]
        for match in periods:
            if match is None:
                return None
            now += timedelta(**{_UNITS[match[2]]: int(match[1])})
        return now.replace(second=0, microsecond=0) if periods else None

    def _bound(self, sql: str, value: object) -> str:
        self._values.append(value)
        return sql
