"""CSV that a spreadsheet may open: every cell comes back, and none of them is a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.cli import vmo_bridge
from vmo_bridge.cli.export import as_csv, safe_cell
from vmo_bridge.records import Finding, KpiResult, Signal, Worth
from vmo_bridge.store import Store

MOMENT = datetime(2026, 11, 1, tzinfo=UTC)
ATTACKS = (
    "=1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "  =1+1", "\u00a0=1+1",
    '=HYPERLINK("http://example.org";"click")', "=cmd|' /C calc'!A0", "\uff1d1+1", "\uff0d1",
    "-A1", "--1", "-", "=", "+", "@", "-1;=1+1",
)  # fmt: skip
"""What cells begin with that people were attacked by (OWASP, CSV Injection)."""
NUMBERS = ("-5", "+5", "5", "-5.25", "1,234.5", "-3e-05", "94.2 %", "0")


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_would_be_a_formula_begins_with_an_apostrophe(attack: str) -> None:
    assert safe_cell(attack).startswith("'")
    assert safe_cell(attack).replace("'", "") == attack.replace("'", "")


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_stay_numbers(number: str) -> None:
    assert safe_cell(number) == number


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""), (True, "true"), (-2, "-2"), (0.25, "0.25"), (-0.5, "-0.5"), ("", ""),
        (MOMENT, "2026-11-01T00:00:00Z"), (["a", 1, None], "a; 1; "), ({"a": "ä"}, '{"a": "ä"}'),
        ("a - b", "a - b"), ("x=1", "x=1"), ("mail@example.org", "mail@example.org"),
        (["a", "=1"], "a; '=1"),
    ],
)  # fmt: skip
def test_values_are_plain_texts(value: Any, cell: str) -> None:
    assert safe_cell(value) == cell


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_a_spreadsheet_that_cuts_elsewhere_finds_no_formula_either(separator: str) -> None:
    cells = safe_cell(f"harmless{separator} =1+1").split(separator)
    assert not any(cell.strip().startswith("=") for cell in cells)


@given(st.lists(st.lists(st.text(max_size=40), min_size=2, max_size=2), max_size=5))
def test_any_text_comes_back_and_is_no_formula(rows: list[list[str]]) -> None:
    shown = _printed(["a", "b"], [dict(zip("ab", row, strict=True)) for row in rows])
    found = read(shown)
    assert len(found) == len(rows) + 1
    for row, given_row in zip(found[1:], rows, strict=True):
        for cell, text in zip(row, given_row, strict=True):
            assert cell.replace("'", "") == text.replace("'", "")
            if cell.lstrip()[:1] in tuple("=+-@"):
                assert safe_cell(cell) == cell  # a number


def _printed(columns: list[str], rows: list[dict[str, Any]]) -> str:
    import click

    @click.command()
    def shown() -> None:
        as_csv(columns, rows)

    return CliRunner().invoke(shown).stdout_bytes.decode()


def test_it_is_rfc_4180_without_a_mark() -> None:
    rows = [{"a": 'say "x"', "b": {"c": 1}}, {"a": "two\nlines"}]
    assert _printed(["a", "b.c"], rows) == 'a,b.c\r\n"say ""x""",1\r\n"two\nlines",\r\n'


def test_no_rows_are_a_header_alone() -> None:
    assert _printed(["a", "b"], []) == "a,b\r\n"


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Result]:
    """A command on a store with a signal and a KPI result whose names are attacks."""
    (tmp_path / "vmo-bridge.toml").write_text("")
    finding = Finding(
        id="ping-pong:=1+1", rule="ping-pong", title="@SUM(A1)", why="-2+3 cases; =1+1",
        service="=cmd|' /C calc'!A0", user_group=None, keywords=("+1", "=x"), start=MOMENT,
        end=MOMENT, strength=0.5, worth=Worth(hours_per_year=-1.5, cost_per_year=10),
        evidence=("helpdesk/1",), numbers={},
    )  # fmt: skip
    result = KpiResult(
        kpi="csat", version="1", window="2026-10", start=MOMENT, end=MOMENT, service="=1+1",
        user_group=None, service_ref="s", user_group_ref=None, value=-0.25, unit="share",
        numerator=1, denominator=4, n=4, target=None, status="missed", completeness=None,
        data_as_of=MOMENT,
    )  # fmt: skip
    with Store(tmp_path / "vmo-bridge.db", owner="test") as store:
        signal = Signal(finding=finding, state="new", raised_at=MOMENT, seen_at=MOMENT)
        run = store.runs.start("detect")
        store.findings.save_signals(run, MOMENT, [signal])
        store.findings.save_kpis(run, [result])
        store.marks.stream("helpdesk", "incident", ["ticket"])

    def asked(*words: str) -> Result:
        config = str(tmp_path / "vmo-bridge.toml")
        return CliRunner().invoke(vmo_bridge, ["--config", config, *words, "--format", "csv"])

    return asked


def test_signals_come_back_whole_and_harmless(ask: Callable[..., Result]) -> None:
    header, row = read(ask("signals").stdout_bytes.decode())
    found = dict(zip(header, row, strict=True))
    assert found["id"] == "ping-pong:=1+1"
    assert found["title"] == "'@SUM(A1)"
    assert found["why"] == "'-2+3 cases; '=1+1"
    assert found["service"] == "'=cmd|' /C calc'!A0"
    assert found["keywords"] == "'+1; '=x"
    assert (found["strength"], found["worth.hours_per_year"]) == ("0.5", "-1.5")


def test_kpis_come_back_whole_with_numbers_as_numbers(ask: Callable[..., Result]) -> None:
    header, row = read(ask("kpis").stdout_bytes.decode())
    found = dict(zip(header, row, strict=True))
    assert (found["kpi"], found["service"], found["user_group"]) == ("csat", "'=1+1", "")
    assert (float(found["value"]), int(found["n"])) == (-0.25, 4)
    assert found["start"] == "2026-11-01T00:00:00Z"


def test_other_lists_are_csv_too(ask: Callable[..., Result]) -> None:
    header, row = read(ask("status").stdout_bytes.decode())
    assert (header[0], row[0], row[1]) == ("stream", "helpdesk:incident", "0")
    header, *rows = read(ask("plugins").stdout_bytes.decode())
    assert "builtin-kpis" in {row[header.index("name")] for row in rows}
    header, *rows = read(ask("check").stdout_bytes.decode())
    assert header == ["source", "what", "state", "detail"]
    assert {row[2] for row in rows} <= {"ok", "warning", "failed"}
    header, *rows = read(ask("provision").stdout_bytes.decode())
    assert header == ["what", "table", "values"]


@pytest.mark.parametrize(
    "command", ["signals", "kpis", "status", "plugins", "check", "provision", "sync", "publish",
                "explain"],
)  # fmt: skip
def test_every_command_that_lists_offers_csv(command: str) -> None:
    shown = CliRunner().invoke(vmo_bridge, [command, "--help"]).output
    assert "[table|json|csv]" in shown
