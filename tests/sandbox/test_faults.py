"""The switches for bad days."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.sandbox.servicenow.faults import KNOWN, Faults

Connect = Callable[..., httpx.Client]
INCIDENT = "/api/now/table/incident"
FIVE = f"{INCIDENT}?sysparm_limit=5&sysparm_query=ORDERBYsys_id"


def ids(reply: httpx.Response) -> list[str]:
    return [row["sys_id"] for row in reply.json()["result"]]


def test_a_switch_acts_on_what_it_is_limited_to() -> None:
    faults = Faults()
    faults.set("read_only", table="incident", method="patch", user="x", skip=1, times=2)
    there = {"table": "incident", "method": "PATCH", "user": "x"}
    assert faults.take("read_only", **there | {"table": "problem"}) is None
    assert faults.take("read_only", **there | {"user": "y"}) is None
    assert [faults.take("read_only", **there) for _ in range(4)] == [None, True, True, None]
    assert faults.active() == []


def test_switches_are_cleared_by_name_or_all() -> None:
    faults = Faults()
    for name in KNOWN:
        faults.set(name)
    faults.clear("timeout")
    assert len(faults.active()) == len(KNOWN) - 1
    faults.clear()
    assert faults.active() == []


def test_an_unknown_switch_is_refused() -> None:
    with pytest.raises(ValueError, match="'red_button' is no switch"):
        Faults().set("red_button")


def test_switches_can_be_thrown_over_http(server: SandboxServer, http: httpx.Client) -> None:
    board = f"{server.url}/__sandbox__/faults"
    body = [{"name": "timeout", "value": "500", "times": 1}, {"name": "count", "value": "off"}]
    assert len(httpx.post(board, json=body).json()["faults"]) == 2
    assert http.get(FIVE).status_code == 500
    assert "X-Total-Count" not in http.get(FIVE).headers
    server.faults.set("mutate_between_pages", lambda: None)
    assert "lambda" in httpx.get(board).json()["faults"][1]["value"]
    assert httpx.delete(board).json() == {"faults": []}
    assert httpx.post(board, json={"name": "nonsense"}).status_code == 400
    assert httpx.post(board, json={"surprise": 1}).status_code == 400


def test_strict_queries_return_nothing(server: SandboxServer, http: httpx.Client) -> None:
    server.faults.set("query_invalid", "no_rows")
    assert ids(http.get(f"{INCIDENT}?sysparm_query=nonsense=1")) == []
    assert len(ids(http.get(FIVE))) == 5
    stats = http.get("/api/now/stats/incident?sysparm_count=true&sysparm_query=nonsense=1")
    assert stats.json()["result"]["stats"]["count"] == "0"


def test_unreadable_rows_vanish_after_the_limit(server: SandboxServer, http: httpx.Client) -> None:
    all_ids = ids(http.get(FIVE))
    query = f"sys_idIN{all_ids[0]},{all_ids[1]}"
    server.faults.set("acl_drop_rows", query, user="vmo.bridge")
    reply = http.get(FIVE)
    assert ids(reply) == all_ids[2:]
    assert reply.headers["X-Total-Count"] == str(len(server.rows("incident")))
    assert http.get(f"{INCIDENT}/{all_ids[0]}").status_code == 404
    assert http.get(f"{INCIDENT}/{all_ids[2]}").status_code == 200
    server.faults.set("limit_before_acl", "off")
    reply = http.get(FIVE)
    assert len(ids(reply)) == 5
    assert ids(reply)[:3] == all_ids[2:]


def test_unreadable_fields_are_absent(server: SandboxServer, http: httpx.Client) -> None:
    server.faults.set("acl_drop_fields", ["caller_id", "state"], table="incident")
    url = f"{FIVE}&sysparm_fields=number,state,caller_id.name"
    assert list(http.get(url).json()["result"][0]) == ["number"]
    assert "caller_id" not in http.get(FIVE).json()["result"][0]


def test_links_may_be_missing_or_odd(server: SandboxServer, http: httpx.Client) -> None:
    server.faults.set("link_header", "off", times=1)
    assert "Link" not in http.get(FIVE).headers
    server.faults.set("link_header", "odd", times=1)
    assert 'sysparm_offset=-1>;rel="prev"' in http.get(FIVE).headers["Link"]


def test_a_timeout_comes_in_four_ways(server: SandboxServer, http: httpx.Client) -> None:
    whole = ids(http.get(FIVE))
    message = "Transaction cancelled: maximum execution time exceeded"
    server.faults.set("timeout", "500", times=1)
    reply = http.get(FIVE)
    assert reply.status_code == 500
    assert reply.json()["error"]["message"] == message
    server.faults.set("timeout", "200_error", times=1)
    reply = http.get(FIVE)
    assert reply.status_code == 200
    assert list(reply.json()) == ["result", "error", "status"]
    assert ids(reply) == whole[:2]
    server.faults.set("timeout", "string_row", times=1)
    rows = http.get(FIVE).json()["result"]
    assert rows[-1] == message
    server.faults.set("timeout", "truncated", times=1)
    with pytest.raises(json.JSONDecodeError):
        http.get(FIVE).json()
    server.faults.set("timeout", "truncated", times=1)
    assert http.get(f"{INCIDENT}/none").status_code == 404
    assert ids(http.get(FIVE)) == whole


def test_a_rate_limit_names_the_wait(server: SandboxServer, http: httpx.Client) -> None:
    server.faults.set("rate_limit", 7, times=2)
    server.faults.set("rate_limit", times=1)
    for wait in ("7", "7", "1"):
        reply = http.get(FIVE)
        assert reply.status_code == 429
        assert reply.headers["Retry-After"] == wait
        assert int(reply.headers["X-RateLimit-Reset"]) > 0
        assert {"x-ratelimit-limit", "x-ratelimit-rule"} <= set(reply.headers)
        assert reply.json()["error"]["message"] == "Rate limit exceeded"
    assert http.get(FIVE).status_code == 200


@pytest.mark.parametrize("page", ["hibernation", "login", "maintenance"])
def test_a_page_may_come_instead_of_data(
    page: str, server: SandboxServer, http: httpx.Client
) -> None:
    server.faults.set("html_200", page, times=1)
    reply = http.get(FIVE)
    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("text/html")


def test_sign_in_may_be_redirected_or_refused(server: SandboxServer, http: httpx.Client) -> None:
    server.faults.set("login_redirect", times=1)
    reply = http.get(FIVE)
    assert (reply.status_code, reply.headers["Location"]) == (302, "/login.do")
    server.faults.set("unauthorised", skip=1)
    assert [http.get(FIVE).status_code for _ in range(3)] == [200, 401, 401]


def test_aggregates_may_be_forbidden_alone(server: SandboxServer, http: httpx.Client) -> None:
    server.faults.set("aggregate_off")
    assert http.get("/api/now/stats/incident").status_code == 403
    assert http.get(FIVE).status_code == 200


def test_the_connection_may_break_before_anything_happened(
    server: SandboxServer, http: httpx.Client
) -> None:
    server.faults.set("fail_next", method="POST", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        http.post(INCIDENT, json={"short_description": "x"})
    assert server.write_log() == []
    assert http.post(INCIDENT, json={"short_description": "x"}).status_code == 201


@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_the_reply_may_be_lost_after_the_write(
    method: str, server: SandboxServer, http: httpx.Client
) -> None:
    row = server.rows("incident")[0]["sys_id"]
    url = INCIDENT if method == "POST" else f"{INCIDENT}/{row}"
    server.faults.set("drop_reply_after_commit", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        http.request(method, url, json={"short_description": "written"})
    assert len(server.write_log()) == 1
    assert http.get(FIVE).status_code == 200


def test_data_may_change_between_pages(server: SandboxServer, http: httpx.Client) -> None:
    pages = [ids(http.get(f"{FIVE}&sysparm_offset={offset}")) for offset in (0, 5)]
    new = "0" * 32
    server.faults.set(
        "mutate_between_pages",
        [
            {"operation": "insert", "table": "incident", "sys_id": new, "values": {}},
            {"operation": "delete", "table": "incident", "sys_id": pages[0][1]},
            {"operation": "delete", "table": "incident", "sys_id": pages[0][2]},
            {"operation": "delete", "table": "incident", "sys_id": "none"},
            {
                "operation": "update",
                "table": "incident",
                "sys_id": pages[0][3],
                "values": {"close_notes": "meanwhile"},
            },
        ],
        table="incident",
        times=1,
    )
    assert ids(http.get(FIVE)) == pages[0]
    assert ids(http.get(f"{FIVE}&sysparm_offset=5"))[:4] == pages[1][1:]
    assert server.rows("incident", f"sys_id={pages[0][3]}")[0]["close_notes"] == "meanwhile"
    assert {line["user"] for line in server.write_log()} == {"system"}


def test_a_change_between_pages_may_be_a_callable(
    server: SandboxServer, http: httpx.Client
) -> None:
    seen: list[int] = []
    server.faults.set("mutate_between_pages", lambda: seen.append(1))
    http.get(FIVE)
    http.get(FIVE)
    assert seen == [1, 1]


def test_writes_may_be_refused_dropped_or_unstamped(
    server: SandboxServer, http: httpx.Client
) -> None:
    row = server.rows("incident")[0]
    url = f"{INCIDENT}/{row['sys_id']}"
    server.faults.set("read_only", times=1)
    reply = http.patch(url, json={"close_notes": "a"})
    assert reply.status_code == 403
    assert "security constraints" in reply.json()["error"]["detail"]
    server.faults.set("business_rule_abort", "Keep closed", times=1)
    reply = http.patch(url, json={"close_notes": "b"})
    assert reply.status_code == 403
    assert "aborted by Business Rule 'Keep closed^" in reply.json()["error"]["detail"]
    server.faults.set("field_acl_write", ["close_notes"], times=1)
    result = http.patch(url, json={"close_notes": "c"}).json()["result"]
    assert result["close_notes"] == row["close_notes"]
    server.faults.set("silent_update", times=1)
    result = http.patch(url, json={"close_notes": "d"}).json()["result"]
    assert result["close_notes"] == "d"
    assert result["sys_updated_on"] == row["sys_updated_on"]
    assert result["sys_mod_count"] == row["sys_mod_count"]


def test_a_change_may_become_visible_late(server: SandboxServer, http: httpx.Client) -> None:
    one = ids(http.get(FIVE))[0]
    http.patch(f"{INCIDENT}/{one}", json={"close_notes": "just now"})
    server.faults.set("late_commit", 3600)
    assert one not in ids(http.get(FIVE))
    assert http.get(f"{INCIDENT}/{one}").status_code == 404
    server.faults.clear()
    two = ids(http.get(FIVE))[1]
    server.faults.set("late_commit", [two])
    assert two not in ids(http.get(FIVE))
    assert http.get(f"{INCIDENT}/{one}").status_code == 200


def test_the_users_zone_may_be_another(server: SandboxServer, http: httpx.Client) -> None:
    url = f"{FIVE}&sysparm_display_value=all"
    plain = http.get(url).json()["result"][0]["opened_at"]
    server.faults.set("user_time_zone", "Asia/Tokyo")
    there = http.get(url).json()["result"][0]["opened_at"]
    assert there["value"] == plain["value"] == plain["display_value"] != there["display_value"]


def test_oddities_of_display_values_may_be_off(server: SandboxServer, http: httpx.Client) -> None:
    server.faults.set("display_quirks", "off")
    row = http.get(f"{FIVE}&sysparm_display_value=all").json()["result"][0]
    assert row["activity_due"]["display_value"] == row["hold_reason"]["display_value"] == ""


def test_an_answer_may_take_its_time(server: SandboxServer, http: httpx.Client) -> None:
    server.faults.set("latency_ms", 30, times=1)
    reply = http.get(FIVE)
    assert reply.status_code == 200
    assert reply.elapsed.total_seconds() >= 0.03
