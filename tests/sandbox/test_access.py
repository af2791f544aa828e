"""Who gets in, who may see and write what, and how refusals are worded."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from vmo_bridge.sandbox.server import SandboxServer

Connect = Callable[..., httpx.Client]

ONE = "/api/now/table/incident?sysparm_limit=1"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Clock:
    """A clock tests can move."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(agency_dir: Path, clock: Clock) -> Iterator[SandboxServer]:
    """A server on a clock of its own; it only reads, so the session's directory will do."""
    with SandboxServer.start(agency_dir, clock=clock) as server:
        yield server


def token(server: SandboxServer, **form: str) -> httpx.Response:
    secrets = {"client_id": server.client_id, "client_secret": server.client_secret}
    return httpx.post(f"{server.url}/oauth_token.do", data=secrets | form)


def bearer(server: SandboxServer, access: str) -> int:
    return httpx.get(server.url + ONE, headers={"Authorization": f"Bearer {access}"}).status_code


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic bm9ib2R5OndpdGg="},
        {"Authorization": "Basic !!"},
        {"Authorization": "Bearer none"},
        {"Authorization": "Digest x"},
        {"x-sn-apikey": "wrong"},
    ],
)
def test_nobody_gets_in_without_a_sign_in(shared: SandboxServer, headers: dict[str, str]) -> None:
    reply = httpx.get(shared.url + ONE, headers=headers)
    assert reply.status_code == 401
    assert reply.json() == {
        "error": {
            "message": "User Not Authenticated",
            "detail": "Required to provide Auth information",
        },
        "status": "failure",
    }
    assert reply.headers["X-Is-Logged-In"] == "false"


def test_an_api_key_signs_in_by_header_or_parameter(shared: SandboxServer) -> None:
    key = shared.user("vmo.bridge").api_key
    assert httpx.get(shared.url + ONE, headers={"x-sn-apikey": key}).status_code == 200
    assert httpx.get(f"{shared.url}{ONE}&x-sn-apikey={key}").status_code == 200


def test_a_password_token_lives_half_an_hour_and_can_be_renewed(
    timed: SandboxServer, clock: Clock
) -> None:
    name, password = timed.auth()
    reply = token(timed, grant_type="password", username=name, password=password).json()
    assert reply["expires_in"] == 1799
    assert reply["token_type"] == "Bearer"
    assert reply["scope"] == "useraccount"
    assert bearer(timed, reply["access_token"]) == 200
    clock.now += timedelta(seconds=1800)
    assert bearer(timed, reply["access_token"]) == 401
    fresh = token(timed, grant_type="refresh_token", refresh_token=reply["refresh_token"]).json()
    assert "refresh_token" not in fresh
    assert bearer(timed, fresh["access_token"]) == 200
    clock.now += timedelta(days=101)
    old = token(timed, grant_type="refresh_token", refresh_token=reply["refresh_token"])
    assert old.status_code == 401


def test_a_client_signs_in_for_itself_without_a_refresh_token(timed: SandboxServer) -> None:
    reply = token(timed, grant_type="client_credentials").json()
    assert "refresh_token" not in reply
    assert bearer(timed, reply["access_token"]) == 200


@pytest.mark.parametrize(
    "form",
    [
        {"grant_type": "password", "username": "admin", "password": "wrong"},
        {"grant_type": "client_credentials", "client_secret": "wrong"},
        {"grant_type": "refresh_token", "refresh_token": "none"},
        {"grant_type": "unheard_of"},
    ],
)
def test_a_token_is_refused_with_the_platforms_words(
    shared: SandboxServer, form: dict[str, str]
) -> None:
    reply = token(shared, **form)
    assert reply.status_code == 401
    assert reply.json() == {"error": "server_error", "error_description": "access_denied"}


def test_token_parameters_in_the_address_are_not_read(shared: SandboxServer) -> None:
    params = {
        "grant_type": "client_credentials",
        "client_id": shared.client_id,
        "client_secret": shared.client_secret,
    }
    assert httpx.post(f"{shared.url}/oauth_token.do", params=params).status_code == 401
    assert httpx.get(f"{shared.url}/oauth_token.do", params=params).status_code == 405


def test_credentials_are_random_and_private(shared: SandboxServer, agency_dir: Path) -> None:
    path = shared.directory / "credentials.json"
    assert stat.S_IMODE((agency_dir / "credentials.json").stat().st_mode) == 0o600
    users = [shared.user(name) for name in ("admin", "vmo.bridge", "vmo.reader")]
    secrets = {u.password for u in users} | {u.api_key for u in users}
    assert len(secrets) == 6
    assert all(secret in path.read_text() for secret in secrets)
    with pytest.raises(KeyError):
        shared.user("nobody")


def refused(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]["message"]


