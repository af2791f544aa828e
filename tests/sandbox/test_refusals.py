"""Limits, tokens, long addresses, imports, deletions: switches that refuse or forget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import httpx
import pytest

from vmo_bridge.sandbox.server import SandboxServer

Connect = Callable[..., httpx.Client]
INCIDENT = "/api/now/table/incident"
ONE = f"{INCIDENT}?sysparm_limit=1"
DELETIONS = "/api/now/table/sys_audit_delete"


class Watch:
    """A clock that is put on by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, 10, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def on(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def timed(agency_dir: Path, tmp_path: Path, watch: Watch) -> Iterator[SandboxServer]:
    copytree(agency_dir, tmp_path / "timed")
    with SandboxServer.start(tmp_path / "timed", clock=watch) as server:
        yield server


def test_a_rule_counts_the_requests_of_an_hour(
    timed: SandboxServer, connect: Connect, watch: Watch
) -> None:
    http = connect(timed)
    timed.faults.set("hourly_quota", 3, user="vmo.bridge")
    replies = [http.get(ONE) for _ in range(4)]
    assert [reply.status_code for reply in replies] == [200, 200, 200, 429]
    end = datetime(2026, 11, 20, 11, tzinfo=UTC).timestamp()
    for reply in replies:
        assert reply.headers["X-RateLimit-Limit"] == "3"
        assert int(reply.headers["X-RateLimit-Reset"]) == end
    assert replies[-1].headers["Retry-After"] == "3000"
    assert connect(timed, "admin").get(ONE).status_code == 200
    watch.on(minutes=50)
    assert http.get(ONE).status_code == 200


def test_a_rule_may_bite_late(timed: SandboxServer, connect: Connect, watch: Watch) -> None:
    http = connect(timed)
    timed.faults.set("hourly_quota", 2)
    timed.faults.set("late_counters", 30)
    assert [http.get(ONE).status_code for _ in range(5)] == [200] * 5
    watch.on(seconds=30)
    assert http.get(ONE).status_code == 429


def token(server: SandboxServer, **form: str) -> httpx.Response:
    client = {"client_id": server.client_id, "client_secret": server.client_secret}
    return httpx.post(f"{server.url}/oauth_token.do", data=client | form)


def by_password(server: SandboxServer) -> Any:
    name, password = server.auth()
    return token(server, grant_type="password", username=name, password=password).json()


def test_tokens_live_as_long_as_they_shall(
    timed: SandboxServer, connect: Connect, watch: Watch
) -> None:
    timed.faults.set("token_seconds", 60)
    given = by_password(timed)
    assert given["expires_in"] == 59
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    http = connect(timed, auth=None, headers=headers)
    assert http.get(ONE).status_code == 200
    timed.faults.set("token_expired", times=1)
    assert [http.get(ONE).status_code for _ in range(2)] == [401, 200]
    watch.on(seconds=61)
    assert http.get(ONE).status_code == 401
    again = token(timed, grant_type="refresh_token", refresh_token=given["refresh_token"]).json()
    http.headers["Authorization"] = f"Bearer {again['access_token']}"
    assert http.get(ONE).status_code == 200


def test_tokens_may_come_without_a_way_to_renew_them(server: SandboxServer) -> None:
    given = by_password(server)
    server.faults.set("refresh_refused", times=1)
    refused = token(server, grant_type="refresh_token", refresh_token=given["refresh_token"])
    assert (refused.status_code, refused.json()["error_description"]) == (401, "access_denied")
    server.faults.set("no_refresh_token", times=1)
    assert "refresh_token" not in by_password(server)
    assert "refresh_token" in by_password(server)


def test_a_long_address_has_a_short_name(server: SandboxServer, http: httpx.Client) -> None:
    number = server.rows("incident")[0]["number"]
    query = "^OR".join([f"number={number}"] * 40)
    server.faults.set("long_url", 500)
    assert http.get(INCIDENT, params={"sysparm_query": query}).status_code == 414
    address = f"incident_list.do?sysparm_query={query}&sysparm_fields=number"
    made = http.post("/api/now/tinyurl", json={"url": address}).json()["result"]
    page, _, name = made.partition("?")
    assert page == "incident_list.do"
    reply = http.get(f"{INCIDENT}?{name}&sysparm_limit=5")
    assert reply.json()["result"] == [{"number": number}]
    assert http.post("/api/now/tinyurl", json=["x"]).status_code == 400


def test_a_long_query_has_no_links(server: SandboxServer, http: httpx.Client) -> None:
    server.faults.set("long_links", 100)
    query = "&sysparm_query=" + "^OR".join(["priority=1"] * 20)
    assert "too long" in http.get(ONE + query).json()["error"]["message"]
    silent = "&sysparm_suppress_pagination_header=true"
    assert http.get(ONE + query + silent).headers["X-Total-Count"]


def test_version_1_may_list_nothing_as_version_2_does(
    server: SandboxServer, http: httpx.Client
) -> None:
    nothing = "/api/now/v1/table/incident?number=none"
    assert http.get(nothing).status_code == 404
    server.faults.set("v1_empty_404", "off")
    assert http.get(nothing).json() == {"result": []}


def test_a_data_policy_wants_its_fields(server: SandboxServer, http: httpx.Client) -> None:
    server.faults.set("data_policy", ["category", "short_description"], table="incident")
    reply = http.post(INCIDENT, json={"short_description": "x"})
    assert reply.status_code == 403
    assert reply.json()["error"]["message"] == "Operation Failed"
    assert reply.json()["error"]["detail"].endswith("fields are mandatory: category")
    row = f"{INCIDENT}/{server.rows('incident')[0]['sys_id']}"
    assert http.patch(row, json={"category": ""}).status_code == 403
    assert http.patch(row, json={"close_notes": "x"}).status_code == 200
    whole = {"short_description": "x", "category": "network"}
    assert http.post(INCIDENT, json=whole).status_code == 201


def test_import_sets_insert_update_and_ignore(server: SandboxServer, http: httpx.Client) -> None:
    def sent(**row: str) -> dict[str, Any]:
        reply = http.post("/api/now/import/imp_incident", json=row)
        assert reply.status_code == 201
        assert http.get(reply.headers["Location"]).json() == reply.json()
        assert reply.json()["staging_table"] == "imp_incident"
        return dict(reply.json()["result"][0])

    one = sent(correlation_id="K1", short_description="imported")
    assert (one["status"], one["table"]) == ("inserted", "incident")
    assert sent(correlation_id="K1", short_description="again")["status"] == "updated"
    assert sent(correlation_id="K1", short_description="again")["status"] == "ignored"
    row = server.rows("incident", "correlation_id=K1")
    assert [(each["sys_id"], each["short_description"]) for each in row] == [
        (one["sys_id"], "again")
    ]
    assert one["display_value"] == row[0]["number"]
    server.faults.set("import_row_error", "Unable to resolve caller", times=1)
    failed = sent(correlation_id="K2")
    assert (failed["status"], failed["error_message"]) == ("error", "Unable to resolve caller")
    assert server.rows("incident", "correlation_id=K2") == []
    many = {"records": [{"correlation_id": "K3"}, {"correlation_id": "K4"}]}
    reply = http.post("/api/now/import/imp_incident/insertMultiple", json=many)
    assert set(reply.json()) == {"import_set_id", "multi_import_set_id"}
    assert len(server.rows("incident", "correlation_idINK3,K4")) == 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "imp_nonsense", 400), ("POST", "incident", 400), ("GET", "imp_incident/x", 404),
        ("PUT", "imp_incident", 405), ("POST", "imp_incident", 415),
    ],
)  # fmt: skip
def test_import_sets_refuse(method: str, path: str, status: int, http: httpx.Client) -> None:
    assert http.request(method, f"/api/now/import/{path}").status_code == status


