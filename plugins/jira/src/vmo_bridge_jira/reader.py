"""Read the issues of a slice by what changed when, so that rows that move meanwhile are not lost.

Each request asks for what was updated since the minute of the last row read, and what was read
before is left out; the site's own paging (tokens, offsets) is used inside one minute only, and
where rows still move. An issue that is edited meanwhile moves to the end, and is read there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from vmo_bridge.plugin import Page, RetryLater, Slice, SourceError, TooSlow
from vmo_bridge_jira import moments
from vmo_bridge_jira.flatten import flatten, parent_keys
from vmo_bridge_jira.search import Found, RawIssue, Search, WalkBroken
from vmo_bridge_jira.site import SYSTEM_FIELDS, Site

log = logging.getLogger(__name__)

_SMALLEST_PAGE = 10
_WALKS = 3
"""So many walks that bring nothing new, and the site's pages are not believed any more."""
_MOVING = timedelta(hours=1)
"""What changed so shortly ago may stand in the index where it stood before: no place is built on
it, and it is allowed to be out of order."""
_DAY_MS = 86_400_000
_MANY_ROWS = 50_000
"""So many rows are remembered, and those of days ago are forgotten: no request reaches back."""
_MOST_IDS = 100
"""Issues of one millisecond that a cursor names; beyond, some are read twice after a break."""


