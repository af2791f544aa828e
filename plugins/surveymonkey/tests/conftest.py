"""A small account, made once and copied for each test, and a clock that tests wind."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from vmo_bridge.sandbox.build import DEFAULT_SEED, ensure_directory
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_surveymonkey.connector import SurveyMonkey
from vmo_bridge_surveymonkey.settings import SurveyMonkeySettings

Connect = Callable[..., SurveyMonkey]
YEARLY, POLL, DRAFT = "410000001", "410000002", "410000003"
KEPT = """
delete from _sm_response where rowid not in (
  select rowid from (select rowid from _sm_response where survey = '410000001'
    order by status desc, modified limit 45)
  union select rowid from (select rowid from _sm_response where survey = '410000002' limit 8));
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
    """The default agency with some responses."""
    folder = tmp_path_factory.mktemp("agency") / "small"
    ensure_directory(folder, DEFAULT_SEED)
    with closing(sqlite3.connect(folder / "instance.db")) as db:
        db.executescript(KEPT)
        db.execute("pragma wal_checkpoint(truncate)")
    return folder


@pytest.fixture
def server(small_agency: Path, tmp_path: Path) -> Iterator[SandboxServer]:
    """An account of one's own."""
    shutil.copytree(small_agency, tmp_path / "sandbox")
    with SandboxServer(tmp_path / "sandbox") as running:
        running.faults.set("daily_quota", 100_000, app="surveymonkey")
        running.faults.set("minute_quota", 100_000, app="surveymonkey")
        yield running


class Clock:
    """The time of the connector; sleeping moves it, and nobody waits."""

    def __init__(self) -> None:
        self.now = datetime.now(tz=UTC)
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connect(server: SandboxServer, tmp_path: Path, clock: Clock) -> Iterator[Connect]:
    """Opens connectors on the account, and closes them at the end."""
    opened: list[SurveyMonkey] = []

    def connected(*, transport: httpx.BaseTransport | None = None, **more: Any) -> SurveyMonkey:
        (tmp_path / "token").write_text(server.surveymonkey.token)
        content = {
            "url": server.surveymonkey.url,
            "token": {"file": "token"},
            "page_size": 10,
            "calls_a_day": 100_000,
            "calls_a_minute": 100_000,
            "variables": {"ticket": "ticket", "service": "service", "user_group": "department"},
        }
        settings = SurveyMonkeySettings.model_validate(content | more)
        opened.append(
            SurveyMonkey(
                "voices", settings, tmp_path, transport=transport, clock=clock, sleep=clock.sleep
            )
        )
        return opened[-1]

    yield connected
    for each in opened:
        each.close()
