"""SurveyMonkey for VMO Bridge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vmo_bridge.plugin import ConnectorType, hookimpl
from vmo_bridge_surveymonkey.settings import SurveyMonkeySettings

if TYPE_CHECKING:
    from pathlib import Path

    from vmo_bridge_surveymonkey.connector import SurveyMonkey


def connect(name: str, settings: SurveyMonkeySettings, folder: Path) -> SurveyMonkey:
    """Open the connector; ``folder`` is where relative paths of secrets start."""
    from vmo_bridge_surveymonkey.connector import SurveyMonkey  # noqa: PLC0415 - only when used

    return SurveyMonkey(name, settings, folder)


@hookimpl
def vmo_connectors() -> list[ConnectorType]:
    """Offer the connector type ``surveymonkey``."""
    return [
        ConnectorType(
            name="surveymonkey",
            title="SurveyMonkey",
            settings=SurveyMonkeySettings,
            connect=connect,
        )
    ]
