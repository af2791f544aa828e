"""ServiceNow for VMO Bridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmo_bridge.plugin import ConnectorType, hookimpl
from vmo_bridge_servicenow.settings import ServiceNowSettings

if TYPE_CHECKING:
    from pathlib import Path

    from vmo_bridge_servicenow.connector import ServiceNow


def connect(name: str, settings: ServiceNowSettings, folder: Path) -> ServiceNow:
    """Open the connector; ``folder`` is where relative paths of secrets start."""
    from vmo_bridge_servicenow.connector import ServiceNow  # noqa: PLC0415 - only when it is used

    return ServiceNow(name, settings, folder)


@hookimpl
def vmo_connectors() -> list[ConnectorType]:
    """Offer the connector type ``servicenow``."""
    return [
        ConnectorType(
            name="servicenow",
            title="ServiceNow",
            settings=ServiceNowSettings,
            connect=connect,
            writes=True,
        )
    ]
