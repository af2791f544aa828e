"""One default agency a session, copied for whoever wants to change it."""

from __future__ import annotations

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
