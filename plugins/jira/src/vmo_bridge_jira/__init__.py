"""Jira for VMO Bridge."""

from __future__ import annotations

from vmo_bridge.plugin import ConnectorType, hookimpl


@hookimpl
def vmo_connectors() -> list[ConnectorType]:
    """Offer nothing yet."""
    return []
