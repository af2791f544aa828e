"""The provision command without a target, and what its options refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from vmo_bridge.cli import vmo_bridge
from vmo_bridge.connectors.comparing import Difference
from vmo_bridge.errors import ConfigError
from vmo_bridge.publish import provisioning
from vmo_bridge.publish.provisioning import Finding


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Result]:
    config = tmp_path / "vmo-bridge.toml"
    config.write_text("[bridge]\n", encoding="utf-8")

    def asked(*words: str) -> Result:
        return CliRunner().invoke(vmo_bridge, ["--config", str(config), "provision", *words])

    return asked


@pytest.mark.parametrize(
    "words",
    [
        ("--apply", "--check"),
        ("--apply", "--update-set", "x.xml"),
        ("--check", "--update-set", "x"),
    ],
)
def test_one_thing_is_done_at_a_time(ask: Callable[..., Result], words: tuple[str, ...]) -> None:
    result = ask(*words)
    assert result.exit_code == 2
    assert "take one" in result.output


def test_a_target_is_only_named_for_an_update_set(ask: Callable[..., Result]) -> None:
    result = ask("--target", "helpdesk")
    assert result.exit_code == 2
    assert "--target goes with --update-set" in result.output


def test_without_a_target_nothing_is_missing_and_no_file_is_written(
    ask: Callable[..., Result], tmp_path: Path
) -> None:
    assert "nothing is missing" in ask().output
    assert ask("--check").exit_code == 0
    result = ask("--update-set", str(tmp_path / "set.xml"))
    assert isinstance(result.exception, ConfigError)
    assert "no target takes an Update Set" in str(result.exception)
    assert not (tmp_path / "set.xml").exists()


@pytest.mark.parametrize(("state", "code"), [("missing", 1), ("differs", 1), ("unknown", 0)])
def test_the_exit_code_tells_whether_something_is_missing_or_differs(
    ask: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, state: Any, code: int
) -> None:
    found = Finding("desk", Difference(what="incident.u_a", state=state, detail="as told"))
    monkeypatch.setattr(provisioning, "all_differences", lambda *_: [found])
    result = ask("--check", "--format", "json")
    assert result.exit_code == code
    row = {"target": "desk", "state": state, "what": "incident.u_a", "detail": "as told"}
    assert json.loads(result.stdout) == [row]


def test_a_target_that_is_not_there_is_told(ask: Callable[..., Result], tmp_path: Path) -> None:
    result = ask("--update-set", str(tmp_path / "set.xml"), "--target", "nowhere")
    assert "'nowhere' is no target; there are: none" in str(result.exception)