def test_a_reader_sees_tickets_but_no_assessments(shared: SandboxServer, connect: Connect) -> None:
    reader = connect(shared, "vmo.reader")
    assert reader.get(ONE).status_code == 200
    for table in ("asmt_metric_result", "asmt_assessment_instance"):
        reply = reader.get(f"/api/now/table/{table}")
        assert refused(reply) == (403, "Insufficient rights to query records")
        assert reader.get(f"/api/now/stats/{table}").status_code == 403


def test_a_reader_sees_no_deletions_and_is_not_told(
    server: SandboxServer, connect: Connect
) -> None:
    admin = connect(server)
    row = server.rows("incident")[0]
    assert admin.delete(f"/api/now/table/incident/{row['sys_id']}").status_code == 204
    reader = connect(server, "vmo.reader")
    assert reader.get("/api/now/table/sys_audit_delete").json() == {"result": []}
    filed = admin.get("/api/now/table/sys_audit_delete").json()["result"][0]
    assert reader.get(f"/api/now/table/sys_audit_delete/{filed['sys_id']}").status_code == 404
    count = reader.get("/api/now/stats/sys_audit_delete?sysparm_count=true").json()
    assert count["result"]["stats"]["count"] == "0"


def test_a_reader_may_not_describe_tables_or_touch_services(
    server: SandboxServer, connect: Connect
) -> None:
    reader = connect(server, "vmo.reader")
    service = server.rows("cmdb_ci_service")[0]["sys_id"]
    for reply in (
        reader.post("/api/now/table/sys_dictionary", json={"name": "incident", "element": "u_x"}),
        reader.post("/api/now/table/sys_db_object", json={"name": "u_mine"}),
        reader.patch(f"/api/now/table/cmdb_ci_service/{service}", json={"name": "x"}),
        reader.delete(f"/api/now/table/cmdb_ci_service/{service}"),
    ):
        assert refused(reply) == (403, "Operation Failed")
    assert server.write_log() == []


def test_a_reader_writes_plain_fields_but_custom_ones_are_dropped(
    server: SandboxServer, connect: Connect
) -> None:
    admin, reader = connect(server), connect(server, "vmo.reader")
    column = {"name": "incident", "element": "u_score", "internal_type": "decimal"}
    assert admin.post("/api/now/table/sys_dictionary", json=column).status_code == 201
    row = server.rows("incident")[0]["sys_id"]
    reply = reader.patch(
        f"/api/now/table/incident/{row}", json={"u_score": "4.5", "close_notes": "seen"}
    )
    assert reply.status_code == 200
    assert reply.json()["result"]["close_notes"] == "seen"
    assert reply.json()["result"]["u_score"] == ""


@pytest.mark.parametrize(
    ("method", "url", "status", "message"),
    [
        ("GET", "/api/now/table/sys_nonexistent", 400, "Invalid table sys_nonexistent"),
        ("GET", "/api/now/stats/sys_nonexistent", 400, "Invalid table sys_nonexistent"),
        ("GET", "/api/now/nothing", 400, "Requested URI does not represent any resource"),
        ("GET", "/api/now/table/incident/none", 404, "No Record found"),
        ("PATCH", "/api/now/table/incident/none", 404, "No Record found"),
        ("DELETE", "/api/now/table/incident/none", 404, "No Record found"),
        ("DELETE", "/api/now/table/incident", 405, "Method not supported"),
        ("POST", "/api/now/table/incident/none", 405, "Method not supported"),
        ("POST", "/api/now/stats/incident", 405, "Method not supported"),
        ("GET", "/api/now/table/incident?sysparm_offset=-1", 400, "Invalid sysparm_offset"),
    ],
)
def test_a_wrong_call_is_told_what_is_wrong(
    reading: httpx.Client, method: str, url: str, status: int, message: str
) -> None:
    json = {} if method in ("PATCH", "POST") else None
    reply = reading.request(method, url, json=json)
    assert refused(reply) == (status, message)
    assert reply.json()["status"] == "failure"


def test_the_body_must_be_a_json_object_and_the_answer_is_json(reading: httpx.Client) -> None:
    url = "/api/now/table/incident"
    broken = reading.post(url, content=b"{", headers={"Content-Type": "application/json"})
    assert refused(broken) == (400, "Exception while reading request")
    assert broken.json()["error"]["detail"] == "The payload is not valid JSON."
    number = reading.post(url, json=7)
    assert number.status_code == 400
    assert reading.post(url, content=b"a=b", headers=FORM).status_code == 415
    assert reading.get(url, headers={"Accept": "image/png"}).status_code == 406


def test_the_method_may_be_overridden(reading: httpx.Client, shared: SandboxServer) -> None:
    row = shared.rows("incident")[0]["sys_id"]
    reply = reading.post(
        f"/api/now/table/incident/{row}", headers={"X-HTTP-Method-Override": "GET"}
    )
    assert reply.json()["result"]["sys_id"] == row
