"""What an admin adds in TOML: filters, columns of one's own, further tables; and what drifts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vmo_bridge.plugin import ConfigError
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_servicenow.connector import ServiceNow

COLUMNS = {"u_bureau": "string", "u_owner": "string", "u_title": "string", "u_phase": "string"}


def read(connector: ServiceNow, table: str) -> list[dict[str, Any]]:
    stream = next(each for each in connector.streams if each.name == table)
    return [
        dict(row)
        for piece in connector.slices(stream, None, None)
        for page in connector.read(piece)
        for row in page.records
    ]


def counted(connector: ServiceNow, table: str) -> tuple[int | None, int, int]:
    """By count, by tally, by sweep."""
    stream = next(each for each in connector.streams if each.name == table)
    (tally,) = connector.tally(stream, [(None, None)])
    batches = connector.sweep(stream)
    assert batches is not None
    return connector.count(stream), tally.count, sum(len(batch) for batch in batches)


def make_column(server: SandboxServer, table: str, element: str) -> None:
    server.change(
        {
            "operation": "insert",
            "table": "sys_dictionary",
            "values": {
                "name": table,
                "element": element,
                "internal_type": "string",
                "column_label": element,
                "active": "true",
            },
        }
    )


@pytest.fixture
def with_own_table(server: SandboxServer) -> SandboxServer:
    """A table u_case with columns of its own and two rows."""
    server.change(
        {
            "operation": "insert",
            "table": "sys_db_object",
            "values": {"name": "u_case", "label": "Case"},
        }
    )
    for element in COLUMNS:
        make_column(server, "u_case", element)
    for number in (1, 2):
        server.change(
            {
                "operation": "insert",
                "table": "u_case",
                "values": {
                    "u_bureau": f"bureau {number}",
                    "u_owner": f"person {number}",
                    "u_title": f"case {number}",
                    "u_phase": "open",
                },
            }
        )
    return server


OWN_TABLE = {
    "u_case": {
        "kind": "ticket",
        "type": "request",
        "fields": {
            "number": "u_title",
            "title": "u_title",
            "state": "u_phase",
            "requester_ref": "u_owner",
            "category": "u_bureau",
        },
    }
}


def test_a_filter_holds_for_reads_counts_and_sweeps_alike(server, connect) -> None:
    category = server.rows("incident")[0]["category"]
    wanted = {row["sys_id"] for row in server.rows("incident", f"category={category}")}
    connector = connect(filters={"incident": {"category": [category]}})
    assert {row["sys_id"] for row in read(connector, "incident")} == wanted
    assert counted(connector, "incident") == (len(wanted),) * 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"filters": {"incident": {"category": ["a^ORactive=true"]}}}, "cannot stand in a query"),
        ({"filters": {"incident": {"Category": ["a"]}}}, "not a column name"),
        ({"filters": {"incident": {"category": []}}}, "no values for category"),
        ({"filters": {"u_none": {"category": ["a"]}}}, "filters.u_none: is not read"),
        ({"fields": {"incident": {"colour": "u_colour"}}}, "a ticket has no field 'colour'"),
        ({"fields": {"task_sla": {"name": "u_name"}}}, "its columns cannot be chosen"),
        ({"further_tables": {"incident": {"kind": "ticket", "type": "incident"}}}, "read already"),
        ({"further_tables": {"u_x": {"kind": "ticket", "type": "bug"}}}, "a ticket is one of"),
        ({"further_tables": {"u_x": {"kind": "answer"}}}, "kind"),
    ],
)
def test_a_mistake_is_refused_in_words(settings, changes, words) -> None:
    with pytest.raises(ValueError, match=words):
        settings(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"filters": {"incident": {"u_nowhere": ["a"]}}},
        {"fields": {"incident": {"category": "u_nowhere"}}},
    ],
)
def test_a_column_the_instance_does_not_have_is_refused_before_anything_is_read(
    server, connect, changes
) -> None:
    connector = connect(**changes)
    with pytest.raises(ConfigError, match=r"connectors.helpdesk.*incident.*'u_nowhere'"):
        read(connector, "incident")
    (row, *_) = connector.check()
    assert (row.what, row.state) == ("columns", "failed")


def test_a_column_of_a_parent_table_is_known(server, connect) -> None:
    rows = server.rows("incident", "priority=3")
    connector = connect(filters={"incident": {"priority": ["3"]}})
    assert len(read(connector, "incident")) == len(rows)


def test_where_the_dictionary_may_not_be_read_check_says_so_and_reads_go_on(
    server, connect
) -> None:
    server.faults.set("acl_drop_rows", "elementISNOTEMPTY", table="sys_dictionary")
    connector = connect()
    assert read(connector, "incident")
    (row, *_) = connector.check()
    assert (row.what, row.state) == ("columns", "warning")


def test_columns_of_ones_own_say_what_the_usual_ones_do_not(server, connect) -> None:
    make_column(server, "incident", "u_bureau")
    key = server.rows("incident")[0]["sys_id"]
    server.change(
        {
            "operation": "update",
            "table": "incident",
            "sys_id": key,
            "values": {"u_bureau": "Bureau of Maps"},
        }
    )
    connector = connect(
        fields={"incident": {"category": "u_bureau", "channel": "business_service.name"}}
    )
    (raw,) = [row for row in read(connector, "incident") if row["sys_id"] == key]
    (ticket,) = connector.normalise("incident", raw)
    assert ticket.category == "Bureau of Maps"
    assert ticket.channel == raw["business_service.name"]


def test_a_further_table_is_read_mapped_counted_and_swept(with_own_table, connect) -> None:
    connector = connect(
        further_tables=OWN_TABLE, tables=["incident"], states={"u_case": {"open": "in_progress"}}
    )
    stream = next(each for each in connector.streams if each.name == "u_case")
    assert stream.kinds == ("ticket",)
    assert stream.person_fields == ("u_owner",)
    rows = read(connector, "u_case")
    assert counted(connector, "u_case") == (2, 2, 2)
    tickets = [ticket for row in rows for ticket in connector.normalise("u_case", row)]
    assert {each.number for each in tickets} == {"case 1", "case 2"}
    first = next(each for each in tickets if each.number == "case 1")
    assert (first.type, first.original_type) == ("request", "u_case")
    assert (first.state, first.original_state) == ("in_progress", "open")
    assert (first.category, first.requester_ref) == ("bureau 1", "helpdesk/person 1")
    assert first.id == "helpdesk:u_case:case 1"
    assert first.opened_at.utcoffset() == timedelta(0)


def test_what_drifts_is_told_once(server, connect) -> None:
    memory: dict[str, str] = {}

    def looked() -> list[str]:
        connector = connect(tables=["incident"])
        connector.remember(memory)
        read(connector, "incident")
        return list(connector.notes("incident"))

    def a_day_passes() -> None:
        yesterday = datetime.now(tz=UTC) - timedelta(hours=25)
        memory["dictionary read at"] = yesterday.isoformat()

    assert looked() == []
    make_column(server, "incident", "u_severity_for_us")
    (column,) = server.rows("sys_dictionary", "name=incident^element=close_code")
    server.change(
        {
            "operation": "update",
            "table": "sys_dictionary",
            "sys_id": column["sys_id"],
            "values": {"internal_type": "integer"},
        }
    )
    assert looked() == [], "it is looked up once a day"
    a_day_passes()
    told = looked()
    assert len(told) == 2
    assert "close_code was 'string' and is 'integer' now" in told[0]
    assert "new column u_severity_for_us (string)" in told[1]
    assert "[connectors.helpdesk.fields.incident]" in told[1]
    a_day_passes()
    assert looked() == []


def test_a_column_that_vanishes_is_told_and_stays_empty(server, connect) -> None:
    memory: dict[str, str] = {}
    connector = connect(tables=["incident"])
    connector.remember(memory)
    read(connector, "incident")
    memory["dictionary read at"] = datetime(2020, 1, 1, tzinfo=UTC).isoformat()
    (column,) = server.rows("sys_dictionary", "name=incident^element=close_code")
    server.change({"operation": "delete", "table": "sys_dictionary", "sys_id": column["sys_id"]})
    again = connect(tables=["incident"])
    again.remember(memory)
    rows = read(again, "incident")
    assert again.notes("incident") == [
        "the column close_code is gone over there; it stays empty from now on"
    ]
    assert not any(row.get("close_code") for row in rows)
