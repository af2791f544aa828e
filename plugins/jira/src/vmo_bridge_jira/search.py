"""The two searches behind one face: by tokens on the Cloud, by offsets on Data Center."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vmo_bridge.plugin import AccessError, SourceError
from vmo_bridge_jira.client import JiraClient, Refused

RawIssue = dict[str, Any]
_EMPTY_PAGES = 3
_LONGEST_ADDRESS = 1500
_MANY_CHANGES = 1000
_MANY_IDS = 5000
_COUNTED = 100_000
"""So many issues are counted id by id (20 calls); of more it is only known roughly how many."""


class WalkBroken(Exception):
    """Inside only: this walk through the pages cannot be gone on with; a new one may begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of a search. ``more`` leads to the next, None: there is none.

    ``sure`` is False where the site contradicts itself about it. A ``more`` that is the one that
    was asked with leads nowhere.
    """

    issues: list[RawIssue]
    more: str | None
    total: int | None = None
    sure: bool = True


class Search(Protocol):
    """How a deployment is searched."""

    def page(self, jql: str, fields: Sequence[str], size: int, more: str | None) -> Found:
        """One page; ``WalkBroken`` where ``more`` does not lead on."""
        ...

    def histories(self, issues: Sequence[RawIssue], fields: Sequence[str]) -> dict[str, Any]:
        """Changes of these fields by issue id, whole; an issue whose changes are hidden is not in.

        ``fields`` are ids; the entries are as the site tells them.
        """
        ...

    def ids(self, keys: Sequence[str]) -> dict[str, str]:
        """Key to id of the issues that are there."""
        ...

    def count(self, jql: str) -> int | None:
        """How many there are, exactly; None where that would take too long."""
        ...


class CloudSearch:
    """``search/jql`` with tokens; changelogs by ``changelog/bulkfetch``.

    Version 2 of the search gives texts as texts, not as documents.
    """

    def __init__(self, client: JiraClient) -> None:
        self._client = client

    def page(self, jql: str, fields: Sequence[str], size: int, more: str | None) -> Found:
        """A page without issues but with a token is stepped over, a few times."""
        for _ in range(_EMPTY_PAGES):
            body: dict[str, Any] = {"jql": jql, "maxResults": size, "fields": list(fields)}
            if more:
                body["nextPageToken"] = more
            content = self._ask(body, more)
            issues = _issues(content, self._client.name)
            token = content.get("nextPageToken") or None
            if token is None:
                # isLast is not always there, and not always right; a token is all that leads on.
                return Found(issues=issues, more=None, sure=content.get("isLast") is not False)
            if issues:
                return Found(issues=issues, more=str(token))
            if content.get("isLast") is True:
                return Found(issues=[], more=None)
            more = str(token)
        raise WalkBroken("the search gives one empty page after the other")

    def histories(self, issues: Sequence[RawIssue], fields: Sequence[str]) -> dict[str, Any]:
        """All changes of all issues of a page; an expanded search would cut them off."""
        found: dict[str, Any] = {str(issue["id"]): [] for issue in issues}
        body: dict[str, Any] = {
            "issueIdsOrKeys": list(found), "fieldIds": list(fields), "maxResults": _MANY_CHANGES,
        }  # fmt: skip
        path, seen = "/rest/api/3/changelog/bulkfetch", set[str]()
        while found:
            content = self._client.mapping(self._client.post(path, body), path)
            for log in _list(content, "issueChangeLogs", self._client.name):
                entries = _list(log, "changeHistories", self._client.name)
                found.setdefault(str(log.get("issueId")), []).extend(entries)
            token = content.get("nextPageToken")
            if not token:
                break
            if token in seen:
                raise SourceError(f"{self._client.name}: {path}: a page's token comes again")
            seen.add(token)
            body["nextPageToken"] = token
        return found

    def ids(self, keys: Sequence[str]) -> dict[str, str]:
        """By ``issue/bulkfetch``, a hundred at a time."""
        found: dict[str, str] = {}
        for start in range(0, len(keys), 100):
            body = {"issueIdsOrKeys": list(keys[start : start + 100]), "fields": ["id"]}
            content = self._client.mapping(
                self._client.post("/rest/api/2/issue/bulkfetch", body), "issue/bulkfetch"
            )
            found |= {str(each["key"]): str(each["id"]) for each in _issues(content, "bulkfetch")}
        return found

    def count(self, jql: str) -> int | None:
        """Id by id, in pages of thousands: the site's own count is only roughly right."""
        path = "/rest/api/3/search/approximate-count"
        roughly = self._client.mapping(self._client.post(path, {"jql": jql}), path).get("count")
        if not isinstance(roughly, int) or roughly > _COUNTED:
            return None
        count, more, tokens = 0, None, set[str]()
        while True:
            try:
                found = self.page(jql, ["id"], _MANY_IDS, more)
            except WalkBroken:
                return None
            count += len(found.issues)
            if found.more is None:
                return count if found.sure else None
            if found.more in tokens:
                return None
            tokens.add(found.more)
            more = found.more

    def _ask(self, body: Mapping[str, Any], more: str | None) -> dict[str, Any]:
        path = "/rest/api/2/search/jql"
        try:
            return self._client.mapping(self._client.post(path, body), path)
        except Refused as error:
            if more and error.status == 400:
                raise WalkBroken(str(error)) from error  # tokens end after some days
            raise


