"""Sandboxes over http and https, and a way to let a client in a venv of its own loose on them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from vmo_bridge.sandbox.build import DEFAULT_SEED, ensure_directory
from vmo_bridge.sandbox.server import SandboxServer, Tls

HERE = Path(__file__).parent
VENVS = HERE.parents[1] / ".venv-foreign"
Drive = Callable[..., Any]


@pytest.fixture(scope="session")
def agency_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("agency") / "default"
    ensure_directory(directory, DEFAULT_SEED)
    return directory


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca(authority: trustme.CA, tmp_path: Path) -> str:
    """The file a client has to trust."""
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    return str(tmp_path / "ca.pem")


@pytest.fixture
def server(agency_dir: Path, tmp_path: Path) -> Iterator[SandboxServer]:
    shutil.copytree(agency_dir, tmp_path / "sandbox")
    with SandboxServer.start(tmp_path / "sandbox") as server:
        yield server


@pytest.fixture
def secure(agency_dir: Path, tmp_path: Path, authority: trustme.CA) -> Iterator[SandboxServer]:
    """The same over https: some clients speak nothing else."""
    shutil.copytree(agency_dir, tmp_path / "secure")
    issued = authority.issue_cert("127.0.0.1", "localhost")
    tls = Tls(tmp_path / "server.pem", tmp_path / "server.key")
    for pem in issued.cert_chain_pems:
        pem.write_to_path(tls.cert, append=True)
    issued.private_key_pem.write_to_path(tls.key)
    with SandboxServer.start(tmp_path / "secure", tls=tls) as server:
        yield server


@pytest.fixture
def drive() -> Drive:
    """Runs ``<client>_drive.py`` with that client's Python; what it saw comes back as JSON."""

    def driven(client: str, **told: object) -> Any:
        script = HERE / f"{client.replace('-', '_')}_drive.py"
        # The machine's own bundle would win over the authority that the client is told of.
        bundles = {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"}
        environment = {key: value for key, value in os.environ.items() if key not in bundles}
        ended = subprocess.run(
            [python_of(client), script], input=json.dumps(told), capture_output=True, text=True,
            timeout=300, check=False,
            env=environment,
        )  # fmt: skip
        assert ended.returncode == 0, f"{client}:\n{ended.stderr[-4000:]}"
        return json.loads(ended.stdout)

    return driven


def python_of(client: str) -> Path:
    """The client's Python; the test is skipped, or failed, with the reason where it has none."""
    home = VENVS / client
    failed = home / "failed"
    if failed.exists():
        pytest.fail(f"{client} could not be installed: {failed.read_text().strip()}", pytrace=False)
    if not (home / "installed").exists():
        pytest.skip(f"{client} is not installed; `make foreign` does it")
    return home / "bin" / "python"
