"""Real processes and a real sandbox, made once and copied for each test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.publishing import opened, serve

from vmo_bridge.publish.provisioning import make_missing
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.watch import Watch

CONFIG = """\
[bridge]
as_of = 2026-11-01T00:00:00Z

[connectors.helpdesk]
plugin = "servicenow"
url = "{url}"
page_size = 500

[connectors.helpdesk.auth]
method = "basic"
user = "{user}"
password = {{ env = "SANDBOX_PASSWORD" }}

[feedback.questions]
csat = ["How satisfied are you with the way this was handled?"]
lost_time = ["How many minutes of work did this cost you?"]
comment = ["What should we know?"]

[publish]
mode = "apply"
closed_tickets = true
"""


@pytest.fixture(scope="session")
def agency(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a sandbox of seed 5, provisioned with nothing; copy it before use."""
    folder = tmp_path_factory.mktemp("agency")
    with SandboxServer(folder, 5):
        pass
    return folder


@dataclass(frozen=True)
class Site:
    """A running sandbox with a configuration for it, and the commands run against it."""

    server: SandboxServer
    config: Path

    @property
    def store(self) -> Path:
        return self.config.parent / "vmo-bridge.db"

    def start(self, *verb: str) -> subprocess.Popen[str]:
        """Start ``vmo-bridge --config … VERB …`` as a process of its own."""
        _, password = self.server.auth("vmo.bridge")
        home = str(self.config.parent)
        return subprocess.Popen(
            [sys.executable, "-m", "vmo_bridge.cli", "--config", str(self.config), *verb],
            env={**os.environ, "SANDBOX_PASSWORD": password, "HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, *verb: str) -> tuple[int, str, str]:
        """Run a command to its end: exit code, what it printed, and what it told on the side."""
        process = self.start(*verb)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def run(self, *verb: str) -> str:
        """Run a command that has to end well, and give what it printed."""
        code, out, err = self.end(*verb)
        assert code == 0, out + err
        return out

    def json(self, *verb: str) -> Any:
        return json.loads(self.run(*verb, "--format", "json"))


@contextmanager
def _open_site(agency: Path, folder: Path) -> Iterator[Site]:
    shutil.copytree(agency, folder / "sandbox")
    with SandboxServer(folder / "sandbox") as server:
        config = folder / "vmo-bridge.toml"
        user, _ = server.auth("vmo.bridge")
        config.write_text(CONFIG.format(url=server.url, user=user))
        yield Site(server, config)


@pytest.fixture
def site(agency: Path, tmp_path: Path) -> Iterator[Site]:
    """A fresh site."""
    with _open_site(agency, tmp_path / "site") as opened:
        yield opened


@pytest.fixture(scope="module")
def looped(agency: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site after one turn of the loop; for tests that leave it as it is."""
    with _open_site(agency, tmp_path_factory.mktemp("looped") / "site") as opened:
        opened.run("provision", "--apply")
        opened.run("cycle")
        yield opened


@pytest.fixture(scope="session")
def measured(agency: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a provisioned sandbox and a store that has everything but publishing."""
    folder = tmp_path_factory.mktemp("measured")
    shutil.copytree(agency, folder / "sandbox")
    with serve(folder), opened(folder) as bridge:
        make_missing(bridge.settings, bridge.plugins, apply=True, watch=Watch())
        bridge.sync()
        bridge.detect()
        bridge.measure()
    return folder
