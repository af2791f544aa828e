"""Tables, columns, choices, form and lists: planned, made over REST, and then only rules miss."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest

from vmo_bridge.plugin import (
    AccessError,
    Change,
    Column,
    Difference,
    ProvisionStep,
    TargetTable,
    WriteRefused,
)

VALUES = (
    Column(name="u_vmo_csat", label="VMO satisfaction (%)", type="decimal", hint="Top two boxes."),
    Column(name="u_vmo_status", label="VMO status", type="string", max_length=100),
    Column(name="u_vmo_link", label="VMO link", type="url"),
    Column(name="u_vmo_seen", label="VMO seen", type="datetime"),
    Column(name="u_vmo_ok", label="VMO ok", type="boolean"),
    Column(name="u_vmo_n", label="VMO n", type="integer"),
)
SHOWN = ("u_vmo_csat", "u_vmo_status")
STATUS = Column(
    name="u_status", label="Status", type="string", choices=(("met", "Met"), ("missed", "Missed"))
)
RESULTS = TargetTable(
    table="u_vmo_kpi_result",
    label="KPI result",
    columns=(
        Column(name="u_key", label="Key", type="string", max_length=200),
        Column(name="u_service", label="Service", type="reference", reference="cmdb_ci_service"),
        STATUS,
    ),
    create=True,
)
SERVICE = TargetTable(
    table="cmdb_ci_service", columns=VALUES, show=SHOWN,
    related=(("u_vmo_kpi_result", "u_service"),),
)  # fmt: skip
DEPARTMENT = TargetTable(table="cmn_department", columns=VALUES[:1], show=SHOWN[:1])
INCIDENT = TargetTable(
    table="incident",
    columns=(Column(name="u_vmo_lost", label="VMO lost time (min)", type="integer"),),
    show=(
        "u_vmo_lost", "business_service.u_vmo_csat", "caller_id.department.u_vmo_csat",
    ),
)  # fmt: skip
TABLES = [RESULTS, SERVICE, DEPARTMENT, INCIDENT]


def possible(connector, tables=TABLES) -> list[ProvisionStep]:
    return [step for step in connector.provision_plan(tables) if step.over_rest]


def make(connector, tables=TABLES, *, steps: int | None = None) -> list[ProvisionStep]:
    plan = possible(connector, tables)
    for step in plan[:steps]:
        connector.provision(step)
    return plan


def whats(steps: list[ProvisionStep]) -> list[str]:
    return [step.what for step in steps]


def test_the_plan_names_everything_in_the_order_in_which_it_can_be_made(connect) -> None:
    plan = connect().provision_plan(TABLES)
    assert whats(plan)[:11] == [
        "role u_vmo_bridge_writer",
        "role u_vmo_bridge_reader",
        "table u_vmo_kpi_result (KPI result)",
        "column u_vmo_kpi_result.u_key (Key)",
        "column u_vmo_kpi_result.u_service (Service)",
        "column u_vmo_kpi_result.u_status (Status)",
        "choice 'met' (Met) of u_vmo_kpi_result.u_status",
        "choice 'missed' (Missed) of u_vmo_kpi_result.u_status",
        "column cmdb_ci_service.u_vmo_csat (VMO satisfaction (%))",
        "hint of cmdb_ci_service.u_vmo_csat",
        "column cmdb_ci_service.u_vmo_status (VMO status)",
    ]
    kinds = list(dict.fromkeys(step.table for step in plan))
    assert kinds == [
        "sys_user_role", "sys_db_object", "sys_dictionary", "sys_choice", "sys_documentation",
        "sys_ui_section", "sys_ui_element", "sys_ui_related_list", "sys_ui_related_list_entry",
        "sys_security_acl", "sys_security_acl_role",
    ]  # fmt: skip
    counts = {kind: sum(step.table == kind for step in plan) for kind in kinds}
    assert counts["sys_dictionary"] == 3 + 6 + 1 + 1
    assert counts["sys_ui_element"] == 2 + 1 + 3
    assert counts["sys_security_acl"] == 4 + 6 + 1 + 1
    assert counts["sys_security_acl_role"] == counts["sys_security_acl"] + 1, "two roles read"


def test_after_it_is_made_only_access_rules_are_missing(server, connect) -> None:
    connector = connect()
    plan = make(connector)
    left = connector.provision_plan(TABLES)
    assert left
    assert {step.table for step in left} == {"sys_security_acl", "sys_security_acl_role"}
    assert not any(step.over_rest for step in left)
    assert len(server.write_log()) == len(plan)


def test_columns_have_their_type_length_reference_and_hint(server, connect) -> None:
    make(connect())
    rows = {
        row["element"]: row
        for row in server.rows("sys_dictionary", "name=cmdb_ci_service^elementSTARTSWITHu_vmo")
    }
    assert {name: row["internal_type"] for name, row in rows.items()} == {
        "u_vmo_csat": "decimal", "u_vmo_status": "string", "u_vmo_link": "url",
        "u_vmo_seen": "glide_date_time", "u_vmo_ok": "boolean", "u_vmo_n": "integer",
    }  # fmt: skip
    assert rows["u_vmo_status"]["max_length"] == "100"
    assert rows["u_vmo_csat"]["comments"] == "Top two boxes."
    (label,) = server.rows("sys_documentation", "name=cmdb_ci_service^element=u_vmo_csat")
    assert (label["label"], label["hint"]) == ("VMO satisfaction (%)", "Top two boxes.")
    (leads,) = server.rows("sys_dictionary", "name=u_vmo_kpi_result^element=u_service")
    assert (leads["internal_type"], leads["reference"]) == ("reference", "cmdb_ci_service")


def test_choices_have_labels_and_their_order(server, connect) -> None:
    make(connect())
    rows = server.rows("sys_choice", "name=u_vmo_kpi_result^ORDERBYsequence")
    assert [(row["value"], row["label"], row["language"]) for row in rows] == [
        ("met", "Met", "en"), ("missed", "Missed", "en"),
    ]  # fmt: skip
    (column,) = server.rows("sys_dictionary", "name=u_vmo_kpi_result^element=u_status")
    assert column["choice"] == "1"


@pytest.mark.parametrize("steps", [0, 1, 3, 7, 12, 22, 30])
def test_what_was_made_in_part_is_made_whole_the_next_time(connect, steps) -> None:
    connector = connect()
    plan = make(connector, steps=steps)
    rest = make(connector)
    assert whats(rest) == whats(plan)[steps:]
    assert possible(connector) == []


def test_a_step_whose_reply_was_lost_is_not_made_twice(server, connect) -> None:
    connector = connect()
    for step in possible(connector):
        method = "PATCH" if step.table == "sys_documentation" else "POST"
        server.faults.set("drop_reply_after_commit", method=method, times=1)
        with pytest.raises(Exception, match="connection broke"):
            connector.provision(step)
    assert possible(connector) == []
    elements = [row["element"] for row in server.rows("sys_ui_element")]
    assert elements.count("u_vmo_lost") == 1


def test_a_step_that_is_made_again_makes_nothing(server, connect) -> None:
    connector = connect()
    plan = make(connector)
    written = len(server.write_log())
    for step in plan:
        connector.provision(step)
    assert len(server.write_log()) == written


def test_one_new_column_is_all_that_is_planned(connect) -> None:
    connector = connect()
    make(connector)
    more = TargetTable(
        table="incident",
        columns=(*INCIDENT.columns, Column(name="u_vmo_more", label="More", type="string")),
        show=(*INCIDENT.show, "u_vmo_more"),
    )
    assert whats(make(connector, [more])) == [
        "column incident.u_vmo_more (More)",
        "u_vmo_more in the form section 'Value' of incident",
    ]
    assert possible(connector, [more]) == []


def test_a_column_that_a_table_inherits_is_not_made_again(server, connect) -> None:
    inherited = {"name": "cmdb_ci", "element": "u_vmo_csat", "internal_type": "decimal"}
    server.change({"operation": "insert", "table": "sys_dictionary", "values": inherited})
    columns = [step.what for step in possible(connect()) if step.table == "sys_dictionary"]
    assert not any("cmdb_ci_service.u_vmo_csat" in what for what in columns)
    assert any("cmn_department.u_vmo_csat" in what for what in columns)


def test_the_form_shows_the_values_of_the_record_its_service_and_its_group(server, connect) -> None:
    connector = connect()
    make(connector)
    row = next(
        row for row in server.rows("incident") if row["business_service"] and row["caller_id"]
    )
    # The small agency holds few people; the caller is made one of them.
    person = next(each for each in server.rows("sys_user") if each["department"])
    writes = (
        ("incident", row["sys_id"], {"u_vmo_lost": "37", "caller_id": person["sys_id"]}),
        ("cmdb_ci_service", row["business_service"], {"u_vmo_csat": "81.5"}),
        ("cmn_department", person["department"], {"u_vmo_csat": "64.2"}),
    )
    for table, key, values in writes:
        connector.write(Change(table=table, key=key, match={}, values=values))
    page = httpx.get(connector.link("incident", row["sys_id"])).text
    assert "Value" in page
    for value in ("37", "81.5", "64.2", "VMO lost time (min)", 'title="Top two boxes."'):
        assert value in page


def test_a_service_lists_the_results_about_it_below_its_form(server, connect) -> None:
    connector = connect()
    make(connector)
    first, second = (row["sys_id"] for row in server.rows("cmdb_ci_service")[:2])
    values = {"u_service": first, "u_status": "missed"}
    connector.write(
        Change(table="u_vmo_kpi_result", key=None, match={"u_key": "csat 1"}, values=values)
    )
    page = httpx.get(connector.link("cmdb_ci_service", first)).text
    assert "KPI result" in page
    assert "csat 1" in page
    assert "Missed" in page, "people read the choice's label"
    assert "csat 1" not in httpx.get(connector.link("cmdb_ci_service", second)).text


def test_a_form_with_a_section_in_two_views_uses_one_of_them(server, connect) -> None:
    connector = connect()
    for sys_id in ("b" * 32, "a" * 32):
        section = {"sys_id": sys_id, "name": "incident", "caption": "Value"}
        server.load("sys_ui_section", [section])
    make(connector)
    assert possible(connector) == []
    elements = server.rows("sys_ui_element", f"sys_ui_section={'a' * 32}")
    assert len(elements) == len(INCIDENT.show)


def test_the_section_takes_its_place_on_a_form_that_is_put_together_of_sections(
    server, connect
) -> None:
    form = {"sys_id": "c" * 32, "name": "incident", "view": "Default view"}
    server.load("sys_ui_form", [form])
    connector = connect()
    assert "place of the section 'Value' on the form of incident" in whats(make(connector))
    (place,) = server.rows("sys_ui_form_section")
    (section,) = server.rows("sys_ui_section", "name=incident^caption=Value")
    assert (place["sys_ui_form"], place["sys_ui_section"]) == ("c" * 32, section["sys_id"])
    assert len(server.rows("sys_ui_form")) == 1, "a form of our own would hide the others' sections"


def test_an_element_without_its_section_is_refused(connect) -> None:
    step = ProvisionStep(
        what="x", table="sys_ui_element", values={"sys_ui_section": "incident", "element": "x"}
    )
    with pytest.raises(WriteRefused, match="no form section 'Value' on incident yet"):
        connect().provision(step)


def test_an_access_rule_is_never_tried_over_rest(server, connect, wire) -> None:
    connector = connect()
    rule = next(step for step in connector.provision_plan(TABLES) if not step.over_rest)
    asked = len(wire.requests)
    with pytest.raises(WriteRefused, match="cannot be made over REST; import the file"):
        connector.provision(rule)
    assert len(wire.requests) == asked
    assert server.write_log() == []


@pytest.mark.parametrize("table", ["sys_dictionary", "sys_db_object"])
def test_a_plan_is_not_made_of_what_cannot_be_read(server, connect, table) -> None:
    server.faults.set("acl_drop_fields", ["name"], table=table)
    with pytest.raises(AccessError, match=r"name.* cannot be read"):
        connect().provision_plan(TABLES)


def test_a_dictionary_that_shows_nothing_is_not_taken_for_an_empty_one(server, connect) -> None:
    server.faults.set("acl_drop_rows", "sys_idISNOTEMPTY", table="sys_dictionary")
    with pytest.raises(AccessError, match="sys_dictionary shows no rows"):
        connect().provision_plan(TABLES)


def test_making_needs_the_right_to(connect) -> None:
    admin, reader = connect(), connect("vmo.reader")
    step = admin.provision_plan(TABLES)[0]
    with pytest.raises(WriteRefused, match="ACL Exception"):
        reader.provision(step)


def test_rules_that_cannot_be_seen_are_not_planned_but_told(connect) -> None:
    reader = connect("vmo.reader")
    assert not any(step.table.startswith("sys_security") for step in reader.provision_plan(TABLES))
    (told,) = reader.differences(TABLES, [])
    assert (told.what, told.state) == ("access rules", "unknown")
    assert "sys_security_acl" in told.detail


# -- what is there, and differs ---------------------------------------------------------------


def found(connector, tables=TABLES, theirs=()) -> dict[str, str]:
    return {each.what: each.detail for each in connector.differences(tables, list(theirs))}


def test_what_was_made_does_not_differ(connect) -> None:
    connector = connect()
    assert connector.differences(TABLES, []) == []
    make(connector)
    assert connector.differences(TABLES, []) == []


@pytest.mark.parametrize(
    ("element", "changed", "told"),
    [
        ("u_vmo_csat", {"internal_type": "string"}, "its type is 'string' and should be 'decimal'"),
        ("u_vmo_status", {"max_length": "40"}, "its max_length is 40 and should be 100"),
        ("u_vmo_status", {"read_only": "true"}, "it is read-only in the dictionary"),
        ("u_vmo_n", {"active": "false"}, "it is not active"),
        ("u_service", {"reference": "cmdb_ci"}, "it leads to 'cmdb_ci' and should lead to"),
        ("u_status", {"choice": "0"}, "it is no choice there"),
    ],
)
def test_a_column_that_cannot_hold_the_values_is_told(
    server, connect, element, changed, told
) -> None:
    connector = connect()
    make(connector)
    table = "cmdb_ci_service" if element.startswith("u_vmo") else "u_vmo_kpi_result"
    (row,) = server.rows("sys_dictionary", f"name={table}^element={element}")
    server.change(
        {"operation": "update", "table": "sys_dictionary", "sys_id": row["sys_id"],
         "values": changed}
    )  # fmt: skip
    (difference,) = connector.differences(TABLES, [])
    assert (difference.what, difference.state) == (f"{table}.{element}", "differs")
    assert told in difference.detail


def test_a_missing_choice_is_planned(server, connect) -> None:
    connector = connect()
    make(connector)
    row = server.rows("sys_choice", "name=u_vmo_kpi_result^value=missed")[0]
    server.change({"operation": "delete", "table": "sys_choice", "sys_id": row["sys_id"]})
    assert whats(possible(connector)) == ["choice 'missed' (Missed) of u_vmo_kpi_result.u_status"]


def test_fields_of_the_admins_own_are_looked_for_along_the_tables_that_are_extended(
    connect,
) -> None:
    csat = replace(VALUES[0], name="u_no_such")
    status = replace(VALUES[1], name="short_description")  # of task, which incident extends
    count = replace(VALUES[5], name="caller_id")
    theirs = [TargetTable(table="incident", columns=(csat, status, count))]
    told = connect().differences([], theirs)
    assert [(each.what, each.state) for each in told] == [
        ("incident.u_no_such", "missing"), ("incident.caller_id", "differs"),
    ]  # fmt: skip
    assert isinstance(told[0], Difference)
    assert "'reference'" in told[1].detail


def test_a_field_of_the_admins_own_may_be_of_a_type_that_holds_the_value(connect) -> None:
    number = replace(VALUES[5], name="reassignment_count")
    text = replace(VALUES[0], name="short_description")
    assert found(connect(), [], [TargetTable(table="incident", columns=(number, text))]) == {}
