"""Single writes through pysnow: once, read back, and refused in the platform's own words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import urllib3

from vmo_bridge.plugin import (
    Change,
    Column,
    RetryLater,
    SignInError,
    SourceError,
    TargetTable,
    VmoBridgeError,
    WriteRefused,
)
from vmo_bridge_servicenow.connector import ServiceNow

TABLE = TargetTable(
    table="u_vmo_kpi_result",
    label="KPI result",
    create=True,
    columns=(
        Column(name="u_key", label="Key", type="string", max_length=200),
        Column(name="u_value", label="Value", type="decimal"),
        Column(name="u_note", label="Note", type="string", max_length=40),
    ),
)


class Tap(requests.adapters.HTTPAdapter):
    """Keeps what pysnow sends; may answer itself."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str, dict[str, str]]] = []
        self.answer: Callable[[requests.PreparedRequest], Any] = lambda request: None

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        assert request.url
        parts = urlsplit(request.url)
        params = {name: texts[-1] for name, texts in parse_qs(parts.query).items()}
        self.sent.append((request.method or "", parts.path, params))
        given = self.answer(request)
        if isinstance(given, Exception):
            raise given
        return super().send(request, *args, **kwargs) if given is None else given


@pytest.fixture
def tap() -> Iterator[Tap]:
    tap = Tap()
    yield tap
    tap.close()


@pytest.fixture
def writer(connect, tap) -> ServiceNow:
    """A connector on an instance that has the table; what it sends by pysnow is tapped."""
    connector = connect()
    for step in connector.provision_plan([TABLE]):
        if step.over_rest:
            connector.provision(step)
    connector._writer._session.mount("http://", tap)
    return connector


def new(key: str = "csat|mail", **values: str) -> Change:
    return Change(
        table="u_vmo_kpi_result", key=None, match={"u_key": key}, values=values or {"u_value": "1"}
    )


def on_incident(server, **values: str) -> Change:
    key = server.rows("incident")[0]["sys_id"]
    return Change(table="incident", key=key, match={}, values=values)


def reply(status: int, content: Any = b"", **headers: str) -> Callable[..., requests.Response]:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()

    def made(request: requests.PreparedRequest) -> requests.Response:
        response = requests.Response()
        response.status_code = status
        response.url = request.url or ""
        response.request = request
        response.headers.update({"Content-Type": "application/json", **headers})
        response._content = body
        response.raw = urllib3.HTTPResponse(body=b"")
        return response

    return made


def inserts(server) -> list[dict[str, Any]]:
    return [
        line
        for line in server.write_log()
        if line["table"] == "u_vmo_kpi_result" and line["operation"] == "insert"
    ]


# -- once ----------------------------------------------------------------------------------------


def test_a_record_is_looked_up_before_it_is_made(writer, tap) -> None:
    writer.write(new())
    assert [method for method, *_ in tap.sent] == ["GET", "POST"]
    assert tap.sent[0][2]["sysparm_query"] == "u_key=csat|mail"
    tap.sent.clear()
    writer.write(new(u_value="2"))
    assert [method for method, *_ in tap.sent] == ["GET", "PATCH"]


def test_a_lost_reply_makes_no_second_record(server, writer) -> None:
    server.faults.set("drop_reply_after_commit", method="POST", times=1)
    with pytest.raises(RetryLater, match="whether it arrived is looked up on the next run"):
        writer.write(new())
    key = writer.write(new())
    assert [line["sys_id"] for line in inserts(server)] == [key]
    assert len(server.rows("u_vmo_kpi_result")) == 1


def test_a_lost_request_is_made_on_the_next_run(server, writer) -> None:
    server.faults.set("fail_next", method="POST", times=1)
    with pytest.raises(RetryLater):
        writer.write(new())
    assert inserts(server) == []
    writer.write(new())
    assert len(inserts(server)) == 1


def test_a_lost_update_can_be_repeated(server, writer) -> None:
    change = on_incident(server, close_notes="by vmo")
    server.faults.set("drop_reply_after_commit", method="PATCH", times=1)
    with pytest.raises(RetryLater):
        writer.write(change)
    assert writer.write(change) == change.key
    touched = [line for line in server.write_log() if line["table"] == "incident"]
    assert len(touched) == 1  # the second one changed nothing


def test_two_records_with_our_key_are_refused_and_named(server, writer) -> None:
    server.load("u_vmo_kpi_result", [{"sys_id": each * 32, "u_key": "twin"} for each in "ab"])
    with pytest.raises(WriteRefused, match=r"more than one record holds .*twin.*remove the double"):
        writer.write(new("twin"))


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_a_table_that_does_not_know_our_key_is_never_written_to(server, connect, rows) -> None:
    connector = connect()
    for step in connector.provision_plan([TABLE]):  # the table, without its columns
        if step.table == "sys_db_object":
            connector.provision(step)
    for number in range(rows):
        server.load("u_vmo_kpi_result", [{"sys_id": str(number) * 32}])
    if rows:
        with pytest.raises(WriteRefused, match=r"does not know .* u_key; run 'vmo-bridge provis"):
            connector.write(new())
        with pytest.raises(SourceError, match="does not know the column u_key"):
            connector.current("u_vmo_kpi_result", "u_key", ["a", "b", "c"], [])
        assert inserts(server) == []
    else:
        receipt = connector.read_back(new(), connector.write(new()))
        assert receipt.stored == {}


