"""Directories, restarts, seeds, loopback, and the blocking command-line server."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from vmo_bridge.errors import ConfigError
from vmo_bridge.sandbox import build
from vmo_bridge.sandbox.build import DEFAULT_SEED, ensure_directory
from vmo_bridge.sandbox.server import SandboxServer

Connect = Callable[..., httpx.Client]


def dump(directory: Path) -> list[str]:
    database = sqlite3.connect(directory / "instance.db")
    try:
        return list(database.iterdump())
    finally:
        database.close()


def test_the_same_seed_gives_the_same_data_to_the_byte(agency_dir: Path, tmp_path: Path) -> None:
    again = tmp_path / "an empty directory may be filled"
    again.mkdir()
    ensure_directory(again, None)
    assert dump(again) == dump(agency_dir)
    assert (again / "truth.json").read_bytes() == (agency_dir / "truth.json").read_bytes()
    secrets = [(d / "credentials.json").read_text() for d in (agency_dir, again)]
    assert secrets[0] != secrets[1]
    assert list(tmp_path.iterdir()) == [again]
    assert stat.S_IMODE((again / "credentials.json").stat().st_mode) == 0o600
    assert {p.name for p in again.iterdir()} == {"instance.db", "truth.json", "credentials.json"}


def test_writes_and_credentials_survive_a_restart(server: SandboxServer, connect: Connect) -> None:
    row = server.rows("incident")[0]["sys_id"]
    client = connect(server)
    column = {"name": "incident", "element": "u_kept"}
    assert client.post("/api/now/table/sys_dictionary", json=column).status_code == 201
    client.patch(f"/api/now/table/incident/{row}", json={"u_kept": "yes"})
    server.stop()
    with SandboxServer.start(server.directory) as again:
        reply = httpx.get(f"{again.url}/api/now/table/incident/{row}", auth=server.auth())
        assert reply.json()["result"]["u_kept"] == "yes"
        assert [line["operation"] for line in again.write_log()] == ["insert", "update"]


def test_another_seed_is_refused_where_one_stands(agency_dir: Path) -> None:
    with pytest.raises(ConfigError, match=f"seed {DEFAULT_SEED} stands there, 99 was asked for"):
        SandboxServer(agency_dir, 99)


def test_a_half_made_directory_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "instance.db").write_text("something else")
    with pytest.raises(ConfigError, match=r"instance\.db is there without truth\.json"):
        ensure_directory(tmp_path, 1)
    assert (tmp_path / "instance.db").read_text() == "something else"


def test_a_failed_creation_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object, __: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(build, "_build", broken)
    with pytest.raises(RuntimeError):
        ensure_directory(tmp_path / "sandbox", None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "::", "example.org"])
def test_only_loopback_is_served(host: str, agency_dir: Path) -> None:
    with pytest.raises(ConfigError, match="not a loopback address"):
        SandboxServer(agency_dir, host=host)


def test_a_taken_port_is_named(shared: SandboxServer, agency_dir: Path) -> None:
    port = int(shared.url.rpartition(":")[2])
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        assert number != port
        with pytest.raises(ConfigError, match=f"127.0.0.1:{number} cannot be used"):
            SandboxServer(agency_dir, port=number)


def test_the_state_file_says_where_and_goes_with_the_server(server: SandboxServer) -> None:
    path = server.directory / "sandbox.json"
    assert json.loads(path.read_text()) == {"url": server.url, "pid": os.getpid()}
    server.stop()
    assert not path.exists()


def test_rows_can_be_loaded_past_rules_and_log(server: SandboxServer, connect: Connect) -> None:
    row = server.rows("incident")[0]
    extra = [row | {"sys_id": f"{n:032d}", "number": f"INC8{n:06d}"} for n in range(3000)]
    assert server.load("incident", extra) == 3000
    url = "/api/now/stats/incident?sysparm_count=true&sysparm_query=numberSTARTSWITHINC8"
    assert connect(server).get(url).json()["result"]["stats"]["count"] == "3000"
    assert server.write_log() == []


@pytest.mark.e2e
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_serving_ends_with_a_signal(number: signal.Signals, server: SandboxServer) -> None:
    server.stop()
    code = (
        "import sys; from pathlib import Path; from vmo_bridge.sandbox.server import serve; "
        "serve(Path(sys.argv[1]), ready=lambda url: print(url, flush=True))"
    )
    command = [sys.executable, "-c", code, str(server.directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/").status_code == 200
        assert json.loads((server.directory / "sandbox.json").read_text())["pid"] == process.pid
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
    assert not (server.directory / "sandbox.json").exists()


def test_rows_can_be_changed_in_the_name_of_the_system(server: SandboxServer) -> None:
    row = server.rows("incident")[0]
    where = {"table": "incident", "sys_id": row["sys_id"]}
    server.change(
        {"operation": "update", "values": {"close_notes": "x"}} | where,
        {"operation": "delete"} | where,
    )
    assert [line["operation"] for line in server.write_log()] == ["update", "delete"]
    assert server.rows("sys_audit_delete")[0]["documentkey"] == row["sys_id"]


def test_readers_and_writers_do_not_disturb_each_other(
    server: SandboxServer, connect: Connect
) -> None:
    clients = [connect(server) for _ in range(6)]
    rows = [row["sys_id"] for row in server.rows("incident")[:6]]

    def work(number: int) -> list[int]:
        column = {"name": "incident", "element": f"u_made_{number}"}
        statuses = [clients[number].post("/api/now/table/sys_dictionary", json=column).status_code]
        for turn in range(5):
            url = f"/api/now/table/incident/{rows[number]}"
            value = {f"u_made_{number}": f"{turn}"}
            reply = clients[number].patch(url, json=value)
            assert reply.json()["result"][f"u_made_{number}"] == f"{turn}"
            listed = clients[number].get("/api/now/table/incident?sysparm_limit=50")
            statuses += [reply.status_code, listed.status_code]
        return statuses

    with ThreadPoolExecutor(len(clients)) as pool:
        found = [status for statuses in pool.map(work, range(6)) for status in statuses]
    assert sorted(set(found)) == [200, 201]
    assert len(server.write_log()) == 36


def test_a_directory_from_before_jira_and_surveys_serves_the_rest(server: SandboxServer) -> None:
    server.stop()
    path = server.directory / "credentials.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({key: content[key] for key in ("users", "oauth")}))
    with SandboxServer.start(server.directory) as again:
        reply = httpx.get(f"{again.url}/api/now/table/incident?sysparm_limit=1", auth=again.auth())
        assert reply.status_code == 200
        assert httpx.get(f"{again.url}/jira/rest/api/2/serverInfo").status_code == 404
        with pytest.raises(ConfigError, match="made before there was a Jira"):
            again.jira.auth()
        with pytest.raises(ConfigError, match="made before there were surveys"):
            _ = again.surveymonkey.token
