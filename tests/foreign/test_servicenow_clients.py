"""The sandbox's ServiceNow as pysnow, aiosnow, PySNC and snowloader see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from vmo_bridge.sandbox.server import SandboxServer

Drive = Callable[..., Any]


def told(server: SandboxServer, user: str = "vmo.bridge") -> dict[str, str]:
    return {
        "url": server.url,
        "host": server.url.partition("://")[2],
        "user": user,
        "password": server.user(user).password,
        "client_id": server.client_id,
        "client_secret": server.client_secret,
    }


def ids(server: SandboxServer, table: str, query: str = "ORDERBYsys_id") -> list[str]:
    return [row["sys_id"] for row in server.rows(table, query)]


def operations(server: SandboxServer) -> list[str]:
    return [line["operation"] for line in server.write_log()]


def test_pysnow_reads_every_page_asks_and_writes(server: SandboxServer, drive: Drive) -> None:
    held = ids(server, "incident")
    urgent = [row["number"] for row in server.rows("incident", "priority=1^ORDERBYnumber")]
    seen = drive("pysnow", **told(server))
    assert list(chain.from_iterable(seen["pages"])) == held
    assert seen["urgent"] == seen["streamed"] == urgent
    assert seen["by token"] == urgent[:3]
    assert seen["none"] is None
    assert seen["made"]["short_description"] == "from pysnow"
    assert seen["changed"]["urgency"] == "1"
    assert seen["deleted"] == {"status": "record deleted"}
    assert operations(server) == ["insert", "update", "delete"]


def test_aiosnow_streams_by_links_and_accepts_every_value(
    server: SandboxServer, drive: Drive
) -> None:
    rows = server.rows("incident", "ORDERBYsys_id")
    groups = {row["sys_id"]: row["name"] for row in server.rows("sys_user_group")}
    seen = drive("aiosnow", **told(server))
    assert [row["sys_id"] for row in seen["streamed"]] == [row["sys_id"] for row in rows]
    for row, found in zip(rows, seen["streamed"], strict=True):
        assert found["opened_at"].replace("T", " ") == row["opened_at"]
        assert found["reassignment_count"] == int(row["reassignment_count"] or 0)
        assert found["active"] is (row["active"] == "true")
        assert str(found["priority"][0]) == row["priority"]
        group = row["assignment_group"]
        assert found["assignment_group"] == [group or None, groups.get(group)]
    assert seen["urgent"] == [row["number"] for row in server.rows("incident", "priority=1")]
    assert seen["made"] == seen["one"]
    assert seen["changed"] == seen["made"] | {"short_description": "changed"}
    assert seen["deleted"] == 204
    assert operations(server) == ["insert", "update", "delete"]


def test_snowloader_sweeps_whole_and_learns_of_deletions(
    server: SandboxServer, drive: Drive
) -> None:
    since = datetime.now(UTC) - timedelta(hours=1)
    incident, problem = server.rows("incident")[0], server.rows("problem")[0]
    other = server.rows("incident")[1]["sys_id"]
    server.change(
        {"operation": "insert", "table": "incident", "sys_id": "a" * 32, "values": {}},
        {"operation": "delete", "table": "incident", "sys_id": incident["sys_id"]},
        {"operation": "delete", "table": "task", "sys_id": problem["sys_id"]},
        {
            "operation": "update", "table": "incident", "sys_id": other,
            "values": {"comments": "a word", "close_notes": "x"},
        },
    )  # fmt: skip
    about = told(server) | {"since": since.isoformat(), "one": other}
    about["username"] = about["user"]
    seen = drive("snowloader", **about, secrets=["username", "password"])
    assert sorted(seen["swept"]) == seen["keyset"] == ids(server, "task")
    assert sorted(seen["threads"]) == ids(server, "incident")
    assert seen["count"] == len(server.rows("incident", "priority=1"))
    assert {"task", "incident", "problem", "change_request"} <= set(seen["classes"])
    assert (seen["added"], seen["updated"]) == (["a" * 32], [other])
    # Filed under the real class, also what was deleted through the base table.
    assert {(row["sys_id"], row["table"]) for row in seen["deleted"]} == {
        (incident["sys_id"], "incident"), (problem["sys_id"], "problem"),
    }  # fmt: skip
    assert seen["only the base"] == []
    assert not seen["complete"]
    assert "audit horizon" in seen["horizon refused"]
    assert seen["one"]["sys_id"] == other
    assert "a word" in seen["document"]


def test_snowloader_is_told_of_no_deletion_without_the_role(
    server: SandboxServer, drive: Drive
) -> None:
    gone = server.rows("incident")[0]["sys_id"]
    server.change({"operation": "delete", "table": "incident", "sys_id": gone})
    since = datetime.now(UTC) - timedelta(hours=1)
    about = told(server, "vmo.reader") | {"since": since.isoformat()}
    about |= {"username": "vmo.reader", "one": server.rows("incident")[0]["sys_id"]}
    seen = drive("snowloader", **about, secrets=["username", "password"])
    # Nothing tells this from a place where nothing was deleted.
    assert seen["deleted"] == []
    assert seen["complete"]


def test_snowloader_signs_in_by_token(server: SandboxServer, drive: Drive) -> None:
    since = datetime.now(UTC).isoformat()
    about = told(server) | {"since": since, "one": server.rows("incident")[0]["sys_id"]}
    seen = drive("snowloader", **about, secrets=["client_id", "client_secret"])
    assert sorted(seen["swept"]) == ids(server, "task")


def test_pysnc_pages_joins_and_batches_over_https(
    secure: SandboxServer, drive: Drive, ca: str
) -> None:
    held = ids(secure, "incident")
    incident = secure.rows("incident", "caller_idISNOTEMPTY^assignment_groupISNOTEMPTY")[0]
    problems = {row["sys_id"]: 0 for row in secure.rows("problem", "ORDERBYsys_id")}
    for index, problem in enumerate(list(problems)[:6]):
        for number in range(1 + index % 2):
            problems[problem] += 1
            values = {"problem_id": problem, "priority": "1", "impact": "1", "urgency": "1"}
            sys_id = f"{index}{number}".ljust(32, "e")
            secure.load("incident", [_like(secure, held[0]) | values | {"sys_id": sys_id}])
    counts = _counts(secure)
    held = ids(secure, "incident")
    managers = {row["manager"] for row in secure.rows("sys_user_group", "active=true")}
    long = f"sys_idIN{','.join(held[:400])}"
    # Two items of the first batch that writes are left: PySNC sends what is left again.
    secure.faults.set("batch_partial", 2, skip=1, times=1)
    seen = drive("pysnc", **told(secure), ca=ca, one=incident["sys_id"], long=long)
    assert seen["paged"] == held
    assert seen["limited"] == held[:70]
    query = "priority=1^ORpriority=2^active=true^assignment_groupISNOTEMPTY^ORDERBYsys_id"
    assert seen["either"] == ids(secure, "incident", query)
    assert seen["joined"] == [user for user in ids(secure, "sys_user") if user in managers]
    assert seen["related"] == {
        ">=1": [p for p in problems if counts.get(p, 0) >= 1],
        "=0": [p for p in problems if counts.get(p, 0) == 0],
        "<2": [p for p in problems if counts.get(p, 0) < 2],
        ">0": [p for p in problems if counts.get(p, 0) > 0],
    }
    assert seen["stopping"] == seen["related"][">=1"]
    assert seen["long"] == held[:400]
    assert seen["read"]
    assert seen["one"]["number"] == {
        "value": incident["number"],
        "display_value": incident["number"],
    }
    assert seen["dates"][0].startswith(incident["opened_at"])
    caller = secure.rows("sys_user", f"sys_id={incident['caller_id']}")[0]
    assert seen["walked"] == caller["name"]
    assert seen["missing"] is False
    assert (seen["no table"], seen["stranger"]) == ("RequestException", "AuthenticationException")
    assert seen["guid"] == seen["updated"] == "A" * 16 + "f" * 16
    assert not seen["bunk"]
    assert seen["changes"]
    assert seen["again"] == ["changed", "1"]
    assert seen["deleted"]
    assert seen["all updated"]
    assert seen["notes"] == [f"note of many {number}" for number in range(5)]
    assert seen["all deleted"]
    assert secure.rows("problem", "short_descriptionSTARTSWITHmany") == []
    assert seen["by token"]
    assert operations(secure) == [
        "insert", "update", "delete", *["insert"] * 5, *["update"] * 5, *["delete"] * 5
    ]  # fmt: skip


def _like(server: SandboxServer, sys_id: str) -> dict[str, str]:
    return server.rows("incident", f"sys_id={sys_id}")[0]


def _counts(server: SandboxServer) -> Counter[str]:
    return Counter(row["problem_id"] for row in server.rows("incident", "priority=1"))
