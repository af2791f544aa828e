"""The agency's year: data span, working hours, busy and quiet days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from random import Random

#: The twelve months the agency's data spans; both ends belong to it.
DATA_START = datetime(2025, 11, 1, tzinfo=UTC)
DATA_END = datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)

#: The stories about satisfaction and hand-overs happen in the last days of the data.
STORY_DAYS = 150
STORY_START = DATA_END - timedelta(days=STORY_DAYS)

OPENS, CLOSES = time(8), time(18)
HOLIDAYS = frozenset(
    {
        date(2025, 11, 11), date(2025, 11, 27), date(2025, 12, 24), date(2025, 12, 25),
        date(2025, 12, 26), date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 19),
        date(2026, 2, 16), date(2026, 5, 25), date(2026, 6, 19), date(2026, 7, 3),
        date(2026, 9, 7), date(2026, 10, 12),
    }
)  # fmt: skip
_WEEKDAY = (1.25, 1.1, 1.0, 1.0, 0.85, 0.1, 0.06)
_HOUR = (
    1, 1, 1, 1, 1, 2, 8, 25, 70, 100, 95, 75, 50, 65, 85, 75, 55, 30, 12, 6, 4, 3, 2, 1,
)  # fmt: skip
_MONTH = {12: 0.85, 7: 0.88, 8: 0.85, 1: 1.1, 9: 1.1}


def is_working_day(day: date) -> bool:
    """Monday to Friday without holidays."""
    return day.weekday() < 5 and day not in HOLIDAYS


def moment(random: Random, start: datetime, end: datetime) -> datetime:
    """A moment between two, as often as people call at that day and hour."""
    days, weights = _days(start.date(), end.date())
    while True:
        day = random.choices(days, cum_weights=weights)[0]
        hour = random.choices(range(24), weights=_HOUR)[0]
        found = datetime.combine(
            day, time(hour, random.randrange(60), random.randrange(60)), tzinfo=UTC
        )
        if start <= found <= end:
            return found


@cache
def _days(first: date, last: date) -> tuple[list[date], list[float]]:
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    weights = [
        _WEEKDAY[day.weekday()] * _MONTH.get(day.month, 1.0) * (0.12 if day in HOLIDAYS else 1.0)
        for day in days
    ]
    return days, list(accumulate(weights))


def business_seconds(start: datetime, end: datetime) -> int:
    """Seconds within working hours between two moments."""
    total, day = 0.0, start.date()
    while day <= end.date():
        if is_working_day(day):
            opens = max(start, datetime.combine(day, OPENS, tzinfo=UTC))
            closes = min(end, datetime.combine(day, CLOSES, tzinfo=UTC))
            total += max((closes - opens).total_seconds(), 0)
        day += timedelta(days=1)
    return int(total)
