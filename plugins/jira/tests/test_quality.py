"""The quality list is held to the code."""

from __future__ import annotations

from pathlib import Path

from vmo_bridge.testing import QualityContract


class TestQuality(QualityContract):
    folder = Path(__file__).parents[1]
    plugin = "jira"
    unwanted = ("jira", "requests")
