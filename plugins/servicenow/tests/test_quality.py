"""The quality list and the README are held to the code."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from vmo_bridge.settings.loading import load_settings
from vmo_bridge.testing import QualityContract
from vmo_bridge_servicenow.settings import ServiceNowSettings
from vmo_bridge_servicenow.tables import JOURNALS, TABLES

FOLDER = Path(__file__).parents[1]
README = (FOLDER / "README.md").read_text(encoding="utf-8")
START, KNOWLEDGE, JOURNAL = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)


class TestQuality(QualityContract):
    folder = FOLDER
    plugin = "servicenow"
    unwanted = ("pysnow", "requests", "ijson")


def test_the_readme_lists_every_table_that_is_read_in_its_order() -> None:
    assert re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE) == [*TABLES, *JOURNALS]


def test_the_examples_of_the_readme_are_good(tmp_path: Path) -> None:
    file = tmp_path / "vmo-bridge.toml"
    file.write_text(START + KNOWLEDGE)
    assert load_settings(file).feedback.ties[0].service == "Remote Access"
    begun = tomllib.loads(START)["connectors"]["helpdesk"]
    changed = begun | tomllib.loads(JOURNAL)["connectors"]["helpdesk"]
    del changed["plugin"]
    assert ServiceNowSettings.model_validate(changed).journals
