"""One default agency a session, copied for whoever wants to change it."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from vmo_bridge.sandbox.build import DEFAULT_SEED, ensure_directory
from vmo_bridge.sandbox.server import SandboxServer

Connect = Callable[..., httpx.Client]


@pytest.fixture(scope="session")
def agency_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("agency") / "default"
    ensure_directory(directory, DEFAULT_SEED)
    return directory


@pytest.fixture(scope="session")
def shared(agency_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    """A server for tests that only read and set no faults."""
    directory = tmp_path_factory.mktemp("shared") / "sandbox"
    shutil.copytree(agency_dir, directory)
    with SandboxServer.start(directory) as server:
        yield server


@pytest.fixture
def server(agency_dir: Path, tmp_path: Path) -> Iterator[SandboxServer]:
    """A server of one's own."""
    shutil.copytree(agency_dir, tmp_path / "sandbox")
    with SandboxServer.start(tmp_path / "sandbox") as server:
        yield server


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens HTTP clients and closes them at the end."""
    clients: list[httpx.Client] = []

    def connected(server: SandboxServer, user: str = "vmo.bridge", **more: object) -> httpx.Client:
        options = {"auth": server.auth(user), "base_url": server.url, "timeout": 30} | more
        clients.append(httpx.Client(**options))
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


@pytest.fixture
def reading(shared: SandboxServer, connect: Connect) -> httpx.Client:
    return connect(shared)


@pytest.fixture
def http(server: SandboxServer, connect: Connect) -> httpx.Client:
    return connect(server)


@pytest.fixture
def cloud(server: SandboxServer, connect: Connect) -> httpx.Client:
    return connect(server, auth=server.jira.auth(), base_url=server.jira.url)


@pytest.fixture
def center(server: SandboxServer, connect: Connect) -> httpx.Client:
    headers = {"Authorization": f"Bearer {server.jira.pat()}"}
    return connect(server, auth=None, headers=headers, base_url=server.jira.server_url)


EVENT = {
    "number": "INC0000001",
    "incident_state": "New",
    "active": "true",
    "reassignment_count": "0",
    "reopen_count": "0",
    "sys_mod_count": "0",
    "made_sla": "true",
    "caller_id": "Caller 7",
    "opened_by": "Opened by  8",
    "opened_at": "29/2/2016 01:16",
    "sys_created_by": "Created by 6",
    "sys_created_at": "29/2/2016 01:23",
    "sys_updated_by": "Updated by 21",
    "sys_updated_at": "29/2/2016 01:23",
    "contact_type": "Self service",
    "location": "Location 143",
    "category": "Category 55",
    "subcategory": "Subcategory 170",
    "u_symptom": "Symptom 72",
    "cmdb_ci": "?",
    "impact": "2 - Medium",
    "urgency": "2 - Medium",
    "priority": "3 - Moderate",
    "assignment_group": "Group 56",
    "assigned_to": "?",
    "knowledge": "true",
    "u_priority_confirmation": "false",
    "notify": "Do Not Notify",
    "problem_id": "?",
    "rfc": "?",
    "vendor": "?",
    "caused_by": "?",
    "closed_code": "code 5",
    "resolved_by": "Resolved by 149",
    "resolved_at": "29/2/2016 11:29",
    "closed_at": "5/3/2016 12:00",
}
"""The first line of a made-up log; a test says what is different."""


@pytest.fixture
def make_log(tmp_path: Path) -> Callable[..., Path]:
    """Writes a log of made-up events, each given as what differs from ``EVENT``."""

    def made(*events: dict[str, str], name: str = "log.csv", leave: tuple[str, ...] = ()) -> Path:
        path = tmp_path / name
        columns = [column for column in EVENT if column not in leave]
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(EVENT | event for event in events)
        return path

    return made
