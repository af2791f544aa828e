"""The Table API, read with suspicion: what hides in a 200 is found before a row is believed."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec

from vmo_bridge.plugin import AccessError, HttpClient, RetryLater, SignInError, SourceError

Rows = list[dict[str, Any]]


class NotInstalled(AccessError):
    """The instance has no such table."""


class Overloaded(SourceError):
    """The instance ran out of time in the middle; a smaller page may pass."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Rows of a table, and how many the instance says the query has."""

    rows: Rows
    total: int | None


class TableClient:
    """Reads tables of one instance."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def rows(
        self,
        table: str,
        *,
        query: str = "",
        fields: tuple[str, ...] = (),
        limit: int = 1000,
        offset: int = 0,
        count: bool = False,
    ) -> Reply:
        """One page of a table; raises ``Overloaded``, ``AccessError`` or ``SourceError``."""
        params = self.params(query=query, fields=fields, limit=limit, count=count)
        if offset:
            params["sysparm_offset"] = str(offset)
        return self.reply(self._http.get(f"/api/now/table/{table}", params), table)

    def params(
        self, *, query: str, fields: tuple[str, ...], limit: int, count: bool = False
    ) -> dict[str, str]:
        """How a page of a table is asked for."""
        params = {
            "sysparm_query": query,
            "sysparm_limit": str(limit),
            "sysparm_exclude_reference_link": "true",
            "sysparm_display_value": "false",
            "sysparm_no_count": "false" if count else "true",
            "sysparm_suppress_pagination_header": "true",
        }
        if fields:
            params["sysparm_fields"] = ",".join(fields)
        return params

    def reply(self, response: httpx.Response, table: str) -> Reply:
        """The rows of an answer, if it is whole."""
        content = self.content(response, table)
        rows = content.get("result")
        if not isinstance(rows, list):
            raise SourceError(f"{self._http.name}: {table}: the answer has no list of rows")
        if not all(isinstance(row, dict) for row in rows):
            raise Overloaded(
                f"{self._http.name}: {table}: a row of the answer is a text, not a record; "
                "the instance ran out of time while it wrote it"
            )
        total = response.headers.get("X-Total-Count", "")
        return Reply(rows, int(total) if total.isdigit() else None)

    def count(self, table: str, query: str) -> int | None:
        """How many rows a query has, by the Aggregate API; None where it is refused.

        It may count rows that access rules hide.
        """
        params = {"sysparm_query": query, "sysparm_count": "true"}
        try:
            content = self.content(self._http.get(f"/api/now/stats/{table}", params), table)
            return int(content["result"]["stats"]["count"])
        except (AccessError, KeyError, TypeError, ValueError):
            return None

    def content(self, response: httpx.Response, what: str) -> dict[str, Any]:
        """The decoded body, if it is whole and no failure hides in it."""
        name = self._http.name
        kind = response.headers.get("Content-Type", "")
        if "json" not in kind:
            raise RetryLater(
                f"{name}: {what}: the instance answers a web page instead of data "
                f"(status {response.status_code}, {kind or 'no type'}); "
                "it may be asleep, in maintenance, or ask for a sign-in in the browser"
            )
        try:
            content = _decoded(response.content)
        except ValueError as error:
            raise Overloaded(f"{name}: {what}: the answer is cut off or not JSON") from error
        if not isinstance(content, dict):
            raise SourceError(f"{name}: {what}: the answer is not an object")
        if "error" in content or content.get("status") == "failure":
            raise failure(name, what, response.status_code, content)
        if response.status_code >= 400:
            raise SourceError(f"{name}: {what}: answered {response.status_code} without a reason")
        return content


def _decoded(body: bytes) -> Any:
    """The content of a body; ``ValueError`` if it is not JSON.

    A text cut in the middle of a character (half an emoji) must not keep its whole table from
    being read for ever: what cannot be a character becomes U+FFFD.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = json.dumps(
            json.loads(body.decode(errors="replace"), strict=False), ensure_ascii=False
        )
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return json.loads(whole)


def failure(name: str, what: str, status: int, content: dict[str, Any]) -> Exception:
    """The error an envelope means; its text tells more than its status.

    Access is refused with 400, 403 or 404, a timeout comes with 500 or even 200.
    """
    error = content.get("error")
    envelope = error if isinstance(error, dict) else {"message": error or "no reason given"}
    text = " ".join(str(envelope.get(part) or "") for part in ("message", "detail")).strip()
    lowered = text.lower()
    shown = f"{name}: {what}: {text[:300]} (status {status})"
    if "maximum execution time" in lowered or "transaction cancelled" in lowered:
        return Overloaded(shown)
    if "not authenticated" in lowered:
        return SignInError(f"{shown}; check user and secret")
    if "insufficient rights" in lowered or re.search(r"\bacl\b", lowered) or status == 403:
        return AccessError(f"{shown}; give the user the right to it, or leave it out")
    if "invalid table" in lowered:
        return NotInstalled(f"{shown}; the table is not installed there: leave it out")
    return SourceError(shown)
