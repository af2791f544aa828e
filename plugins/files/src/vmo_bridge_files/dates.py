"""Moments from cells: dates in many spellings, local times, and what summer time does to them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from vmo_bridge_files.table import Cell

_TIME = (
    r"(?:[ T,]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<part>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*(?P<zone>Z|UTC|GMT|(?:UTC|GMT)?[+-]\d{1,2}(?::?\d\d)?)?)?"
)
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}})[-/.](?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}}){_TIME}")
_YEAR_LAST = re.compile(rf"(?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}})[-/.](?P<year>\d\d|\d{{4}}){_TIME}")
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d\d)?$")
_NUMBER = re.compile(r"\d{1,7}(?:\.\d+)?")
_NOON = time(12)
_EARLIEST, _LATEST = 1980, 2100
"""Outside of these years a cell holds no moment of a survey, but a number or a slip."""
DAY_ZERO = {1900: datetime(1899, 12, 30), 1904: datetime(1904, 1, 1)}  # noqa: DTZ001 - local
"""What Excel counts days from, in its two systems (ECMA-376, 18.17.4.1)."""

AMBIGUOUS = "dates that could be meant day first or month first, read as declared"
SKIPPED = "times in the hour that summer time leaves out, read as one hour later"
TWICE = "times in the hour that comes twice as summer time ends, read as the first"


class NoMoment(ValueError):
    """A cell that holds no moment; the message says why, behind the cell's own text."""


class NoZone(NoMoment):
    """A local time, and nobody says of where."""


class Times:
    """Reads the moments of one file.

    A day without a time is taken as noon there: so it is the same day in UTC. What had to be
    chosen is counted in ``told``, never silent.
    """

    def __init__(
        self, zone: ZoneInfo | None, dates: str | Sequence[str], *, system: int = 1900
    ) -> None:
        self._zone = zone
        self._system = system
        self._style = dates if isinstance(dates, str) else ""
        self._formats = () if isinstance(dates, str) else tuple(dates)
        self.told: Counter[str] = Counter()

    def moment(self, cell: Cell) -> datetime:
        """The moment (UTC) in a cell; raises ``NoMoment``."""
        if isinstance(cell, bool) or not isinstance(cell, (str, int, float, date, datetime)):
            raise NoMoment("is no date")
        if isinstance(cell, str):
            local = self._from_text(cell.strip())
        elif isinstance(cell, (int, float)):
            local = _from_serial(cell, self._system)
        else:
            local = _at(cell)
        if not _EARLIEST <= local.year <= _LATEST:
            raise NoMoment(f"is no date between {_EARLIEST} and {_LATEST}")
        return self._utc(local)

    def _from_text(self, text: str) -> datetime:
        if self._formats:
            return self._from_formats(text)
        if self._style.startswith("excel") and _NUMBER.fullmatch(text):
            return _from_serial(float(text), 1904 if self._style == "excel-1904" else 1900)
        if found := _YEAR_FIRST.fullmatch(text):
            return _made(found, int(found["year"]), int(found["a"]), int(found["b"]))
        found = _YEAR_LAST.fullmatch(text)
        if found is None or self._style in ("iso", "excel", "excel-1904"):
            raise NoMoment(f"is no date ({self._style})")
        a, b = int(found["a"]), int(found["b"])
        day_first = self._style.endswith("day-first")
        if self._style.startswith("mixed"):
            if a > 12 or b > 12:
                day_first = a > 12
            elif a != b:
                self.told[AMBIGUOUS] += 1
        year = int(found["year"]) + (2000 if len(found["year"]) == 2 else 0)
        return _made(found, year, b if day_first else a, a if day_first else b)

    def _from_formats(self, text: str) -> datetime:
        read = []
        for each in self._formats:
            try:
                moment = datetime.strptime(text, each)  # noqa: DTZ007 - the zone comes below
            except ValueError:
                continue
            timed = any(part in each for part in ("%H", "%I", "%X", "%c", "%T", "%R"))
            read.append(moment if timed else datetime.combine(moment.date(), _NOON))
        if not read:
            raise NoMoment(f"is no date (it fits none of {', '.join(self._formats)})")
        if len({moment.date() for moment in read}) > 1:
            self.told[AMBIGUOUS] += 1
        return read[0]

    def _utc(self, local: datetime) -> datetime:
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        if self._zone is None:
            raise NoZone("names no time zone; set time_zone for its form")
        moment = local.replace(tzinfo=self._zone)
        utc = moment.astimezone(UTC)
        if utc.astimezone(self._zone).replace(tzinfo=None) != local:
            self.told[SKIPPED] += 1
        elif moment.utcoffset() != moment.replace(fold=1).utcoffset():
            self.told[TWICE] += 1
        return utc


def _from_serial(number: float, system: int) -> datetime:
    """The local moment of an Excel serial number; a whole one is a day."""
    try:
        moment = DAY_ZERO[system] + timedelta(days=number)
    except (OverflowError, ValueError):
        raise NoMoment("is no date, but a number") from None
    if moment.year < _EARLIEST:
        raise NoMoment("is no date, but a number")
    if float(number).is_integer():
        return datetime.combine(moment.date(), _NOON)
    # A serial is a float: its seconds are right, its microseconds are rounding.
    return (moment + timedelta(microseconds=500_000)).replace(microsecond=0)


def _at(cell: date) -> datetime:
    return cell if isinstance(cell, datetime) else datetime.combine(cell, _NOON)


def _made(found: re.Match[str], year: int, month: int, day: int) -> datetime:
    try:
        if found["hour"] is None:
            return datetime.combine(date(year, month, day), _NOON)
        hour = int(found["hour"])
        if half := found["half"]:
            if not 1 <= hour <= 12:
                raise NoMoment("is no time of a clock with am and pm")
            hour = hour % 12 + (12 if half[0] in "Pp" else 0)
        part = int((found["part"] or "0")[:6].ljust(6, "0"))
        minute, second = int(found["minute"]), int(found["second"] or 0)
        return datetime(year, month, day, hour, minute, second, part, tzinfo=_offset(found["zone"]))
    except ValueError as error:
        raise error if isinstance(error, NoMoment) else NoMoment("is no date") from None


def _offset(zone: str | None) -> timezone | None:
    if zone is None:
        return None
    found = _OFFSET.search(zone)
    if found is None:
        return UTC
    offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    return timezone(-offset if found["sign"] == "-" else offset)
