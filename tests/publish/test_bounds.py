"""What bounds and stops a publish: the caps, the kill switch, and who looks at it when."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vmo_bridge.publish.switch import KillSwitch
from vmo_bridge.records import KpiResult

MakeResult = Callable[..., KpiResult]


@pytest.fixture(autouse=True)
def four(desk: Any, result: MakeResult, clock: Any) -> None:
    """There are four records to write to: one to make and three to change."""
    desk.kpis(result())


def test_no_more_than_the_cap_is_written_in_a_run_and_the_next_goes_on(desk: Any) -> None:
    desk.configure("[publish]\nmax_writes_per_run = 3")
    delivery = desk.apply().delivery
    assert delivery.stored == 3
    assert delivery.waiting == (
        "1 more: no more than publish.max_writes_per_run and publish.max_writes_per_hour allow; "
        "the next publish goes on"
    )
    delivery = desk.apply().delivery
    assert (delivery.stored, delivery.waiting) == (1, "")


def test_a_cap_that_is_just_reached_leaves_nothing_waiting(desk: Any) -> None:
    desk.configure("[publish]\nmax_writes_per_run = 4")
    assert desk.apply().delivery.waiting == ""


def test_the_cap_of_an_hour_holds_over_runs_until_the_hour_is_over(desk: Any, clock: Any) -> None:
    desk.configure("[publish]\nmax_writes_per_hour = 3")
    assert desk.apply().delivery.stored == 3
    clock.later(minutes=59)
    delivery = desk.apply().delivery
    assert delivery.stored == 0
    assert "max_writes_per_hour" in delivery.waiting
    clock.later(minutes=2)
    assert desk.apply().delivery.stored == 1
    assert len(desk.platform.written) == 4


def test_refused_writes_count_as_well(desk: Any) -> None:
    """A platform that refuses everything is not to be asked for ever."""
    desk.configure("[publish]\nmax_writes_per_hour = 3")
    desk.platform.drop |= {"u_vmo_kpi_status", "u_vmo_open_signals", "u_vmo_lost_time"}
    desk.apply()
    assert desk.apply(retry=True).delivery.stored == 0
    assert len(desk.platform.written) == 3


def test_a_batch_is_no_way_around_the_cap(bulk: Any) -> None:
    bulk.configure("[publish]\nmax_writes_per_run = 2")
    assert bulk.apply().delivery.stored == 2
    assert len(bulk.platform.written) == 2


def test_the_switch_of_the_configuration_stops_all_writing(desk: Any) -> None:
    desk.configure("[publish]\nstop = true")
    outcome = desk.apply()
    assert outcome.blocked == ("publish.stop is on in the configuration",)
    assert outcome.counts()["create"] == 1, "the plan is shown all the same"
    assert (outcome.delivery, desk.platform.written) == (None, [])
    assert desk.store.outbox.counts() == {}


def test_the_switch_of_the_file_stops_all_writing_until_it_is_released(
    desk: Any, clock: Any
) -> None:
    switch = KillSwitch(desk.settings)
    assert switch.reason() == ""
    switch.stop("look into it")
    (reason,) = desk.apply().blocked
    assert reason.startswith("look into it (2")
    assert desk.platform.written == []
    assert switch.resume()
    assert not switch.resume()
    assert desk.apply().delivery.stored == 4


def test_the_switch_of_the_configuration_is_not_released_by_the_file(desk: Any) -> None:
    desk.configure("[publish]\nstop = true")
    switch = KillSwitch(desk.settings)
    switch.stop("both")
    switch.resume()
    assert desk.apply().blocked


@pytest.mark.parametrize("content", [b"", b"  \n", b"\xff\xfe gr\xfc\xdfe"])
def test_that_the_file_is_there_is_enough(desk: Any, content: bytes) -> None:
    KillSwitch(desk.settings).path.write_bytes(content)
    assert desk.apply().blocked
    assert desk.platform.written == []


@pytest.mark.parametrize("kind", ["desk", "bulk"])
def test_thrown_in_the_middle_of_a_delivery_it_stops_before_the_next_call(
    kind: str, request: pytest.FixtureRequest
) -> None:
    desk = request.getfixturevalue(kind)

    def thrown(call: str) -> None:
        if call == "written":
            KillSwitch(desk.settings).stop("enough")

    desk.platform.at_call = thrown
    delivery = desk.apply().delivery
    in_one_call = getattr(desk.writer, "batch", 1)
    assert delivery.stored == len(desk.platform.written) == in_one_call
    assert delivery.waiting.startswith("enough")
    assert len(desk.store.outbox.waiting("desk")) == 4 - in_one_call
    desk.platform.at_call = lambda _: None
    desk.resume()
    assert desk.apply().delivery.stored == 4 - in_one_call
