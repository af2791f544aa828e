"""Counts what a query finds between two moments, and says how exactly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from vmo_bridge.plugin import SourceError, Tally
from vmo_bridge_jira import moments
from vmo_bridge_jira.place import stamp
from vmo_bridge_jira.search import Search, WalkBroken

Window = tuple[datetime | None, datetime | None]


class Counter:
    """Counts issues of a scope by when they were updated."""

    def __init__(self, search: Search, scope: str, zone: ZoneInfo | None, *, name: str) -> None:
        self._search = search
        self._scope = scope
        self._zone = zone
        self._name = name

    def tallies(self, windows: Sequence[Window]) -> list[Tally]:
        """One for each window; none at all where its end cannot be named in an unknown zone."""
        if self._zone is None and any(map(any, windows)):
            return []
        return [self._tally(window) for window in windows]

    def count(self, window: Window) -> tuple[int, bool]:
        """How many, and whether that is exact.

        A minute that comes twice when clocks are put back cannot be asked for: then the window is
        widened, by two hours at most, and the count is not exact.
        """
        count, exact = self._search.total(self._jql(window))
        return count, exact and all(moments.is_clear(end, self._zone) for end in window)

    def edge(self, window: Window, *, latest: bool) -> datetime | None:
        """The latest or the earliest change in a window, in whole seconds; None: not found."""
        jql = f"{self._jql(window)} ORDER BY updated {'DESC' if latest else 'ASC'}"
        try:
            issues = self._search.page(jql, ["updated"], 1, None).issues
        except WalkBroken as error:
            raise SourceError(f"{self._name}: {error}") from error
        if not issues:
            return None
        found = stamp(issues[0], "updated", self._name)
        (since, until) = window
        inside = (since is None or found >= since) and (until is None or found < until)
        return found.replace(microsecond=0) if inside else None

    def _tally(self, window: Window) -> Tally:
        count, exact = self.count(window)
        newest = self.edge(window, latest=True) if count or not exact else None
        return Tally(
            since=window[0], until=window[1], count=count, newest=newest, approximate=not exact
        )

    def _jql(self, window: Window) -> str:
        return " AND ".join([self._scope, *moments.between("updated", window, self._zone)])
