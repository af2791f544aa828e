"""Jira for VMO Bridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmo_bridge.plugin import ConnectorType, hookimpl
from vmo_bridge_jira.settings import JiraSettings

if TYPE_CHECKING:
    from pathlib import Path

    from vmo_bridge_jira.connector import Jira


def connect(name: str, settings: JiraSettings, folder: Path) -> Jira:
    """Open the connector; ``folder`` is where relative paths of secrets start."""
    from vmo_bridge_jira.connector import Jira  # noqa: PLC0415 - only when it is used

    return Jira(name, settings, folder)


@hookimpl
def vmo_connectors() -> list[ConnectorType]:
    """Offer the connector type ``jira``."""
    return [
        ConnectorType(
            name="jira", title="Jira", settings=JiraSettings, connect=connect, writes=True
        )
    ]