def test_import_sets_keep_to_the_access_rules(server: SandboxServer, connect: Connect) -> None:
    reader = connect(server, "vmo.reader")
    assert reader.post("/api/now/import/imp_sys_user", json={}).status_code == 403


def test_deletions_are_remembered_for_a_while(
    timed: SandboxServer, connect: Connect, watch: Watch
) -> None:
    http = connect(timed)
    old, new = (row["sys_id"] for row in timed.rows("incident")[:2])
    http.delete(f"{INCIDENT}/{old}")
    watch.on(days=10)
    http.delete(f"{INCIDENT}/{new}")

    def told() -> set[str]:
        return {row["documentkey"] for row in http.get(DELETIONS).json()["result"]}

    assert told() == {old, new}
    timed.faults.set("audit_delete", 7)
    assert told() == {new}
    filed = timed.rows("sys_audit_delete", f"documentkey={old}")[0]["sys_id"]
    assert http.get(f"{DELETIONS}/{filed}").status_code == 404
    timed.faults.clear()
    timed.faults.set("audit_delete", "no_role")
    reply = http.get(DELETIONS)
    assert (reply.json(), reply.headers["X-Total-Count"]) == ({"result": []}, "0")


def test_some_deletions_leave_nothing(server: SandboxServer, http: httpx.Client) -> None:
    one, two, three = (row["sys_id"] for row in server.rows("incident")[:3])
    server.faults.set("audit_delete", "none", table="incident", method="DELETE", times=1)
    http.delete(f"{INCIDENT}/{one}")
    server.change({"operation": "delete", "table": "incident", "sys_id": two, "audited": False})
    assert server.rows("sys_audit_delete") == []
    table = {"sys_id": "d" * 32, "name": "incident", "element": "", "internal_type": "collection"}
    server.load("sys_dictionary", [table | {"attributes": "text_index,no_audit_delete"}])
    http.delete(f"{INCIDENT}/{three}")
    assert server.rows("sys_audit_delete") == []
    problem = server.rows("problem")[0]["sys_id"]
    http.delete(f"/api/now/table/task/{problem}")
    assert [row["tablename"] for row in server.rows("sys_audit_delete")] == ["problem"]


