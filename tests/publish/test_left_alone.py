"""A field that is not kept is left alone, four times longer each time, and never fought over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from vmo_bridge.errors import WriteRefused
from vmo_bridge.records import KpiResult, Signal

MakeResult = Callable[..., KpiResult]
MakeSignal = Callable[..., Signal]
KEY = "csat:last-90-days:all:all"


@pytest.fixture(autouse=True)
def still(clock: Any) -> Any:
    """Time passes when a test says so."""
    return clock


def incident(desk: Any) -> dict[str, str]:
    return desk.platform.target["incident"]["1"]


def left_alone(outcome: Any) -> dict[str, str]:
    """The fields that are left alone, each with the reason."""
    return {name: row.reason for row in outcome.plan if row.action == "held" for name in row.values}


def times_written(desk: Any, name: str) -> int:
    return sum(name in change.values for change in desk.platform.written)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"drop": {"u_vmo_lost_time"}}, "still holds '': an access rule may guard it"),
        ({"revert": {"u_vmo_lost_time": "0"}}, "holds '0' instead of '12': reverted by the platf"),
    ],
)
def test_a_field_that_is_not_kept_is_left_alone_and_that_is_shown(
    desk: Any, fault: dict[str, Any], told: str
) -> None:
    vars(desk.platform).update(fault)
    desk.apply()
    outcome = desk.apply()
    assert list(left_alone(outcome)) == ["u_vmo_lost_time"]
    reason = left_alone(outcome)["u_vmo_lost_time"]
    assert told in reason
    assert "left alone until 2026-11-24 13:00 UTC (publish --retry tries at once)" in reason
    assert outcome.counts()["held"] == 1
    assert outcome.delivery.troubled == [], "to be left alone is no trouble anew"
    assert times_written(desk, "u_vmo_lost_time") == 1
    assert incident(desk)["u_vmo_watermelon"] == "true", "the others of the record are there"


def test_a_refused_record_is_left_alone_as_a_whole_and_holds_up_no_other(
    desk: Any, result: MakeResult
) -> None:
    desk.platform.reject["1"] = WriteRefused("a mandatory field")
    desk.kpis(result())
    assert desk.apply().delivery.stored == 3
    outcome = desk.apply()
    assert set(left_alone(outcome)) == {
        "u_vmo_watermelon",
        "u_vmo_lost_time",
        "u_vmo_open_signals",
    }
    desk.kpis(result(value=0.75))
    assert desk.apply().delivery.stored == 1


def test_each_time_it_is_left_alone_four_times_longer_and_two_weeks_at_most(
    desk: Any, still: Any
) -> None:
    desk.platform.drop.add("u_vmo_lost_time")
    waits = []
    for _ in range(8):
        assert desk.apply().delivery.troubled, "it is tried"
        contest = desk.store.contests.of("desk", "incident")["1", "u_vmo_lost_time"]
        wait = contest.retry_at - still()
        waits.append(wait / timedelta(hours=1))
        still.moment = contest.retry_at - timedelta(seconds=1)
        assert desk.apply().delivery.troubled == [], "a second early"
        still.moment = contest.retry_at
    assert waits == [1, 4, 16, 64, 256, 336, 336, 336]


def test_what_is_kept_in_the_end_is_contested_no_more(desk: Any, still: Any) -> None:
    desk.platform.drop.add("u_vmo_lost_time")
    desk.apply()
    desk.platform.drop.clear()
    still.later(hours=1)
    desk.apply()
    assert incident(desk)["u_vmo_lost_time"] == "12"
    contest = desk.store.contests.of("desk", "incident")["1", "u_vmo_lost_time"]
    assert contest.retry_at is None, "whether it lasts is to be seen"
    desk.apply()
    assert desk.store.contests.counts() == {}


def test_a_plan_alone_notes_nothing(desk: Any) -> None:
    desk.apply()
    incident(desk)["u_vmo_lost_time"] = "13"
    assert left_alone(desk.plan())
    assert desk.store.contests.counts() == {}


@pytest.mark.parametrize(("strikes", "tried"), [(1, True), (2, True), (3, False)])
def test_a_new_value_is_tried_at_once_until_the_third_time(
    desk: Any, still: Any, strikes: int, tried: bool
) -> None:
    desk.platform.drop.add("u_vmo_lost_time")
    for _ in range(strikes):
        desk.apply()
        contest = desk.store.contests.of("desk", "incident")["1", "u_vmo_lost_time"]
        still.moment = contest.retry_at
    still.later(seconds=-1)
    before = times_written(desk, "u_vmo_lost_time")
    assert contest.strikes == strikes
    desk.platform.survey("s9", "1", {"q2": 30})
    desk.sync()
    outcome = desk.apply()
    assert (times_written(desk, "u_vmo_lost_time") - before == 1) is tried
    assert ("u_vmo_lost_time" in left_alone(outcome)) is not tried


# Changed over there after we wrote.


def test_what_was_changed_over_there_is_left_alone_and_tried_after_an_hour(
    desk: Any, still: Any
) -> None:
    desk.apply()
    incident(desk)["u_vmo_lost_time"] = "13"
    outcome = desk.apply()
    assert left_alone(outcome) == {
        "u_vmo_lost_time": "u_vmo_lost_time holds '13': changed over there after we wrote '12'"
    }
    still.later(minutes=59)
    assert "left alone until 2026-11-24 13:00" in left_alone(desk.apply())["u_vmo_lost_time"]
    assert incident(desk)["u_vmo_lost_time"] == "13"
    still.later(minutes=1)
    desk.apply()
    assert incident(desk)["u_vmo_lost_time"] == "12"


def test_whoever_changes_it_each_time_is_left_alone_longer_each_time(desk: Any, still: Any) -> None:
    desk.apply()
    writes = []
    for _ in range(24 * 7):
        incident(desk)["u_vmo_lost_time"] = "13"
        before = times_written(desk, "u_vmo_lost_time")
        desk.apply()
        writes.append(times_written(desk, "u_vmo_lost_time") - before)
        still.later(hours=1)
    # Noted, tried after 1 h, changed again and noted, tried after 4 h, 16 h, 64 h.
    assert [hour for hour, wrote in enumerate(writes) if wrote] == [1, 6, 23, 88]


def test_a_new_value_goes_over_what_somebody_put_into_a_field_of_ours(desk: Any) -> None:
    desk.apply()
    incident(desk)["u_vmo_lost_time"] = "13"
    desk.platform.survey("s9", "1", {"q2": 30})
    desk.sync()
    desk.apply()
    assert incident(desk)["u_vmo_lost_time"] != "13"


# --retry.


def test_retry_tries_what_was_not_kept_at_once(desk: Any) -> None:
    desk.platform.drop.add("u_vmo_lost_time")
    desk.apply()
    desk.platform.drop.clear()
    desk.apply()
    assert incident(desk)["u_vmo_lost_time"] == ""
    desk.apply(retry=True)
    assert incident(desk)["u_vmo_lost_time"] == "12"


@pytest.mark.parametrize("noted", [True, False])
def test_retry_tries_what_was_changed_over_there_at_once(desk: Any, noted: bool) -> None:
    desk.apply()
    incident(desk)["u_vmo_lost_time"] = "13"
    if noted:
        desk.apply()
    desk.apply(retry=True)
    assert incident(desk)["u_vmo_lost_time"] == "12"


def test_a_retry_that_fails_again_waits_longer(desk: Any, still: Any) -> None:
    desk.platform.drop.add("u_vmo_lost_time")
    desk.apply()
    desk.apply(retry=True)
    contest = desk.store.contests.of("desk", "incident")["1", "u_vmo_lost_time"]
    assert (contest.strikes, contest.retry_at - still()) == (2, timedelta(hours=4))


def test_what_a_retry_could_not_send_is_still_tried_next_time(desk: Any, result: Any) -> None:
    desk.platform.drop |= {"u_vmo_lost_time", "u_value"}
    desk.kpis(result())
    desk.apply()
    desk.platform.drop.clear()
    desk.configure("[publish]\nmax_writes_per_run = 1")
    desk.apply(retry=True)
    desk.apply()
    assert incident(desk)["u_vmo_lost_time"] == "12"
    assert desk.results()[KEY]["u_value"] == "0.5"


# Records that could not be made.


def test_a_record_that_could_not_be_made_is_left_alone_and_made_later(
    desk: Any, result: MakeResult, still: Any
) -> None:
    desk.kpis(result())
    desk.platform.reject[KEY] = WriteRefused("no right to insert")
    desk.apply()
    ((record, field),) = desk.store.contests.of("desk", "u_vmo_kpi_result")
    assert (record, field) == (KEY, "u_key")
    desk.platform.reject.clear()
    outcome = desk.apply()
    (row,) = (each for each in outcome.plan if each.action == "held")
    assert row.reason.startswith("no right to insert; left alone until")
    assert desk.results() == {}
    still.later(hours=1)
    desk.apply()
    assert desk.results()[KEY]["u_value"] == "0.5"
    desk.apply()
    assert desk.store.contests.counts() == {}


def test_a_record_that_we_may_not_see_once_it_is_made_is_not_made_again_and_again(
    desk: Any, result: MakeResult, still: Any
) -> None:
    desk.kpis(result())

    def vanish(call: str) -> None:
        if call == "written":
            desk.platform.target["u_vmo_kpi_result"].clear()

    desk.platform.at_call = vanish
    ((_, reason),) = desk.apply().delivery.troubled
    assert "cannot be seen after the write" in reason
    for _ in range(50):
        still.later(minutes=1)
        desk.apply()
    assert desk.platform.made["u_vmo_kpi_result"] == 1


def test_another_record_of_the_table_is_made_all_the_same(
    desk: Any, signal: MakeSignal, still: Any
) -> None:
    desk.platform.reject["rule:a"] = WriteRefused("no")
    found = [signal("a", "desk/1"), signal("b", "desk/1")]
    desk.store.findings.save_signals(1, desk.now, found)
    desk.apply()
    rows = desk.platform.target["u_vmo_signal"].values()
    assert [row["u_key"] for row in rows] == ["rule:b"]
