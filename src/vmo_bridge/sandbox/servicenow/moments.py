"""Date-times of the platform: UTC text inside, the caller's zone for display and gs functions."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

FORMAT = "%Y-%m-%d %H:%M:%S"
_GENERATE = re.compile(r"javascript:gs\.dateGenerate\(['\"]([^'\"]*)['\"],\s*['\"]([^'\"]*)['\"]\)")
_DAYS_AGO = re.compile(r"javascript:gs\.(daysAgo|daysAgoStart|daysAgoEnd)\((-?\d+)\)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def text(moment: datetime) -> str:
    """An aware moment as the platform stores it."""
    return moment.astimezone(UTC).isoformat(" ", "seconds")[:19]


def read(value: str) -> datetime | None:
    """A stored value as an aware moment; None when it is none."""
    try:
        return datetime.strptime(value, FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None


def shown(value: str, zone: ZoneInfo) -> str:
    """A stored value in the user's zone."""
    moment = read(value)
    return value if moment is None else moment.astimezone(zone).strftime(FORMAT)


def taken(value: str, zone: ZoneInfo) -> str:
    """A value typed in the user's zone as the platform stores it."""
    moment = read(value)
    return value if moment is None else text(moment.replace(tzinfo=zone))


def evaluated(value: str, zone: ZoneInfo, now: datetime) -> str | None:
    """A query's date value: literals are UTC already, ``javascript:`` runs in the user's zone.

    None for a script this instance does not know.
    """
    if not value.startswith("javascript:"):
        return value
    if match := _GENERATE.fullmatch(value):
        return taken(f"{match[1]} {match[2]}", zone)
    if match := _DAYS_AGO.fullmatch(value):
        day = now.astimezone(zone) - timedelta(days=int(match[2]))
        if match[1] == "daysAgo":
            return text(day)
        edge = time(0, 0, 0) if match[1] == "daysAgoStart" else time(23, 59, 59)
        return text(datetime.combine(day.date(), edge, tzinfo=zone))
    return None


def duration(seconds: float) -> str:
    """A length of time as the platform stores it: a date-time counted from 1970."""
    return text(_EPOCH + timedelta(seconds=int(seconds)))


def seconds(value: str) -> int:
    """The seconds of a stored duration; 0 when empty."""
    moment = read(value)
    return 0 if moment is None else int((moment - _EPOCH).total_seconds())


def spoken(value: str) -> str:
    """A stored duration in words, as a form shows it."""
    total = seconds(value)
    names = ((86400, "Day"), (3600, "Hour"), (60, "Minute"))
    words = []
    for size, name in names:
        count, total = divmod(total, size)
        if count:
            words.append(f"{count} {name}{'' if count == 1 else 's'}")
    if not words:
        words.append(f"{total} Second{'' if total == 1 else 's'}")
    return " ".join(words)
