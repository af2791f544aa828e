"""The windows a KPI is measured in: closed calendar months, and the last 90 days. UTC, pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ROLLING_DAYS = 90


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time; ``start`` belongs to it, ``end`` does not. Both are aware."""

    name: str
    """``2026-10`` for a calendar month, ``last-90-days`` for the rolling one."""
    start: datetime
    end: datetime


def windows(as_of: datetime, *, since: datetime | None = None, months: int = 12) -> list[Window]:
    """All windows to measure: the complete calendar months, oldest first, then the rolling one."""
    return [*calendar_months(as_of, since=since, count=months), rolling(as_of)]


def calendar_months(
    as_of: datetime, *, since: datetime | None = None, count: int = 12
) -> list[Window]:
    """The last ``count`` months (UTC) that ended by ``as_of``, oldest first.

    Fewer where data begins later: a month that began before ``since`` is not complete, and left
    out. None: data has no known beginning.
    """
    end = _month_start(_utc(as_of))
    first = datetime.min.replace(tzinfo=UTC) if since is None else _utc(since)
    found: list[Window] = []
    while len(found) < count:
        start = _month_start(end - timedelta(days=1))
        if start < first:
            break
        found.append(Window(f"{start:%Y-%m}", start, end))
        end = start
    return found[::-1]


def rolling(as_of: datetime, *, days: int = ROLLING_DAYS) -> Window:
    """The last ``days`` times 24 hours before ``as_of``, to the second."""
    end = _utc(as_of)
    return Window(f"last-{days}-days", end - timedelta(days=days), end)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone")
    return moment.astimezone(UTC)


def _month_start(moment: datetime) -> datetime:
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
