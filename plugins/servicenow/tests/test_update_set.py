"""The Update Set: its structure, that it is always the same, and that it harms nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from vmo_bridge.errors import ConfigError
from vmo_bridge.plugin import Change, Column, Packaging, TargetTable
from vmo_bridge.sandbox.servicenow import update_set as importer

OURS = TargetTable(
    table="u_vmo_kpi_result",
    label="VMO KPI result",
    columns=(
        Column(name="u_key", label="Key", type="string", max_length=200),
        Column(name="u_service", label="Service", type="reference", reference="cmdb_ci_service"),
        Column(
            name="u_status", label="Status", type="string", hint="How it stands & <why>.",
            choices=(("met", "Met"), ("missed", 'Missed ]]> "x"')),
        ),
    ),
    create=True,
)  # fmt: skip
CSAT = Column(name="u_vmo_csat", label="VMO satisfaction (%)", type="decimal", hint="Two boxes.")
LOST = Column(name="u_vmo_lost_time", label="VMO lost time (min)", type="integer")
SERVICE = TargetTable(
    table="cmdb_ci_service", columns=(CSAT,), show=("u_vmo_csat",),
    related=(("u_vmo_kpi_result", "u_service"),),
)  # fmt: skip
INCIDENT = TargetTable(
    table="incident", columns=(LOST,), show=("u_vmo_lost_time", "business_service.u_vmo_csat")
)
TABLES = [OURS, SERVICE, INCIDENT]
WRITER = "u_vmo_bridge_writer"

SET = (
    "application application_name application_scope application_version collisions commit_date "
    "deleted description inserted name origin_sys_id parent release_date remote_base_update_set "
    "remote_parent_id remote_sys_id state summary sys_class_name sys_created_by sys_created_on "
    "sys_id sys_mod_count sys_updated_by sys_updated_on update_set update_source updated"
)
CHANGE = (
    "action application category comments name payload payload_hash remote_update_set "
    "replace_on_upgrade sys_class_name sys_id sys_recorded_at table target_name type update_domain "
    "update_guid update_guid_history update_set view"
)


@pytest.fixture
def content(connect) -> bytes:
    return connect().package(TABLES).content


@pytest.fixture
def root(content: bytes) -> ET.Element:
    return ET.fromstring(content)


def payloads(root: ET.Element) -> dict[str, ET.Element]:
    return {
        each.findtext("name"): ET.fromstring(each.findtext("payload"))
        for each in root.findall("sys_update_xml")
    }


def records(root: ET.Element) -> list[ET.Element]:
    """Every row of the set, out of its wrapper."""
    return [
        each
        for payload in payloads(root).values()
        for each in payload.iter()
        if each.find("sys_id") is not None
    ]


def of(root: ET.Element, table: str) -> list[dict[str, str]]:
    return [
        {field.tag: field.text or "" for field in each}
        for each in records(root)
        if each.tag == table
    ]


def test_it_is_named_and_offered_as_a_package(connect) -> None:
    connector = connect()
    assert isinstance(connector, Packaging)
    assert connector.package(TABLES).name == "vmo-bridge-update-set.xml"


def test_two_runs_give_the_same_bytes_whatever_the_clock_says(connect, monkeypatch) -> None:
    first = connect().package(TABLES).content
    monkeypatch.setattr("time.time", lambda: 4_102_444_800.0)
    assert connect().package(TABLES).content == first


def test_other_tables_give_another_set(connect, root) -> None:
    other = ET.fromstring(connect().package([OURS, SERVICE]).content)
    ids = [each.findtext("sys_remote_update_set/sys_id") for each in (root, other)]
    assert ids[0] != ids[1]


def test_the_set_and_each_change_have_every_element_of_an_export(root) -> None:
    assert root.tag == "unload"
    assert root.attrib.keys() == {"unload_date"}
    (head,) = root.findall("sys_remote_update_set")
    assert " ".join(each.tag for each in head) == SET
    assert (head.findtext("state"), head.findtext("application")) == ("loaded", "global")
    assert head.find("application").get("display_value") == "Global"
    changes = root.findall("sys_update_xml")
    assert len(root) == 1 + len(changes)
    for change in changes:
        assert " ".join(each.tag for each in change) == CHANGE
        owner = change.find("remote_update_set")
        assert (owner.text, owner.get("display_value")) == (
            head.findtext("sys_id"), head.findtext("name"),
        )  # fmt: skip
        assert change.findtext("category") == "customer"
        assert change.findtext("update_domain") == "global"


def test_ids_are_32_hex_characters_and_none_comes_twice(root) -> None:
    changes = root.findall("sys_update_xml")
    for name in ("sys_id", "update_guid"):
        ids = [each.findtext(name) for each in changes]
        assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)
        assert len(set(ids)) == len(ids)
    rows = [each.findtext("sys_id") for each in records(root)]
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in rows)
    assert len(set(rows)) == len(rows)
    names = [each.findtext("name") for each in changes]
    assert len(set(names)) == len(names)
    recorded = [int(each.findtext("sys_recorded_at"), 16) for each in changes]
    assert recorded == sorted(recorded)


def test_hashes_are_signed_numbers_of_32_bits(root) -> None:
    hashes = [int(each.findtext("payload_hash")) for each in root.findall("sys_update_xml")]
    assert all(-(2**31) <= each < 2**31 for each in hashes)
    assert min(hashes) < 0 < max(hashes)


def test_payloads_stand_in_cdata_and_are_documents_of_their_own(content, root) -> None:
    assert content.count(b"<![CDATA[<?xml ") == len(root.findall("sys_update_xml"))
    for payload in payloads(root).values():
        assert payload.tag == "record_update"
        assert len(payload) == 1
    assert '"x"' in next(
        row["label"] for row in of(root, "sys_choice") if row["value"] == "missed"
    ), "what has a meaning in XML is kept"


def test_changes_are_named_and_typed_as_exports_name_them(root) -> None:
    told = {each.findtext("name"): each.findtext("type") for each in root.iter("sys_update_xml")}
    assert told["sys_dictionary_incident_u_vmo_lost_time"] == "Dictionary"
    assert told["sys_dictionary_u_vmo_kpi_result_null"] == "Dictionary"
    assert told["sys_documentation_incident_u_vmo_lost_time_en"] == "Field Label"
    assert told["sys_choice_u_vmo_kpi_result_u_status"] == "Choice list"
    (table,) = of(root, "sys_db_object")
    assert told[f"sys_db_object_{table['sys_id']}"] == "Table"


def test_a_column_says_what_it_is(root) -> None:
    payload = payloads(root)["sys_dictionary_u_vmo_kpi_result_u_service"]
    (row,) = payload
    assert payload.get("table") == "sys_dictionary"
    assert row.attrib == {
        "action": "INSERT_OR_UPDATE", "element": "u_service", "table": "u_vmo_kpi_result",
    }  # fmt: skip
    assert row.findtext("reference") == "cmdb_ci_service"
    assert row.findtext("column_label") == "Service"
    assert row.find("internal_type").get("display_value") == "Reference"
    (label,) = payloads(root)["sys_documentation_u_vmo_kpi_result_u_status_en"]
    assert (label.get("table"), label.get("element"), label.get("language")) == (
        "u_vmo_kpi_result", "u_status", "en",
    )  # fmt: skip
    assert label.findtext("sys_documentation/hint") == "How it stands & <why>."


def test_the_choices_of_a_column_are_one_change(root) -> None:
    (wrapper,) = payloads(root)["sys_choice_u_vmo_kpi_result_u_status"]
    assert (wrapper.get("field"), wrapper.get("table"), wrapper.get("version")) == (
        "u_status", "u_vmo_kpi_result", "1",
    )  # fmt: skip
    assert [each.findtext("value") for each in wrapper] == ["met", "missed"]


def test_nothing_in_it_deletes(content, root) -> None:
    assert b"delete_multiple" not in content
    documents = [root, *payloads(root).values()]
    actions = {each.get("action") for doc in documents for each in doc.iter()} - {None}
    actions |= {each.text for each in root.iter("action")}
    assert actions == {"INSERT_OR_UPDATE"}
    assert not [each.tag for doc in documents[1:] for each in doc.iter() if "delete" in each.tag]


def test_tables_of_others_get_our_fields_our_section_our_list_and_rules_on_our_fields_only(
    root,
) -> None:
    allowed = {
        "sys_user_role", "sys_db_object", "sys_dictionary", "sys_documentation", "sys_choice",
        "sys_ui_section", "sys_ui_element", "sys_ui_related_list", "sys_ui_related_list_entry",
        "sys_security_acl", "sys_security_acl_role",
    }  # fmt: skip
    assert {each.tag for each in records(root)} == allowed
    ours = OURS.table
    for table in ("sys_dictionary", "sys_documentation", "sys_choice"):
        for row in of(root, table):
            assert row["name"] == ours or row["element"].startswith("u_vmo_")
    assert [row["name"] for row in of(root, "sys_db_object")] == [ours]
    assert {row["caption"] for row in of(root, "sys_ui_section")} == {"Value"}
    sections = {row["sys_id"] for row in of(root, "sys_ui_section")}
    assert {row["sys_ui_section"] for row in of(root, "sys_ui_element")} == sections
    assert {row["related_list"] for row in of(root, "sys_ui_related_list_entry")} == {
        "u_vmo_kpi_result.u_service"
    }
    rules = {(row["name"], row["operation"]) for row in of(root, "sys_security_acl")}
    assert rules == {
        (ours, "read"), (ours, "create"), (ours, "write"), (ours, "delete"),
        ("incident.u_vmo_lost_time", "write"), ("cmdb_ci_service.u_vmo_csat", "write"),
    }  # fmt: skip


def test_every_rule_asks_for_a_role(root) -> None:
    roles = {row["sys_id"]: row["name"] for row in of(root, "sys_user_role")}
    asked: dict[str, set[str]] = {}
    for row in of(root, "sys_security_acl_role"):
        asked.setdefault(row["sys_security_acl"], set()).add(roles[row["sys_user_role"]])
    for rule in of(root, "sys_security_acl"):
        read = {"u_vmo_bridge_reader"} if rule["operation"] == "read" else set()
        assert asked[rule["sys_id"]] == {WRITER} | read


def test_lists_and_forms_that_are_there_are_used_and_not_made_again(server, connect) -> None:
    lists = {"sys_id": "d" * 32, "name": "cmdb_ci_service", "view": "Default view"}
    form = {"sys_id": "e" * 32, "name": "incident", "view": "Default view"}
    server.load("sys_ui_related_list", [lists])
    server.load("sys_ui_form", [form])
    root = ET.fromstring(connect().package(TABLES).content)
    assert of(root, "sys_ui_related_list") == []
    assert of(root, "sys_ui_form") == []
    assert [row["list_id"] for row in of(root, "sys_ui_related_list_entry")] == ["d" * 32]
    assert [row["sys_ui_form"] for row in of(root, "sys_ui_form_section")] == ["e" * 32]


# -- a scoped application ---------------------------------------------------------------------


def scoped(table: TargetTable) -> TargetTable:
    columns = tuple(
        replace(each, name=each.name.replace("u_vmo_", "x_acme_vmo_")) for each in table.columns
    )
    related = tuple(
        (other.replace("u_vmo_", "x_acme_vmo_"), field) for other, field in table.related
    )
    name = table.table.replace("u_vmo_", "x_acme_vmo_")
    return replace(table, table=name, columns=columns, show=(), related=related)


def test_a_scoped_prefix_makes_a_scoped_set(server, connect) -> None:
    application = {"sys_id": "a" * 32, "name": "ACME VMO", "scope": "x_acme_vmo"}
    server.load("sys_scope", [application])
    root = ET.fromstring(connect().package([scoped(each) for each in TABLES]).content)
    head = root.find("sys_remote_update_set")
    assert head.findtext("application") == "a" * 32
    assert head.findtext("application_name") == "ACME VMO"
    assert head.findtext("application_scope") == "x_acme_vmo"
    names = [row["name"] for row in of(root, "sys_user_role")]
    assert names == ["x_acme_vmo.bridge_writer", "x_acme_vmo.bridge_reader"]
    assert {row["sys_scope"] for row in of(root, "sys_dictionary")} == {"a" * 32}
    assert "sys_scope" not in of(root, "sys_choice")[0], "choices have no such column"


def test_a_scope_that_the_instance_does_not_have_is_told(connect) -> None:
    with pytest.raises(ConfigError, match="no application with the scope 'x_acme_vmo'"):
        connect().package([scoped(each) for each in TABLES])


# -- taken in by the sandbox ------------------------------------------------------------------


def test_after_it_is_taken_in_nothing_is_missing_and_nothing_differs(
    server, connect, content
) -> None:
    server.take_update_set(content)
    connector = connect()
    assert connector.provision_plan(TABLES) == []
    assert connector.differences(TABLES, []) == []
    assert connector.package(TABLES).content == content, "and the set is still the same"


def test_taking_it_in_twice_or_after_rest_makes_nothing_twice(server, connect, content) -> None:
    connector = connect()
    for step in connector.provision_plan(TABLES):
        if step.over_rest:
            connector.provision(step)
    assert connector.package(TABLES).content == content
    tables = {each.tag for each in records(ET.fromstring(content))}
    server.take_update_set(content)
    counts = {table: len(server.rows(table)) for table in tables}
    server.take_update_set(content)
    assert {table: len(server.rows(table)) for table in tables} == counts
    assert connector.provision_plan(TABLES) == []
    assert len(server.rows("sys_ui_section", "caption=Value")) == 2


@pytest.fixture
def writing(server, connect, content):
    """A user that has the writer's role, and no other."""
    server.take_update_set(content)
    assert server.user("vmo.writer").roles == (WRITER,)
    return connect("vmo.writer")


