"""The documents say what the code does: commands, settings, rules and KPIs have their line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from vmo_bridge.cli import vmo_bridge
from vmo_bridge.cli.template import render_config
from vmo_bridge.hooks.extensions import Kpi, Rule
from vmo_bridge.sandbox.servicenow.faults import KNOWN
from vmo_bridge.settings import ConnectorEntry, Settings, load_settings
from vmo_bridge.signals.builtin import vmo_rules
from vmo_bridge.testing.documents import setting_lines, shown_default
from vmo_bridge.value.builtin import vmo_kpis

ROOT = Path(__file__).parents[1]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def rule_lines(rule: Rule) -> Iterator[str]:
    yield f"## {rule.name}"
    yield rule.question
    for name, field in rule.parameters.model_fields.items():
        assert field.description, f"{rule.name}.{name} has no description"
        yield f"| `{name}` | {shown_default(field.default)} | {field.description} |"
    for each in rule.fields:
        yield f"`{each}`"


def kpi_lines(kpi: Kpi) -> Iterator[str]:
    target = "none" if kpi.target is None else f"{kpi.target:g}"
    yield f"## {kpi.name}"
    yield f"{kpi.title}. {kpi.question}"
    yield kpi.note
    private, young = "yes" if kpi.private else "no", kpi.young_days or "no"
    yield (
        f"| {kpi.version} | {kpi.unit} | {kpi.value_type} | {kpi.better} | {target} | {kpi.min_n} "
        f"| {kpi.counts} | {private} | {young} |"
    )


def all_setting_lines() -> Iterator[str]:
    from vmo_bridge.settings.model import KpiEntry, QuestionEntry, TargetEntry, TieEntry
    from vmo_bridge_servicenow.settings import (
        ApiKey,
        BasicAuth,
        FurtherTable,
        OAuthClient,
        OAuthPassword,
        ServiceNowSettings,
    )

    yield from setting_lines(Settings, "", leave_out="file")
    yield from setting_lines(ConnectorEntry, "connectors.NAME.")
    yield from setting_lines(QuestionEntry, "feedback.questions.METRIC[].")
    yield from setting_lines(TieEntry, "feedback.ties[].")
    yield from setting_lines(TargetEntry, "targets[].")
    yield from setting_lines(KpiEntry, "kpis.NAME.")
    yield from setting_lines(ServiceNowSettings, "connectors.NAME.")
    yield from setting_lines(FurtherTable, "connectors.NAME.further_tables.TABLE.")
    for auth in (BasicAuth, OAuthPassword, OAuthClient, ApiKey):
        yield from setting_lines(auth, "connectors.NAME.auth.")


def missing_lines(document: str, lines: Iterator[str]) -> list[str]:
    there = text(document)
    return [line for line in lines if line not in there]


@pytest.mark.parametrize("rule", vmo_rules(), ids=lambda rule: rule.name)
def test_every_rule_and_parameter_has_its_line(rule: Rule) -> None:
    assert missing_lines("docs/rules.md", rule_lines(rule)) == []


@pytest.mark.parametrize("kpi", vmo_kpis(), ids=lambda kpi: kpi.name)
def test_every_kpi_has_its_section(kpi: Kpi) -> None:
    assert missing_lines("docs/kpis.md", kpi_lines(kpi)) == []


def test_every_setting_has_its_line() -> None:
    assert missing_lines("docs/settings.md", all_setting_lines()) == []


def test_every_switch_and_foreign_client_of_the_sandbox_has_its_line() -> None:
    switches = "".join(
        f"| `{k}` | {v.replace('|', chr(92) + '|')} |\n" for k, v in sorted(KNOWN.items())
    )
    assert switches in text("docs/sandbox.md")
    for file in (ROOT / "tests/foreign/requirements").glob("*.txt"):
        pin = file.read_text(encoding="utf-8").splitlines()[-1]
        name, _, version = re.sub(r"\[\w+\]", "", pin).partition("==")
        client = {"pysnc": "PySNC"}.get(name, name)
        assert f"| {client} {version} |" in text("docs/sandbox.md")


def test_documents_name_no_rule_kpi_or_command_that_is_not_there() -> None:
    rules = {rule.name for rule in vmo_rules()}
    kpis = {kpi.name for kpi in vmo_kpis()}
    assert set(re.findall(r"^## (\S+)$", text("docs/rules.md"), re.MULTILINE)) == rules
    assert set(re.findall(r"^## (\S+)$", text("docs/kpis.md"), re.MULTILINE)) == kpis
    commands = set(vmo_bridge.list_commands(None))  # type: ignore[arg-type]
    listed = text("README.md").split("## Commands")[1].split("##")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", listed, re.MULTILINE)) == commands


def test_every_link_of_the_documents_leads_somewhere() -> None:
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), f"{document.name}: {link}"


def test_the_example_configuration_is_what_init_writes(tmp_path: Path) -> None:
    written = render_config(
        name="helpdesk",
        url="https://example.service-now.com",
        user="vmo.bridge",
        password_env="SERVICENOW_PASSWORD",
    )
    assert text("config/vmo-bridge.toml") == written
    assert load_settings(ROOT / "config/vmo-bridge.toml").connectors.keys() == {"helpdesk"}


def test_the_example_with_every_comment_taken_away_is_still_good(tmp_path: Path) -> None:
    lines = []
    for line in text("config/vmo-bridge.toml").splitlines():
        opened = re.sub(r"^# (?=(\[+\w|\"?[\w.-]+\"? = ))", "", line)
        # An ellipsis stands for more of the same.
        lines.append(line if "…" in opened else opened)
    path = tmp_path / "all.toml"
    path.write_text("\n".join(lines))
    content = tomllib.loads(path.read_text())
    assert {"targets", "rules", "kpis"} <= content.keys()
    assert "as_of" in content["bridge"]
    settings = load_settings(path)
    assert settings.targets[0].agreed_with == "Head of Field Offices"


def test_no_document_holds_the_marks_of_a_merge() -> None:
    marked = [
        path.name
        for path in [*ROOT.glob("docs/*.md"), *ROOT.glob("*.md"), *ROOT.glob("plugins/*/*.md")]
        if re.search(r"^(<{7}|>{7}) ", path.read_text(), re.MULTILINE)
    ]
    assert marked == []
