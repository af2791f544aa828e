"""A number is shown as what it is, or not at all; what was shown and may not be is blanked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.publish import facts
from vmo_bridge.records import KpiResult
from vmo_bridge.settings.publish import PublishSection

MakeResult = Callable[..., KpiResult]
VPN = {"service": "VPN", "service_ref": "desk/vpn"}
NUMBERS = ("u_value", "u_numerator", "u_denominator")


def shown(desk: Any) -> dict[str, str]:
    """The one record of a KPI result; empty if there is none."""
    desk.apply()
    rows = list(desk.results().values())
    assert len(rows) <= 1
    return rows[0] if rows else {}


@pytest.mark.parametrize("grade", ["D", "F", None])
def test_a_number_from_incomplete_data_is_withheld(
    desk: Any, result: MakeResult, grade: str | None
) -> None:
    desk.configure('[publish]\nbelow_grade = "withhold"')
    desk.kpis(result(grade=grade, **VPN))
    assert shown(desk) == {}
    assert "csat" not in desk.said("services", "vpn")
    assert desk.said("services", "vpn")["kpi_status"] == "SLA not known, satisfaction incomplete"


@pytest.mark.parametrize(("grade", "told"), [("D", "D"), ("F", "F"), (None, "")])
def test_a_number_from_incomplete_data_may_be_marked_instead(
    desk: Any, result: MakeResult, grade: str | None, told: str
) -> None:
    desk.configure('[publish]\nbelow_grade = "mark"')
    desk.kpis(result(grade=grade, status="met", target=0.4, **VPN))
    row = shown(desk)
    assert (row["u_value"], row["u_status"], row["u_grade"]) == ("0.5", "incomplete", told)
    assert desk.said("services", "vpn")["csat"] == "50"
    assert desk.said("services", "vpn")["kpi_status"] == "SLA not known, satisfaction incomplete"


@pytest.mark.parametrize(("least", "good"), [("A", "A"), ("B", "AB"), ("C", "ABC"), ("D", "ABCD")])
def test_a_grade_is_good_enough_from_min_grade_on(
    result: MakeResult, least: str, good: str
) -> None:
    section = PublishSection.model_validate({"min_grade": least})
    known = [each for each in "ABCDF" if facts.as_told(result(grade=each), section).value]
    assert "".join(known) == good


def test_a_result_without_a_target_is_marked_or_withheld(desk: Any, result: MakeResult) -> None:
    desk.kpis(result())
    assert shown(desk)["u_status"] == "no-target"
    desk.configure('[publish]\nno_target = "withhold"')
    row = shown(desk)
    assert [row[name] for name in NUMBERS] == ["", "", ""], "it was shown before"
    desk.kpis(result(kpi="mttr"))
    desk.apply()
    assert len(desk.results()) == 1, "no record is made only to hold no number"
    desk.kpis(result(status="met", target=0.4))
    assert shown(desk)["u_value"] == "0.5"


def test_too_few_answers_are_marked_only_where_that_is_asked_for_and_never_numbered(
    desk: Any, result: MakeResult
) -> None:
    desk.kpis(result(value=None))
    assert shown(desk) == {}
    desk.configure('[publish]\ntoo_few = "mark"')
    row = shown(desk)
    assert (row["u_status"], row["u_n"]) == ("too-few", "2")
    assert [row[name] for name in NUMBERS] == ["", "", ""]


def test_a_result_that_may_not_be_shown_any_more_is_blanked_and_comes_back(
    desk: Any, result: MakeResult
) -> None:
    desk.configure('[publish]\nbelow_grade = "withhold"')
    desk.kpis(result(grade="B", **VPN))
    assert shown(desk)["u_value"] == "0.5"
    desk.kpis(result(grade="F", **VPN))
    row = shown(desk)
    assert [row[name] for name in NUMBERS] == ["", "", ""]
    assert (row["u_status"], row["u_grade"]) == ("incomplete", "F")
    assert "csat" not in desk.said("services", "vpn")
    assert desk.plan().counts()["change"] == 0
    desk.kpis(result(grade="A", **VPN))
    assert shown(desk)["u_value"] == "0.5"


def test_data_that_is_incomplete_for_an_hour_moves_nothing_that_stands_there(
    desk: Any, result: MakeResult
) -> None:
    desk.kpis(result(grade="A", **VPN))
    before, said = shown(desk), desk.said("services", "vpn")
    desk.kpis(result(value=0.1, grade="D", **VPN), result(kpi="mttr", grade="D", **VPN))
    outcome = desk.apply()
    assert (outcome.counts()["create"], outcome.counts()["change"]) == (0, 0)
    assert list(desk.results().values()) == [before]
    assert desk.said("services", "vpn") == said
    desk.kpis(result(value=0.6, grade="A", **VPN))
    assert shown(desk)["u_value"] == "0.6"


def test_observers_hear_no_number_that_is_withheld(desk: Any, result: MakeResult) -> None:
    desk.configure('[publish]\nbelow_grade = "withhold"')
    desk.kpis(result(grade="A"))
    desk.apply()
    desk.kpis(result(grade="F"))
    desk.apply()
    first, second = desk.heard
    assert first.value == 0.5
    assert (second.value, second.numerator, second.denominator) == (None, None, None)
    assert second.status == "incomplete"


RESULTS = st.fixed_dictionaries(
    {
        "value": st.none() | st.floats(0, 1),
        "grade": st.sampled_from(["A", "B", "C", "D", "F", None]),
        "status": st.sampled_from(["met", "missed", "no-target", "young"]),
    }
)
SECTIONS = st.fixed_dictionaries(
    {
        "min_grade": st.sampled_from("ABCD"),
        "below_grade": st.sampled_from(["keep", "withhold", "mark"]),
        "too_few": st.sampled_from(["withhold", "mark"]),
        "no_target": st.sampled_from(["withhold", "mark"]),
    }
)


@given(data=st.data())
def test_whatever_is_configured_no_number_is_shown_against_it(
    data: st.DataObject, result: MakeResult
) -> None:
    drawn = data.draw(RESULTS)
    if drawn["value"] is None:
        drawn["status"] = "too-few"
    section = PublishSection.model_validate(data.draw(SECTIONS))
    raw = result(**drawn)
    told = facts.as_told(raw, section)
    record = facts.kpi_record("k", told)
    low = (raw.grade or "F") > section.min_grade
    if raw.value is None:
        assert facts.is_worth(told, section) == (section.too_few == "mark")
    elif low:
        assert told.status == ("left" if section.below_grade == "keep" else "incomplete")
        assert facts.is_worth(told, section) == (section.below_grade == "mark")
    elif raw.status == "no-target":
        assert facts.is_worth(told, section) == (section.no_target == "mark")
    else:
        assert told == raw
        assert facts.is_worth(told, section)
    if not facts.is_worth(told, section) or raw.value is None:
        assert [record[name] for name in NUMBERS] == ["", "", ""]
