"""Values are written, read back and judged; what was said and is no longer so is taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vmo_bridge.connectors.writing import Change
from vmo_bridge.errors import (
    AccessError,
    RetryLater,
    SignInError,
    SourceError,
    WriteRefused,
)
from vmo_bridge.publish.verdict import verdict
from vmo_bridge.records import KpiResult, Signal
from vmo_bridge.settings import Settings
from vmo_bridge.watch import Stopped, Watch

MakeResult = Callable[..., KpiResult]
MakeSignal = Callable[..., Signal]
QUIET = {"create": 0, "change": 0, "unchanged": 0, "refused": 0, "held": 0}


def kpis(desk: Any, *results: KpiResult) -> None:
    desk.store.findings.save_kpis(1, results)


def result_rows(desk: Any) -> dict[str, dict[str, str]]:
    return {row["u_key"]: row for row in desk.platform.target["u_vmo_kpi_result"].values()}


def test_a_plan_writes_nothing(desk: Any, result: MakeResult) -> None:
    kpis(desk, result())
    outcome = desk.plan()
    assert outcome.counts() == {**QUIET, "create": 1, "change": 3}
    assert outcome.delivery is None
    assert desk.platform.written == []
    assert desk.store.outbox.counts() == {}


def test_values_arrive_are_read_back_and_leave_a_receipt(desk: Any, result: MakeResult) -> None:
    kpis(desk, result(), result("mttr", 7.0, window="2026-08"))
    outcome = desk.apply()
    assert (outcome.delivery.stored, outcome.delivery.troubled) == (4, [])
    assert desk.said("incident", "1") == {
        "watermelon": "true",
        "lost_time": "12",
        "open_signals": "0",
    }
    assert desk.said("incident", "2") == {}, "there is nothing to say"
    assert desk.said("services", "vpn")["kpi_status"] == "SLA not known, satisfaction not known"
    assert list(result_rows(desk)) == ["csat:last-90-days:all:all"]
    assert desk.told == [("csat", "new0")]
    (receipt,) = desk.store.outbox.receipts("desk", "1")
    assert receipt.verdict == "stored"
    assert receipt.stored["u_vmo_watermelon"] == "true"


def test_a_second_apply_writes_nothing(desk: Any, result: MakeResult) -> None:
    kpis(desk, result())
    desk.apply()
    desk.platform.written.clear()
    outcome = desk.apply()
    assert outcome.counts() == {**QUIET, "unchanged": 4}
    assert desk.platform.written == []
    assert desk.store.outbox.counts() == {"stored": 4}


def test_a_change_is_one_write_of_the_fields_that_differ(desk: Any, result: MakeResult) -> None:
    kpis(desk, result(value=0.5))
    desk.apply()
    desk.platform.written.clear()
    kpis(desk, result(value=0.6))
    desk.apply()
    (change,) = desk.platform.written
    assert change.key == "new0"
    assert dict(change.values) == {"u_value": "0.6", "u_numerator": "6"}
    assert change.before == {"u_value": "0.5", "u_numerator": "5"}


@pytest.mark.parametrize(
    "failure", [WriteRefused("mandatory field"), AccessError("no right"), SourceError("odd")]
)
def test_a_refused_item_is_parked_with_its_reason_and_the_rest_goes_on(
    desk: Any, result: MakeResult, failure: Exception
) -> None:
    kpis(desk, result())
    desk.platform.reject["vpn"] = failure
    delivery = desk.apply().delivery
    ((item, reason),) = delivery.troubled
    assert (item.table, item.key, reason) == ("services", "vpn", str(failure))
    assert (delivery.stored, delivery.waiting) == (3, "")
    assert desk.store.outbox.counts() == {"refused": 1, "stored": 3}


@pytest.mark.parametrize("failure", [RetryLater("away"), SignInError("refused")])
@pytest.mark.parametrize("writes", [0, 1, 3])
def test_a_target_that_goes_away_leaves_the_rest_waiting_and_the_next_run_finishes(
    desk: Any, result: MakeResult, failure: Exception, writes: int
) -> None:
    kpis(desk, result())
    desk.platform.away_after, desk.platform.away_with = writes, failure
    delivery = desk.apply().delivery
    assert (delivery.stored, delivery.waiting) == (writes, str(failure))
    assert len(desk.store.outbox.waiting("desk")) == 4 - writes
    desk.platform.away_after = None
    delivery = desk.apply().delivery
    assert (delivery.stored, delivery.waiting) == (4 - writes, "")
    assert desk.store.outbox.counts() == {
        name: count for name, count in (("stored", 4), ("superseded", 4 - writes)) if count
    }
    assert desk.apply().counts() == {**QUIET, "unchanged": 4}
    assert len(result_rows(desk)) == 1, "nothing was made twice"


def test_a_stop_is_obeyed_between_two_writes(desk: Any, result: MakeResult) -> None:
    class StopAtOnce(Watch):
        def stopping(self) -> bool:
            return bool(desk.platform.written)

    kpis(desk, result())
    with pytest.raises(Stopped):
        desk.apply(StopAtOnce())
    assert desk.store.outbox.counts() == {"stored": 1, "waiting": 3}
    assert desk.apply().delivery.stored == 3


def test_a_field_that_an_access_rule_drops_is_not_stored(desk: Any) -> None:
    desk.platform.drop.add("u_vmo_watermelon")
    delivery = desk.apply().delivery
    ((item, reason),) = delivery.troubled
    assert item.key == "1"
    assert reason == "u_vmo_watermelon still holds '': an access rule may guard it"
    assert desk.store.outbox.counts()["not-stored"] == 1
    assert desk.store.outbox.receipts("desk", "1")[0].verdict == "not-stored"


def test_a_field_that_is_hidden_from_us_is_not_stored(desk: Any) -> None:
    desk.platform.hide.add("u_vmo_lost_time")
    ((_, reason),) = desk.apply().delivery.troubled
    assert reason == "u_vmo_lost_time is not stored: the field is unknown or hidden there"


def test_a_field_that_a_business_rule_changes_is_reverted(desk: Any, result: MakeResult) -> None:
    kpis(desk, result())
    desk.platform.revert["u_value"] = "0.4"
    delivery = desk.apply().delivery
    ((_, reason),) = delivery.troubled
    assert reason == "u_value holds '0.4' instead of '0.5': reverted by the platform"
    assert desk.store.outbox.counts()["reverted"] == 1
    assert desk.told == [], "nobody is told of what does not stand there"


def change(before: dict[str, str], **values: str) -> Change:
    return Change(table="t", key="1", match={}, values=values, before=before)


@pytest.mark.parametrize(
    ("before", "wished", "held", "state"),
    [
        ({"a": ""}, {"a": "1"}, {"a": "1.00"}, "stored"),
        ({"a": "1"}, {"a": ""}, {"a": ""}, "stored"),
        ({"a": "1"}, {"a": "2"}, {"a": "1.0"}, "not-stored"),
        ({"a": "1"}, {"a": "2"}, {}, "not-stored"),
        ({"a": "1"}, {"a": "2"}, {"a": ""}, "reverted"),
        ({}, {"a": "2"}, {"a": ""}, "not-stored"),
        ({}, {"a": "2", "b": "3"}, {"a": "2", "b": "4"}, "reverted"),
    ],
)
def test_the_verdict_is_what_the_record_holds_now(
    before: dict[str, str], wished: dict[str, str], held: dict[str, str], state: str
) -> None:
    found = verdict(change(before, **wished), held)
    assert found.state == state
    assert bool(found.reason) == bool(found.fields) == (state != "stored")


def test_a_missing_field_is_refused_with_its_cure_and_nothing_is_written_there(
    desk: Any,
) -> None:
    del desk.platform.target["incident"]["1"]["u_vmo_watermelon"]
    outcome = desk.apply()
    (refused,) = (row for row in outcome.plan if row.action == "refused")
    assert refused.label == "INC1"
    assert "no field u_vmo_watermelon; run 'vmo-bridge provision'" in refused.reason
    assert {each.table for each in desk.platform.written} == {"services", "groups"}


def test_closed_tickets_are_touched_only_where_that_is_allowed(
    desk: Any, configure: Callable[[str], Settings]
) -> None:
    def planned(settings: Settings) -> list[str | None]:
        return [row.key for row in desk.plan(settings).plan if row.table == "incident"]

    text = desk.settings.file.read_text()
    allowed = configure(text + "[publish]\nclosed_tickets = true")
    assert planned(desk.settings) == ["1"]
    for state in ("closed", "canceled"):
        desk.platform.ticket("1", state=state)
        desk.sync()
        assert planned(desk.settings) == []
        assert planned(allowed) == ["1"]


def test_facts_that_are_gone_are_taken_back(desk: Any, signal: MakeSignal) -> None:
    desk.store.findings.save_signals(
        1, desk.now, [signal("a", "desk/1", "desk/2", service_ref="desk/vpn")]
    )
    desk.apply()
    assert desk.said("incident", "2") == {"watermelon": "false", "open_signals": "1"}
    assert desk.said("services", "vpn")["open_signals"] == "1"
    desk.store.findings.save_signals(2, desk.now, [signal("a", "desk/1", state="ended")])
    desk.platform.survey("s1", "1", {"q1": 5})
    desk.sync()
    # The answer to the second question was withdrawn over there; we still hold it.
    desk.store._db.execute("delete from answer where ref = 'desk/s1-q2'")
    desk.apply()
    for key in ("1", "2"):
        assert desk.said("incident", key) == {"watermelon": "false", "open_signals": "0"}
    assert desk.said("services", "vpn")["open_signals"] == "0"
    assert desk.said("incident", "3") == {}, "a ticket that was never spoken of is left alone"


def test_facts_of_a_write_that_was_cut_off_are_taken_back_too(
    desk: Any, signal: MakeSignal
) -> None:
    desk.store.findings.save_signals(1, desk.now, [signal("a", "desk/3")])
    desk.platform.fail_read_back = RetryLater("gone before the answer")
    desk.platform.reject = {"fin": WriteRefused("x"), "vpn": WriteRefused("x")}
    desk.platform.reject |= {"1": WriteRefused("x"), "rule:a": WriteRefused("x")}
    assert desk.apply().delivery.waiting
    assert desk.said("incident", "3")["open_signals"] == "1"
    assert desk.store.outbox.receipts("desk", "3") == []
    desk.platform.fail_read_back = None
    desk.apply()
    desk.store.findings.save_signals(2, desk.now, [signal("a", "desk/3", state="ended")])
    desk.apply()
    assert desk.said("incident", "3")["open_signals"] == "0"


def test_too_few_items_are_never_shown(desk: Any, result: MakeResult) -> None:
    kpis(desk, result(value=None))
    desk.apply()
    assert result_rows(desk) == {}


def test_a_result_that_was_shown_and_is_now_too_small_is_blanked(
    desk: Any, result: MakeResult
) -> None:
    kpis(desk, result(value=0.5))
    desk.apply()
    kpis(desk, result(value=None))
    desk.apply()
    (row,) = result_rows(desk).values()
    assert (row["u_value"], row["u_numerator"], row["u_denominator"]) == ("", "", "")
    assert (row["u_n"], row["u_status"]) == ("2", "too-few")
    assert desk.apply().counts()["change"] == 0


def test_a_result_that_was_shown_and_is_gone_is_blanked(desk: Any, result: MakeResult) -> None:
    vpn = {"service_ref": "desk/vpn", "service": "VPN"}
    kpis(desk, result(), result(**vpn))
    desk.apply()
    kpis(desk, result())
    desk.apply()
    row = result_rows(desk)["csat:last-90-days:vpn:all"]
    assert (row["u_value"], row["u_n"], row["u_status"]) == ("", "0", "not-known")
    assert result_rows(desk)["csat:last-90-days:all:all"]["u_value"] == "0.5"
    assert desk.apply().counts()["change"] == 0
    desk.platform.target["u_vmo_kpi_result"].clear()
    kpis(desk)
    assert desk.apply().counts()["create"] == 0, "what an admin removed is not made again"


def test_records_of_another_source_are_not_written_to(desk: Any, fakes: Any) -> None:
    other = fakes.Writer(desk.platform, "other")
    desk.writer, mine = other, desk.writer
    desk.sync()
    desk.writer = mine
    keys = [row.key for row in desk.plan().plan if row.table == "incident"]
    assert keys == ["1"]
