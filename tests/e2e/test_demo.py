"""The demo, from nothing to values in records."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e


def _bridge(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vmo_bridge.cli", *words],
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("seed", [101, 202, 303])
def test_the_demo_finds_its_seed_s_stories_and_nothing_else(seed: int, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    done = _bridge("demo", "--once", "--dir", str(folder), "--seed", str(seed), home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = _bridge(
        "--config", str(folder / "vmo-bridge.toml"), "signals", "--format", "json", home=tmp_path
    )
    signals = json.loads(listed.stdout)
    truth = json.loads((folder / "sandbox" / "truth.json").read_text())

    watermelons = {
        (each["service"], each["user_group"]) for each in signals if each["rule"] == "watermelon"
    }
    assert watermelons == {(each["service"], each["user_group"]) for each in truth["watermelon"]}
    thrown = {each["service"]: each for each in signals if each["rule"] == "ping-pong"}
    assert thrown.keys() == {each["service"] for each in truth["ping_pong"]}
    for each in truth["ping_pong"]:
        assert set(each["tickets"]) <= set(thrown[each["service"]]["evidence"])
    back = {each["service"]: each for each in signals if each["rule"] == "recurring"}
    assert back.keys() == {each["service"] for each in truth["recurring"]}
    still = [each for each in signals if each["rule"] == "stalled-hand-off"]
    assert {each["id"].split(":", 1)[1] for each in still} == {
        f"{each['demand']}:{each['epic']}".lower() for each in truth["stalled_handoff"]
    }
    (asked,) = truth["feedback_without_ticket"]
    heard = [each for each in signals if each["rule"] == "feedback-without-ticket"]
    assert {each["service"] for each in heard} == {asked["service"]}
    told = {"watermelon", "ping-pong", "recurring", "stalled-hand-off", "feedback-without-ticket"}
    assert {each["rule"] for each in signals} == told
    assert "sources together tell one of them, and none alone does" in done.stdout


def test_another_seed_takes_the_place_of_the_first_and_strangers_files_stay(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("do not touch")
    refused = _bridge("demo", "--once", "--dir", str(mine), home=tmp_path)
    assert refused.returncode == 2
    assert (mine / "thesis.txt").read_text() == "do not touch"


def test_help_names_every_command(tmp_path: Path) -> None:
    told = _bridge("--help", home=tmp_path).stdout
    looking = ("status", "signals", "kpis", "explain")
    stages = ("sync", "detect", "measure", "publish", "cycle", "run")
    for verb in (*looking, *stages, "init", "check", "provision", "plugins", "sandbox", "demo"):
        assert f"  {verb} " in told
