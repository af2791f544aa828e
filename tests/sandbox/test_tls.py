"""The sandbox over https, with a certificate authority made for the test."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import trustme
from click.testing import CliRunner

from vmo_bridge.cli import vmo_bridge
from vmo_bridge.sandbox import server as serving
from vmo_bridge.sandbox.server import SandboxServer, Tls


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def tls(authority: trustme.CA, tmp_path: Path) -> Tls:
    issued = authority.issue_cert("127.0.0.1", "localhost")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    issued.private_key_pem.write_to_path(tmp_path / "server.key")
    return Tls(tmp_path / "server.pem", tmp_path / "server.key")


@pytest.fixture
def secure(agency_dir: Path, tmp_path: Path, tls: Tls) -> Iterator[SandboxServer]:
    shutil.copytree(agency_dir, tmp_path / "secure")
    with SandboxServer.start(tmp_path / "secure", tls=tls) as server:
        yield server


@pytest.fixture
def trusting(secure: SandboxServer, authority: trustme.CA) -> Iterator[httpx.Client]:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with httpx.Client(base_url=secure.url, auth=secure.auth(), verify=context) as client:
        yield client


def test_every_address_it_tells_is_https(secure: SandboxServer, trusting: httpx.Client) -> None:
    assert secure.url.startswith("https://127.0.0.1:")
    reply = trusting.get("/api/now/table/incident?sysparm_limit=1")
    assert reply.headers["Link"].startswith(f"<{secure.url}/api/now/table/incident?")
    assert reply.json()["result"][0]["opened_by"]["link"].startswith(secure.url)
    assert trusting.get("/jira/rest/api/2/serverInfo").json()["baseUrl"] == secure.jira.url
    assert secure.surveymonkey.url.startswith("https://")


def test_who_does_not_know_the_authority_gets_nothing(secure: SandboxServer) -> None:
    with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
        httpx.get(secure.url)


def test_a_reply_can_be_lost_over_https_too(secure: SandboxServer, trusting: httpx.Client) -> None:
    secure.faults.set("drop_reply_after_commit", times=1)
    with pytest.raises(httpx.TransportError):
        trusting.post("/api/now/table/incident", json={"short_description": "x"})
    assert len(secure.write_log()) == 1


def test_the_command_takes_certificate_and_key(
    tls: Tls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, object] = {}
    monkeypatch.setattr(serving, "serve", lambda folder, **more: told.update(more))
    words = ["sandbox", "--dir", str(tmp_path / "s"), "--tls", str(tls.cert), str(tls.key)]
    assert CliRunner().invoke(vmo_bridge, words).exit_code == 0
    assert told["tls"] == tls
