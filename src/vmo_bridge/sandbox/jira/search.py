"""The two searches: by tokens on the Cloud, by offset on Data Center, and counting."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from vmo_bridge.sandbox.jira import jql
from vmo_bridge.sandbox.jira.render import Renderer
from vmo_bridge.sandbox.jira.replies import JiraCall, JiraRefused, whole, words
from vmo_bridge.sandbox.jira.store import Issue, JiraStore, millis
from vmo_bridge.sandbox.jira.where import Translator, Where
from vmo_bridge.sandbox.servicenow.faults import Faults
from vmo_bridge.sandbox.servicenow.replies import Reply

MANY_IDS, MANY_ISSUES, MANY_ON_SERVER = 5_000, 100, 1_000
#: A search of the Cloud shows no more entries of a changelog than these.
SHORT_CHANGELOG = 40


class Search:
    """Searches one site."""

    def __init__(self, store: JiraStore, faults: Faults) -> None:
        self._store = store
        self.faults = self._faults = faults

    def by_token(self, call: JiraCall) -> Reply:
        """``/search/jql``: no total; ids only unless fields are named."""
        asked = call.asked()
        fields = words(asked.get("fields"))
        ids_only = all(name in {"id", "key"} for name in fields)
        most = MANY_IDS if ids_only else MANY_ISSUES
        size = self._size(call, asked, most)
        where = self._bounded(call, asked)
        sent = str(asked.get("nextPageToken", ""))
        rows, after = self._page(where, sent, str(asked["jql"]), size)
        more, rows = len(rows) > size, rows[:size]
        body: dict[str, Any] = {"issues": [], "isLast": not more}
        if more and rows:
            body["nextPageToken"] = self._token(where, rows[-1], str(asked["jql"]))
        if self._faults.take("empty_page_with_token", app=call.app, table="search"):
            rows, body["isLast"] = [], False
            body["nextPageToken"] = sent or self._write_token(str(asked["jql"]), after)
        if sent and self._faults.take("repeated_token", app=call.app, table="search"):
            body["nextPageToken"] = sent
        if self._faults.take("missing_is_last", app=call.app, table="search"):
            del body["isLast"]
        body["issues"] = self._shown(call, rows, fields, asked)
        return Reply(200, body)

    def by_offset(self, call: JiraCall) -> Reply:
        """``/search`` of Data Center: ``startAt``, capped ``maxResults``, and a total."""
        asked = call.asked()
        strict = str(asked.get("validateQuery", "true")).lower() not in {"false", "none", "warn"}
        where = self._where(call, str(asked.get("jql", "")), strict=strict)
        size = self._size(call, asked, MANY_ON_SERVER)
        start = max(0, whole(asked.get("startAt"), 0))
        sql = f"WHERE {where.sql}"
        rows = self._store.select(
            f"{sql} ORDER BY {_order(where)} LIMIT ? OFFSET ?", [*where.values, size, start]
        )
        fields = words(asked.get("fields")) or ["*navigable"]
        body: dict[str, Any] = {
            "startAt": start,
            "maxResults": size,
            "total": self._store.count(sql, where.values),
            "issues": self._shown(call, rows, fields, asked),
        }
        if where.warnings:
            body["warningMessages"] = where.warnings
        return Reply(200, body)

    def count(self, call: JiraCall) -> Reply:
        """``/search/approximate-count``."""
        where = self._bounded(call, call.body())
        return Reply(200, {"count": self._store.count(f"WHERE {where.sql}", where.values)})

    # -- parts -------------------------------------------------------------------------------

    def _where(self, call: JiraCall, text: str, *, strict: bool = True) -> Where:
        epochs = call.cloud and self._faults.take("jql_epoch", app=call.app) != "refused"
        return Translator(self._store, call.zone, strict=strict, epochs=epochs).where(
            jql.read(text)
        )

    def _bounded(self, call: JiraCall, asked: dict[str, Any]) -> Where:
        tree = jql.read(str(asked.get("jql", "")))
        if tree.where is None:
            raise JiraRefused(
                400,
                "Unbounded JQL queries are not allowed here. Please add a search restriction to "
                "your query.",
            )
        if len(tree.order) > 7:
            raise JiraRefused(400, "The maximum number of fields in the ORDER BY clause is 7.")
        where = self._where(call, str(asked["jql"]))
        self._hide_fresh(call, where, asked)
        return where

    def _hide_fresh(self, call: JiraCall, where: Where, asked: dict[str, Any]) -> None:
        """The index lags behind: what was written a moment ago is not found yet."""
        lag = self._faults.take("search_lag", app=call.app, table="search")
        if lag is None:
            return
        known = [whole(value, 0) for value in words(asked.get("reconcileIssues"))]
        if len(known) > 50:
            raise JiraRefused(400, "reconcileIssues: at most 50 issue ids.")
        marks = ", ".join("?" * len(known))
        where.sql = f"({where.sql}) AND (touched <= ? OR id IN ({marks}))"
        where.values += [millis(self._store.now()) - int(float(lag) * 1000), *known]

    def _size(self, call: JiraCall, asked: dict[str, Any], most: int) -> int:
        cap = self._faults.take("max_results_cap", app=call.app, table="search")
        wanted = whole(asked.get("maxResults"), 50)
        return max(0 if not call.cloud else 1, min(wanted, int(cap or most)))

    def _page(
        self, where: Where, token: str, text: str, size: int
    ) -> tuple[list[Issue], list[Any]]:
        """One row more than a page, after what the token tells."""
        after = self._read_token(token, text) if token else []
        sql, values = f"WHERE ({where.sql})", list(where.values)
        if after:
            parts = []
            for place, (expression, desc) in enumerate(where.order):
                same = [f"{name} = ?" for name, _ in where.order[:place]]
                parts.append(" AND ".join([*same, f"{expression} {'<' if desc else '>'} ?"]))
                values += after[: place + 1]
            sql += " AND (" + " OR ".join(f"({part})" for part in parts) + ")"
        rows = self._store.select(f"{sql} ORDER BY {_order(where)} LIMIT ?", [*values, size + 1])
        return rows, after

    def _token(self, where: Where, row: Issue, text: str) -> str:
        names = ", ".join(expression for expression, _ in where.order)
        found = self._store.values(names, row["id"])
        return self._write_token(text, found)

    def _write_token(self, text: str, after: list[Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps([text, after]).encode()).decode()

    def _read_token(self, token: str, text: str) -> list[Any]:
        try:
            query, after = json.loads(base64.urlsafe_b64decode(token))
        except (binascii.Error, ValueError):
            query, after = None, None
        stale = self._faults.take("token_expiry", app="jira", table="search")
        if query != text or not isinstance(after, list) or stale:
            raise JiraRefused(400, "The provided next page token is invalid or expired.")
        return after

    def _shown(
        self, call: JiraCall, rows: list[Issue], fields: list[str], asked: dict[str, Any]
    ) -> list[Any]:
        properties = words(asked.get("properties"))
        if len(properties) > 5:
            raise JiraRefused(400, "At most 5 properties can be asked for.")
        renderer = Renderer(self._store, call)
        shown = [renderer.issue(row, fields, properties) for row in rows]
        for row, issue in zip(rows, shown, strict=True):
            issue.update(self.expanded(call, renderer, row, asked, search=True))
        return shown

    def expanded(
        self, call: JiraCall, renderer: Renderer, row: Issue, asked: dict[str, Any], *, search: bool
    ) -> dict[str, Any]:
        """What ``expand`` adds to an issue."""
        wanted = words(asked.get("expand"))
        found: dict[str, Any] = {}
        if "changelog" in wanted:
            found["changelog"] = self.changelog(call, renderer, row, search=search)
        if "transitions" in wanted:
            found["transitions"] = renderer.transitions(row)
        return found

    def changelog(
        self, call: JiraCall, renderer: Renderer, issue: Issue, *, search: bool
    ) -> dict[str, Any]:
        """The changelog inside an issue: the Cloud shows the newest first, and not all."""
        changes = [renderer.change(each) for each in self._store.changes([issue["id"]])]
        total = len(changes)
        last = self._faults.take("changelog_truncated", app=call.app)
        most = int(last) if last else (SHORT_CHANGELOG if search else 100) if call.cloud else total
        shown = changes[-most:] if most else []
        if call.cloud:
            shown.reverse()
        return {"startAt": 0, "maxResults": len(shown), "total": total, "histories": shown}


def _order(where: Where) -> str:
    return ", ".join(f"{name} {'DESC' if desc else 'ASC'}" for name, desc in where.order)
