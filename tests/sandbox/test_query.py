"""The query grammar, over HTTP, against the same filter in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.sandbox.servicenow.query import Condition, parse

Connect = Callable[..., httpx.Client]

Row = dict[str, str]


def listed(client: httpx.Client, table: str, query: str, **params: object) -> list[Row]:
    options: dict[str, Any] = {
        "sysparm_query": query,
        "sysparm_exclude_reference_link": "true",
        "sysparm_limit": 10_000,
    }
    reply = client.get(f"/api/now/table/{table}", params=options | params)
    assert reply.status_code == 200, reply.text
    return reply.json()["result"]


@pytest.fixture(scope="session")
def incidents(shared: SandboxServer) -> list[Row]:
    return shared.rows("incident")


@pytest.fixture(scope="session")
def names(shared: SandboxServer) -> dict[str, str]:
    tables = ("cmdb_ci_service", "sys_user", "sys_user_group", "cmn_department")
    return {row["sys_id"]: row["name"] for table in tables for row in shared.rows(table)}


CASES: dict[str, Callable[[Row, dict[str, str]], bool]] = {
    "priority=2": lambda r, n: r["priority"] == "2",
    "priority!=2": lambda r, n: r["priority"] != "2",
    "priority>3": lambda r, n: int(r["priority"]) > 3,
    "priority<=2": lambda r, n: int(r["priority"]) <= 2,
    "priorityIN1,2": lambda r, n: r["priority"] in "12",
    "priorityNOT IN1,2": lambda r, n: r["priority"] not in "12",
    "active=true^priority=3": lambda r, n: r["active"] == "true" and r["priority"] == "3",
    "active=true^priority=1^ORpriority=2": lambda r, n: (
        r["active"] == "true" and r["priority"] in "12"
    ),
    "priority=1^NQactive=true^priority=4": lambda r, n: (
        r["priority"] == "1" or (r["active"] == "true" and r["priority"] == "4")
    ),
    "short_descriptionLIKEagain": lambda r, n: "again" in r["short_description"],
    "short_descriptionCONTAINSagain": lambda r, n: "again" in r["short_description"],
    "short_description*again": lambda r, n: "again" in r["short_description"],
    "short_descriptionNOT LIKEagain": lambda r, n: "again" not in r["short_description"],
    "short_description!*again": lambda r, n: "again" not in r["short_description"],
    "short_descriptionSTARTSWITHVPN": lambda r, n: r["short_description"].startswith("VPN"),
    "short_descriptionENDSWITHagain": lambda r, n: r["short_description"].endswith("again"),
    "short_description%again": lambda r, n: r["short_description"].endswith("again"),
    "resolved_atISEMPTY": lambda r, n: not r["resolved_at"],
    "resolved_atISNOTEMPTY": lambda r, n: bool(r["resolved_at"]),
    "resolved_atEMPTYSTRING": lambda r, n: not r["resolved_at"],
    "resolved_atANYTHING": lambda r, n: True,
    "resolved_at=": lambda r, n: not r["resolved_at"],
    "resolved_at<2026-01-01 00:00:00": lambda r, n: "" < r["resolved_at"] < "2026-01-01 00:00:00",
    "opened_atBETWEEN2026-01-01 00:00:00@2026-01-31 23:59:59": lambda r, n: (
        "2026-01-01 00:00:00" <= r["opened_at"] <= "2026-01-31 23:59:59"
    ),
    "stateSAMEASincident_state": lambda r, n: r["state"] == r["incident_state"],
    "sys_created_onNSAMEASsys_updated_on": lambda r, n: r["sys_created_on"] != r["sys_updated_on"],
    "sys_class_nameINSTANCEOFtask": lambda r, n: True,
    "sys_class_nameINSTANCEOFproblem": lambda r, n: False,
    "business_service.name=Printing": lambda r, n: n[r["business_service"]] == "Printing",
    "business_service.nameLIKEand": lambda r, n: "and" in n[r["business_service"]],
    "business_serviceLIKEand": lambda r, n: "and" in n[r["business_service"]],
    "assignment_groupSTARTSWITHData": lambda r, n: n[r["assignment_group"]].startswith("Data"),
    "problem_id.number!=PRB0040001^problem_idISNOTEMPTY^priority=1": lambda r, n: (
        bool(r["problem_id"]) and r["priority"] == "1"
    ),
}


@pytest.mark.parametrize("query", CASES)
def test_a_query_returns_what_the_filter_says(
    query: str, reading: httpx.Client, incidents: list[Row], names: dict[str, str]
) -> None:
    expected = {r["sys_id"] for r in incidents if CASES[query](r, names)}
    if "PRB0040001" in query:
        first = {r["sys_id"] for r in listed(reading, "incident", "problem_id.number=PRB0040001")}
        expected -= first
    found = listed(reading, "incident", query, sysparm_fields="sys_id")
    assert {r["sys_id"] for r in found} == expected
    assert len(found) == len(expected)


def test_a_reference_is_walked_over_several_tables(
    reading: httpx.Client, shared: SandboxServer, incidents: list[Row]
) -> None:
    legal = shared.rows("cmn_department", "name=Legal Counsel")[0]["sys_id"]
    people = {r["sys_id"] for r in shared.rows("sys_user", f"department={legal}")}
    found = listed(reading, "incident", "caller_id.department.name=Legal Counsel")
    assert {r["sys_id"] for r in found} == {
        r["sys_id"] for r in incidents if r["caller_id"] in people
    }


@pytest.mark.parametrize("bad", ["nonexistent=1", "nonexistent.name=1", "no operator", "sys_id>"])
def test_an_invalid_part_is_ignored_and_the_rest_is_applied(
    bad: str, reading: httpx.Client, incidents: list[Row]
) -> None:
    found = listed(reading, "incident", f"{bad}^priority=1", sysparm_fields="sys_id")
    assert len(found) == sum(r["priority"] == "1" for r in incidents)
    assert len(listed(reading, "incident", bad, sysparm_fields="sys_id")) == len(incidents)


def test_an_unreadable_script_or_number_is_invalid_too(
    reading: httpx.Client, incidents: list[Row]
) -> None:
    for bad in (
        "opened_at>javascript:gs.unknown()",
        "priority>high",
        "opened_atBETWEEN2026-01-01",
        "opened_atBETWEENjavascript:x()@2026-01-01 00:00:00",
        "priorityBETWEENa@b",
        "sys_class_nameINSTANCEOFnothing",
        "ORDERBYnothing",
        "ORDERBY",
    ):
        found = listed(reading, "incident", bad, sysparm_fields="sys_id")
        assert len(found) == len(incidents), bad


def test_rows_come_in_the_order_asked_for(reading: httpx.Client) -> None:
    query = "priority<3^ORDERBYpriority^ORDERBYDESCopened_at"
    rows = listed(reading, "incident", query)
    expected = sorted(rows, key=lambda r: r["opened_at"], reverse=True)
    assert rows == sorted(expected, key=lambda r: int(r["priority"]))


def test_a_reference_is_ordered_by_its_display_name(
    reading: httpx.Client, names: dict[str, str]
) -> None:
    rows = listed(reading, "incident", "priority=1^ORDERBYbusiness_service")
    shown = [names[r["business_service"]] for r in rows]
    assert shown == sorted(shown)


def test_a_display_value_may_be_a_reference_itself(reading: httpx.Client) -> None:
    rows = listed(reading, "asmt_metric_result", "metricSTARTSWITHSatis", sysparm_limit=10)
    metric = listed(reading, "asmt_metric", f"sys_id={rows[0]['metric']}")[0]
    assert metric["name"] == "Satisfaction"


def test_pairs_without_a_query_understand_display_values(
    reading: httpx.Client, incidents: list[Row], names: dict[str, str]
) -> None:
    reply = reading.get(
        "/api/now/table/incident",
        params={"state": "closed", "business_service": "Printing", "sysparm_fields": "sys_id"},
    )
    expected = [
        r for r in incidents if r["state"] == "7" and names[r["business_service"]] == "Printing"
    ]
    assert len(reply.json()["result"]) == len(expected)


def test_generated_dates_are_taken_in_the_callers_zone(
    shared: SandboxServer, connect: Connect, incidents: list[Row]
) -> None:
    query = "opened_at>=javascript:gs.dateGenerate('2026-03-02','08:00:00')"
    in_utc = listed(connect(shared), "incident", query)
    in_los_angeles = listed(connect(shared, "vmo.reader"), "incident", query)
    assert len(in_utc) == sum(r["opened_at"] >= "2026-03-02 08:00:00" for r in incidents)
    assert len(in_los_angeles) == sum(r["opened_at"] >= "2026-03-02 16:00:00" for r in incidents)


def test_literal_dates_are_utc_for_everybody(shared: SandboxServer, connect: Connect) -> None:
    query = "opened_at>=2026-03-02 08:00:00"
    clients = connect(shared), connect(shared, "vmo.reader")
    counts = {len(listed(c, "incident", query, sysparm_fields="sys_id")) for c in clients}
    assert len(counts) == 1


def test_days_ago_is_reckoned_from_now(reading: httpx.Client, incidents: list[Row]) -> None:
    ago = "javascript:gs.daysAgoStart(40000)@javascript:gs.daysAgoEnd(0)"
    assert len(listed(reading, "incident", f"opened_atBETWEEN{ago}")) == len(incidents)
    assert listed(reading, "incident", f"opened_atNOTONEver@{ago}") == []
    assert listed(reading, "incident", "opened_at>javascript:gs.daysAgo(-1)") == []


def test_the_grammar_binds_or_tighter_than_and() -> None:
    query = parse("a=1^b=2^ORb=3^NQc=4^ORDERBYd^ORDERBYDESCe.f^EQ^GROUPBYg")
    a, b2, b3, c = (
        Condition(path, "=", value)
        for path, value in (("a", "1"), ("b", "2"), ("b", "3"), ("c", "4"))
    )
    assert query.sets == [[[a], [b2, b3]], [[c]]]
    assert query.order == [("d", False), ("e.f", True)]


def test_an_or_after_an_invalid_part_stands_alone() -> None:
    assert parse("bad bad^ORb=3").sets == [[[Condition("b", "=", "3")]]]
    assert parse("^NQ^a=1").sets == [[], [[Condition("a", "=", "1")]]]


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(size=st.integers(40, 3000), base=st.sampled_from(["", "priority=3", "active=true"]))
def test_keyset_pages_over_updates_give_the_full_set_once(
    reading: httpx.Client, incidents: list[Row], size: int, base: str
) -> None:
    found: list[str] = []
    mark: tuple[str, str] | None = None
    filters = f"{base}^" if base else ""
    while True:
        query = filters
        if mark:
            query += (
                f"sys_updated_on>{mark[0]}^NQ{filters}sys_updated_on={mark[0]}^sys_id>{mark[1]}^"
            )
        query += "ORDERBYsys_updated_on^ORDERBYsys_id"
        page = listed(
            reading,
            "incident",
            query,
            sysparm_limit=size,
            sysparm_fields="sys_id,sys_updated_on",
            sysparm_no_count="true",
        )
        found += [r["sys_id"] for r in page]
        if not page:
            break
        mark = page[-1]["sys_updated_on"], page[-1]["sys_id"]
    name, _, value = base.partition("=")
    expected = sorted(
        (r["sys_updated_on"], r["sys_id"]) for r in incidents if not base or r[name] == value
    )
    assert found == [sys_id for _, sys_id in expected]


def test_keyset_pages_over_ids_give_the_full_set_once(
    reading: httpx.Client, incidents: list[Row]
) -> None:
    found: list[str] = []
    while True:
        after = f"sys_id>{found[-1]}^" if found else ""
        page = listed(
            reading, "task", f"{after}ORDERBYsys_id", sysparm_limit=700, sysparm_fields="sys_id"
        )
        if not page:
            break
        found += [r["sys_id"] for r in page]
    assert len(found) == len(set(found)) > len(incidents)
    assert found == sorted(found)


def test_a_join_and_a_related_list_narrow_by_another_table(
    shared: SandboxServer, reading: httpx.Client
) -> None:
    def found(table: str, query: str) -> set[str]:
        params = {"sysparm_query": query, "sysparm_fields": "sys_id"}
        return {
            row["sys_id"]
            for row in reading.get(f"/api/now/table/{table}", params=params).json()["result"]
        }

    users = {row["sys_id"] for row in shared.rows("sys_user")}
    managers = {row["manager"] for row in shared.rows("sys_user_group", "active=true")} & users
    assert found("sys_user", "JOINsys_user.sys_id=sys_user_group.manager!active=true") == managers
    counts = Counter(row["assignment_group"] for row in shared.rows("incident", "priority=1"))
    groups = {row["sys_id"] for row in shared.rows("sys_user_group")}
    some = {group for group in groups if counts[group] >= 2}
    listed = "RLQUERYincident.assignment_group,{}^priority=1^ENDRLQUERY"
    assert found("sys_user_group", listed.format(">=2")) == some
    assert found("sys_user_group", listed.format("<2") + "^active=true") == groups - some
    assert (
        found("sys_user_group", "RLQUERYincident.assignment_group,>=2,priority=1^ENDRLQUERY")
        == some
    )
    # What names no column is dropped like any other part.
    assert found("sys_user_group", "RLQUERYincident.nonsense,>=1^ENDRLQUERY") == groups
