"""Writing values to issues: into the property and into fields, again and again, or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from vmo_bridge.plugin import (
    AccessError,
    Change,
    Column,
    ProvisionStep,
    RetryLater,
    SourceError,
    TargetTable,
    Writer,
    WriteRefused,
)
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_jira.writer import notation

Connect = Callable[..., Any]
NUMBER, HIDDEN, TEXT = "customfield_10040", "customfield_10041", "customfield_10010"
SIGNALS, STATUS = "vmo.value.open_signals", "vmo.value.kpi_status"


@pytest.fixture
def key(server: SandboxServer) -> str:
    return str(server.jira.store.select("WHERE kind = 'Bug' LIMIT 1")[0]["id"])


def of(key: str, values: dict[str, str]) -> Change:
    return Change(table="issue", key=key, match={}, values=values)


def updated(server: SandboxServer, key: str) -> int:
    return int(server.jira.store.named([key])[0]["updated"])


def test_values_go_into_property_and_field_and_come_back(
    server: SandboxServer, connect: Connect, deployment: str, key: str
) -> None:
    writer = connect(deployment)
    assert isinstance(writer, Writer)
    values = {SIGNALS: "3", STATUS: "SLA met, satisfaction missed", NUMBER: "87.5", TEXT: "DMND1"}
    assert writer.write(of(key, values)) == key
    receipt = writer.read_back(of(key, values), key)
    assert (receipt.key, dict(receipt.stored)) == (key, values)
    kept = server.jira.store.properties(int(key))["vmo.value"]
    assert kept == {"open_signals": "3", "kpi_status": "SLA met, satisfaction missed"}
    assert writer.current("issue", "sys_id", [key], [*values])[key] == {"sys_id": key, **values}
    assert writer.current("epic", "sys_id", [key], [SIGNALS])[key][SIGNALS] == "3"


def test_fields_are_known_by_name_too(connect: Connect, deployment: str, key: str) -> None:
    writer = connect(deployment)
    values = {"VMO Value": "12"}
    writer.write(of(key, values))
    assert dict(writer.read_back(of(key, values), key).stored) == values
    assert writer.current("issue", "sys_id", [key], [NUMBER])[key][NUMBER] == "12"


def test_a_repeated_write_changes_nothing_more(
    server: SandboxServer, connect: Connect, deployment: str, key: str
) -> None:
    writer = connect(deployment)
    for _ in range(3):
        writer.write(of(key, {SIGNALS: "3"}))
    assert len([line for line in server.write_log() if line["table"] == "jira.property"]) == 1
    before = updated(server, key)
    writer.write(of(key, {SIGNALS: "4"}))
    assert updated(server, key) == before, "a property must not move the issue"


def test_members_of_others_are_left_alone(
    server: SandboxServer, connect: Connect, deployment: str, key: str
) -> None:
    (issue,) = server.jira.store.named([key])
    server.jira.store.set_property(issue, "vmo.value", '{"theirs": [1], "n": 7}', "admin")
    writer = connect(deployment)
    writer.write(of(key, {SIGNALS: "3"}))
    writer.write(of(key, {STATUS: "", SIGNALS: "4"}))
    kept = server.jira.store.properties(int(key))["vmo.value"]
    assert kept == {"theirs": [1], "n": 7, "open_signals": "4", "kpi_status": ""}
    now = writer.current("issue", "sys_id", [key], [SIGNALS, "vmo.value.n"])[key]
    assert (now[SIGNALS], now["vmo.value.n"]) == ("4", "7")


def test_what_is_not_there_yet_is_empty_and_what_cannot_be_is_absent(
    connect: Connect, deployment: str, key: str
) -> None:
    writer = connect(deployment)
    found = writer.current("issue", "sys_id", [key, "99999", "x", ""], [SIGNALS, NUMBER, "u_none"])
    assert found == {key: {"sys_id": key, SIGNALS: "", NUMBER: ""}}
    assert writer.current("issue", "sys_id", [], [SIGNALS]) == {}


def test_many_issues_are_read_by_the_hundred(
    server: SandboxServer, connect: Connect, wire: Any
) -> None:
    ids = [str(row["id"]) for row in server.jira.store.select("")]
    asked = [*ids, *(str(700_000 + n) for n in range(200))]
    writer = connect("cloud")
    assert set(writer.current("issue", "sys_id", asked, [SIGNALS])) == set(ids)
    assert len(wire.of("bulkfetch")) == len(asked) // 100 + 1


def test_a_field_can_be_emptied_again(connect: Connect, deployment: str, key: str) -> None:
    writer = connect(deployment)
    for text in ("5", ""):
        writer.write(of(key, {NUMBER: text, SIGNALS: text}))
        stored = writer.read_back(of(key, {NUMBER: "", SIGNALS: ""}), key).stored
        assert dict(stored) == {NUMBER: text, SIGNALS: text}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({HIDDEN: "x"}, "not on the appropriate screen"),
        ({"customfield_99999": "1"}, "no field 'customfield_99999'"),
        ({NUMBER: "many"}, "takes numbers, 'many' is none"),
        ({NUMBER: "nan"}, "takes numbers"),
        ({"reporter": "x"}, "is of type 'user'"),
        ({"vmo.value.long": "x" * 40_000}, "longer than the 32768 characters"),
    ],
)
def test_a_refusal_says_why_and_nothing_is_written(
    server: SandboxServer,
    connect: Connect,
    deployment: str,
    key: str,
    values: dict[str, str],
    words: str,
) -> None:
    with pytest.raises(WriteRefused, match=words):
        connect(deployment).write(of(key, {**values, SIGNALS: "1"}))
    assert server.write_log() == []


def test_a_choice_is_written_by_its_value(
    server: SandboxServer, connect: Connect, wire: Any, key: str
) -> None:
    sent: list[Any] = []

    def take(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PUT":
            sent.append(json.loads(request.content))
            return httpx.Response(204)
        return None

    wire.answer = take
    writer = connect("cloud")
    for text in ("VPN", ""):
        writer.write(of(key, {"Affected service": text}))
    assert [each["fields"]["customfield_10050"] for each in sent] == [{"value": "VPN"}, None]


def test_nobody_who_may_only_read_writes(connect: Connect, deployment: str, key: str) -> None:
    for values in ({SIGNALS: "1"}, {NUMBER: "1"}):
        with pytest.raises(WriteRefused, match="do not have permission to edit"):
            connect(deployment, "vmo.reader").write(of(key, values))


@pytest.mark.parametrize("number", [None, "", "99999", "CASE-1", "1; drop"])
def test_no_issue_is_made(
    server: SandboxServer, connect: Connect, deployment: str, number: str | None
) -> None:
    writer = connect(deployment)
    one = Change(table="issue", key=number, match={"u_key": "x"}, values={SIGNALS: "1"})
    with pytest.raises(WriteRefused):
        writer.write(one)
    with pytest.raises(WriteRefused):
        writer.read_back(one, number or "99999")
    assert server.write_log() == []


def test_other_places_and_other_keys_are_told(connect: Connect, key: str) -> None:
    writer = connect("cloud")
    with pytest.raises(AccessError, match="no place 'u_vmo_kpi_result'"):
        writer.current("u_vmo_kpi_result", "u_key", ["x"], ["u_value"])
    with pytest.raises(AccessError, match="found by 'key'"):
        writer.current("issue", "key", ["CASE-1"], [SIGNALS])
    with pytest.raises(WriteRefused, match="no place 'u_vmo_kpi_result'"):
        writer.write(Change(table="u_vmo_kpi_result", key=key, match={}, values={SIGNALS: "1"}))
    assert (writer.places.all_tickets, writer.places.initiatives) == ("issue", "epic")
    assert not writer.places.own_records
    assert writer.provision_plan([]) == []
    with pytest.raises(WriteRefused, match="made by its admin"):
        writer.provision(ProvisionStep(what="field", table="issue", values={}))


def test_fields_that_the_site_does_not_have_are_told(connect: Connect, deployment: str) -> None:
    writer = connect(deployment)
    named = ("VMO Value", NUMBER, "No such field")
    columns = tuple(Column(name=each, label="x", type="decimal") for each in named)
    told = writer.differences([], [TargetTable(table="issue", columns=columns)])
    assert [(each.what, each.state) for each in told] == [("issue.No such field", "missing")]


def test_a_property_of_somebody_else_is_not_overwritten(
    server: SandboxServer, connect: Connect, deployment: str, key: str
) -> None:
    (issue,) = server.jira.store.named([key])
    server.jira.store.set_property(issue, "vmo.value", '"theirs"', "admin")
    writer = connect(deployment)
    assert writer.current("issue", "sys_id", [key], [SIGNALS]) == {key: {"sys_id": key}}
    with pytest.raises(WriteRefused, match="something of somebody else"):
        writer.write(of(key, {SIGNALS: "1"}))


def test_a_lost_reply_is_answered_by_writing_again(
    server: SandboxServer, connect: Connect, deployment: str, key: str
) -> None:
    app = "jira" if deployment == "cloud" else "jiradc"
    writer = connect(deployment)
    server.faults.set("drop_reply_after_commit", app=app, times=1)
    writer.write(of(key, {SIGNALS: "1", NUMBER: "2"}))
    assert dict(writer.read_back(of(key, {SIGNALS: "", NUMBER: ""}), key).stored) == {
        SIGNALS: "1", NUMBER: "2",
    }  # fmt: skip
    server.faults.set("drop_reply_after_commit", app=app)
    with pytest.raises(RetryLater, match="cannot be reached"):
        writer.write(of(key, {SIGNALS: "5"}))


def test_a_limit_for_one_issue_costs_that_issue_and_is_told_with_its_moment(
    server: SandboxServer, connect: Connect, key: str
) -> None:
    reason = "jira-per-issue-on-write"
    server.faults.set("rate_limit_reason", reason, app="jira", table="issue", method="PUT")
    server.faults.set("retry_after", 100, app="jira")
    with pytest.raises(WriteRefused, match=rf"{reason}\); resume at .* tries issue {key} again"):
        connect("cloud").write(of(key, {SIGNALS: "1"}))


def test_a_site_that_calls_itself_otherwise_gets_our_secret_nowhere_else(
    server: SandboxServer, connect: Connect, wire: Any, key: str
) -> None:
    def elsewhere(request: httpx.Request) -> httpx.Response | None:
        if request.method != "GET" or f"/issue/{key}" not in request.url.path:
            return None
        body = {"id": key, "key": "CASE-1", "fields": {}, "self": "https://evil.invalid/1"}
        return httpx.Response(200, json=body)

    wire.answer = elsewhere
    connector = connect("cloud")
    connector.write(of(key, {NUMBER: "3"}))
    with pytest.raises(SourceError, match="another address than its own"):
        connector._library._session.get("https://evil.invalid/1")
    assert {request.url.host for request in wire.requests} == {"127.0.0.1"}
    fields = server.jira.store.named([key])[0]["custom"]
    assert json.loads(fields) == {NUMBER: 3.0}


@pytest.mark.parametrize(
    ("value", "text"),
    [(12.0, "12"), (87.5, "87.5"), (0, "0"), (0.0, "0"), (True, "true"), (None, ""), ("", ""),
     ({"value": "Red"}, "Red"), ([], ""), (1e20, "1e+20")],
)  # fmt: skip
def test_values_are_told_in_plain_notation(value: Any, text: str) -> None:
    assert notation(value) == text
