"""What a person may type, and a machine may lack: told in words, without a traceback."""

from __future__ import annotations

import json
import sqlite3
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from vmo_bridge import cli
from vmo_bridge.cli import vmo_bridge
from vmo_bridge.cli.options import Moment
from vmo_bridge.cli.template import render_config
from vmo_bridge.store import Store

END_OF_JUNE = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration without a source, and the store that a look at it needs."""
    path = tmp_path / "vmo-bridge.toml"
    path.write_text("[bridge]\nas_of = 2026-11-01T00:00:00Z\n", encoding="utf-8")
    Store(tmp_path / "vmo-bridge.db", owner="test").close()
    result = CliRunner().invoke(vmo_bridge, ["--config", str(path), "detect"])
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture
def ask(config: Path) -> Callable[..., Result]:
    def asked(*words: str) -> Result:
        return CliRunner().invoke(vmo_bridge, ["--config", str(config), *words])

    return asked


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What ``main`` tells when a command fails with an error, after its exit code."""

    def tell(error: BaseException) -> str:
        @click.command()
        def status() -> None:
            raise error

        monkeypatch.setattr(cli.vmo_bridge, "get_command", lambda _ctx, _name: status)
        monkeypatch.setattr("sys.argv", ["vmo-bridge", "status"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out = capsys.readouterr()
        assert "Traceback" not in out.out + out.err
        return f"{ended.value.code} {out.err}"

    return tell


@pytest.mark.parametrize("text", ["2026-06-30", "20260630", "2026-W27-2", "2026W272"])
def test_a_day_alone_means_its_end_in_every_form_of_iso_8601(text: str) -> None:
    assert Moment().convert(text, None, None) == END_OF_JUNE


@pytest.mark.parametrize(
    "text", ["2026-07-01T00:00:00Z", "2026-07-01 00:00", "2026-07-01T02:00:00+02:00"]
)
def test_a_moment_is_utc_unless_it_says_otherwise(text: str) -> None:
    assert Moment().convert(text, None, None) == END_OF_JUNE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-06",
        "2026-06-31",
        "9999-12-31",
        "9999-12-31T23:59:59-10:00",
        "0001-01-01T00:00:00+10:00",
    ],
)
def test_a_moment_that_is_none_is_named_with_its_cure(
    text: str, ask: Callable[..., Result]
) -> None:
    result = ask("signals", "--as-of", text)
    assert result.exit_code == 2
    assert f"{text!r} is not a moment; write 2026-10-31" in result.stderr


def test_a_look_back_where_rules_cannot_judge_says_so_beside_the_json(
    ask: Callable[..., Result],
) -> None:
    result = ask("signals", "--as-of", "1950-01-01", "--format", "json")
    assert json.loads(result.stdout) == []
    assert "rule watermelon: not known: no ticket" in result.stderr


def test_a_rule_or_kpi_that_nobody_knows_is_no_empty_list(ask: Callable[..., Result]) -> None:
    for words in (("signals", "--rule", "watermellon"), ("kpis", "--kpi", "csatt")):
        result = ask(*words)
        assert result.exit_code == 2
        assert repr(words[2]) in result.stderr
        assert "there are:" in result.stderr


def test_no_kpi_results_are_told_apart_from_a_filter_that_fits_none(
    ask: Callable[..., Result],
) -> None:
    assert "'vmo-bridge measure' makes them" in ask("kpis", "--format", "json").stderr


@pytest.mark.parametrize(
    "words",
    [
        ("sandbox", "--port", "99999"),
        ("sandbox", "--port", "-1"),
        ("explain", "x", "--limit", "-3"),
    ],
)
def test_a_number_out_of_its_range_is_refused(
    words: tuple[str, ...], ask: Callable[..., Result]
) -> None:
    result = ask(*words)
    assert result.exit_code == 2
    assert "range" in result.stderr


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--url", "acme"),
        ("--url", "https://me:open-sesame@acme.example"),
        ("--name", "a b.c"),
        ("--password-env", ""),
        ("--password-env", "open sesame"),
    ],
)
def test_init_writes_nothing_that_check_would_refuse(
    option: str, value: str, tmp_path: Path
) -> None:
    path = tmp_path / "new.toml"
    answers = {
        "--url": "https://acme.example",
        "--user": "bridge",
        "--name": "desk",
        "--password-env": "PASSWORD",
        option: value,
    }
    words = [word for pair in answers.items() for word in pair]
    result = CliRunner().invoke(vmo_bridge, ["--config", str(path), "init", *words])
    assert result.exit_code != 0
    assert not path.exists()
    assert "open-sesame" not in result.output + str(result.exception)


def test_any_answer_to_init_becomes_valid_toml() -> None:
    user = 'a"b\\c\nd\te'
    content = render_config(name="desk", url="https://x", user=user, password_env="P")
    assert tomllib.loads(content)["connectors"]["desk"]["auth"]["user"] == user


def test_a_path_that_cannot_be_used_is_named_without_a_traceback(told: Callable[..., str]) -> None:
    error = PermissionError(13, "Permission denied", "/var/lib/bridge.lock")
    assert told(error).startswith("1 vmo-bridge: /var/lib/bridge.lock: Permission denied; ")


def test_a_full_disk_under_the_store_ends_with_the_code_of_the_store(
    told: Callable[..., str],
) -> None:
    error = sqlite3.OperationalError("database or disk is full")
    assert told(error).startswith("5 vmo-bridge: the store cannot be used (database or disk")


def test_a_bug_is_told_by_its_place_and_never_by_its_text(told: Callable[..., str]) -> None:
    message = told(ValueError("the password is open-sesame"))
    assert message.startswith("1 vmo-bridge: a bug of ours or of a plugin: ValueError in ")
    assert "open-sesame" not in message


def test_ctrl_c_before_a_command_runs_ends_as_ctrl_c(told: Callable[..., str]) -> None:
    assert told(KeyboardInterrupt()).startswith("130 ")


def test_a_full_disk_behind_the_output_is_told(told: Callable[..., str]) -> None:
    assert told(OSError(28, "No space left on device")).startswith("1 vmo-bridge: No space left")


@pytest.mark.parametrize("stage", ["detect", "measure", "publish"])
def test_only_a_sync_makes_a_store(stage: str, tmp_path: Path) -> None:
    path = tmp_path / "vmo-bridge.toml"
    path.write_text("", encoding="utf-8")
    result = CliRunner().invoke(vmo_bridge, ["--config", str(path), stage])
    assert "there is no store" in str(result.exception)
    assert [each.name for each in tmp_path.iterdir()] == ["vmo-bridge.toml"]


def test_check_looks_at_the_store_and_at_plugins_that_are_not_there(
    config: Path, ask: Callable[..., Result]
) -> None:
    config.write_text(config.read_text() + '[plugins]\noff = ["servicenw"]\n')
    told = ask("check").output
    assert "servicenw" in told
    assert "not installed" in told
    (config.parent / "vmo-bridge.db").write_text("not a store")
    broken = ask("check")
    assert broken.exit_code == 1
    assert "not a whole SQLite file" in " ".join(broken.output.split())
