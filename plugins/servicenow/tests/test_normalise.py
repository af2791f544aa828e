"""From rows to records: each table, and the odd rows that real instances have."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.plugin import Record, RecordError
from vmo_bridge_servicenow.normalise import Normaliser
from vmo_bridge_servicenow.tables import JOURNALS, TABLES, TASK_TABLES
from vmo_bridge_servicenow.words import TYPES, Words

ALL = {**TABLES, **JOURNALS}
BASE = {"sys_id": "abc", "sys_updated_on": "2026-03-04 05:06:07"}
TICKET = BASE | {
    "number": "INC0010023", "state": "2", "opened_at": "2026-03-01 08:00:00",
    "sys_created_on": "2026-03-01 08:00:01",
}  # fmt: skip
SPAN = BASE | {
    "table": "incident", "id": "t1", "field": "state", "field_value": "2", "value": "In Progress",
    "start": "2026-03-01 08:00:00", "end": "",
}  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def normalise(
    table: str,
    row: dict[str, Any],
    *,
    states: dict[str, dict[str, str]] | None = None,
    service_field: str = "business_service",
) -> list[Record]:
    return list(Normaliser("hd", Words(states=states), service_field, ALL).records(table, row))


def one(table: str, row: dict[str, Any], **more: Any) -> Any:
    (record,) = normalise(table, row, **more)
    return record


# -- what every record carries -------------------------------------------------------------------


def test_a_record_has_both_names_and_the_source_s_moment() -> None:
    record = one("incident", TICKET)
    assert (record.ref, record.id) == ("hd/abc", "hd:incident:INC0010023")
    assert record.updated_at == at("2026-03-04 05:06:07")
    assert one("sys_user_group", BASE | {"name": "Desk"}).id == "hd:sys_user_group:abc"


@pytest.mark.parametrize("field", ["sys_id", "sys_updated_on"])
@pytest.mark.parametrize("value", ["", None])
def test_a_row_without_its_stamps_is_refused(field: str, value: str | None) -> None:
    with pytest.raises(RecordError, match=field):
        normalise("incident", TICKET | {field: value})


def test_empty_and_absent_are_both_not_known() -> None:
    empty = one("incident", TICKET | {"priority": "", "made_sla": "", "reopen_count": ""})
    assert empty == one("incident", TICKET)
    assert (empty.priority, empty.made_sla, empty.reopen_count) == (None, None, None)


def test_a_reference_may_keep_its_link() -> None:
    link = {"link": "https://x/api/now/table/cmdb_ci_service/s1", "value": "s1"}
    assert one("incident", TICKET | {"business_service": link}).service_ref == "hd/s1"
    gone = {"link": "https://x", "value": ""}
    assert one("incident", TICKET | {"business_service": gone}).service_ref is None
    shown = {"display_value": None, "value": ""}  # an empty choice with display values
    assert one("incident", TICKET | {"priority": shown}).priority is None
    system = {"display_value": "", "value": "glide.maint"}
    assert one("sc_req_item", TICKET | {"opened_by": system}).requester_ref == "hd/glide.maint"


@pytest.mark.parametrize("odd", [5, True, ["x"], 1.5])
def test_what_is_no_text_is_refused(odd: object) -> None:
    with pytest.raises(RecordError, match=f"category is a {type(odd).__name__}, not a text"):
        normalise("incident", TICKET | {"category": odd})


# -- tickets -------------------------------------------------------------------------------------


def test_an_incident_whole() -> None:
    row = TICKET | {
        "short_description": "VPN", "description": "drops", "state": "7", "priority": "2",
        "category": "network", "subcategory": "vpn", "business_service": "s1", "cmdb_ci": "c1",
        "assignment_group": "g1", "caller_id": "u1", "problem_id": "p1", "parent": "i0",
        "resolved_at": "2026-03-02 00:00:00", "closed_at": "2026-03-03 00:00:00",
        "reopen_count": "1", "reassignment_count": "3", "made_sla": "false",
        "business_stc": "3600", "calendar_stc": "7200", "close_code": "Solved",
        "close_notes": "done", "contact_type": "phone",
    }  # fmt: skip
    record = one("incident", row)
    assert (record.type, record.original_type) == ("incident", "incident")
    assert (record.state, record.original_state) == ("closed", "7")
    assert (record.priority, record.original_priority) == (2, "2")
    assert record.opened_at == at("2026-03-01 08:00:00")
    assert record.resolved_at == at("2026-03-02")
    assert record.closed_at == at("2026-03-03")
    assert (record.service_ref, record.team_ref) == ("hd/s1", "hd/g1")
    assert record.requester_ref == "hd/u1"
    assert (record.problem_ref, record.parent_ref) == ("hd/p1", "hd/i0")
    assert (record.reopen_count, record.reassignment_count, record.made_sla) == (1, 3, False)
    assert (record.business_seconds, record.calendar_seconds) == (3600, 7200)
    assert (record.channel, record.close_code) == ("phone", "Solved")
    assert one("incident", row, service_field="cmdb_ci").service_ref == "hd/c1"


@pytest.mark.parametrize("table", TASK_TABLES)
def test_each_task_table_becomes_its_type(table: str) -> None:
    record = one(table, TICKET | {"state": "1"})
    assert (record.type, record.original_type) == (TYPES[table], table)


@pytest.mark.parametrize("table", ["sc_req_item", "change_request"])
def test_what_knows_no_resolved_is_resolved_when_closed(table: str) -> None:
    closed = TICKET | {"state": "3", "closed_at": "2026-03-03 00:00:00"}
    assert one(table, closed).resolved_at == at("2026-03-03")
    assert one(table, closed | {"state": "4"}).resolved_at is None  # canceled
    assert one("problem", closed | {"state": "4"}).resolved_at is None


def test_who_asks_is_read_from_the_first_field_that_says_so() -> None:
    row = TICKET | {"opened_by": "u3"}
    assert one("sc_req_item", row).requester_ref == "hd/u3"
    assert one("sc_req_item", row | {"requested_for": "u2"}).requester_ref == "hd/u2"
    assert one("change_request", TICKET | {"requested_by": "u4"}).requester_ref == "hd/u4"


def test_a_request_without_a_category_has_its_catalogue_item() -> None:
    assert one("sc_req_item", TICKET | {"cat_item": "c1"}).category == "c1"


def test_an_unknown_state_is_other_and_the_configuration_can_name_it() -> None:
    row = TICKET | {"state": "42"}
    assert (one("incident", row).state, one("incident", row).original_state) == ("other", "42")
    mapped = {"incident": {"42": "on_hold"}}
    assert one("incident", row, states=mapped).state == "on_hold"
    assert one("incident", TICKET, states=mapped).state == "in_progress"  # defaults stay


def test_the_waiting_states_of_an_older_instance_are_on_hold() -> None:
    states = [one("incident", TICKET | {"state": number}).state for number in "345"]
    assert states == ["on_hold"] * 3


@pytest.mark.parametrize(("given", "ours"), [("1", 1), ("5", 5), ("6", None), ("High", None)])
def test_a_priority_out_of_range_is_kept_as_its_word(given: str, ours: int | None) -> None:
    record = one("incident", TICKET | {"priority": given})
    assert (record.priority, record.original_priority) == (ours, given)


def test_a_ticket_without_its_opening_began_when_it_was_made_or_is_refused() -> None:
    row = TICKET | {"opened_at": ""}
    assert one("incident", row).opened_at == at("2026-03-01 08:00:01")
    with pytest.raises(RecordError, match="opened_at and sys_created_on are empty"):
        normalise("incident", row | {"sys_created_on": ""})


@pytest.mark.parametrize("field", ["number", "state"])
def test_a_ticket_needs_its_number_and_its_state(field: str) -> None:
    with pytest.raises(RecordError, match=f"{field} is empty or not readable"):
        normalise("incident", {k: v for k, v in TICKET.items() if k != field})


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("opened_at", "UNKNOWN", "opened_at is 'UNKNOWN', not a date-time"),
        ("closed_at", "2026-02-30 00:00:00", "closed_at"),
        ("resolved_at", "2026-03-01", "resolved_at"),
        ("resolved_at", "2026-03-01T08:00:00Z", "resolved_at"),
        ("reopen_count", "2,048", "reopen_count is '2,048', not a whole number"),
        ("reopen_count", "1.5", "reopen_count"),
        ("reopen_count", "1_000", "reopen_count"),
        ("business_stc", "9" * 19, "business_stc"),
        ("calendar_stc", "1970-01-01 00:02:17", "calendar_stc"),
        ("made_sla", "yes", "made_sla is 'yes', not true or false"),
    ],
)
def test_nonsense_is_refused_with_its_field(field: str, value: str, words: str) -> None:
    with pytest.raises(RecordError, match=words) as caught:
        normalise("incident", TICKET | {field: value})
    assert caught.value.reason == str(caught.value)


def test_booleans_come_in_four_ways() -> None:
    given = [("true", True), ("True", True), ("1", True), ("false", False), ("0", False)]
    for text, wanted in given:
        assert one("incident", TICKET | {"made_sla": text}).made_sla is wanted


# -- people, groups, services, choices -------------------------------------------------------------


def test_people_and_groups() -> None:
    group = one("cmn_department", BASE | {"name": "Parks", "parent": "d0"})
    assert (group.kind, group.name, group.parent_ref) == ("user_group", "Parks", "hd/d0")
    person = one("sys_user", BASE | {"department": "d1", "active": "true"})
    assert (person.name, person.user_group_ref, person.active) == (None, "hd/d1", True)
    assert one("sys_user_group", BASE | {"name": "Desk"}).kind == "team"


@pytest.mark.parametrize(("status", "active"), [("1", True), ("6", False), ("", None)])
def test_a_retired_service_is_not_active(status: str, active: bool | None) -> None:
    row = BASE | {"name": "Mail", "operational_status": status}
    assert one("cmdb_ci_service", row).active is active


def test_a_choice_in_another_language_is_left_out() -> None:
    row = BASE | {"name": "incident", "element": "state", "value": "1", "label": "New"}
    for language in ("en", ""):
        choice = one("sys_choice", row | {"language": language})
        assert (choice.table, choice.field, choice.value, choice.label) == (
            "incident", "state", "1", "New",
        )  # fmt: skip
    assert normalise("sys_choice", row | {"language": "de", "label": "Neu"}) == []


# -- service levels and spans ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "target", "ours"),
    [
        ("SLA", "resolution", "resolution"),
        ("", "resolution", "resolution"),
        ("OLA", "resolution", "ola-resolution"),
        ("UC", "resolution", "uc-resolution"),
        ("SLA", "response", "response"),
        ("OLA", "", None),
    ],
)
def test_only_an_agreement_with_the_customer_counts_as_one(
    kind: str, target: str, ours: str | None
) -> None:
    row = BASE | {"task": "t1", "sla.type": kind, "sla.target": target}
    assert one("task_sla", row).target == ours


def test_a_service_level_whole() -> None:
    row = BASE | {
        "task": "t1", "sla.name": "P2", "sla.target": "resolution", "sla.type": "SLA",
        "stage": "cancelled", "has_breached": "true", "start_time": "2026-03-01 00:00:00",
        "end_time": "2026-03-02 00:00:00", "planned_end_time": "2026-03-01 12:00:00",
    }  # fmt: skip
    record = one("task_sla", row)
    assert (record.ticket_ref, record.name, record.stage) == ("hd/t1", "P2", "canceled")
    assert (record.breached, record.ended_at) == (True, at("2026-03-02"))
    assert record.due_at == at("2026-03-01 12:00:00")
    assert one("task_sla", row | {"stage": "odd"}).stage == "odd"
    assert one("task_sla", row | {"stage": ""}).stage is None
    with pytest.raises(RecordError, match="task is empty"):
        normalise("task_sla", row | {"task": ""})


def test_a_span_of_a_state_and_of_a_team() -> None:
    state = one("metric_instance", SPAN)
    assert (state.field, state.value, state.original_value) == ("state", "in_progress", "2")
    assert (state.started_at, state.ended_at) == (at("2026-03-01 08:00:00"), None)
    team = one(
        "metric_instance",
        SPAN | {"field": "assignment_group", "field_value": "g1", "value": "Desk"},
    )
    assert (team.field, team.value_ref, team.value) == ("team", "hd/g1", "Desk")
    assert one("metric_instance", SPAN | {"field_value": "", "value": ""}).value == "other"
    assert normalise("metric_instance", SPAN | {"start": ""}) == []
    with pytest.raises(RecordError, match="id is empty"):
        normalise("metric_instance", SPAN | {"id": ""})


# -- surveys ---------------------------------------------------------------------------------------


def test_a_question_has_its_scale() -> None:
    row = BASE | {"name": "CSAT", "question": "", "metric_type": "m1", "min": "1", "max": "5.0"}
    record = one("asmt_metric", row | {"datatype": "scale"})
    assert (record.text, record.survey_ref) == ("CSAT", "hd/m1")
    assert (record.scale_min, record.scale_max) == (1.0, 5.0)
    assert one("asmt_metric", row | {"question": "How?"}).text == "How?"
    for odd in ("nan", "inf", "1e999", "five"):
        with pytest.raises(RecordError, match=r"max is .*, not a number"):
            normalise("asmt_metric", row | {"max": odd})


def test_a_survey_leads_to_its_ticket_or_its_service() -> None:
    row = BASE | {"number": "AINST1", "state": "complete", "user": "u1", "taken_on": ""}
    record = one("asmt_assessment_instance", row | {"task_id": "t1"})
    assert (record.ticket_ref, record.person_ref, record.state) == ("hd/t1", "hd/u1", "answered")
    assert record.answered_at == at("2026-03-04 05:06:07")  # no moment of its own: the last change
    about = row | {"trigger_table": "incident", "trigger_id": "t2"}
    assert one("asmt_assessment_instance", about).ticket_ref == "hd/t2"
    about = row | {"trigger_table": "cmdb_ci_service", "trigger_id": "s1"}
    record = one("asmt_assessment_instance", about)
    assert (record.ticket_ref, record.service_ref) == (None, "hd/s1")
    record = one("asmt_assessment_instance", row | {"taken_on": "2026-03-02 00:00:00"})
    assert record.answered_at == at("2026-03-02")


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("ready", "invited"), ("wip", "invited"), ("expired", "expired"), ("x", "other")],
)
def test_a_survey_that_is_not_answered_has_no_moment(theirs: str, ours: str) -> None:
    row = BASE | {"number": "AINST1", "state": theirs, "taken_on": "2026-03-02 00:00:00"}
    record = one("asmt_assessment_instance", row)
    assert (record.state, record.answered_at) == (ours, None)


@pytest.mark.parametrize(
    ("given", "value"), [("4", 4.0), ("0", 0.0), ("-1", None), ("-1.00", None), ("", None)]
)
def test_an_answer_that_is_a_text_has_no_value(given: str, value: float | None) -> None:
    row = BASE | {"instance": "i1", "metric": "q1", "actual_value": given, "string_value": "good"}
    record = one("asmt_metric_result", row)
    assert (record.value, record.text) == (value, "good")
    with pytest.raises(RecordError, match="metric is empty"):
        normalise("asmt_metric_result", row | {"metric": ""})


# -- anything --------------------------------------------------------------------------------------

ANYTHING = st.none() | st.text() | st.integers() | st.dictionaries(st.text(), st.text())


@given(st.data())
def test_any_row_becomes_records_or_is_refused(data: st.DataObject) -> None:
    table = data.draw(st.sampled_from(sorted(ALL)))
    fields = ALL[table].all_fields
    row = data.draw(st.fixed_dictionaries({}, optional=dict.fromkeys(fields, ANYTHING)))
    reason = ""
    try:
        normalise(table, BASE | row)
    except RecordError as error:
        reason = error.reason
    assert not reason or any(field in reason for field in fields)


def test_words_for_priorities_and_types_are_the_admin_s_to_choose() -> None:
    words = Words(priorities={"P0": 1, "3": 2}, types={"problem": "incident"})
    assert [words.priority(each) for each in ("P0", "3", "4", "P9", None)] == [1, 2, 4, None, None]
    assert (words.type("problem"), words.type("incident")) == ("incident", "incident")


# -- demands -------------------------------------------------------------------------------------

DEMAND = BASE | {
    "number": "DMND0001007", "state": "8", "short_description": "Mobile access",
    "opened_at": "2026-03-01 08:00:00", "business_service": "s1", "demand_manager": "u1",
}  # fmt: skip


def test_a_demand_is_an_initiative_and_names_its_epic() -> None:
    demand, link = normalise("dmn_demand", DEMAND | {"correlation_id": "STAFF-12"})
    assert (demand.kind, demand.type, demand.state) == ("initiative", "demand", "approved")
    assert (demand.service_ref, demand.owner_ref) == ("hd/s1", "hd/u1")
    assert (link.from_ref, link.to_number, link.named_in) == (demand.ref, "STAFF-12", "field")
    assert link.ref != demand.ref
    (alone,) = normalise("dmn_demand", DEMAND)
    assert alone == demand


def test_a_demand_s_unknown_state_is_other_until_it_is_mapped() -> None:
    assert one("dmn_demand", DEMAND | {"state": "-3"}).state == "other"
    mapped = one("dmn_demand", DEMAND | {"state": "-3"}, states={"dmn_demand": {"-3": "rejected"}})
    assert (mapped.state, mapped.original_state) == ("rejected", "-3")


def test_people_are_reached_by_their_address() -> None:
    person = one("sys_user", BASE | {"name": "A", "email": "p5", "department": "d1"})
    assert (person.contact, person.user_group_ref) == ("p5", "hd/d1")
