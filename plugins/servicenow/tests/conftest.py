"""A small instance, made once and copied for each test, and ways to look at what goes over it."""

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

from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_servicenow.connector import ServiceNow
from vmo_bridge_servicenow.settings import ServiceNowSettings

Settings = Callable[..., ServiceNowSettings]
Connect = Callable[..., ServiceNow]

KEPT = {"incident": 64, "sc_req_item": 25, "problem": 12, "change_request": 12}
TRIM = f"""
create temp table kept as
{
    " union all ".join(
        f"select * from (select sys_id from task where sys_class_name = '{table}' limit {count})"
        for table, count in KEPT.items()
    )
};
delete from task where sys_class_name in ('incident', 'sc_req_item', 'problem', 'change_request')
  and sys_id not in kept;
delete from task_sla where task not in kept
  or rowid not in (select rowid from task_sla where task in kept limit 40);
delete from metric_instance
  where rowid not in (select rowid from metric_instance where id in kept limit 60);
delete from sys_user where rowid not in (select rowid from sys_user limit 40);
delete from asmt_assessment_instance
  where rowid not in (select rowid from asmt_assessment_instance limit 30);
delete from asmt_metric_result where rowid not in (select rowid from asmt_metric_result limit 40);
delete from kb_feedback where rowid not in (select rowid from kb_feedback limit 25);
delete from interaction where rowid not in (select rowid from interaction limit 25);
delete from interaction_related_record
  where interaction not in (select sys_id from interaction);
delete from sys_journal_field where rowid not in (select rowid from sys_journal_field limit 25);
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
def small_agency(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default agency with some rows of each table."""
    folder = tmp_path_factory.mktemp("agency") / "small"
    with SandboxServer(folder):
        pass
    with closing(sqlite3.connect(folder / "instance.db")) as db:
        db.executescript(TRIM)
        db.execute("pragma wal_checkpoint(truncate)")
        db.execute("vacuum")
    return folder


@pytest.fixture
def server(small_agency: Path, tmp_path: Path) -> Iterator[SandboxServer]:
    """An instance of one's own."""
    shutil.copytree(small_agency, tmp_path / "sandbox")
    with SandboxServer(tmp_path / "sandbox") as running:
        yield running


@pytest.fixture
def settings(server: SandboxServer, tmp_path: Path) -> Settings:
    """Settings for the instance; ``user`` signs in with its password unless ``auth`` is given."""

    def made(user: str = "vmo.bridge", **more: Any) -> ServiceNowSettings:
        (tmp_path / f"{user}.secret").write_text(server.user(user).password)
        (tmp_path / "client.secret").write_text(server.client_secret)
        basic = {"method": "basic", "user": user, "password": {"file": f"{user}.secret"}}
        content = {"url": server.url, "auth": basic, "page_size": 10} | more
        return ServiceNowSettings.model_validate(content)

    return made


class Wire(httpx.HTTPTransport):
    """Carries requests to the sandbox; keeps them, and may change them or answer itself."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[httpx.Request] = []
        self.change: Callable[[httpx.Request], httpx.Request] = lambda request: request
        self.answer: Callable[[httpx.Request], httpx.Response | None] = lambda request: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        given = self.answer(request)
        return given if given is not None else super().handle_request(self.change(request))

    @property
    def queries(self) -> list[str]:
        return [request.url.params.get("sysparm_query", "") for request in self.requests]


@pytest.fixture
def wire() -> Iterator[Wire]:
    with Wire() as carrying:
        yield carrying


@pytest.fixture
def connect(settings: Settings, tmp_path: Path, wire: Wire) -> Iterator[Connect]:
    """Opens connectors whose requests go over the wire, and closes them at the end."""
    opened: list[ServiceNow] = []

    def connected(user: str = "vmo.bridge", **more: Any) -> ServiceNow:
        transport = more.pop("transport", wire)
        opened.append(ServiceNow("helpdesk", settings(user, **more), tmp_path, transport=transport))
        return opened[-1]

    yield connected
    for each in opened:
        each.close()
