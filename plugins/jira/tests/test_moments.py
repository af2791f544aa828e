"""Moments as Jira writes them, and minutes that no zone reads too late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vmo_bridge_jira.moments import (
    EPOCH,
    millis,
    moment,
    not_after,
    tidy,
    zone,
)

ZONES = ["America/New_York", "Asia/Tokyo", "UTC", "Australia/Lord_Howe", "Asia/Kathmandu",
         "Pacific/Apia", "Europe/Dublin", "America/St_Johns", "Africa/Casablanca"]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-16T15:45:00.250+0000", "2026-11-16T10:45:00.250-0500",
        "2026-11-16T15:45:00.250Z", "2026-11-17T00:45:00.250+09:00", 1_794_843_900_250,
    ],
)  # fmt: skip
def test_a_moment_is_the_same_however_it_is_written(text: object) -> None:
    assert moment(text) == datetime(2026, 11, 16, 15, 45, 0, 250_000, tzinfo=UTC)
    assert tidy(text) == "2026-11-16T15:45:00.250+00:00"
    assert millis(moment(text)) == 1_794_843_900_250


@pytest.mark.parametrize(
    "text",
    [None, "", "soon", "2026-11-16T15:45:00", "2026-11-16", True, 1.5, 10**40,
     "0001-01-01T00:00:00+23:00", [], {}],
)  # fmt: skip
def test_what_is_no_moment_is_refused_and_kept_as_it_is(text: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        moment(text)
    assert tidy(text) is text


@given(st.datetimes(), st.timedeltas(timedelta(hours=-14), timedelta(hours=14)))
def test_a_moment_is_kept_to_the_millisecond(at: datetime, offset: timedelta) -> None:
    written = at.replace(tzinfo=timezone(offset)).isoformat()
    try:
        kept = moment(written).isoformat(timespec="milliseconds")
    except ValueError:
        kept = written
    assert tidy(written) == kept


@given(
    seconds=st.integers(1_400_000_000, 1_900_000_000),
    name=st.sampled_from(ZONES),
)
# The hour that comes twice, the first time and the second: chance hardly ever meets it.
@example(seconds=1_793_511_000, name="America/New_York")
@example(seconds=1_793_514_600, name="America/New_York")
def test_no_zone_reads_a_minute_later_than_it_was_meant(seconds: int, name: str) -> None:
    at = EPOCH + timedelta(seconds=seconds)
    user_zone = ZoneInfo(name)
    for asked in (user_zone, None):
        wall = datetime.fromisoformat(not_after(at, asked))
        for fold in (0, 1):
            read = wall.replace(tzinfo=user_zone, fold=fold).astimezone(UTC)
            assert read <= at
            assert at - read < (timedelta(hours=3) if asked else timedelta(hours=27))


def test_clear_minutes_are_asked_for_to_the_minute() -> None:
    at = datetime(2026, 7, 1, 12, 34, 56, tzinfo=UTC)
    assert not_after(at, ZoneInfo("America/New_York")) == "2026-07-01 08:34"
    assert not_after(at, ZoneInfo("Asia/Tokyo")) == "2026-07-01 21:34"
    assert not_after(at, None) == "2026-07-01 00:34"


@pytest.mark.parametrize("name", ["Mars/Olympus", "", None, 5, "../etc/passwd", "\x00"])
def test_a_zone_that_is_none_is_not_known(name: object) -> None:
    assert zone(name) is None