def test_the_writer_role_is_enough_for_our_records_and_our_fields(server, writing) -> None:
    service = server.rows("cmdb_ci_service")[0]["sys_id"]
    values = {"u_service": service, "u_status": "met"}
    change = Change(table="u_vmo_kpi_result", key=None, match={"u_key": "k"}, values=values)
    key = writing.write(change)
    assert writing.read_back(change, key).stored == {"u_key": "k"} | values
    field = Change(table="cmdb_ci_service", key=service, match={}, values={"u_vmo_csat": "81.5"})
    writing.write(field)
    assert writing.read_back(field, service).stored == {"u_vmo_csat": "81.5"}


def test_the_writer_role_writes_nothing_but_our_fields(server, writing) -> None:
    incident = server.rows("incident")[0]
    key = incident["sys_id"]
    values = {"u_vmo_lost_time": "30", "short_description": "mine", "priority": "1"}
    writing.write(Change(table="incident", key=key, match={}, values=values))
    (after,) = server.rows("incident", f"sys_id={key}")
    assert after["u_vmo_lost_time"] == "30"
    assert after["short_description"] == incident["short_description"]
    assert after["priority"] == incident["priority"]


def test_who_has_not_the_role_writes_none_of_them(server, connect, content) -> None:
    server.take_update_set(content)
    agent = connect("vmo.reader")  # an agent: may write tickets
    key = server.rows("incident")[0]["sys_id"]
    values = {"u_vmo_lost_time": "30", "short_description": "changed"}
    agent.write(Change(table="incident", key=key, match={}, values=values))
    (after,) = server.rows("incident", f"sys_id={key}")
    assert (after["u_vmo_lost_time"], after["short_description"]) == ("", "changed")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (b"</sys_update_xml>", b"", "not well-formed"),
        (b"<unload ", b"<export ", "not well-formed"),
        (b"<state>loaded</state>", b"<state>committed</state>", "state is 'loaded'"),
        (b'<sys_choice action="INSERT_OR_UPDATE"', b'<sys_choice action="DELETE"', "more than"),
        (b"<payload_hash>", b"<payload_hash>x", "no number"),
    ],
)
def test_the_sandbox_refuses_what_is_not_in_order_and_changes_nothing(
    server, content, old, new, told
) -> None:
    with pytest.raises(ConfigError, match=told):
        server.take_update_set(content.replace(old, new, 1))
    assert server.rows("sys_db_object", "name=u_vmo_kpi_result") == []


def test_the_sandbox_knows_the_tables_of_the_set(root) -> None:
    assert set(importer._KNOWN_BY) < {each.tag for each in records(root)}
