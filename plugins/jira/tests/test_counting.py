"""Counting, sweeping and fetching: exact or said not to be, whole or an error."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from vmo_bridge.plugin import (
    AccessError,
    Dated,
    Seen,
    Slice,
    SourceError,
    Sweeping,
)
from vmo_bridge.sandbox.jira.store import millis
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_jira.connector import FIELDS, ISSUES
from vmo_bridge_jira.moments import moment

Connect = Callable[..., Any]
LONG_AGO = datetime(2025, 6, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def in_source(server: SandboxServer, sql: str = "") -> list[str]:
    return sorted(str(row["id"]) for row in server.jira.store.select(sql))


def seconds(at: int) -> datetime:
    return moment(at).replace(microsecond=0)


def made(server: SandboxServer, moments: list[datetime]) -> None:
    """One more issue for each moment, made and changed then."""
    model = server.jira.store.select("WHERE kind = 'Bug' LIMIT 1")[0]
    server.jira.store.load(
        model | {"id": 50_000 + n, "key": f"CASE-{5000 + n}", "project": "CASE",
                 "created": millis(at), "updated": millis(at), "touched": millis(at)}
        for n, at in enumerate(moments)
    )  # fmt: skip


def swept(connector: Any) -> list[Seen]:
    return [seen for batch in connector.sweep(ISSUES) for seen in batch]


def fetched(connector: Any, keys: list[str]) -> list[Any]:
    return [row for page in connector.fetch(ISSUES, keys) for row in page.records]


# -- counting ------------------------------------------------------------------------------------


def test_each_raw_issue_says_when_it_changed_to_the_second(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    connector = connect(deployment)
    assert isinstance(connector, Dated)
    stamps = {str(row["id"]): seconds(row["updated"]) for row in server.jira.store.select("")}
    for page in connector.read(Slice(stream="issues")):
        for row in page.records:
            assert connector.changed_at("issues", row) == stamps[row["id"]]
    for odd in (None, "soon", ["x"], 10**40, "2026-01-01"):
        assert connector.changed_at("issues", {"updated": odd}) is None
    assert connector.changed_at("issues", {}) is None
    assert connector.changed_at("fields", {"id": "summary"}) is None


@pytest.mark.parametrize("user", ["vmo.bridge", "admin", "vmo.reader"])
def test_windows_on_whole_minutes_are_counted_in_the_zone_of_every_user(
    server: SandboxServer, connect: Connect, deployment: str, user: str
) -> None:
    cuts = [LONG_AGO, LONG_AGO + MINUTE, LONG_AGO + timedelta(hours=5)]
    made(server, [LONG_AGO - MINUTE / 60, *cuts, LONG_AGO + MINUTE / 2])
    windows = [(None, None), (None, cuts[0]), (cuts[0], cuts[1]), (cuts[1], cuts[2]),
               (cuts[2], None), (cuts[0], cuts[0])]  # fmt: skip
    tallies = connect(deployment, user).tally(ISSUES, windows)
    assert [(each.since, each.until) for each in tallies] == windows
    for tally, (since, until) in zip(tallies, windows, strict=True):
        sql = f"WHERE updated >= {millis(since) if since else 0}"
        sql += f" AND updated < {millis(until)}" if until else ""
        stamps = [row["updated"] for row in server.jira.store.select(sql)]
        assert tally.count == len(stamps)
        assert tally.newest == (seconds(max(stamps)) if stamps else None)
        assert tally.approximate == (deployment == "cloud")


def test_an_hour_that_comes_twice_is_counted_more_widely_and_said_so(
    server: SandboxServer, connect: Connect
) -> None:
    """New York, 2 November 2025: 01:00 to 02:00 comes at 05:00 and again at 06:00 UTC."""
    hours = [datetime(2025, 11, 2, hour, 30, tzinfo=UTC) for hour in (3, 5, 6, 8)]
    made(server, hours)
    day = (datetime(2025, 11, 2, tzinfo=UTC), datetime(2025, 11, 3, tzinfo=UTC))
    inside = (datetime(2025, 11, 2, 5, 30, tzinfo=UTC), datetime(2025, 11, 2, 6, 30, tzinfo=UTC))
    sql = "WHERE updated >= ? AND updated < ?"
    exactly, widened = connect("server").tally(ISSUES, [day, inside])
    rows = server.jira.store.select(sql, [millis(each) for each in day])
    assert (exactly.count, exactly.approximate) == (len(rows), False)
    rows = server.jira.store.select(sql, [millis(each) for each in inside])
    assert widened.approximate
    assert widened.count >= len(rows)
    assert widened.newest is None or inside[0] <= widened.newest < inside[1]


def test_in_a_zone_that_nobody_knows_only_the_whole_is_counted(
    server: SandboxServer, connect: Connect, deployment: str, wire: Any
) -> None:
    def elsewhere(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/myself"):
            return None
        return httpx.Response(200, json={"timeZone": "Mars/Olympus"})

    wire.answer = elsewhere
    connector = connect(deployment)
    assert connector.tally(ISSUES, [(None, None), (LONG_AGO, None)]) == []
    (whole,) = connector.tally(ISSUES, [(None, None)])
    assert whole.count == len(in_source(server))


def test_fields_are_not_counted_by_time(connect: Connect, deployment: str) -> None:
    assert connect(deployment).tally(FIELDS, [(None, None)]) == []


def test_a_project_that_is_hidden_is_an_error_and_never_a_count(
    connect: Connect, deployment: str
) -> None:
    for ask in (
        lambda it: it.tally(ISSUES, [(None, None)]),
        swept,
        lambda it: fetched(it, ["10001"]),
    ):
        with pytest.raises(AccessError, match="project 'NOPE' is not there"):
            ask(connect(deployment, projects=["CASE", "NOPE"]))


@pytest.mark.parametrize("answer", [{}, {"count": "7"}, {"count": True}, {"count": -1}])
def test_a_count_that_is_none_is_refused(connect: Connect, wire: Any, answer: Any) -> None:
    wire.answer = lambda request: (
        httpx.Response(200, json=answer) if request.url.path.endswith("approximate-count") else None
    )
    with pytest.raises(SourceError, match="is no count"):
        connect().tally(ISSUES, [(None, None)])


# -- sweeping ------------------------------------------------------------------------------------


def test_a_sweep_names_every_issue_once_and_says_when_it_changed(
    server: SandboxServer, connect: Connect, deployment: str, wire: Any
) -> None:
    made(server, [LONG_AGO] * 230)
    connector = connect(deployment)
    assert isinstance(connector, Sweeping)
    expected = {str(row["id"]): seconds(row["updated"]) for row in server.jira.store.select("")}
    found = swept(connector)
    assert len(found) == len(expected)
    assert {each.key: each.changed_at for each in found} == expected
    asked = [request for request in wire.requests if "search" in request.url.path]
    assert not [each for each in asked if "changelog" in str(each.url)], "no changelog is asked for"


def test_of_very_many_issues_the_cloud_is_asked_for_ids_alone(
    server: SandboxServer, connect: Connect, wire: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(server, [LONG_AGO] * 230)
    monkeypatch.setattr("vmo_bridge_jira.cloud._MOST_CALLS", 2)
    found = swept(connect())
    assert sorted(each.key for each in found) == in_source(server)
    assert {each.changed_at for each in found} == {None}
    bodies = [json.loads(each.content) for each in wire.of("search/jql")]
    assert [each["fields"] for each in bodies] == [["created", "updated"], ["id"]]


@pytest.mark.parametrize("switch", ["repeated_token", "empty_page_with_token", "token_expiry"])
@pytest.mark.parametrize("most_calls", [0, 100])
def test_tokens_that_break_during_a_sweep_begin_it_anew_or_end_it_with_an_error(
    server: SandboxServer,
    connect: Connect,
    switch: str,
    most_calls: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made(server, [LONG_AGO] * 35)
    monkeypatch.setattr("vmo_bridge_jira.cloud._MOST_CALLS", most_calls)
    monkeypatch.setattr("vmo_bridge_jira.cloud._MANY_IDS", 10)
    monkeypatch.setattr("vmo_bridge_jira.cloud.CloudSearch.largest_page", 10)
    server.faults.set(switch, app="jira", skip=2, times=1)
    found = [each.key for each in swept(connect())]
    assert sorted(found) == in_source(server)
    server.faults.set(switch, app="jira")
    with pytest.raises(SourceError, match="round in circles"):
        swept(connect())


def test_issues_that_are_edited_moved_made_or_deleted_during_a_sweep_take_no_other_with_them(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    made(server, [LONG_AGO + timedelta(seconds=n) for n in range(90)])
    server.faults.set("max_results_cap", 12, app="jira" if deployment == "cloud" else "jiradc")
    store, found, chances = server.jira.store, [], iter(range(90))
    for batch in connect(deployment).sweep(ISSUES):
        found += [each.key for each in batch]
        for row in store.named([str(50_000 + n) for n in range(0, 90, 11)]):
            store.update(row, {"labels": '["x"]'}, [], "admin")
        for key in (f"CASE-{5000 + next(chances)}", f"CASE-{5089 - next(chances)}"):
            store.delete(key)
    assert len(found) == len(set(found))
    assert set(found) >= set(in_source(server))


def test_fields_are_swept_and_fetched_too(connect: Connect, deployment: str) -> None:
    connector = connect(deployment)
    keys = [each.key for batch in connector.sweep(FIELDS) for each in batch]
    rows = [row for page in connector.read(Slice(stream="fields")) for row in page.records]
    assert keys == [row["id"] for row in rows]
    (page,) = connector.fetch(FIELDS, [keys[3], "customfield_99999"])
    assert page.records == [rows[3]]
    assert page.cursor is None
    assert list(connector.fetch(FIELDS, ["customfield_99999"])) == []


# -- fetching ------------------------------------------------------------------------------------


def test_issues_are_fetched_by_id_as_they_are_read_and_those_that_are_gone_are_left_out(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    made(server, [LONG_AGO] * 120)
    connector = connect(deployment)
    read = {row["id"]: row for page in connector.read(Slice(stream="issues"))
            for row in page.records}  # fmt: skip
    server.jira.store.delete("CASE-5000")
    keys = [*read, "700000", "nonsense) or (1 = 1", ""]
    found = fetched(connector, keys)
    assert sorted(row["id"] for row in found) == sorted(set(read) - {"50000"})
    assert all(row == read[row["id"]] for row in found)
    assert fetched(connector, ["50000"]) == []
    assert fetched(connector, []) == []


def test_what_has_left_the_scope_is_not_fetched(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    inside = in_source(server, "WHERE project = 'CASE'")
    outside = in_source(server, "WHERE project = 'WEB'")
    found = fetched(connect(deployment, projects=["CASE"]), [*inside, *outside])
    assert sorted(row["id"] for row in found) == inside


def test_a_fetch_looks_beyond_an_index_that_lags(server: SandboxServer, connect: Connect) -> None:
    (issue,) = server.jira.store.named(["HELP-1"])
    server.jira.store.update(issue, {"summary": "new words"}, [], "admin")
    server.faults.set("search_lag", 3600, app="jira")
    (row,) = fetched(connect(), [str(issue["id"])])
    assert row["summary"] == "new words"


def test_an_issue_that_goes_while_it_is_fetched_takes_no_other_with_it(
    server: SandboxServer, connect: Connect, wire: Any
) -> None:
    keys = in_source(server)[:5]
    (gone,) = server.jira.store.named(keys[:1])

    def delete(request: httpx.Request) -> None:
        if request.url.path.endswith("search/jql"):
            server.jira.store.delete(gone["key"])

    wire.before = delete
    assert sorted(row["id"] for row in fetched(connect(), keys)) == keys[1:]


def test_a_small_page_is_no_reason_to_leave_an_issue_out_of_a_fetch(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    server.faults.set("max_results_cap", 4, app="jira" if deployment == "cloud" else "jiradc")
    found = fetched(connect(deployment), in_source(server))
    assert sorted(row["id"] for row in found) == in_source(server)


def test_a_scope_that_is_refused_is_told_by_a_fetch_too(connect: Connect, deployment: str) -> None:
    with pytest.raises(SourceError, match="colour"):
        fetched(connect(deployment, jql="colour = red"), ["10001"])
