"""Searches a Jira Data Center (or Server): pages by offsets, changelogs with the issues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import UNSET

from vmo_bridge.plugin import AccessError, SourceError
from vmo_bridge_jira.client import JiraClient, Refused
from vmo_bridge_jira.search import Found, WalkBroken, issues_in
from vmo_bridge_jira.shapes import ONE, PLAIN, Changelog, Issue, RawIssue, Reader, SearchAnswer

_LONGEST_ADDRESS = 1500
_MOST_NAMED = 100
_GONE = 410


class ServerSearch:
    """``search`` with offsets, each page half over the last: rows move while one reads."""

    largest_page = 1000
    most_named = _MOST_NAMED

    def __init__(
        self, client: JiraClient, reader: Reader = PLAIN, *, changelogs: bool = True
    ) -> None:
        """``reader`` decodes the issues; ``changelogs``: whether they come with those of a page."""
        self._client = client
        self._reader = reader
        self._expand = "changelog" if changelogs else ""
        self._last: set[str] = set()

    def page(self, jql: str, fields: Sequence[str], size: int, more: str | None) -> Found:
        """From an offset on; a page has to begin with what the last one held."""
        start = int(more or 0)
        answer = self._ask(jql, fields, size, start, expand=self._expand)
        issues = issues_in(answer, self._client.name)
        total = answer.total
        if not isinstance(total, int):
            raise SourceError(f"{self._client.name}: search: the answer does not say its total")
        ids = [str(issue.id) for issue in issues]
        if start and (not ids or ids[0] not in self._last):
            raise WalkBroken("more than half a page has moved while it was read")
        if not ids and total:
            raise SourceError(f"{self._client.name}: search: {total} issues are told of, none came")
        self._last = set(ids)
        whole = start + len(ids) >= total
        return Found(
            issues=issues,
            more=None if whole else str(start + max(1, len(ids) // 2)),
            total=total,
        )

    def histories(
        self,
        issues: Sequence[RawIssue],
        fields: Sequence[str],  # noqa: ARG002 - all changes come, asked for or not
    ) -> dict[str, Any]:
        """From the search itself; where it is cut off or left out, from the issue."""
        found: dict[str, Any] = {}
        for issue in issues:
            entries = _whole_log(issue)
            if entries is None:
                entries = self._single_log(str(issue.key))
            if entries is not None:
                found[str(issue.id)] = entries
        return found

    def _single_log(self, key: str) -> list[Any] | None:
        path, asked = f"/rest/api/2/issue/{key}", {"fields": "id", "expand": "changelog"}
        try:
            return _whole_log(self._client.get(path, asked, ONE))
        except AccessError:
            return None  # deleted or hidden since it was listed

    def ids(self, keys: Sequence[str]) -> dict[str, str]:
        """By a search that takes no offence at a key that is none."""
        found: dict[str, str] = {}
        for start in range(0, len(keys), _MOST_NAMED):
            part = keys[start : start + _MOST_NAMED]
            jql = f"key in ({', '.join(part)})"
            answer = self._ask(jql, ["id"], len(part), 0, strict=False)
            found |= {str(each.key): str(each.id) for each in issues_in(answer, self._client.name)}
        return found

    def named(self, scope: str, ids: Sequence[str], fields: Sequence[str]) -> list[RawIssue]:
        """By a search that takes no offence at an id that is none; the scope is tried before."""
        self.total(scope)
        jql = f"{scope} AND id in ({', '.join(ids)})"
        found: dict[str, RawIssue] = {}
        while True:
            answer = self._ask(jql, fields, len(ids), len(found), strict=False, expand=self._expand)
            rows, total = issues_in(answer, self._client.name), answer.total
            new = {str(each.id): each for each in rows if str(each.id) not in found}
            found |= new
            if isinstance(total, int) and len(found) >= total:
                return list(found.values())
            if not new:
                raise SourceError(
                    f"{self._client.name}: search: {total!r:.40} of {len(ids)} issues are told "
                    f"of, {len(found)} came"
                )

    def count(self, jql: str) -> int | None:
        """The total of a search that asks for nothing."""
        return self.total(jql)[0]

    def total(self, jql: str) -> tuple[int, bool]:
        """The same; it is exact."""
        total = self._ask(jql, ["id"], 0, 0).total
        if not isinstance(total, int) or isinstance(total, bool):
            raise SourceError(f"{self._client.name}: search: the answer does not say its total")
        return total, True

    def bare_ids(
        self,
        jql: str,  # noqa: ARG002 - whatever it is
    ) -> Iterator[list[str]] | None:
        """Never: a page holds a thousand either way."""
        return None

    def _ask(
        self,
        jql: str,
        fields: Sequence[str],
        size: int,
        start: int,
        *,
        strict: bool = True,
        expand: str = "",
    ) -> SearchAnswer[Any]:
        path = "/rest/api/2/search"
        asked: dict[str, Any] = {
            "jql": jql, "startAt": start, "maxResults": size, "validateQuery": strict,
        }  # fmt: skip
        try:
            if len(jql) > _LONGEST_ADDRESS:
                body = {"fields": list(fields), "expand": [expand] if expand else []}
                content = self._client.post(path, asked | body, self._reader)
                return self._client.answer(content, SearchAnswer, path)
            params = {name: str(value) for name, value in asked.items()}
            params |= {"validateQuery": str(strict).lower(), "fields": ",".join(fields)}
            params |= {"expand": expand} if expand else {}
            content = self._client.get(path, params, self._reader)
            return self._client.answer(content, SearchAnswer, path)
        except Refused as error:
            if error.status != _GONE:
                raise
            raise SourceError(
                f"{error}; the site is a Jira Cloud, and is spoken to as Data Center: "
                f"take connectors.{self._client.name}.deployment = 'server' out"
            ) from error


def _whole_log(issue: Any) -> list[Any] | None:
    """The entries of an issue's changelog; None where it is not all there."""
    log = issue.changelog if isinstance(issue, Issue) else None
    if not isinstance(log, Changelog) or not isinstance(log.histories, list):
        return None
    entries, total = log.histories, log.total
    if total is UNSET:
        total = len(entries)
    return entries if isinstance(total, int) and len(entries) >= total else None
