"""Tables, columns and the form section: planned, made, and then nothing is missing."""

from __future__ import annotations

import httpx
import pytest

from vmo_bridge.plugin import AccessError, Change, Column, ProvisionStep, TargetTable, WriteRefused

VALUES = (
    Column(name="u_vmo_csat", label="VMO satisfaction (%)", type="decimal", hint="Top two boxes."),
    Column(name="u_vmo_status", label="VMO status", type="string", max_length=100),
    Column(name="u_vmo_link", label="VMO link", type="url"),
    Column(name="u_vmo_seen", label="VMO seen", type="datetime"),
    Column(name="u_vmo_ok", label="VMO ok", type="boolean"),
    Column(name="u_vmo_n", label="VMO n", type="integer"),
)
SHOWN = ("u_vmo_csat", "u_vmo_status")
RESULTS = TargetTable(
    table="u_vmo_kpi_result",
    label="KPI result",
    columns=(Column(name="u_key", label="Key", type="string", max_length=200),),
    create=True,
)
SERVICE = TargetTable(table="cmdb_ci_service", columns=VALUES, show=SHOWN)
DEPARTMENT = TargetTable(table="cmn_department", columns=VALUES[:1], show=SHOWN[:1])
INCIDENT = TargetTable(
    table="incident",
    columns=(Column(name="u_vmo_lost", label="VMO lost time (min)", type="integer"),),
    show=(
        "u_vmo_lost", "business_service.u_vmo_csat", "caller_id.department.u_vmo_csat",
    ),
)  # fmt: skip
TABLES = [RESULTS, SERVICE, DEPARTMENT, INCIDENT]


def make(connector, tables=TABLES, *, steps: int | None = None) -> list[ProvisionStep]:
    plan = connector.provision_plan(tables)
    for step in plan[:steps]:
        connector.provision(step)
    return plan


def test_the_plan_names_everything_in_the_order_in_which_it_can_be_made(connect) -> None:
    plan = connect().provision_plan(TABLES)
    assert [step.what for step in plan][:3] == [
        "table u_vmo_kpi_result (KPI result)",
        "column u_vmo_kpi_result.u_key (Key)",
        "column cmdb_ci_service.u_vmo_csat (VMO satisfaction (%))",
    ]
    assert plan[-1].what == (
        "caller_id.department.u_vmo_csat in the form section 'Value' of incident"
    )
    assert len(plan) == 2 + (6 + 1 + 2) + (1 + 1 + 1) + (1 + 1 + 3)


def test_after_it_is_made_nothing_is_missing(server, connect) -> None:
    connector = connect()
    plan = make(connector)
    assert connector.provision_plan(TABLES) == []
    made = [line for line in server.write_log() if line["operation"] == "insert"]
    assert len(made) == len(plan)


def test_columns_have_their_type_length_and_hint(server, connect) -> None:
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


@pytest.mark.parametrize("steps", range(0, 20, 3))
def test_what_was_made_in_part_is_made_whole_the_next_time(connect, steps) -> None:
    connector = connect()
    plan = make(connector, steps=steps)
    rest = make(connector)
    assert [step.what for step in rest] == [step.what for step in plan[steps:]]
    assert connector.provision_plan(TABLES) == []


def test_a_step_whose_reply_was_lost_is_not_made_twice(server, connect) -> None:
    connector = connect()
    for step in connector.provision_plan(TABLES):
        server.faults.set("drop_reply_after_commit", method="POST", times=1)
        with pytest.raises(Exception, match="connection broke"):
            connector.provision(step)
    assert connector.provision_plan(TABLES) == []
    elements = [row["element"] for row in server.rows("sys_ui_element")]
    assert elements.count("u_vmo_lost") == 1


def test_one_new_column_is_all_that_is_planned(connect) -> None:
    connector = connect()
    make(connector)
    more = TargetTable(
        table="incident",
        columns=(*INCIDENT.columns, Column(name="u_vmo_more", label="More", type="string")),
        show=(*INCIDENT.show, "u_vmo_more"),
    )
    assert [step.what for step in make(connector, [more])] == [
        "column incident.u_vmo_more (More)",
        "u_vmo_more in the form section 'Value' of incident",
    ]
    assert connector.provision_plan([more]) == []


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
    for value in ("37", "81.5", "64.2", "VMO lost time (min)"):
        assert value in page


def test_a_form_with_a_section_in_two_views_uses_one_of_them(server, connect) -> None:
    connector = connect()
    for sys_id in ("b" * 32, "a" * 32):
        section = {"sys_id": sys_id, "name": "incident", "caption": "Value"}
        server.load("sys_ui_section", [section])
    make(connector)
    assert connector.provision_plan(TABLES) == []
    elements = server.rows("sys_ui_element", f"sys_ui_section={'a' * 32}")
    assert len(elements) == len(INCIDENT.show)


def test_an_element_without_its_section_is_refused(connect) -> None:
    step = ProvisionStep(
        what="x", table="sys_ui_element", values={"sys_ui_section": "incident", "element": "x"}
    )
    with pytest.raises(WriteRefused, match="no form section 'Value' on incident yet"):
        connect().provision(step)


def test_a_plan_is_not_made_of_what_cannot_be_read(server, connect) -> None:
    server.faults.set("acl_drop_fields", ["element"], table="sys_dictionary")
    with pytest.raises(AccessError, match="element, name cannot be read"):
        connect().provision_plan(TABLES)


def test_making_needs_the_right_to(connect) -> None:
    admin, reader = connect(), connect("vmo.reader")
    step = admin.provision_plan(TABLES)[0]
    with pytest.raises(WriteRefused, match="ACL Exception"):
        reader.provision(step)
