"""Reading tables: keyset, hidden rows, time-outs, pages instead of data, limits, changing data."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import stamina

from vmo_bridge.plugin import (
    AccessError,
    Page,
    RetryLater,
    SignInError,
    Slice,
    SourceError,
    TooSlow,
)
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.client import NotInstalled
from vmo_bridge_servicenow.connector import ServiceNow

Connect = Callable[..., ServiceNow]


def read(connector: ServiceNow, table: str = "incident", **more: Any) -> list[Page]:
    return list(connector.read(Slice(stream=table, **more)))


def keys(pages: list[Page]) -> list[str]:
    return [row["sys_id"] for page in pages for row in page.records]


def in_order(server: SandboxServer, table: str = "incident", where: str = "") -> list[str]:
    order = "ORDERBYsys_updated_on^ORDERBYsys_id"
    return [row["sys_id"] for row in server.rows(table, f"{where}^{order}" if where else order)]


def canned(rows: list[dict[str, Any]], **headers: str) -> httpx.Response:
    return httpx.Response(200, json={"result": rows}, headers=headers)


def stub(*answers: httpx.Response) -> httpx.MockTransport:
    """Answers one after the other, then nothing but empty lists."""
    left = list(answers)
    return httpx.MockTransport(lambda request: left.pop(0) if left else canned([]))


def stamped(second: int, sys_id: str, **more: Any) -> dict[str, Any]:
    return {"sys_updated_on": f"2026-01-01 00:00:{second:02}", "sys_id": sys_id, **more}


# -- keyset ----------------------------------------------------------------------------------


def test_a_table_is_read_whole_by_keyset_without_offsets(server, connect, wire) -> None:
    pages = read(connect())
    assert keys(pages) == in_order(server)
    assert [len(page.records) for page in pages] == [10] * 6 + [4]
    assert pages[0].expected == 64
    assert not any("sysparm_offset" in request.url.params for request in wire.requests)
    assert wire.queries[1].count("^NQ") == 1
    counted = [request.url.params["sysparm_no_count"] for request in wire.requests]
    assert counted == ["false", *["true"] * 6, "false"]


def test_the_filter_holds_on_both_sides_of_a_cursor(server, connect, wire) -> None:
    pages = read(connect(), "metric_instance")
    assert keys(pages) == in_order(
        server,
        "metric_instance",
        "tableINincident,sc_req_item,problem,change_request"
        "^fieldINassignment_group,incident_state,state",
    )
    assert wire.queries[1].count("tableIN") == 2


def test_rows_of_one_second_are_split_without_loss(server, connect) -> None:
    with sqlite3.connect(server.directory / "instance.db") as db:
        db.execute("update task set sys_updated_on = '2026-05-05 05:05:05'")
    db.close()
    pages = read(connect())
    assert keys(pages) == in_order(server)
    since = datetime(2026, 5, 5, 5, 5, 5, 999_999, tzinfo=UTC)
    assert len(keys(read(connect(), since=since))) == 64
    assert read(connect(), since=since + timedelta(seconds=1)) == []
    assert read(connect(), until=since) == []


def test_rows_without_a_stamp_are_read_first_and_not_twice(server, connect) -> None:
    with sqlite3.connect(server.directory / "instance.db") as db:
        db.execute(
            "update task set sys_updated_on = '' where sys_id in (select sys_id from task "
            "where sys_class_name = 'incident' limit 23)"
        )
    db.close()
    pages = read(connect())
    assert sorted(keys(pages)) == sorted(in_order(server))
    assert [page.newest is None for page in pages[:3]] == [True, True, False]
    assert keys(read(connect(), cursor=pages[0].cursor)) == keys(pages[1:])


def test_a_custom_sys_id_keeps_its_case_and_its_place(connect) -> None:
    for ids in (["a", "B", "c"], ["B", "a", "c"]):
        rows = [stamped(1, each) for each in ids]
        assert keys(read(connect(transport=stub(canned(rows))))) == ids


# -- rows that are hidden ----------------------------------------------------------------------


@pytest.mark.parametrize("count", ["on", "off"])
def test_hidden_rows_make_short_pages_that_are_not_the_last(server, connect, count) -> None:
    ids = in_order(server)
    hidden = [*ids[3:6], *ids[25:29], *ids[-2:]]
    server.faults.set("acl_drop_rows", f"sys_idIN{','.join(hidden)}")
    if count == "off":
        server.faults.set("count", "off")
    pages = read(connect())
    assert keys(pages) == [each for each in ids if each not in hidden]
    assert [len(page.records) for page in pages[:3]] == [7, 10, 6]


@pytest.mark.parametrize(("first", "last"), [(0, 35), (12, 47), (30, 64), (0, 64)])
def test_whole_pages_of_hidden_rows_are_stepped_over(server, connect, first, last) -> None:
    ids = in_order(server)
    server.faults.set("acl_drop_rows", f"sys_idIN{','.join(ids[first:last])}")
    assert keys(read(connect())) == ids[:first] + ids[last:]


def test_a_page_that_grows_again_over_hidden_rows_skips_nothing(server, connect) -> None:
    ids = in_order(server)
    server.faults.set("acl_drop_rows", f"sys_idIN{','.join(ids[:60])}")
    server.faults.set("timeout", "500", times=1)
    assert keys(read(connect(page_size=30))) == ids[60:]
    for alone in range(1, 64, 9):
        server.faults.clear()
        hidden = [*ids[:alone], *ids[alone + 1 :]]
        server.faults.set("acl_drop_rows", f"sys_idIN{','.join(hidden)}")
        server.faults.set("timeout", "500", times=1)
        assert keys(read(connect(page_size=40))) == [ids[alone]]


def test_a_hidden_row_that_changes_meanwhile_pushes_no_other_out_of_sight(server, connect) -> None:
    ids = in_order(server)
    server.faults.set("acl_drop_rows", f"sys_idIN{','.join(ids[:20])}")
    touched = {
        "operation": "update", "table": "incident", "sys_id": ids[0],
        "values": {"short_description": "meanwhile"},
    }  # fmt: skip
    server.faults.set("mutate_between_pages", [touched], skip=1, times=1)
    assert set(ids[20:]) <= set(keys(read(connect())))


def test_hidden_columns_are_told_by_the_check_and_needed_ones_stop_the_read(
    server, connect
) -> None:
    server.faults.set("acl_drop_fields", ["close_notes", "priority"], table="incident")
    server.faults.set("acl_drop_fields", ["sys_updated_on"], table="problem")
    server.faults.set("acl_drop_rows", "sys_idISNOTEMPTY", table="cmn_department")
    connector = connect()
    rows = {row.what: row for row in connector.check()}
    assert rows["incident"].state == "warning"
    assert rows["incident"].detail.endswith("priority, close_notes")
    assert rows["problem"].state == "failed"
    assert rows["cmn_department"].state == "warning"
    assert rows["task_sla"].detail == "40 rows"
    with pytest.raises(SourceError, match="without 'sys_updated_on'; give the user the right"):
        read(connector, "problem")


def test_a_user_without_the_right_gets_a_row_for_each_table(server, connect) -> None:
    connector = connect("vmo.reader")
    rows = {row.what: row for row in connector.check()}
    assert rows["incident"].state == "ok"
    assert rows["asmt_metric"].state == "failed"
    assert "Insufficient rights" in rows["asmt_metric"].detail
    with pytest.raises(AccessError, match="give the user the right"):
        read(connector, "asmt_metric")


# -- time-outs -------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["500", "200_error", "string_row", "truncated"])
def test_a_page_that_times_out_is_halved_and_grows_back(server, connect, wire, mode) -> None:
    server.faults.set("timeout", mode, skip=1, times=2)
    with sqlite3.connect(server.directory / "instance.db") as db:
        for number in range(2_200):
            db.execute(
                "insert into sys_user_group (sys_id, name, sys_updated_on) values (?, ?, ?)",
                [f"{number:032}", f"Team {number}", "2025-01-01 00:00:00"],
            )
    db.close()
    pages = read(connect(page_size=100), "sys_user_group")
    assert keys(pages) == in_order(server, "sys_user_group")
    limits = [int(each.url.params["sysparm_limit"]) for each in wire.requests]
    assert limits[:4] == [100, 100, 50, 25]
    assert limits[12:14] == [25, 50]
    assert limits[-1] == 100


def test_an_instance_that_always_times_out_is_left_for_later(server, connect) -> None:
    server.faults.set("timeout", "500")
    with pytest.raises(RetryLater, match="even a page of 25 rows fails") as caught:
        read(connect(page_size=400))
    assert not isinstance(caught.value, TooSlow)


def test_no_answer_in_time_is_too_slow(server, connect) -> None:
    server.faults.set("latency_ms", 400)
    connector = connect(timeout_seconds=0.1)
    with pytest.raises(RetryLater, match="did not answer in time; even a page of 10"):
        read(connector)
    with pytest.raises(TooSlow):
        connector.count(connector.streams[0])


# -- pages instead of data ---------------------------------------------------------------------


@pytest.mark.parametrize("page", ["hibernation", "login", "maintenance"])
def test_a_web_page_is_no_data(server, connect, page) -> None:
    server.faults.set("html_200", page)
    connector = connect()
    with pytest.raises(RetryLater, match="a web page instead of data"):
        read(connector)
    rows = list(connector.check())
    assert [row.state for row in rows] == ["failed"]  # and no other table is asked for


def test_a_redirect_to_a_login_page_is_a_sign_in_error(server, connect) -> None:
    server.faults.set("login_redirect")
    with pytest.raises(SignInError, match="redirects to a sign-in page"):
        read(connect())


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (httpx.Response(200, json=[1]), SourceError, "not an object"),
        (httpx.Response(200, json={"result": "x"}), SourceError, "no list of rows"),
        (httpx.Response(200, json={"status": "failure"}), SourceError, "no reason given"),
        (httpx.Response(200, json={"error": "odd"}), SourceError, "odd"),
        (httpx.Response(400, json={}), SourceError, "400 without a reason"),
        (httpx.Response(500, json={"error": {"message": "Oracle is out"}}), SourceError, "Oracle"),
        (httpx.Response(404, json={"error": {"message": "ACL restricts"}}), AccessError, "right"),
        (
            httpx.Response(400, json={"error": {"message": "Invalid table x"}}),
            NotInstalled,
            "not installed there",
        ),
        (
            httpx.Response(400, json={"error": {"message": "User Not Authenticated"}}),
            SignInError,
            "check user and secret",
        ),
        (httpx.Response(414, text="<html>"), RetryLater, "web page"),
    ],
)
def test_an_answer_is_told_by_its_text_before_its_status(connect, answer, error, words) -> None:
    with pytest.raises(error, match=words) as caught:
        read(connect(transport=stub(answer)))
    assert type(caught.value) is error


def test_a_table_that_is_not_installed_or_has_no_rules_is_an_access_error(server, connect) -> None:
    connector = connect("vmo.reader")
    server.change(
        {"operation": "insert", "table": "sys_db_object", "sys_id": "e" * 32,
         "values": {"name": "u_bare"}},
    )  # fmt: skip
    with pytest.raises(AccessError, match="ACL restricts"):
        connector._client.rows("u_bare")
    with pytest.raises(AccessError, match="not installed there"):
        connector._client.rows("no_such_table")


def test_an_empty_list_of_the_first_version_of_the_interface_is_not_believed(
    server, connect, wire
) -> None:
    def first_version(request: httpx.Request) -> httpx.Request:
        url = str(request.url).replace("/api/now/table", "/api/now/v1/table")
        return httpx.Request("GET", url, headers=request.headers)

    wire.change = first_version
    assert len(keys(read(connect(page_size=100)))) == 64
    with pytest.raises(AccessError):
        read(connect(), since=datetime(2099, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("body", [b'"half \\ud83d"', b'"half \xf0\x9f"', b'"a\x01b"'])
def test_a_text_that_is_no_text_does_not_stop_the_table(connect, body) -> None:
    raw = b'{"result":[{"sys_updated_on":"2026-01-01 00:00:00","sys_id":"1","name":%s}]}' % body
    answer = httpx.Response(200, content=raw, headers={"Content-Type": "application/json"})
    (page,) = read(connect(transport=stub(answer)), "sys_user_group")
    assert page.records[0]["name"].encode()
    assert page.records[0]["name"].startswith(("half ", "a"))


# -- limits ----------------------------------------------------------------------------------


def test_a_short_limit_is_waited_for(server, connect) -> None:
    server.faults.set("rate_limit", 0, times=2)
    assert len(keys(read(connect()))) == 64
    with stamina.set_testing(True, attempts=2):
        server.faults.set("rate_limit", 5, times=1)
        assert len(keys(read(connect()))) == 64


def test_a_long_limit_names_the_moment(server, connect) -> None:
    server.faults.set("rate_limit", 1800)
    before = datetime.now(tz=UTC)
    with pytest.raises(RetryLater, match="resume at") as caught:
        read(connect())
    assert caught.value.retry_at is not None
    assert before + timedelta(seconds=1799) <= caught.value.retry_at
    assert datetime.now(tz=UTC) - before < timedelta(seconds=10)


# -- rows that we did not ask for ----------------------------------------------------------------


def test_an_instance_that_does_not_know_a_column_is_noticed(server, connect, wire) -> None:
    def forget(column: str) -> Callable[[httpx.Request], httpx.Request]:
        def changed(request: httpx.Request) -> httpx.Request:
            text = request.url.params["sysparm_query"].replace(column, "no_such_column")
            url = request.url.copy_set_param("sysparm_query", text)
            return httpx.Request("GET", url, headers=request.headers)

        return changed

    taken: list[Page] = []
    wire.change = forget("sys_updated_on")
    with pytest.raises(SourceError, match="does not keep to the order"):
        taken += connect().read(Slice(stream="incident"))
    with pytest.raises(SourceError, match=r"'changed since'|the order"):
        taken += connect().read(Slice(stream="incident", since=datetime(2026, 10, 1, tzinfo=UTC)))
    wire.change = forget("element")
    with pytest.raises(SourceError, match="ignores the filter on element"):
        taken += connect().read(Slice(stream="sys_choice"))
    assert taken == []


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([stamped(2, "a"), stamped(1, "b")], "the order"),
        ([stamped(1, "b"), stamped(1, "a")], "the order"),
        ([stamped(1, "a"), stamped(1, "a")], "the order"),
        ([{"sys_id": "a"}], "without 'sys_updated_on'"),
        ([{"sys_id": "a", "sys_updated_on": "1.2.2026"}], "not a date-time"),
        ([stamped(1, "a^ORactive=true")], "not a sys_id"),
        ([stamped(1, "=a")], "not a sys_id"),
    ],
)
def test_rows_out_of_order_are_not_taken(connect, rows, words) -> None:
    with pytest.raises(SourceError, match=words):
        read(connect(transport=stub(canned(rows))))


def test_since_ignored_is_noticed(connect) -> None:
    since = datetime(2026, 6, 1, tzinfo=UTC)
    with pytest.raises(SourceError, match="changed since"):
        read(connect(transport=stub(canned([stamped(1, "a")]))), since=since)


def test_a_person_that_comes_with_its_link_becomes_plain_text(connect) -> None:
    caller = {"link": "https://x/sys_user/u1", "value": "u1"}
    rows = [stamped(1, "a", caller_id=caller), stamped(2, "b", caller_id="")]
    (page,) = read(connect(transport=stub(canned(rows))))
    assert [row["caller_id"] for row in page.records] == ["u1", ""]


# -- data that changes -------------------------------------------------------------------------


def test_rows_that_change_between_pages_are_read_again_and_none_is_lost(server, connect) -> None:
    ids = in_order(server)
    change = {
        "operation": "update", "table": "incident", "values": {"short_description": "meanwhile"},
    }  # fmt: skip
    server.faults.set(
        "mutate_between_pages",
        [
            {**change, "sys_id": ids[0]},
            {**change, "sys_id": ids[40]},
            {"operation": "delete", "table": "incident", "sys_id": ids[50]},
            {"operation": "insert", "table": "incident", "sys_id": "c" * 32, "values": {}},
        ],
        times=1,
    )
    read_ids = keys(read(connect()))
    assert set(read_ids) == {*ids, "c" * 32} - {ids[50]}
    assert read_ids.count(ids[0]) == 2  # once as it was, once as it is
    assert read_ids.count(ids[40]) == 1


def test_what_is_committed_late_is_found_by_the_overlap(server, connect) -> None:
    ids = in_order(server)
    server.faults.set("late_commit", [ids[-1]])
    pages = read(connect())
    assert ids[-1] not in keys(pages)
    server.faults.clear()
    newest = pages[-1].newest
    assert newest is not None
    row = server.rows("incident", f"sys_id={ids[-1]}")[0]
    overlap = newest - query.moment(row["sys_updated_on"]) + timedelta(minutes=5)
    assert ids[-1] in keys(read(connect(), since=newest - max(overlap, timedelta(minutes=5))))


def test_a_count_that_is_switched_off_is_not_known(server, connect) -> None:
    server.faults.set("count", "off")
    connector = connect()
    assert connector.count(connector.streams[0]) is None
    pages = read(connector)
    assert (keys(pages), pages[0].expected) == (in_order(server), None)


def test_links_lead_to_the_form(server, connect) -> None:
    connector = connect()
    row = server.rows("incident")[0]
    link = connector.link("incident", row["sys_id"])
    assert row["number"] in httpx.get(link).text


def test_no_cookie_is_kept(server, connect, wire) -> None:
    wire.answer = lambda request: httpx.Response(
        200, json={"result": []}, headers={"Set-Cookie": "JSESSIONID=1; Path=/"}
    )
    connector = connect()
    read(connector)
    read(connector)
    assert not any("cookie" in request.headers for request in wire.requests)


def test_a_table_of_a_product_that_is_not_installed_is_told_and_no_failure(connect) -> None:
    refused = httpx.Response(400, json={"error": {"message": "Invalid table dmn_demand"}})
    connector = connect(
        transport=httpx.MockTransport(lambda request: refused), tables=["dmn_demand", "incident"]
    )
    (demands,) = (each for each in connector.streams if each.name == "dmn_demand")
    assert read(connector, "dmn_demand") == []
    assert connector.count(demands) == 0
    rows = {row.what: row for row in connector.check()}
    assert (rows["dmn_demand"].state, rows["incident"].state) == ("warning", "failed")
    assert "Demand Management" in rows["dmn_demand"].detail
    with pytest.raises(NotInstalled):
        read(connector, "incident")
