"""The sandbox's ServiceNow as pysnow, aiosnow, PySNC and snowloader see it."""

from __future__ import annotations

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
