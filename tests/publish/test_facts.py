"""What is said about tickets, services and user groups, from records made by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vmo_bridge.publish import facts
from vmo_bridge.records import KpiResult, Signal

MakeResult = Callable[..., KpiResult]
MakeSignal = Callable[..., Signal]


def said(desk: Any, *signals: Signal) -> dict[str, dict[str, str]]:
    tables = desk.store.tables(as_of=desk.now, feedback=desk.settings.feedback)
    found = facts.ticket_facts(tables, signals)
    return {ref.removeprefix("desk/"): fact for ref, fact in found.items()}


def test_a_watermelon_is_a_ticket_whose_sla_was_met_and_whose_user_is_unhappy(desk: Any) -> None:
    assert said(desk) == {"1": {"watermelon": "true", "lost_time": "12", "open_signals": "0"}}


@pytest.mark.parametrize(
    ("rating", "made_sla", "watermelon"),
    [(1, True, True), (2, True, True), (2.1, True, False), (1, False, False), (1, None, False)],
)
def test_the_lowest_quarter_of_the_scale_counts_as_unhappy(
    desk: Any, rating: float, made_sla: bool | None, watermelon: bool
) -> None:
    desk.platform.ticket("3", made_sla=made_sla)
    desk.platform.survey("s3", "3", {"q1": rating})
    desk.sync()
    assert ("3" in said(desk)) is watermelon


def test_a_ticket_that_is_not_resolved_has_met_no_sla_yet(desk: Any) -> None:
    desk.platform.ticket("3", resolved=None, state="in_progress")
    desk.platform.survey("s3", "3", {"q1": 1})
    desk.sync()
    assert "3" not in said(desk)


def test_lost_time_is_summed_in_whole_minutes_and_zero_is_not_unknown(desk: Any) -> None:
    desk.platform.survey("s3", "2", {"q2": 30.4})
    desk.platform.survey("s4", "2", {"q2": 20.4})
    desk.platform.survey("s5", "3", {"q2": 0})
    desk.sync()
    found = said(desk)
    assert found["2"] == {"watermelon": "false", "lost_time": "51", "open_signals": "0"}
    assert found["3"]["lost_time"] == "0"


def test_open_signals_are_counted_on_the_tickets_that_are_their_evidence(
    desk: Any, signal: MakeSignal
) -> None:
    signals = (
        signal("a", "desk/1", "desk/3", "desk/s1"),
        signal("b", "desk/3", "desk/gone", state="new"),
        signal("c", "desk/2", "desk/3", state="ended"),
    )
    found = said(desk, *signals)
    assert {key: fact["open_signals"] for key, fact in found.items()} == {"1": "1", "3": "2"}
    assert found["3"]["lost_time"] == ""


def test_a_survey_without_a_ticket_speaks_of_none(desk: Any) -> None:
    desk.platform.survey("s9", None, {"q1": 1, "q2": 99})
    desk.sync()
    assert set(said(desk)) == {"1"}


def test_a_service_shows_its_own_results_not_those_of_a_part_of_it(
    result: MakeResult, signal: MakeSignal
) -> None:
    vpn = {"service_ref": "desk/vpn", "service": "VPN"}
    fin = {"user_group_ref": "desk/fin", "user_group": "Finance"}
    results = [
        result("csat", 0.5, status="missed", **vpn),
        result("csat", 0.1, **vpn, **fin),
        result("csat", 0.2),
        result("csat", 0.3, window="2026-08", **vpn),
        result("sla_attainment", 0.98765, status="met", **vpn),
        result("lost_time", 12.25, **vpn),
        result("csat", None, **fin),
    ]
    signals = [
        signal("a", service_ref="desk/vpn"),
        signal("b", service_ref="desk/vpn", state="ended"),
        signal("c", user_group_ref="desk/fin"),
    ]
    services = facts.scope_facts(results, signals, ["desk/vpn", "desk/mail"], "service_ref")
    assert services == {
        "desk/vpn": {
            "csat": "50",
            "sla": "98.8",
            "lost_time": "12.25",
            "kpi_status": "SLA met, satisfaction missed",
            "open_signals": "1",
        },
        "desk/mail": {
            "csat": "",
            "sla": "",
            "lost_time": "",
            "kpi_status": "SLA not known, satisfaction not known",
            "open_signals": "0",
        },
    }
    groups = facts.scope_facts(results, signals, ["desk/fin"], "user_group_ref")
    assert groups["desk/fin"]["csat"] == ""
    assert groups["desk/fin"]["kpi_status"] == "SLA not known, satisfaction too few"
    assert groups["desk/fin"]["open_signals"] == "1"


def test_a_result_becomes_a_record_of_plain_words(result: MakeResult) -> None:
    vpn = {"service_ref": "desk/vpn", "service": "VPN"}
    row = facts.kpi_record("csat:x", result("csat", 1 / 3, target=0.85, **vpn))
    assert row["u_key"] == "csat:x"
    assert (row["u_value"], row["u_target"], row["u_n"]) == ("0.3333", "0.85", "10")
    assert (row["u_service"], row["u_user_group"]) == ("VPN", "")
    assert row["u_end"] == row["u_data_as_of"] == "2026-09-21"
    assert facts.NO_KPI_VALUE.keys() < row.keys()
    few = facts.kpi_record("csat:x", result("csat", None))
    assert (few["u_value"], few["u_numerator"], few["u_denominator"]) == ("", "", "")
    assert (few["u_n"], few["u_status"]) == ("2", "too-few")