@pytest.mark.parametrize("key", ["a^ORactive=true", "javascript:gs.now()", "", "a\nb"])
def test_a_key_that_would_mean_something_else_is_refused(server, writer, key) -> None:
    assert writer.current("u_vmo_kpi_result", "u_key", [key], []) == {}
    with pytest.raises(WriteRefused, match="cannot stand in a query"):
        writer.write(new(key))
    assert inserts(server) == []


def test_no_query_of_one_call_leaks_into_another(server, writer, tap) -> None:
    writer.read_back(new("first"), writer.write(new("first")))
    writer.write(new("second"))
    writer.write(on_incident(server, close_notes="x"))
    for method, _, params in tap.sent:
        if method != "GET":
            assert "sysparm_query" not in params
            assert params.get("sysparm_fields") in (None, "sys_id")
    log = server.write_log()
    assert [line["operation"] for line in log][-3:] == ["insert", "insert", "update"]
    assert set(log[-1]["changes"]) == {
        "close_notes", "sys_mod_count", "sys_updated_on", "sys_updated_by",
    }  # fmt: skip


def test_an_update_is_a_patch_of_the_named_fields(server, writer, tap) -> None:
    change = on_incident(server, close_notes="x")
    writer.write(change)
    assert [(method, path) for method, path, _ in tap.sent] == [
        ("PATCH", f"/api/now/table/incident/{change.key}")
    ]


@pytest.mark.parametrize("key", ["../sys_user/1", "a/b", "a?sysparm_query=x", ""])
def test_a_key_cannot_lead_elsewhere(server, writer, key) -> None:
    change = Change(table="incident", key=key or None, match={}, values={"close_notes": "x"})
    with pytest.raises((SourceError, WriteRefused)):
        writer.write(change)
    assert "update" not in {line["operation"] for line in server.write_log()}


# -- what is stored --------------------------------------------------------------------------------


def test_an_unknown_field_is_not_in_the_receipt(server, writer) -> None:
    change = on_incident(server, close_notes="x", u_not_there="y")
    assert dict(writer.read_back(change, writer.write(change)).stored) == {"close_notes": "x"}


def test_a_field_that_may_not_be_written_still_holds_what_it_held(server, writer) -> None:
    change = on_incident(server, close_notes="new", short_description="other")
    before = server.rows("incident", f"sys_id={change.key}")[0]
    server.faults.set("field_acl_write", ["close_notes"])
    stored = writer.read_back(change, writer.write(change)).stored
    assert stored == {
        "close_notes": before["close_notes"], "short_description": "other",
    }  # fmt: skip


def test_a_field_that_may_not_be_read_is_absent(server, writer) -> None:
    change = on_incident(server, close_notes="new")
    key = writer.write(change)
    server.faults.set("acl_drop_fields", ["close_notes"])
    assert writer.read_back(change, key).stored == {}
    assert writer.current("incident", "sys_id", [key], ["close_notes"]) == {key: {"sys_id": key}}


def test_a_text_that_is_cut_is_told_as_it_stands(writer) -> None:
    change = new(u_note="x" * 60)
    assert writer.read_back(change, writer.write(change)).stored["u_note"] == "x" * 40


def test_a_record_that_vanished_cannot_be_read_back(server, writer) -> None:
    change = on_incident(server, close_notes="x")
    writer.write(change)
    server.faults.set("acl_drop_rows", f"sys_id={change.key}")
    with pytest.raises(WriteRefused, match="cannot be seen after the write"):
        writer.read_back(change, change.key)
    with pytest.raises(WriteRefused, match="No Record found"):
        writer.write(change)


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "value", "words"),
    [
        ("business_rule_abort", "Guard closed tickets", "aborted by Business Rule 'Guard closed t"),
        ("read_only", True, "ACL Exception Insert/Update Failed"),
        ("timeout", "200_error", r"maximum execution time exceeded .*\(status 200\)"),
    ],
)
def test_a_refusal_is_told_in_the_platform_s_words(server, writer, fault, value, words) -> None:
    server.faults.set(fault, value, method="PATCH")
    with pytest.raises(WriteRefused, match=words):
        writer.write(on_incident(server, close_notes="x"))


def test_a_table_without_rules_is_not_there_for_others(server, connect, writer) -> None:
    reader = connect("vmo.reader")
    with pytest.raises(WriteRefused, match=r"No Record found .* \(status 404\)"):
        reader.write(new())
    with pytest.raises(VmoBridgeError, match="No Record found"):
        reader.current("u_vmo_kpi_result", "u_key", ["a"], [])
    with pytest.raises(WriteRefused, match="Operation Failed"):
        reader.write(Change(table="cmdb_ci_service", key="f" * 32, match={}, values={"name": "x"}))


