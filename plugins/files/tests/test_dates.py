"""Dates in the spellings that exports hold, zones, and the hours that summer time bends."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.plugin import SourceError
from vmo_bridge_files.dates import AMBIGUOUS, SKIPPED, TWICE, NoMoment, NoZone, Times

NEW_YORK = ZoneInfo("America/New_York")
LONDON = ZoneInfo("Europe/London")
UTC_ZONE = ZoneInfo("UTC")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("dates", "text", "moment"),
    [
        ("iso", "2026-11-24 10:15:30", "2026-11-24 15:15:30"),
        ("iso", "2026-11-24T10:15", "2026-11-24 15:15:00"),
        ("iso", "2026-11-24T10:15:30.250Z", "2026-11-24 10:15:30.250"),
        ("iso", "2026-11-24T10:15:30+05:30", "2026-11-24 04:45:30"),
        ("iso", "2026-11-24", "2026-11-24 17:00:00"),
        ("iso", "2026/11/24 10:15:30 AM GMT-5", "2026-11-24 15:15:30"),
        ("iso", "2026/11/24 10:15:30 PM GMT+5:30", "2026-11-24 16:45:30"),
        ("iso", "2026/11/24 12:15:30 AM", "2026-11-24 05:15:30"),
        ("iso", "2026-11-24 10:15:30 UTC", "2026-11-24 10:15:30"),
        ("day-first", "24/11/2026 10:15", "2026-11-24 15:15:00"),
        ("day-first", "24.11.26, 10:15", "2026-11-24 15:15:00"),
        ("day-first", "03-04-2026", "2026-04-03 16:00:00"),
        ("day-first", "2026-11-24 10:15", "2026-11-24 15:15:00"),
        ("month-first", "11/24/2026 1:05:00 p.m.", "2026-11-24 18:05:00"),
        ("month-first", "3/4/26 01:05", "2026-03-04 06:05:00"),
        ("mixed-day-first", "11/24/2026", "2026-11-24 17:00:00"),
        ("mixed-day-first", "24/11/2026", "2026-11-24 17:00:00"),
        ("mixed-day-first", "03/04/2026", "2026-04-03 16:00:00"),
        ("mixed-month-first", "03/04/2026", "2026-03-04 17:00:00"),
        ("excel", "46350.5", "2026-11-24 17:00:00"),
        ("excel-1904", "44888.5", "2026-11-24 17:00:00"),
        (["%d %b %Y", "%d/%m/%Y %H:%M"], "24 Nov 2026", "2026-11-24 17:00:00"),
        (["%d %b %Y", "%d/%m/%Y %H:%M"], "24/11/2026 00:00", "2026-11-24 05:00:00"),
    ],
)
def test_dates_are_read(dates: str | list[str], text: str, moment: str) -> None:
    assert Times(NEW_YORK, dates).moment(text) == utc(moment)


@pytest.mark.parametrize(
    ("dates", "cell"),
    [
        ("iso", "24/11/2026"), ("iso", "soon"), ("iso", "2026-02-30"), ("iso", "2026-11-24 25:00"),
        ("iso", "2026-11-24 13:00 PM"), ("iso", "46350"), ("iso", "0026-11-24"),
        ("day-first", "11/24/2026"), ("month-first", "24/11/2026"), ("mixed-day-first", "24/24/26"),
        ("mixed-day-first", "yesterday"), (["%d/%m/%Y"], "2026-11-24"), ("iso", True), ("iso", 5),
        ("iso", 9e99), ("iso", time(12)), ("iso", timedelta(days=1)), ("iso", None),
        ("iso", datetime(1970, 1, 1, tzinfo=UTC)), ("excel", "5"),
    ],
)  # fmt: skip
def test_what_is_no_date_is_refused(dates: str | list[str], cell: object) -> None:
    with pytest.raises(NoMoment, match="is no "):
        Times(NEW_YORK, dates).moment(cell)


def test_a_day_without_a_time_is_the_same_day_in_utc() -> None:
    for zone in ("America/New_York", "Europe/London", "Asia/Tokyo", "Pacific/Honolulu"):
        assert Times(ZoneInfo(zone), "iso").moment("2026-10-01").date() == date(2026, 10, 1)
        assert Times(ZoneInfo(zone), "iso").moment(date(2026, 10, 1)).date() == date(2026, 10, 1)


def test_what_could_be_two_dates_is_counted() -> None:
    times = Times(LONDON, "mixed-day-first")
    for text in ("03/04/2026", "04/04/2026", "13/04/2026", "04/13/2026", "2026-03-04"):
        times.moment(text)
    assert times.told == {AMBIGUOUS: 1}
    several = Times(LONDON, ["%d/%m/%Y", "%m/%d/%Y"])
    assert several.moment("03/04/2026").date() == date(2026, 4, 3)
    assert several.moment("04/13/2026").date() == date(2026, 4, 13)
    assert several.told == {AMBIGUOUS: 1}


def test_the_hour_that_summer_time_leaves_out_is_read_an_hour_later_and_counted() -> None:
    times = Times(NEW_YORK, "iso")
    assert times.moment("2026-03-08 02:30:00") == utc("2026-03-08 07:30:00")
    assert times.moment("2026-03-08 03:30:00") == utc("2026-03-08 07:30:00")
    assert times.told == {SKIPPED: 1}


def test_the_hour_that_comes_twice_is_read_as_the_first_and_counted() -> None:
    times = Times(NEW_YORK, "iso")
    assert times.moment("2026-11-01 01:30:00") == utc("2026-11-01 05:30:00")
    assert times.moment("2026-11-01 00:59:59") == utc("2026-11-01 04:59:59")
    assert times.told == {TWICE: 1}


def test_serial_numbers_count_from_the_workbook_s_own_beginning() -> None:
    assert Times(UTC_ZONE, "iso").moment(46350) == utc("2026-11-24 12:00:00")
    assert Times(UTC_ZONE, "iso").moment(46350.427083333) == utc("2026-11-24 10:15:00")
    assert Times(UTC_ZONE, "iso", system=1904).moment(44888.25) == utc("2026-11-24 06:00:00")


def test_a_local_time_needs_a_zone_and_one_with_a_zone_does_not() -> None:
    assert Times(None, "iso").moment("2026-11-24T10:15:30Z") == utc("2026-11-24 10:15:30")
    with pytest.raises(NoZone, match="names no time zone; set time_zone"):
        Times(None, "iso").moment("2026-11-24T10:15:30")


def test_a_file_of_local_times_is_refused_without_a_zone(connect, drop, seen) -> None:
    drop.csv("onboarding.csv", drop.rows(1))
    with pytest.raises(SourceError, match=r"'Completion time' .*names no time zone; set time_zone"):
        seen.raw(connect(time_zone=None))


def test_what_had_to_be_chosen_is_told_of_the_file(connect, drop, sync) -> None:
    rows = drop.rows(1, 2, 3)
    rows[1][1], rows[2][1], rows[3][1] = "03/04/2026", "13/04/2026", "01/12/2026 01:30"
    drop.csv("onboarding.csv", rows)
    assert sync(connect(dates="mixed-day-first"))["onboarding"].notes == [
        f"onboarding.csv: {AMBIGUOUS}: 2"
    ]
    rows[2][1] = "11/13/2026"
    drop.csv("onboarding.csv", rows, old=60)
    told = sync(connect(dates="mixed-month-first"))["onboarding"].notes
    assert told == [f"onboarding.csv: {AMBIGUOUS}: 2"]


def test_a_date_that_is_none_costs_its_row_and_is_told_by_place(connect, drop, seen) -> None:
    rows = drop.rows(1, 2)
    rows[1][1] = "32/01/2026"
    drop.csv("onboarding.csv", rows)
    (reason,) = seen.refused(connect(dates="day-first"))
    assert reason == (
        "problem: onboarding.csv, line 2: column 'Completion time' (answered_at): '32/01/2026' "
        "is no date"
    )
    assert len(seen.feedback(connect(dates="day-first"))) == 1


def test_a_wrong_column_is_not_repeated_in_the_error(connect, drop, seen) -> None:
    drop.csv("onboarding.csv", drop.rows(1))
    (reason,) = seen.refused(connect(answered_at="Comment"))
    assert "column 'Comment' (answered_at): its text is no date" in reason
    assert "fine" not in reason


@given(
    seconds=st.integers(600_000_000, 3_700_000_000),
    style=st.sampled_from(
        [
            ("iso", "%Y-%m-%d %H:%M:%S"), ("day-first", "%d/%m/%Y %H:%M:%S"),
            ("month-first", "%m/%d/%Y %I:%M:%S %p"), ("iso", "%Y/%m/%d %I:%M:%S %p"),
        ]
    ),
)  # fmt: skip
def test_what_is_written_in_a_style_is_read_back(seconds: int, style: tuple[str, str]) -> None:
    dates, pattern = style
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    assert Times(UTC_ZONE, dates).moment(moment.strftime(pattern)) == moment


@given(st.text(max_size=30))
def test_any_text_is_a_moment_or_is_refused(text: str) -> None:
    for dates in ("iso", "mixed-day-first", "excel", ["%d/%m/%Y"]):
        with suppress(NoMoment):
            assert Times(NEW_YORK, dates).moment(text).tzinfo is UTC
