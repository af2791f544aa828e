"""Walks through what a query finds in the order of a moment, so that what moves loses nothing.

Each request asks for what was updated (or created) since the minute of the last row, and what came
before is left out; the site's own paging (tokens, offsets) is used inside one minute only, and
where rows still move. An issue that is edited meanwhile moves to the end, and is met there.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from vmo_bridge.plugin import RetryLater, SourceError, TooSlow
from vmo_bridge_jira import moments
from vmo_bridge_jira.place import By, Place
from vmo_bridge_jira.search import Found, Search, WalkBroken
from vmo_bridge_jira.shapes import RawIssue

log = logging.getLogger(__name__)

_SMALLEST_PAGE = 10
_WALKS = 3
"""So many walks that bring nothing new, and the site's pages are not believed any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What is walked through, and in which order."""

    scope: str
    by: By
    fields: Sequence[str]
    zone: ZoneInfo | None
    window: tuple[datetime | None, datetime | None] = (None, None)
    """(since, until), the end exclusive."""
    cursor: str | None = None
    """Where an earlier walk had come to."""
    moving_since: datetime
    """What carries a later moment may stand in the index where it stood before."""


class Walk:
    """One walk; ``size`` issues a request, fewer once the site ran out of time."""

    def __init__(self, search: Search, route: Route, *, name: str, size: int) -> None:
        self.size = size
        self._search = search
        self._route = route
        self._name = name
        self._place = Place(route.by, route.window, route.cursor, route.moving_since, name)

    @property
    def cursor(self) -> str:
        """Goes on behind what was met last."""
        return self._place.cursor

    @property
    def newest(self) -> datetime | None:
        """The latest moment of what was met."""
        return self._place.newest

    def batches(self) -> Iterator[tuple[list[RawIssue], int | None]]:
        """What is met for the first time and within the window; with the first, the site's total.

        Raises ``SourceError`` where the pages lead round in circles or keep to no order.
        """
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
            fresh = self._place.take(found.issues)
            wanted = [issue for issue, at in fresh if self._place.wants(at)]
            if wanted:
                yield wanted, found.total if first and self._whole else None
            first = False
            if found.more is None and not broken and (found.sure or not fresh):
                return
            if self._place.beyond(self._route.window[1]):
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
        return not (any(self._route.window) or self._route.cursor)

    def _ask(self, more: str | None) -> Found:
        """One page; where the site runs out of time a smaller one."""
        jql = self._jql()
        while True:
            try:
                return self._search.page(jql, self._route.fields, self.size, more)
            except TooSlow as error:
                if self.size <= _SMALLEST_PAGE:
                    raise RetryLater(f"{error}; even {self.size} issues take too long") from error
                self.size = max(self.size // 2, _SMALLEST_PAGE)
                log.info("%s: %s; next page %d issues", self._name, error, self.size)

    def _jql(self) -> str:
        by, zone = self._route.by, self._route.zone
        window = moments.between(by, (self._place.since, self._route.window[1]), zone)
        return " AND ".join([self._route.scope, *window]) + f" ORDER BY {by} ASC, key ASC"