def test_money_and_openers_have_their_oddities(server: SandboxServer, http: httpx.Client) -> None:
    items = "/api/now/table/sc_req_item?sysparm_limit=1&sysparm_display_value=all"
    item = server.rows("sc_req_item")[0]["sys_id"]
    priced = {"price": "509.95"}
    http.patch(f"/api/now/table/sc_req_item/{item}", json=priced)
    shown = http.get(f"{items}&sys_id={item}").json()["result"][0]
    assert shown["price"]["currency_display_value"] == "USD;509.95"
    server.faults.set("odd_opener")
    shown = http.get(f"{items}&sysparm_fields=opened_by").json()["result"][0]
    assert shown == {"opened_by": {"display_value": "", "value": "glide.maint"}}
    server.faults.set("display_quirks", "off")
    shown = http.get(f"{items}&sys_id={item}").json()["result"][0]
    assert "currency_display_value" not in shown["price"]


def test_the_cloud_may_still_have_the_old_search(
    server: SandboxServer, cloud: httpx.Client
) -> None:
    assert cloud.get("/rest/api/2/search").status_code == 410
    server.faults.set("search_removed", "off", app="jira")
    found = cloud.get("/rest/api/2/search", params={"jql": "project = CASE", "maxResults": 2})
    assert found.json()["total"] == server.jira.store.count("WHERE project = 'CASE'")


def test_jira_reads_dates_in_the_zone_it_is_told(
    server: SandboxServer, cloud: httpx.Client
) -> None:
    def updated() -> str:
        fields = cloud.get("/rest/api/2/issue/CASE-1?fields=updated").json()["fields"]
        return str(fields["updated"])

    def found(moment: str) -> int:
        jql = f'key = CASE-1 and updated >= "{moment}"'
        return len(cloud.get("/rest/api/3/search/jql", params={"jql": jql}).json()["issues"])

    server.faults.set("user_time_zone", "Asia/Tokyo", app="jira")
    there = updated()
    assert there.endswith("+0900")
    minute = there[:16].replace("T", " ")
    assert found(minute) == 1
    server.faults.clear()
    assert updated().endswith(("-0400", "-0500"))
    assert found(minute) == 0


def test_a_survey_left_half_way_may_be_finished_later(
    server: SandboxServer, connect: Connect
) -> None:
    headers = {"Authorization": f"Bearer {server.surveymonkey.token}"}
    http = connect(server, auth=None, base_url=server.surveymonkey.url, headers=headers)
    survey = http.get("/v3/surveys?include=response_count").json()["data"][0]["id"]
    path = f"/v3/surveys/{survey}/responses/bulk?per_page=100&status="
    partial = http.get(f"{path}partial").json()
    server.faults.set("late_edit", times=1)
    first = http.get(f"{path}partial").json()["data"][0]["id"]
    left = http.get(f"{path}partial").json()
    assert left["total"] == partial["total"] - 1
    assert first not in {each["id"] for each in left["data"]}