class IssueReader:
    """The pages of one slice."""

    def __init__(
        self,
        site: Site,
        search: Search,
        piece: Slice,
        *,
        name: str,
        scope: str,
        page_size: int,
    ) -> None:
        self._name = name
        self._site = site
        self._search = search
        self._scope = scope
        self._piece = piece
        self._size = page_size
        self._place = _Place(piece, site.now - _MOVING)
        self._ids: dict[str, str] = {}

    def pages(self) -> Iterator[Page]:
        """All pages from the slice's cursor on."""
        more: str | None = None
        first, walks, walked = True, 0, set[str | None]()
        while True:
            minute = self._place.minute
            walked = {more} if more is None else walked | {more}
            broken = False
            try:
                found = self._ask(more)
            except WalkBroken as error:
                log.info("%s: %s; beginning again behind the last row", self._name, error)
                found, broken = Found(issues=[], more=None), True
            fresh = self._place.take(found.issues, self._name)
            wanted = [each for each in fresh if self._place.wants(each)]
            if wanted:
                yield self._page(wanted, found.total if first and self._whole else None)
            first = False
            if found.more is None and not broken and (found.sure or not fresh):
                return
            if self._place.beyond(self._piece.until):
                return
            walks = 0 if fresh else walks
            more = None if self._place.minute != minute else found.more
            if found.more in walked:
                more = None
                walks += 1
            if walks > _WALKS:
                raise SourceError(
                    f"{self._name}: the pages of the search lead round in circles; "
                    "nothing new came, and it does not end"
                )

    @property
    def _whole(self) -> bool:
        return not (self._piece.since or self._piece.until or self._piece.cursor)

    def _ask(self, more: str | None) -> Found:
        """One page; where the site runs out of time a smaller one."""
        fields = [*SYSTEM_FIELDS, *self._site.roles.ids]
        jql = self._jql()
        while True:
            try:
                return self._search.page(jql, fields, self._size, more)
            except TooSlow as error:
                if self._size <= _SMALLEST_PAGE:
                    raise RetryLater(f"{error}; even {self._size} issues take too long") from error
                self._size = max(self._size // 2, _SMALLEST_PAGE)
                log.info("%s: %s; next page %d issues", self._name, error, self._size)

    def _jql(self) -> str:
        since = self._place.since
        parts = [self._scope]
        if since is not None:
            parts.append(f'updated >= "{moments.not_after(since, self._site.zone)}"')
        return " AND ".join(parts) + " ORDER BY updated ASC, key ASC"

    def _page(self, issues: Sequence[RawIssue], expected: int | None) -> Page:
        team = self._site.roles.team
        histories = self._search.histories(issues, ["status", *([team] if team else [])])
        self._learn(issues)
        records = [
            flatten(each, self._site, histories.get(str(each["id"])), self._ids) for each in issues
        ]
        return Page(
            records=records,
            cursor=self._place.cursor,
            newest=self._place.newest,
            expected=expected,
        )

    def _learn(self, issues: Sequence[RawIssue]) -> None:
        """The ids of the epics that issues of this page name by their keys."""
        self._ids |= {str(each.get("key")): str(each["id"]) for each in issues}
        missing = [key for key in parent_keys(issues, self._site) if key not in self._ids]
        if missing:
            found: Mapping[str, str] = self._search.ids(missing)
            self._ids |= dict.fromkeys(missing, "") | dict(found)


class _Place:
    """How far a read has come, and which rows it has seen."""

    def __init__(self, piece: Slice, moving_since: datetime) -> None:
        self._window = (piece.since, piece.until)
        self._moving = moments.millis(moving_since)
        self._at, self._resumed = _read_cursor(piece.cursor)
        self._resumed_at = self._at
        self._seen: set[tuple[str, int]] = set()
        self._most = _MANY_ROWS
        self.newest: datetime | None = None

    @property
    def since(self) -> datetime | None:
        """From where the next request asks."""
        at = moments.moment(self._at) if self._at else None
        since = self._window[0]
        return max(at, since) if at and since else at or since

    @property
    def minute(self) -> int:
        """The minute of the last row, by which requests differ."""
        return self._at // 60_000

    @property
    def cursor(self) -> str:
        """``<milliseconds>|<ids of the rows of that millisecond>``."""
        ids = sorted(key for key, at in self._seen if at == self._at)
        if self._at == self._resumed_at:
            ids = sorted({*ids, *self._resumed})
        return f"{self._at}|{','.join(ids[:_MOST_IDS])}"

    def take(self, issues: Sequence[RawIssue], name: str) -> list[RawIssue]:
        """Those that were not read yet; the place moves behind them."""
        fresh = []
        for issue in issues:
            key, at = str(issue["id"]), moments.millis(updated(issue, name))
            if (key, at) in self._seen or self._was_read(key, at):
                continue
            if at < self._at - _DAY_MS:
                raise SourceError(
                    f"{name}: the site does not keep to the order we asked for "
                    f"(issue {key} is a day older than the one before it)"
                )
            self._seen.add((key, at))
            if at <= self._moving:
                self._at = max(self._at, at)
            fresh.append(issue)
        if len(self._seen) > self._most:
            self._seen = {(key, at) for key, at in self._seen if at > self._at - 2 * _DAY_MS}
            self._most = max(_MANY_ROWS, 2 * len(self._seen))
        return fresh

    def wants(self, issue: RawIssue) -> bool:
        """Whether a row is of the slice: queries are by the minute, slices are exact."""
        at = updated(issue, "")
        since, until = self._window
        if (since and at < since) or (until and at >= until):
            return False
        self.newest = max(self.newest, at) if self.newest else at
        return True

    def beyond(self, until: datetime | None) -> bool:
        """Whether nothing that is still to come can be of the slice."""
        return until is not None and self._at - _DAY_MS >= moments.millis(until)

    def _was_read(self, key: str, at: int) -> bool:
        """Whether it was read before the break after which we go on."""
        return at < self._resumed_at or (at == self._resumed_at and key in self._resumed)


def updated(issue: RawIssue, name: str) -> datetime:
    """When an issue changed last; without that nothing can be read in order."""
    fields: Any = issue.get("fields")
    try:
        return moments.moment(fields.get("updated") if isinstance(fields, dict) else None)
    except ValueError:
        raise SourceError(
            f"{name}: issue {issue.get('id')!r:.40} comes without 'updated', or it is no moment"
        ) from None


def _read_cursor(cursor: str | None) -> tuple[int, frozenset[str]]:
    at, _, ids = (cursor or "0|").partition("|")
    return int(at), frozenset(filter(None, ids.split(",")))
