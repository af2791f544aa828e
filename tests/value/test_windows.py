"""Windows: closed calendar months in UTC, and the last 90 days."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.value.windows import Window, calendar_months, rolling, windows

MOMENTS = st.integers(631152000, 3786912000).map(lambda at: datetime.fromtimestamp(at, UTC))


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def test_the_month_that_still_runs_is_no_window():
    names = [window.name for window in calendar_months(utc(2026, 3, 15, 12), count=4)]
    assert names == ["2025-11", "2025-12", "2026-01", "2026-02"]


def test_a_month_is_closed_at_the_first_moment_of_the_next():
    assert calendar_months(utc(2026, 3, 1))[-1] == Window(
        "2026-02", utc(2026, 2, 1), utc(2026, 3, 1)
    )
    assert calendar_months(utc(2026, 2, 28, 23, 59, 59))[-1].name == "2026-01"


def test_months_are_those_of_utc():
    west = timezone(timedelta(hours=-5))
    assert calendar_months(datetime(2026, 2, 28, 20, tzinfo=west))[-1].name == "2026-02"


def test_a_month_in_which_the_data_begins_is_not_complete():
    months = calendar_months(utc(2026, 3, 15), since=utc(2026, 1, 1, 0, 0, 1))
    assert [window.name for window in months] == ["2026-02"]
    months = calendar_months(utc(2026, 3, 15), since=utc(2026, 1, 1))
    assert [window.name for window in months] == ["2026-01", "2026-02"]
    assert calendar_months(utc(2026, 3, 15), since=utc(2026, 3, 1)) == []


def test_the_rolling_window_is_90_days_to_the_second():
    window = rolling(utc(2026, 3, 15, 6, 30))
    assert window.name == "last-90-days"
    assert (window.end, window.end - window.start) == (utc(2026, 3, 15, 6, 30), timedelta(days=90))


def test_all_windows_are_the_months_and_the_rolling_one():
    found = windows(utc(2026, 3, 15), since=utc(2025, 12, 24), months=5)
    assert [window.name for window in found] == ["2026-01", "2026-02", "last-90-days"]


@pytest.mark.parametrize("function", [calendar_months, rolling, windows])
def test_a_moment_without_a_zone_is_refused(function):
    with pytest.raises(ValueError, match="no time zone"):
        function(datetime(2026, 3, 15))  # noqa: DTZ001


@given(MOMENTS, st.integers(1, 30))
def test_months_follow_each_other_without_gap_and_end_by_as_of(as_of, count):
    months = calendar_months(as_of, count=count)
    assert len(months) == count
    assert all(one.end == two.start for one, two in pairwise(months))
    assert as_of - timedelta(days=31) < months[-1].end <= as_of
    assert all(
        window.start.day == 1 and window.name == f"{window.start:%Y-%m}" for window in months
    )


@given(MOMENTS, MOMENTS)
def test_no_month_begins_before_the_data(as_of, since):
    assert all(window.start >= since for window in calendar_months(as_of, since=since, count=24))
