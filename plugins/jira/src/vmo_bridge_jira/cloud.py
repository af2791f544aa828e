"""Searches a Jira Cloud: pages by tokens, changelogs and single issues in bulk."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vmo_bridge.plugin import SourceError
from vmo_bridge_jira.client import JiraClient, NotThere, Refused
from vmo_bridge_jira.search import SWEPT, Found, WalkBroken, issues_in, list_of
from vmo_bridge_jira.shapes import (
    CHANGES,
    PLAIN,
    Changes,
    Entry,
    IssueChanges,
    RawIssue,
    Reader,
    SearchAnswer,
)

log = logging.getLogger(__name__)

_EMPTY_PAGES = 3
_MANY_CHANGES = 10_000
_MANY_IDS = 5000
_COUNTED = 100_000
"""So many issues are counted id by id (20 calls); of more it is only known roughly how many."""
_MOST_CALLS = 100
"""A sweep is told when each issue changed as long as that takes no more requests than this."""
_WALKS = 4
_RACES = 3


class CloudSearch:
    """``search/jql`` with tokens; changelogs by ``changelog/bulkfetch``.

    Version 2 of the search gives texts as texts, not as documents.
    """

    largest_page = _MANY_IDS
    most_named = 50

    def __init__(self, client: JiraClient, reader: Reader = PLAIN) -> None:
        """``reader`` decodes the issues."""
        self._client = client
        self._reader = reader

    def page(self, jql: str, fields: Sequence[str], size: int, more: str | None) -> Found:
        """A page without issues but with a token is stepped over, a few times."""
        for _ in range(_EMPTY_PAGES):
            body: dict[str, Any] = {"jql": jql, "maxResults": size, "fields": list(fields)}
            if more:
                body["nextPageToken"] = more
            answer = self._ask(body, more)
            issues = issues_in(answer, self._client.name)
            token = answer.next_page_token or None
            if token is None:
                # isLast is not always there, and not always right; a token is all that leads on.
                return Found(issues=issues, more=None, sure=answer.is_last is not False)
            if issues:
                return Found(issues=issues, more=str(token))
            if answer.is_last is True:
                return Found(issues=[], more=None)
            more = str(token)
        raise WalkBroken("the search gives one empty page after the other")

    def histories(self, issues: Sequence[RawIssue], fields: Sequence[str]) -> dict[str, Any]:
        """All changes of all issues of a page; an expanded search would cut them off."""
        found: dict[str, Any] = {str(issue.id): [] for issue in issues}
        body: dict[str, Any] = {
            "issueIdsOrKeys": list(found), "fieldIds": list(fields), "maxResults": _MANY_CHANGES,
        }  # fmt: skip
        path, seen = "/rest/api/3/changelog/bulkfetch", set[str]()
        while found:
            answer = self._client.answer(self._client.post(path, body, CHANGES), Changes, path)
            logs = list_of(
                IssueChanges, answer.issue_change_logs, "issueChangeLogs", self._client.name
            )
            for each in logs:
                entries = list_of(
                    Entry, each.change_histories, "changeHistories", self._client.name
                )
                found.setdefault(str(each.issue_id), []).extend(entries)
            token = answer.next_page_token
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
            found |= self._bulk(keys[start : start + 100])
        return found

    def _bulk(self, names: Sequence[str]) -> dict[str, str]:
        """Key to id of those that are there; of the others it tells beside them."""
        body = {"issueIdsOrKeys": list(names), "fields": ["id"]}
        path = "/rest/api/2/issue/bulkfetch"
        answer = self._client.answer(self._client.post(path, body, PLAIN), SearchAnswer, path)
        return {str(each.key): str(each.id) for each in issues_in(answer, path)}

    def count(self, jql: str) -> int | None:
        """Id by id, in pages of thousands: the site's own count is only roughly right."""
        if self.total(jql)[0] > _COUNTED:
            return None
        try:
            return sum(map(len, self._all_ids(jql)))
        except SourceError:
            return None

    def total(self, jql: str) -> tuple[int, bool]:
        """The site's own count, which it calls approximate."""
        path = "/rest/api/3/search/approximate-count"
        count = self._client.mapping(self._client.post(path, {"jql": jql}), path).get("count")
        if not isinstance(count, int) or isinstance(count, bool) or count < 0:
            raise SourceError(f"{self._client.name}: {path}: {count!r:.40} is no count")
        return count, False

    def bare_ids(self, jql: str) -> Iterator[list[str]] | None:
        """Pages of ids alone hold thousands, others perhaps a hundred: the site is tried."""
        try:
            first = self.page(jql, SWEPT, _MANY_IDS, None)
        except WalkBroken:
            return None
        if first.more is None or self.total(jql)[0] <= len(first.issues) * _MOST_CALLS:
            return None
        return self._all_ids(jql)

    def named(self, scope: str, ids: Sequence[str], fields: Sequence[str]) -> list[RawIssue]:
        """By a search that is told to look beyond its index (``reconcileIssues``).

        It refuses ids of issues that are gone, so first it is asked which are there.
        """
        for _ in range(_RACES):
            there = sorted(self._bulk(ids).values())
            if not there:
                return []
            body = {
                "jql": f"{scope} AND id in ({', '.join(there)})", "fields": list(fields),
                "maxResults": len(there), "reconcileIssues": [int(each) for each in there],
            }  # fmt: skip
            try:
                return self._all_of(body)
            except Refused as error:
                if error.status != 400:
                    raise
                refusal = error
        raise refusal  # each time one was gone in between, or the scope is refused

    def _all_of(self, body: dict[str, Any]) -> list[RawIssue]:
        """All pages of a search that finds a few issues."""
        found: dict[str, RawIssue] = {}
        tokens = set[str]()
        while True:
            answer = self._ask(body, None)
            found |= {str(each.id): each for each in issues_in(answer, self._client.name)}
            token = answer.next_page_token
            if not token:
                return list(found.values())
            if token in tokens:
                raise SourceError(f"{self._client.name}: search/jql: a page's token comes again")
            tokens.add(token)
            body["nextPageToken"] = token

    def _all_ids(self, jql: str) -> Iterator[list[str]]:
        """In an order that nothing changes; where tokens break it is begun anew."""
        seen = set[str]()
        for _ in range(_WALKS):
            try:
                yield from self._walk(f"{jql} ORDER BY created ASC, key ASC", seen)
            except WalkBroken as error:
                log.info("%s: %s; beginning again", self._client.name, error)
            else:
                return
        raise SourceError(
            f"{self._client.name}: the pages of the search lead round in circles; it does not end"
        )

    def _walk(self, jql: str, seen: set[str]) -> Iterator[list[str]]:
        more, tokens = None, set[str]()
        while True:
            found = self.page(jql, ["id"], _MANY_IDS, more)
            fresh = [key for each in found.issues if (key := str(each.id)) not in seen]
            seen.update(fresh)
            yield fresh
            if found.more is None and found.sure:
                return
            if found.more is None or found.more in tokens:
                raise WalkBroken("a page's token comes again, or is missing before the end")
            tokens.add(found.more)
            more = found.more

    def _ask(self, body: Mapping[str, Any], more: str | None) -> SearchAnswer[Any]:
        path = "/rest/api/2/search/jql"
        try:
            content = self._client.post(path, body, self._reader)
            return self._client.answer(content, SearchAnswer, path)
        except NotThere as error:
            raise NotThere(
                f"{error}; is it a Jira Data Center? "
                f"connectors.{self._client.name}.deployment says 'cloud', or the site does"
            ) from error
        except Refused as error:
            if more and error.status == 400:
                raise WalkBroken(str(error)) from error  # tokens end after some days
            raise
