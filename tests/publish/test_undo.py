"""Undoing a run puts back what stood there before it, and keeps what somebody changed since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vmo_bridge.errors import RetryLater, WriteRefused
from vmo_bridge.publish.switch import KillSwitch
from vmo_bridge.records import KpiResult, Signal

MakeResult = Callable[..., KpiResult]
MakeSignal = Callable[..., Signal]
NOTHING = {"restore": 0, "remove": 0, "kept": 0, "gone": 0, "nothing": 0}


@pytest.fixture
def wrote(bulk: Any, result: MakeResult) -> Any:
    """A desk with odd texts in its fields, over which a run wrote: three records and a new one."""
    bulk.platform.target["incident"]["1"]["u_vmo_lost_time"] = " 007,0\n"
    bulk.platform.target["services"]["vpn"]["u_vmo_kpi_status"] = "Ünïcode \u202e “quoted”"
    bulk.kpis(result())
    bulk.before = bulk.target()
    bulk.apply()
    assert bulk.platform.made == {"u_vmo_kpi_result": 1}
    assert bulk.target() != bulk.before
    return bulk


def test_a_plan_shows_it_and_changes_nothing(wrote: Any) -> None:
    after, run = wrote.target(), wrote.run
    outcome = wrote.undo(run, apply=False)
    assert outcome.counts() == {**NOTHING, "restore": 3, "remove": 1}
    assert outcome.delivery is None
    (row,) = (row for row in outcome.plan if row.item.table == "incident")
    assert row.values["u_vmo_lost_time"] == " 007,0\n"
    assert row.now["u_vmo_lost_time"] == "12"
    assert wrote.target() == after
    assert KillSwitch(wrote.settings).reason() == ""


def test_everything_is_put_back_byte_for_byte_and_what_was_made_is_removed(wrote: Any) -> None:
    outcome = wrote.undo(wrote.run)
    assert wrote.target() == wrote.before
    assert (outcome.delivery.stored, outcome.removed, outcome.refused) == (3, 1, [])
    assert outcome.delivery.troubled == outcome.delivery.moved == []


def test_from_then_on_nothing_is_published_until_somebody_resumes_it(wrote: Any) -> None:
    run = wrote.run
    wrote.undo(run)
    outcome = wrote.apply()
    assert outcome.blocked
    assert f"run {run} was undone" in outcome.blocked[0]
    assert wrote.target() == wrote.before
    wrote.resume()
    assert wrote.apply().delivery.stored == 4
    assert wrote.said("incident", "1")["lost_time"] == "12"
    assert list(wrote.results()) == ["csat:last-90-days:all:all"]
    assert wrote.apply().counts()["unchanged"] == 4


def test_undoing_again_does_nothing(wrote: Any) -> None:
    run = wrote.run
    wrote.undo(run)
    wrote.platform.written.clear()
    outcome = wrote.undo(run)
    assert outcome.counts() == {**NOTHING, "nothing": 3, "gone": 1}
    assert (outcome.delivery.stored, outcome.removed) == (0, 0)
    assert wrote.platform.written == []


def test_an_undo_can_be_undone(wrote: Any) -> None:
    written = wrote.target()
    wrote.undo(wrote.run)
    wrote.undo(wrote.run)
    for table in ("incident", "services", "groups"):
        assert wrote.platform.target[table] == written[table]
    assert wrote.results() == {}, "what was removed is made by the next publish"


def test_what_somebody_changed_since_is_kept_and_told_the_rest_is_put_back(wrote: Any) -> None:
    wrote.platform.target["incident"]["1"]["u_vmo_lost_time"] = "13"
    outcome = wrote.undo(wrote.run)
    row = wrote.platform.target["incident"]["1"]
    assert row == {**wrote.before["incident"]["1"], "u_vmo_lost_time": "13"}
    (told,) = (each for each in outcome.plan if each.item.table == "incident")
    assert (told.action, set(told.values)) == (
        "restore",
        {"u_vmo_watermelon", "u_vmo_open_signals"},
    )
    assert told.reason == "changed by somebody since: u_vmo_lost_time holds '13'"


def test_a_record_of_which_everything_was_changed_since_is_kept(wrote: Any) -> None:
    changed = {
        "u_vmo_watermelon": "x",
        "u_vmo_lost_time": "y",
        "u_vmo_open_signals": "z",
    }
    wrote.platform.target["incident"]["1"] |= changed
    outcome = wrote.undo(wrote.run)
    assert outcome.counts() == {**NOTHING, "restore": 2, "remove": 1, "kept": 1}
    assert wrote.platform.target["incident"]["1"].items() >= changed.items()


def test_a_record_that_we_made_and_somebody_changed_is_kept_and_told(wrote: Any) -> None:
    (row,) = wrote.results().values()
    row["u_target"] = "0.9"
    outcome = wrote.undo(wrote.run)
    assert outcome.counts() == {**NOTHING, "restore": 3, "kept": 1}
    (told,) = (each for each in outcome.plan if each.action == "kept")
    assert told.reason == "changed by somebody since: u_target holds '0.9'"
    assert wrote.results()["csat:last-90-days:all:all"]["u_target"] == "0.9"


def test_what_was_put_back_by_somebody_already_is_no_change(wrote: Any) -> None:
    wrote.platform.target["incident"]["1"] = dict(wrote.before["incident"]["1"])
    assert wrote.undo(wrote.run).counts() == {**NOTHING, "restore": 2, "remove": 1, "nothing": 1}


def test_records_that_are_gone_are_told(wrote: Any) -> None:
    del wrote.platform.target["incident"]["1"]
    wrote.platform.target["u_vmo_kpi_result"].clear()
    outcome = wrote.undo(wrote.run)
    assert outcome.counts() == {**NOTHING, "restore": 2, "gone": 2}
    assert outcome.delivery.troubled == []


def test_an_older_run_goes_back_to_before_it_though_later_ones_wrote_again(
    wrote: Any, result: MakeResult
) -> None:
    first = wrote.run
    wrote.kpis(result(value=0.75))
    wrote.platform.survey("s9", "1", {"q2": 30})
    wrote.sync()
    assert wrote.apply().delivery.stored == 2
    wrote.undo(first)
    assert wrote.target() == wrote.before


def test_the_later_run_alone_goes_back_to_the_earlier_one(wrote: Any, result: MakeResult) -> None:
    between = wrote.target()
    wrote.kpis(result(value=0.75))
    wrote.apply()
    wrote.undo(wrote.run)
    assert wrote.target() == between


def test_a_field_that_was_not_kept_needs_no_undoing(desk: Any) -> None:
    desk.platform.drop.add("u_vmo_lost_time")
    before = desk.target()
    desk.apply()
    outcome = desk.undo(desk.run)
    assert desk.target() == before
    assert outcome.counts()["kept"] == 0


def test_what_was_sent_and_not_noted_is_undone_too(wrote: Any, result: MakeResult) -> None:
    """Killed after the second write of a field whose first one has its receipt."""
    between = wrote.target()
    wrote.kpis(result(value=0.75))
    wrote.platform.survey("s9", "1", {"q2": 30})
    wrote.sync()
    wrote.platform.fail_read_back = RetryLater("killed")
    assert wrote.apply().delivery.waiting
    wrote.platform.fail_read_back = None
    assert wrote.target() != between
    wrote.undo(wrote.run)
    assert wrote.target() == between


def test_what_a_later_run_sent_and_nobody_noted_is_known_as_ours(
    wrote: Any, result: MakeResult
) -> None:
    first = wrote.run
    wrote.kpis(result(value=0.75))
    wrote.platform.fail_read_back = RetryLater("killed")
    wrote.apply()
    wrote.platform.fail_read_back = None
    assert wrote.undo(first, apply=False).counts() == {**NOTHING, "restore": 3, "remove": 1}
    wrote.undo(first)
    assert wrote.target() == wrote.before


def test_what_was_sent_arrived_in_part_and_was_planned_anew_is_undone_too(
    bulk: Any, result: MakeResult
) -> None:
    bulk.kpis(result(value=0.5))
    bulk.apply()
    between = bulk.target()
    bulk.kpis(result(value=0.75))
    bulk.platform.drop.add("u_numerator")
    bulk.platform.fail_read_back = RetryLater("killed")
    bulk.apply()
    killed = bulk.run
    bulk.platform.fail_read_back = None
    bulk.apply()
    bulk.undo(killed)
    assert bulk.target() == between


def test_a_removal_that_is_refused_is_told(wrote: Any) -> None:
    wrote.platform.reject["new0"] = WriteRefused("no right to delete")
    outcome = wrote.undo(wrote.run)
    ((item, reason),) = outcome.refused
    assert (item.key, reason, outcome.removed) == ("new0", "no right to delete", 0)
    assert outcome.delivery.stored == 3, "the rest is put back"


def test_a_removal_that_the_target_only_says_yes_to_is_told(wrote: Any) -> None:
    wrote.platform.undying.add("new0")
    outcome = wrote.undo(wrote.run)
    ((_, reason),) = outcome.refused
    assert reason == "it is still there, although the target said yes"


def test_a_target_that_lets_nobody_remove_is_told(desk: Any, result: MakeResult) -> None:
    desk.kpis(result())
    desk.apply()
    ((_, reason),) = desk.undo(desk.run).refused
    assert reason.startswith("the target lets nobody take a record away from here")


def test_what_somebody_changes_while_the_undo_is_at_work_is_kept(wrote: Any) -> None:
    looks = []

    def meanwhile(call: str) -> None:
        looks.append(call)
        # All four places were looked at for the plan; now it is looked at again.
        if looks == ["current"] * 5:
            wrote.platform.target["incident"]["1"]["u_vmo_lost_time"] = "13"
            (row,) = wrote.results().values()
            row["u_value"] = "0.9"

    wrote.platform.at_call = meanwhile
    outcome = wrote.undo(wrote.run)
    assert wrote.platform.target["incident"]["1"]["u_vmo_lost_time"] == "13"
    assert wrote.results()["csat:last-90-days:all:all"]["u_value"] == "0.9"
    assert outcome.removed == 0
    ((item, reason),) = outcome.refused
    assert (item.key, reason) == ("new0", "changed by somebody since: u_value holds '0.9'")


@pytest.mark.parametrize("calls", range(4, 18))
def test_an_undo_that_was_cut_off_anywhere_is_finished_by_the_next_one(
    wrote: Any, calls: int
) -> None:
    left = [calls]

    def away(_: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise RetryLater("away")

    run = wrote.run
    wrote.platform.at_call = away
    try:
        cut = bool(wrote.undo(run).delivery.waiting)
    except RetryLater:
        cut = True
    assert cut or left[0] > 0
    wrote.platform.at_call = lambda _: None
    wrote.undo(run)
    assert wrote.target() == wrote.before


def test_a_cut_off_undo_leaves_nothing_for_the_next_publish_to_go_on_with(
    wrote: Any, result: MakeResult
) -> None:
    written = wrote.target()
    wrote.platform.away_after, wrote.platform.away_with = 1, RetryLater("away")
    outcome = wrote.undo(wrote.run)
    assert (outcome.delivery.waiting, outcome.removed) == ("away", 0)
    wrote.platform.away_after = None
    wrote.resume()
    wrote.apply()
    assert wrote.platform.target.keys() == written.keys()
    for table, rows in written.items():
        if table != "u_vmo_kpi_result":
            assert wrote.platform.target[table] == rows
    assert len(wrote.results()) == 1
    assert wrote.store.outbox.waiting("desk") == []


def test_the_runs_that_wrote_are_known_with_what_became_of_it(wrote: Any) -> None:
    first = wrote.run
    wrote.platform.drop.add("u_vmo_lost_time")
    wrote.platform.survey("s9", "1", {"q2": 30})
    wrote.sync()
    wrote.apply()
    second = wrote.run
    wrote.apply()
    wrote.platform.drop.clear()
    wrote.undo(first)
    runs = [(each.run_id, each.stored, each.other) for each in wrote.store.outbox.writing_runs()]
    assert runs == [(wrote.run, 4, 0), (second, 0, 1), (first, 4, 0)]
