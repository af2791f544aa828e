"""A small site, made once and copied for each test, and ways to look at what goes over it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from vmo_bridge.sandbox.build import DEFAULT_SEED, ensure_directory
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_jira.connector import Jira
from vmo_bridge_jira.settings import JiraSettings

Settings = Callable[..., JiraSettings]
Connect = Callable[..., Jira]

PROJECTS = ["STAFF", "FIN", "CASE", "DATA", "WEB", "HELP"]
KEPT = """
create temp table kept as
  select * from (select id from _jira_issue where kind = 'Epic' order by id limit 8)
  union select * from (select id from _jira_issue where description like '%DMND%' limit 2)
  union select * from (select id from _jira_issue where kind = 'Story' order by id limit 18)
  union select * from (select id from _jira_issue where kind = 'Bug' order by id limit 8)
  union select * from (select id from _jira_issue where rating > 0 order by id limit 4)
  union select * from (select id from _jira_issue where project = 'HELP' order by id desc limit 6);
delete from _jira_issue where id not in kept;
delete from _jira_change where issue not in kept;
"""


@pytest.fixture(autouse=True)
def clean_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither settings, nor home, nor proxies of the developer reach a test."""
    for name in list(os.environ):
        if name.upper().startswith("VMO_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture(scope="session")
def whole_agency(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default agency."""
    folder = tmp_path_factory.mktemp("agency") / "whole"
    ensure_directory(folder, DEFAULT_SEED)
    return folder


@pytest.fixture(scope="session")
def small_agency(whole_agency: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with some issues of each kind."""
    folder = tmp_path_factory.mktemp("agency") / "small"
    shutil.copytree(whole_agency, folder)
    with closing(sqlite3.connect(folder / "instance.db")) as db:
        db.executescript(KEPT)
        db.execute("pragma wal_checkpoint(truncate)")
    return folder


@pytest.fixture
def server(small_agency: Path, tmp_path: Path) -> Iterator[SandboxServer]:
    """A small site of one's own."""
    shutil.copytree(small_agency, tmp_path / "sandbox")
    with SandboxServer(tmp_path / "sandbox") as running:
        yield running


@pytest.fixture(params=["cloud", "server"])
def deployment(request: pytest.FixtureRequest) -> str:
    """Each test that asks for it runs on both."""
    return str(request.param)


@pytest.fixture
def settings(server: SandboxServer, tmp_path: Path) -> Settings:
    """Settings for one of the two; ``user`` signs in unless ``auth`` is given."""

    def made(deployment: str = "cloud", user: str = "vmo.bridge", **more: Any) -> JiraSettings:
        account = server.jira.account(user)
        file = tmp_path / f"{user}.{deployment}"
        if deployment == "cloud":
            file.write_text(account.token)
            auth = {"method": "token", "email": account.email, "token": {"file": file.name}}
        else:
            file.write_text(account.pat)
            auth = {"method": "pat", "token": {"file": file.name}}
        url = server.jira.url if deployment == "cloud" else server.jira.server_url
        content = {
            "url": url,
            "auth": auth,
            "page_size": 10,
            "projects": PROJECTS,
            "service_field": "Affected service",
            "demand_field": "ServiceNow demand",
        }
        spoken = more.pop("spoken_as", None)
        own = {"deployment": spoken} if spoken else {}
        return JiraSettings.model_validate(content | own | more)

    return made


class Wire(httpx.HTTPTransport):
    """Carries requests to the sandbox; keeps them, and may answer itself or change an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[httpx.Request] = []
        self.answer: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
        self.before: Callable[[httpx.Request], None] = lambda request: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.before(request)
        given = self.answer(request)
        return given if given is not None else super().handle_request(request)

    def of(self, part: str) -> list[httpx.Request]:
        """The requests whose path ends so."""
        return [each for each in self.requests if each.url.path.endswith(part)]


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as carrying:
        yield carrying


@pytest.fixture
def connect(settings: Settings, tmp_path: Path, wire: Wire) -> Iterator[Connect]:
    """Opens connectors whose requests go over the wire, and closes them at the end."""
    opened: list[Jira] = []

    def connected(deployment: str = "cloud", user: str = "vmo.bridge", **more: Any) -> Jira:
        transport = more.pop("transport", wire)
        own = settings(deployment, user, **more)
        opened.append(Jira("dev", own, tmp_path, transport=transport))
        return opened[-1]

    yield connected
    for each in opened:
        each.close()
