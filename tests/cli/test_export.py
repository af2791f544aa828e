"""Lists for spreadsheet programs: whole, readable again, and never a formula."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from vmo_bridge.cli.export import as_csv, harmless


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1", "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\r=1", " =1", "\u00a0=1",
        "|calc", "%0A=1", "＝1+1", "\ufeff=HYPERLINK(1)", "\n=1",  # noqa: RUF001 - full width
    ],
)  # fmt: skip
def test_what_begins_like_a_formula_is_made_text(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "-6.88", "+5", "1e-05", "12", "fine", "a=b", "1-2"])
def test_numbers_and_plain_words_stay(cell: str) -> None:
    assert harmless(cell) == cell


@given(st.lists(st.dictionaries(st.just("a") | st.just("b"), st.text(max_size=8), min_size=2)))
def test_a_list_is_whole_again_and_no_cell_begins_like_a_formula(rows: list[Any]) -> None:
    back = list(csv.reader(io.StringIO(as_csv(rows), newline="")))
    assert len(back) == (len(rows) + 1 if rows else 0)
    for row, line in zip(rows, back[1:], strict=True):
        assert line == [harmless(each) for each in row.values()]
        assert not any(cell[0] in "=@\t\r" for cell in line if cell)
        assert all(float(cell) or True for cell in line if cell[:1] in ("+", "-"))


def test_what_other_countries_cut_into_cells_is_no_formula_either() -> None:
    assert harmless("fine;=1+1") == "fine;'=1+1"
    assert harmless("a\t@x | -2+3") == "a\t'@x | '-2+3"
    assert harmless("a; b - c") == "a; b - c"


def test_lists_and_tables_inside_a_cell_can_be_read() -> None:
    (row,) = read(as_csv([{"a": ["x", "y"], "b": {"n": 1}, "c": None, "d": True, "e": 0.5}]))
    assert row == {"a": "x; y", "b": '{"n": 1}', "c": "", "d": "true", "e": "0.5"}


def test_a_spreadsheet_program_sees_texts_and_no_formula(tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for line in csv.reader(io.StringIO(as_csv([{"title": "=1+1"}, {"title": "@x"}]))):
        sheet.append(line)
    book.save(tmp_path / "x.xlsx")
    cells = [cell for row in load_workbook(tmp_path / "x.xlsx").active.iter_rows() for cell in row]  # type: ignore[union-attr]
    assert {cell.data_type for cell in cells} == {"s"}
