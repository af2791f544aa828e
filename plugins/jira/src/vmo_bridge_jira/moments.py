"""Jira's moments: as it writes them, and as its queries read them (by the minute, in a zone)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_WIDEST = timedelta(hours=12)
"""The zone that is furthest behind UTC: what is written in it is read later nowhere."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(text: object) -> datetime:
    """The moment of ``2026-11-16T15:45:00.000+0000``, or of milliseconds since 1970, in UTC."""
    if isinstance(text, int) and not isinstance(text, bool):
        try:
            return EPOCH + timedelta(milliseconds=text)
        except OverflowError:
            raise ValueError(text) from None
    if not isinstance(text, str):
        raise ValueError(text)
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise ValueError(text) from None


def tidy(text: object) -> object:
    """A moment as we keep it, in UTC whoever reads it; what is none stays as it is."""
    try:
        return moment(text).isoformat(timespec="milliseconds")
    except ValueError:
        return text


def millis(at: datetime) -> int:
    """Milliseconds since 1970."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def zone(name: object) -> ZoneInfo | None:
    """A zone by its name; None for one that this machine does not know."""
    try:
        return ZoneInfo(name) if isinstance(name, str) and name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def not_after(at: datetime, user_zone: ZoneInfo | None) -> str:
    """The latest minute that a query surely reads as a moment not after ``at``.

    Where clocks are put back a minute of the wall comes twice, and nobody says which one a query
    means: then an earlier one is taken that is clear. In an unknown zone it is half a day and
    more too early; what comes too much is left out by whoever asked.
    """
    if user_zone is None:
        return f"{at.astimezone(UTC) - _WIDEST:%Y-%m-%d %H:%M}"
    while True:
        wall = at.astimezone(user_zone).replace(second=0, microsecond=0, tzinfo=None)
        readings = [wall.replace(tzinfo=user_zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        if max(readings) <= at:
            return f"{wall:%Y-%m-%d %H:%M}"
        at -= timedelta(minutes=30)
