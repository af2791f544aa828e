"""Files for VMO Bridge: survey exports (CSV, XLSX) from a drop folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmo_bridge.plugin import ConnectorType, hookimpl
from vmo_bridge_files.settings import FilesSettings

if TYPE_CHECKING:
    from pathlib import Path

    from vmo_bridge_files.connector import Files


def connect(name: str, settings: FilesSettings, folder: Path) -> Files:
    """Open the connector; ``folder`` is where relative paths start."""
    from vmo_bridge_files.connector import Files  # noqa: PLC0415 - only when it is used

    return Files(name, settings, folder)


@hookimpl
def vmo_connectors() -> list[ConnectorType]:
    """Offer the connector type ``files``."""
    return [ConnectorType(name="files", title="Files", settings=FilesSettings, connect=connect)]