@pytest.mark.parametrize(
    ("fault", "value", "error", "words"),
    [
        ("html_200", "login", RetryLater, "a web page instead of data"),
        ("login_redirect", True, SignInError, "redirects to a sign-in page"),
        ("unauthorised", True, SignInError, "401"),
        ("rate_limit", 120, RetryLater, "429"),
        ("timeout", "500", SourceError, "maximum execution time"),
        ("timeout", "truncated", RetryLater, "instead of data"),
    ],
)
def test_trouble_is_told_apart_from_a_refusal(server, writer, fault, value, error, words) -> None:
    server.faults.set(fault, value, method="PATCH")
    with pytest.raises(error, match=words) as caught:
        writer.write(on_incident(server, close_notes="x"))
    if fault == "rate_limit":
        assert caught.value.retry_at is not None


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (reply(503, b""), RetryLater, "503; it is down or overloaded"),
        (reply(200, {}), SourceError, "MissingResult"),
        (reply(200, {"result": {}}), SourceError, "no sys_id"),
        (reply(200, {"result": []}), SourceError, "NoResults"),
        (reply(403, b""), WriteRefused, "no reason given"),
        (reply(404, ["odd"]), SourceError, "404 without a reason"),
        (reply(200, ["odd"]), SourceError, "no object"),
        (reply(500, {"error": {"message": "boom"}}), SourceError, "boom"),
        (reply(400, {"error": {"message": "User Not Authenticated"}}), SignInError, "Not Auth"),
        (lambda request: requests.ConnectTimeout("slow"), RetryLater, "connection broke"),
        (lambda request: requests.ReadTimeout("slow"), RetryLater, "no answer in time"),
        (
            lambda request: requests.exceptions.ChunkedEncodingError("cut"),
            RetryLater,
            "connection broke",
        ),
        (lambda request: requests.exceptions.InvalidHeader("odd"), SourceError, "InvalidHeader"),
    ],
)
def test_an_odd_answer_to_a_create_is_one_of_our_errors(writer, tap, answer, error, words) -> None:
    tap.answer = lambda request: answer(request) if request.method == "POST" else None
    with pytest.raises(error, match=words):
        writer.write(new())


def test_an_odd_answer_to_a_lookup_is_one_of_our_errors(server, writer, tap) -> None:
    tap.answer = lambda request: reply(200, {})(request) if request.method == "GET" else None
    with pytest.raises(SourceError, match="MissingResult"):
        writer.write(new())
    assert inserts(server) == []


def test_a_secret_is_in_no_refusal(server, writer, tap) -> None:
    secret = server.user("vmo.bridge").password
    for answer in (reply(500, {}), reply(404, ["odd"]), reply(401, b""), reply(302, Location="/")):
        tap.answer = answer
        with pytest.raises(VmoBridgeError) as caught:
            writer.write(on_incident(server, close_notes="x"))
        error: BaseException | None = caught.value
        while error is not None:
            assert secret not in f"{error} {error!r}"
            error = error.__cause__ or error.__context__


def test_no_netrc_and_no_cookie_replaces_our_sign_in(
    server, writer, tap, tmp_path, monkeypatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login admin password stolen")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    sent: list[str] = []

    def cookie(request: requests.PreparedRequest) -> requests.Response:
        sent.append(f"{request.headers['Authorization']} {request.headers.get('Cookie')}")
        headers = {"Set-Cookie": "JSESSIONID=1; Path=/"}
        return reply(200, {"result": {"sys_id": "1"}}, **headers)(request)

    tap.answer = cookie
    for _ in range(2):
        writer.write(on_incident(server, close_notes="x"))
    assert sent[0] == sent[1]
    assert sent[0].endswith(" None")


def test_current_asks_for_many_keys_in_addresses_that_fit(server, connect, wire) -> None:
    connector = connect()
    keys = [row["sys_id"] for row in server.rows("sys_user_group")] + [
        f"{number:032}" for number in range(200)
    ]
    found = connector.current("sys_user_group", "sys_id", keys, ["name"])
    assert len(found) == len(server.rows("sys_user_group"))
    asked = [
        each["url"]
        for request in wire.requests
        for each in json.loads(request.content)["rest_requests"]
    ]
    assert max(len(url) for url in asked) < 2_048
    assert len(asked) == 6
    assert len(wire.requests) == 1, "several lists are asked for in one call"


def test_closing_is_possible_without_having_written(connect) -> None:
    connector = connect()
    connector.close()
    assert "_writer" not in vars(connector)


def test_a_proxy_of_the_environment_holds_for_reads_and_for_writes(
    server, settings, tmp_path, monkeypatch
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    connector = ServiceNow("helpdesk", settings(url="https://agency.invalid"), tmp_path)
    try:
        with pytest.raises(RetryLater, match="cannot be reached"):
            connector.count(connector.streams[0])
        with pytest.raises(RetryLater, match="connection broke"):
            connector.write(on_incident(server, close_notes="x"))
    finally:
        connector.close()


def test_no_proxy_stands_between_us_and_this_machine(
    server, settings, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    connector = ServiceNow("helpdesk", settings(), tmp_path)
    try:
        assert connector.count(connector.streams[0])
        assert connector.write(on_incident(server, close_notes="x"))
    finally:
        connector.close()
