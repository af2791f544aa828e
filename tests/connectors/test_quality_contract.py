"""The contract of a plugin's folder finds what is wrong in one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from vmo_bridge.testing import QualityContract

PLUGIN = Path(__file__).parents[2] / "plugins" / "files"
NEEDS_LIMITS = "test_a_limit_names_the_moment_from_which_to_go_on"
RULE = "test_each_rule_is_done_or_exempt_with_its_reason"


def contract(folder: Path, *unwanted: str) -> QualityContract:
    """The contract on a copy of the files plugin."""
    kind = type("Q", (QualityContract,), {
        "folder": folder, "plugin": "files", "unwanted": unwanted,
    })  # fmt: skip
    made: QualityContract = kind()
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(PLUGIN, tmp_path / "files", ignore=shutil.ignore_patterns("src"))
    return tmp_path / "files"


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ('asks = "?"\ndone = "test_csv.py::test_nobody_wrote"', "is not there"),
        ('asks = "?"\ndone = "test_contract.py::test_nobody_wrote"', "is not there"),
        # Of the suite, but skipped: a folder gives no means for it.
        (f'asks = "?"\ndone = "test_contract.py::{NEEDS_LIMITS}"', "is not there"),
        # Of the suite, in a file that does not run the suite.
        ('asks = "?"\ndone = "test_csv.py::test_until_is_exclusive"', "is not there"),
        ('asks = "?"\nexempt = "no"', "needs its reason"),
        ('asks = "?"', "more"),
        ('asks = ""\ndone = "test_csv.py"', "more"),
        ('asks = "?"\ndone = "test_csv.py"\nexempt = "not needed, for this and that"', "more"),
    ],
)
def test_a_rule_without_test_or_reason_is_found(folder: Path, lines: str, why: str) -> None:
    getattr(contract(folder), RULE)()
    with (folder / "QUALITY.toml").open("a") as file:
        file.write(f"\n[more]\n{lines}\n")
    with pytest.raises(AssertionError, match=why):
        getattr(contract(folder), RULE)()


def test_a_check_of_the_suite_that_is_run_is_a_test(folder: Path) -> None:
    with (folder / "QUALITY.toml").open("a") as file:
        file.write('\n[more]\nasks = "?"\ndone = "test_contract.py::test_until_is_exclusive"\n')
    getattr(contract(folder), RULE)()


def test_a_rule_that_is_left_out_is_found(folder: Path) -> None:
    list_ = folder / "QUALITY.toml"
    list_.write_text(list_.read_text().replace("[people]", "[folk]"))
    with pytest.raises(AssertionError, match="people"):
        contract(folder).test_the_rules_that_every_connector_owes_are_there()


def test_a_dear_import_is_found(folder: Path) -> None:
    contract(folder, "openpyxl").test_importing_the_plugin_is_cheap()
    with pytest.raises(AssertionError):
        contract(folder, "vmo_bridge_files").test_importing_the_plugin_is_cheap()


def test_an_entry_point_to_elsewhere_is_found(folder: Path) -> None:
    project = folder / "pyproject.toml"
    project.write_text(project.read_text().replace('"vmo_bridge_files"', '"elsewhere"'))
    with pytest.raises(AssertionError):
        contract(folder).test_the_entry_point_leads_to_the_plugin()
