"""The quality list is held to the code."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RULES = tomllib.loads((HERE.parent / "QUALITY.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", RULES)
def test_each_rule_is_done_or_exempt_with_its_reason(name: str) -> None:
    rule = RULES[name]
    assert rule["asks"]
    assert ("done" in rule) != ("exempt" in rule)
    assert set(rule) <= {"asks", "done", "exempt"}
    if "exempt" in rule:
        assert len(rule["exempt"]) > 20, "an exemption needs its reason"
        return
    file, _, test = rule["done"].partition("::")
    text = (HERE / file).read_text(encoding="utf-8")
    assert not test or f"def {test}(" in text


def test_the_rules_that_every_connector_owes_are_there() -> None:
    owed = {"conformance", "sandbox", "secrets", "check", "resume", "broken-records", "people"}
    assert owed <= set(RULES)


def test_importing_the_plugin_imports_no_workbook_library() -> None:
    code = (
        "import sys, vmo_bridge_files as plugin; plugin.vmo_connectors(); "
        "print([each for each in ('openpyxl', 'defusedxml') if each in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_entry_point_leads_to_the_plugin() -> None:
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))
    points = project["project"]["entry-points"]["vmo_bridge"]
    assert points == {"files": "vmo_bridge_files"}
