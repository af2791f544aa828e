"""A sandbox to publish to: its configuration, and what stands there of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vmo_bridge.hooks.loader import load_plugins
from vmo_bridge.pipeline import Bridge
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.settings import load_settings

CONFIG = """\
[bridge]
as_of = 2026-11-01T00:00:00Z
[connectors.helpdesk]
plugin = "servicenow"
url = "{url}"
batch_size = 3
[connectors.helpdesk.auth]
method = "basic"
user = "{user}"
password = {{ file = "password" }}
[feedback.questions]
csat = ["How satisfied are you with the way this was handled?"]
lost_time = ["How many minutes of work did this cost you?"]
[publish]
mode = "apply"
closed_tickets = true
"""
OURS = ("u_vmo_kpi_result", "u_vmo_signal")
TICKETS = ("incident", "sc_req_item", "problem", "change_request")
PLACES = (*OURS, *TICKETS, "cmdb_ci_service", "cmn_department")


@contextmanager
def opened(folder: Path) -> Iterator[Bridge]:
    settings = load_settings(folder / "vmo-bridge.toml")
    with Bridge(settings, load_plugins(), owner="test") as bridge:
        yield bridge


def publish(folder: str) -> None:
    """What the processes do that are killed."""
    with opened(Path(folder)) as bridge:
        bridge.publish(apply=True)


def serve(folder: Path) -> SandboxServer:
    server = SandboxServer(folder / "sandbox")
    user, password = server.auth("vmo.bridge")
    (folder / "password").write_text(password)
    (folder / "vmo-bridge.toml").write_text(CONFIG.format(url=server.url, user=user))
    return server


def ours(server: SandboxServer) -> dict[tuple[str, str], dict[str, str]]:
    """Everything that values can stand in: by table and our own key or sys_id, our fields."""
    found = {}
    for table in PLACES:
        for row in server.rows(table):
            values = {name: text for name, text in row.items() if name.startswith("u_")}
            if any(values.values()):
                found[table, row.get("u_key") or row["sys_id"]] = values
    return found
