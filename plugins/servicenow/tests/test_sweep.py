"""What no change tells: rows by name, counts by window, deletions by the audit; and slices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vmo_bridge.plugin import Slice, SourceError, Stream
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_servicenow import sweep
from vmo_bridge_servicenow.connector import ServiceNow
from vmo_bridge_servicenow.tables import TABLES

Connect = Callable[..., ServiceNow]


def stream(name: str) -> Stream:
    return replace(TABLES[name], name=name).stream


INCIDENT = stream("incident")
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def named(connector: ServiceNow, table: str = "incident") -> dict[str, datetime | None]:
    batches = connector.sweep(stream(table))
    assert batches is not None
    return {each.key: each.changed_at for batch in batches for each in batch}


def stamps(server: SandboxServer, table: str = "incident", where: str = "") -> dict[str, datetime]:
    return {
        row["sys_id"]: datetime.fromisoformat(row["sys_updated_on"]).replace(tzinfo=UTC)
        for row in server.rows(table, where)
    }


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "_NAMES", 10)


# -- names -----------------------------------------------------------------------------------


def test_a_sweep_names_every_row_once_with_its_moment(server, connect, small_batches) -> None:
    assert named(connect()) == stamps(server)


def test_a_sweep_keeps_to_what_is_of_interest(server, connect, small_batches) -> None:
    tables = "task,incident,sc_req_item,problem,change_request,interaction"
    of_interest = f"nameIN{tables}^elementINstate,priority"
    assert named(connect(), "sys_choice") == stamps(server, "sys_choice", of_interest)


def test_hidden_rows_are_stepped_over_where_lists_come_without_a_count(
    server, connect, small_batches
) -> None:
    keys = sorted(stamps(server))
    hidden = set(keys[10:45])
    server.faults.set("acl_drop_rows", f"sys_idIN{','.join(hidden)}", table="incident")
    server.faults.set("count", "off")
    assert set(named(connect())) == set(keys) - hidden


def test_a_sweep_whose_end_nobody_counts_is_an_error(server, connect, small_batches) -> None:
    server.faults.set("count", "off")
    server.faults.set("aggregate_off", table="incident")
    with pytest.raises(SourceError, match="cannot be told from the end"):
        named(connect())


def test_rows_that_are_hidden_are_stepped_over(server, connect, small_batches) -> None:
    keys = sorted(stamps(server))
    hidden = set(keys[10:45])
    server.faults.set("acl_drop_rows", f"sys_idIN{','.join(hidden)}", table="incident")
    assert set(named(connect())) == set(keys) - hidden


def test_a_page_of_names_that_runs_out_of_time_is_halved(server, connect, monkeypatch) -> None:
    monkeypatch.setattr(sweep, "_NAMES", 60)
    server.faults.set("timeout", "200_error", table="incident", skip=1, times=1)
    assert named(connect()) == stamps(server)


@pytest.mark.parametrize("ends", [0, 1])
def test_a_sweep_whose_order_is_not_kept_is_not_believed(server, connect, wire, ends) -> None:
    def without_order(request: Any) -> Any:
        text = request.url.params.get("sysparm_query", "")
        if "ORDERBYsys_id" in text:
            other = "^ORDERBYDESCsys_id" if ends else "^ORDERBYDESCnumber"
            changed = text.replace("^ORDERBYsys_id", other)
            url = request.url.copy_set_param("sysparm_query", changed)
            return type(request)(request.method, url, headers=request.headers)
        return request

    wire.change = without_order
    with pytest.raises(SourceError, match="nothing was taken away"):
        named(connect())


def test_a_table_that_is_not_installed_has_no_names(server, connect) -> None:
    server.change({"operation": "delete", "table": "sys_db_object", "sys_id": _table_id(server)})
    assert named(connect(), "dmn_demand") == {}


def _table_id(server: SandboxServer) -> str:
    (row,) = server.rows("sys_db_object", "name=dmn_demand")
    return str(row["sys_id"])


def test_rows_are_fetched_by_name_and_unknown_names_bring_none(server, connect) -> None:
    keys = sorted(stamps(server))
    wanted = [*keys[:60], "f" * 32, "no sys_id at all ^NQactive=true"]
    pages = list(connect().fetch(INCIDENT, wanted))
    assert sorted(row["sys_id"] for page in pages for row in page.records) == keys[:60]
    assert {page.cursor for page in pages} == {None}
    assert pages[0].records[0]["number"].startswith("INC")


def test_an_instance_that_ignores_the_names_brings_nothing(server, connect, wire) -> None:
    wire.change = lambda request: type(request)(
        request.method,
        request.url.copy_set_param("sysparm_query", ""),
        headers=request.headers,
    )
    with pytest.raises(SourceError, match="not asked for"):
        list(connect().fetch(INCIDENT, ["f" * 32]))


# -- counts ----------------------------------------------------------------------------------


def test_windows_that_meet_count_together_what_there_is(server, connect, wire) -> None:
    at = stamps(server)
    moments = sorted(at.values())
    cuts = [moments[10].replace(second=0), moments[40].replace(second=0)]
    windows = list(zip([None, *cuts], [*cuts, None], strict=True))
    tallies = connect().tally(INCIDENT, windows)
    assert len(wire.requests) == len(windows)
    for each in tallies:
        within = [
            moment
            for moment in moments
            if (each.since is None or moment >= each.since)
            and (each.until is None or moment < each.until)
        ]
        assert each.count == len(within)
        assert each.newest == max(within, default=None)
    assert sum(each.count for each in tallies) == len(at)


def test_where_lists_come_without_a_count_the_aggregate_api_is_asked(server, connect) -> None:
    server.faults.set("count", "off")
    (tally,) = connect().tally(INCIDENT, [(None, None)])
    assert tally.count == len(stamps(server))


def test_an_instance_that_counts_in_no_way_is_not_counted(server, connect) -> None:
    server.faults.set("count", "off")
    server.faults.set("aggregate_off", table="incident")
    assert connect().tally(INCIDENT, [(None, None)]) == []


# -- deletions -------------------------------------------------------------------------------


def test_deletions_are_told_with_their_moment(server, connect) -> None:
    keys = sorted(stamps(server))[:3]
    before = datetime.now(tz=UTC).replace(microsecond=0)
    for key in keys:
        server.change({"operation": "delete", "table": "incident", "sys_id": key})
    told = list(connect(user="admin").deletions(INCIDENT, before - timedelta(seconds=5)))
    assert sorted(each.key for each in told) == keys
    assert all(each.at >= before and each.proof == "sys_audit_delete" for each in told)
    later = datetime.now(tz=UTC) + timedelta(hours=1)
    assert list(connect(user="admin").deletions(INCIDENT, later)) == []


def test_deletions_of_other_tables_are_none_of_its_business(server, connect) -> None:
    key = min(stamps(server, "problem"))
    server.change({"operation": "delete", "table": "problem", "sys_id": key})
    assert list(connect(user="admin").deletions(INCIDENT, LONG_AGO)) == []
    (told,) = connect(user="admin").deletions(stream("problem"), LONG_AGO)
    assert told.key == key


def test_without_the_role_no_deletion_is_told_and_none_is_believed_absent(server, connect) -> None:
    key = min(stamps(server))
    server.change({"operation": "delete", "table": "incident", "sys_id": key})
    assert list(connect(user="vmo.reader").deletions(INCIDENT, LONG_AGO)) == []


# -- slices ----------------------------------------------------------------------------------


def test_a_long_first_read_is_cut_into_slices_that_meet(server, connect) -> None:
    connector = connect(page_size=10, parallel=3, tables=["incident"])
    rows = [dict(row) for row in server.rows("incident")[:1]]
    start = datetime(2020, 1, 1, tzinfo=UTC)
    server.load(
        "incident",
        (
            {
                **rows[0],
                "sys_id": f"{number:032x}",
                "number": f"INC8{number:06}",
                "sys_updated_on": f"{start + timedelta(minutes=number // 3):%Y-%m-%d %H:%M:%S}",
            }
            for number in range(300)
        ),
    )
    pieces = connector.slices(INCIDENT, None, None)
    assert len(pieces) == 3
    assert (pieces[0].since, pieces[-1].until) == (None, None)
    assert [each.until for each in pieces[:-1]] == [each.since for each in pieces[1:]]
    read = [
        [row["sys_id"] for page in connector.read(piece) for row in page.records]
        for piece in pieces
    ]
    assert sorted(key for keys in read for key in keys) == sorted(stamps(server))
    assert all(60 < len(keys) < 200 for keys in read)


def test_rows_without_a_stamp_are_in_the_first_slice(connect, wire, server) -> None:
    until = datetime(2026, 1, 1, tzinfo=UTC)
    _ = list(connect().read(Slice(stream="incident", since=None, until=until)))
    assert "^ORsys_updated_onISEMPTY" in wire.queries[-1]
    _ = list(connect().read(Slice(stream="incident", since=LONG_AGO, until=until)))
    assert "ISEMPTY" not in wire.queries[-1]


def test_a_short_table_and_a_read_of_changes_are_one_slice_without_a_call(
    server, connect, wire
) -> None:
    connector = connect(parallel=8)
    connector.slices(INCIDENT, None, None)  # the dictionary is looked up once
    wire.requests.clear()
    recent = datetime.now(tz=UTC) - timedelta(hours=1)
    (piece,) = connector.slices(INCIDENT, recent, None)
    assert piece.since == recent
    assert wire.requests == []
    assert len(connector.slices(stream("cmn_department"), None, None)) == 1


# -- blanks ----------------------------------------------------------------------------------


def test_a_field_that_never_comes_is_blank_and_stays_so_until_it_does(server, connect) -> None:
    memory: dict[str, str] = {}
    server.faults.set("acl_drop_fields", ["close_notes"], table="incident")
    connector = connect()
    connector.remember(memory)
    _ = [list(connector.read(piece)) for piece in connector.slices(INCIDENT, None, None)]
    assert connector.blanks(INCIDENT) == ["close_notes"]
    again = connect()
    again.remember(memory)
    assert again.blanks(INCIDENT) == ["close_notes"]
    server.faults.clear()
    _ = [list(again.read(piece)) for piece in again.slices(INCIDENT, None, None)]
    assert again.blanks(INCIDENT) == []