class ServerSearch:
    """``search`` with offsets, each page half over the last: rows move while one reads."""

    def __init__(self, client: JiraClient) -> None:
        self._client = client
        self._last: set[str] = set()

    def page(self, jql: str, fields: Sequence[str], size: int, more: str | None) -> Found:
        """From an offset on; a page has to begin with what the last one held."""
        start = int(more or 0)
        content = self._ask(jql, fields, size, start)
        issues = _issues(content, self._client.name)
        total = content.get("total")
        if not isinstance(total, int):
            raise SourceError(f"{self._client.name}: search: the answer does not say its total")
        ids = [str(issue.get("id")) for issue in issues]
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
                entries = self._single_log(str(issue.get("key")))
            if entries is not None:
                found[str(issue.get("id"))] = entries
        return found

    def _single_log(self, key: str) -> list[Any] | None:
        path = f"/rest/api/2/issue/{key}"
        try:
            return _whole_log(self._client.get(path, {"fields": "id", "expand": "changelog"}))
        except AccessError:
            return None  # deleted or hidden since it was listed

    def ids(self, keys: Sequence[str]) -> dict[str, str]:
        """By a search that takes no offence at a key that is none."""
        found: dict[str, str] = {}
        for start in range(0, len(keys), 100):
            part = keys[start : start + 100]
            jql = f"key in ({', '.join(part)})"
            content = self._ask(jql, ["id"], len(part), 0, strict=False, expand="")
            found |= {str(e["key"]): str(e["id"]) for e in _issues(content, self._client.name)}
        return found

    def count(self, jql: str) -> int | None:
        """The total of a search that asks for nothing."""
        total = self._ask(jql, ["id"], 0, 0, expand="").get("total")
        return total if isinstance(total, int) else None

    def _ask(
        self,
        jql: str,
        fields: Sequence[str],
        size: int,
        start: int,
        *,
        strict: bool = True,
        expand: str = "changelog",
    ) -> dict[str, Any]:
        path = "/rest/api/2/search"
        if len(jql) > _LONGEST_ADDRESS:
            body: dict[str, Any] = {
                "jql": jql, "startAt": start, "maxResults": size, "fields": list(fields),
                "validateQuery": strict, "expand": [expand] if expand else [],
            }  # fmt: skip
            return self._client.mapping(self._client.post(path, body), path)
        params = {
            "jql": jql, "startAt": str(start), "maxResults": str(size), "fields": ",".join(fields),
            "validateQuery": str(strict).lower(),
        }  # fmt: skip
        if expand:
            params["expand"] = expand
        return self._client.mapping(self._client.get(path, params), path)


def _whole_log(issue: Any) -> list[Any] | None:
    """The entries of an issue's changelog; None where it is not all there."""
    log = issue.get("changelog") if isinstance(issue, dict) else None
    entries = log.get("histories") if isinstance(log, dict) else None
    if not isinstance(entries, list) or not isinstance(log, dict):
        return None
    total = log.get("total", len(entries))
    return entries if isinstance(total, int) and len(entries) >= total else None


def _issues(content: Mapping[str, Any], name: str) -> list[RawIssue]:
    rows = _list(content, "issues", name)
    if not all(row.get("id") for row in rows):
        raise SourceError(f"{name}: search: an issue comes without an id")
    return rows


def _list(content: Mapping[str, Any], part: str, name: str) -> list[dict[str, Any]]:
    rows = content.get(part)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceError(f"{name}: the answer has no list of {part}")
    return rows
