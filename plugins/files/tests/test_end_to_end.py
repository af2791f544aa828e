"""The whole way: a configuration, a file, and the commands that people type."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from vmo_bridge.cli import vmo_bridge

CONFIG = """
[connectors.surveys]
plugin = "files"
folder = "drop"

[connectors.surveys.forms.onboarding]
files = "onboarding*"
id = "ID"
answered_at = "Completion time"
email = "Email"
time_zone = "America/New_York"

[connectors.surveys.forms.onboarding.questions."How satisfied are you?"]
scale = [1, 5]

[feedback.questions]
csat = ["How satisfied are you?"]
"""


@pytest.fixture
def ask(tmp_path: Path, drop: Any) -> Callable[..., Result]:
    (tmp_path / "vmo-bridge.toml").write_text(CONFIG)

    def asked(*words: str) -> Result:
        config = str(tmp_path / "vmo-bridge.toml")
        return CliRunner().invoke(vmo_bridge, ["--config", config, *words])

    return asked


def lay(drop: Any, name: str, rows: list[list[Any]], *, old: float = 7200) -> None:
    """Write a file that is so old by the clock of this machine."""
    moment = time.time() - old
    os.utime(drop.csv(name, rows), (moment, moment))


def checked(ask: Callable[..., Result]) -> dict[str, tuple[str, str]]:
    rows = json.loads(ask("check", "--format", "json").stdout)
    return {row["what"]: (row["state"], row["detail"]) for row in rows if row["source"]}


def test_a_file_is_checked_read_told_and_measured(ask, drop) -> None:
    lay(drop, "onboarding-1.csv", drop.rows(*range(1, 8)))
    lay(drop, "onboarding-2.csv", drop.rows(9, value=7), old=100)
    lay(drop, "onboarding-3.csv", drop.rows(10), old=1)
    lay(drop, "lunch.csv", [["Soup"]])
    before = checked(ask)
    state, told = before["onboarding"]
    assert state == "warning"
    assert told.startswith("files: 2, taken: 0; onboarding-3.csv waits: it changed ")
    assert before["onboarding.questions"][1].startswith("2 questions: 'How satisfied are you?'")
    assert before["lunch.csv"] == ("warning", "no form's files have such a name")

    done = ask("sync")
    assert done.exit_code == 0
    assert "note: surveys:onboarding: onboarding-3.csv: waiting: it changed" in done.output
    assert "outside its scale, kept as text without a value: 1 (first: line 2)" in done.output
    assert "files: 2, taken: 2" in checked(ask)["onboarding"][1]

    status = json.loads(ask("status", "--format", "json").stdout)
    assert [each["held"] for each in status["streams"]] == [2, 8]
    assert status["unmapped_questions"] == ["Comment"]
    again = json.loads(ask("sync", "--format", "json").stdout)
    assert {each["read"] for each in again} == {0}
    assert "waiting" in again[1]["notes"][0]

    assert ask("measure").exit_code == 0
    shown = ask("kpis", "--window", "2026-10", "--kpi", "csat", "--format", "csv")
    (kpi,) = csv.DictReader(io.StringIO(shown.stdout, newline=""))
    assert (kpi["n"], kpi["value"]) == ("7", "1.0")


def test_a_refused_file_makes_the_sync_end_badly_and_the_others_are_read(ask, drop) -> None:
    lay(drop, "onboarding-1.csv", [["Nr"], [1]])
    lay(drop, "onboarding-2.csv", drop.rows(1, 2))
    done = ask("sync", "--format", "json")
    assert done.exit_code == 1
    problems = {each["stream"]: each["problem"] for each in json.loads(done.stdout)}
    assert "onboarding-1.csv has no column 'ID' (id); none comes near" in problems["onboarding"]
    status = json.loads(ask("status", "--format", "json").stdout)
    assert status["streams"][1]["held"] == 2


def test_a_check_leaves_no_trace_in_the_store(ask, drop) -> None:
    lay(drop, "onboarding-1.csv", drop.rows(1), old=1)
    ask("sync")
    lay(drop, "onboarding-2.csv", drop.rows(2), old=1)
    ask("check")
    ask("check")
    assert "onboarding-2.csv" not in str(ask("status", "--format", "json").stdout)
