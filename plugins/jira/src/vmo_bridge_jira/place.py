"""How far a walk through issues has come, and which of them it has seen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from vmo_bridge.plugin import SourceError
from vmo_bridge_jira import moments
from vmo_bridge_jira.shapes import RawIssue

By = Literal["updated", "created"]
_DAY_MS = 86_400_000
_MANY_ROWS = 50_000
"""So many rows are remembered, and those of days ago are forgotten: no request reaches back."""
_MOST_IDS = 100
"""Issues of one millisecond that a cursor names; beyond, some are read twice after a break."""


class Place:
    """A place in the order of one moment; ``cursor`` as it gave it, ``window`` (since, until)."""

    def __init__(
        self,
        by: By,
        window: tuple[datetime | None, datetime | None],
        cursor: str | None,
        moving_since: datetime,
        name: str,
    ) -> None:
        self._by: By = by
        self._name = name
        self._window = window
        self._moving = moments.millis(moving_since)
        self._at, self._resumed = _read_cursor(cursor)
        self._resumed_at = self._at
        self._seen: set[tuple[str, int]] = set()
        self._last: set[str] = set()
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
        resumed = self._resumed if self._at == self._resumed_at else ()
        ids = sorted({*self._last, *resumed})
        return f"{self._at}|{','.join(ids[:_MOST_IDS])}"

    def take(self, issues: Sequence[RawIssue]) -> list[tuple[RawIssue, datetime]]:
        """Those that were not read yet, with their moments; the place moves behind them."""
        fresh = []
        for issue in issues:
            moment = stamp(issue, self._by, self._name)
            key, at = str(issue.id), moments.millis(moment)
            row = (key, at)
            if row in self._seen or self._was_read(key, at):
                continue
            if at < self._at - _DAY_MS:
                raise SourceError(
                    f"{self._name}: the site does not keep to the order we asked for "
                    f"(issue {key} is a day older than the one before it)"
                )
            self._seen.add(row)
            if self._at < at <= self._moving:
                self._at, self._last = at, set()
            if at == self._at:
                self._last.add(key)
            fresh.append((issue, moment))
        if len(self._seen) > self._most:
            self._seen = {(key, at) for key, at in self._seen if at > self._at - 2 * _DAY_MS}
            self._most = max(_MANY_ROWS, 2 * len(self._seen))
        return fresh

    def wants(self, at: datetime) -> bool:
        """Whether a row of then is of the slice: queries are by the minute, slices are exact."""
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


def stamp(issue: RawIssue, by: By, name: str) -> datetime:
    """When an issue was updated or created; without that nothing can be read in order."""
    try:
        return moments.moment(issue.values.get(by))
    except ValueError:
        raise SourceError(
            f"{name}: issue {issue.id!r:.40} comes without {by!r}, or it is no moment"
        ) from None


def _read_cursor(cursor: str | None) -> tuple[int, frozenset[str]]:
    at, _, ids = (cursor or "0|").partition("|")
    return int(at), frozenset(filter(None, ids.split(",")))
