"""Workbooks: values as Excel saw them last, what hides in them, and what they may not do."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904, CALENDAR_WINDOWS_1900, MAC_EPOCH

from vmo_bridge.plugin import SourceError

XLSX = "onboarding.xlsx"
NOON = datetime(2026, 10, 1, 12)  # noqa: DTZ001 - a cell has no zone


def answered(seen: Any, connector: Any) -> list[datetime]:
    return [each.answered_at for each in seen.feedback(connector)]


def parts_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(drop: Any, name: str, parts: dict[str, bytes]) -> None:
    """Write a workbook part by part, as another program may have."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    drop.text(name, data.getvalue())


def in_sheet(drop: Any, old: str, new: str, name: str = XLSX) -> None:
    """Change the XML of the first sheet."""
    parts = parts_of(drop.path / name)
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    assert old in sheet
    rewrite(drop, name, parts | {"xl/worksheets/sheet1.xml": sheet.replace(old, new).encode()})


@pytest.mark.parametrize("system", [CALENDAR_WINDOWS_1900, CALENDAR_MAC_1904])
def test_dates_are_read_in_both_of_excel_s_systems(connect, drop, seen, system: datetime) -> None:
    def with_system(book: Workbook) -> None:
        book.epoch = system
        sheet = book.active
        for number, value in enumerate((NOON, date(2026, 10, 1)), start=1):
            sheet.append([number, value, "", 4, ""])
        serial = 46296.25 - (1462 if system == MAC_EPOCH else 0)
        sheet.append([3, serial, "", 4, ""])
        sheet.append([4, "2026-10-01 12:00:00", "", 4, ""])

    drop.xlsx(XLSX, [drop.header], change=with_system)
    noon = datetime(2026, 10, 1, 16, tzinfo=UTC)
    assert answered(seen, connect()) == [noon, noon, noon - timedelta(hours=6), noon]


def test_a_serial_with_fractions_of_seconds_is_a_whole_second(connect, drop, seen) -> None:
    """Microsoft Forms writes 46296.4271412037."""
    drop.xlsx(XLSX, [drop.header, [1, 46296.4271412037, "", 4, ""]])
    assert answered(seen, connect()) == [datetime(2026, 10, 1, 14, 15, 5, tzinfo=UTC)]


def test_numbers_texts_and_percentages_are_told_apart(connect, drop, seen) -> None:
    def percent(book: Workbook) -> None:
        sheet = book.active
        sheet["F2"].number_format = "0%"
        sheet["F3"].number_format = "0.00%"

    header = [*drop.header, "How sure?"]
    drop.xlsx(
        XLSX,
        [header, [*drop.row(1, value="5", comment=True), 0.95],
         [*drop.row(2, value=" 5 ", comment=7), 0.295], [*drop.row(3, value=5.0), "95%"]],
        change=percent,
    )  # fmt: skip
    scales = {"How satisfied are you?": {"scale": [1, 5]}, "How sure?": {"scale": [0, 100]}}
    found = seen.answers(connect(questions=scales))
    assert found["How satisfied are you?"] == [(5.0, None)] * 3
    assert found["How sure?"] == [(95.0, None), (29.5, None), (95.0, None)]
    assert found["Comment"] == [(None, "TRUE"), (7.0, "7"), (None, "fine")]


def test_the_id_may_be_a_number_or_its_text(connect, drop, seen) -> None:
    drop.xlsx(XLSX, [drop.header, drop.row(1), ["2", *drop.row(2)[1:]], [3.0, *drop.row(3)[1:]]])
    assert [each.number for each in seen.feedback(connect())] == ["1", "2", "3"]


def test_a_formula_shows_the_value_that_was_computed(connect, drop, seen) -> None:
    drop.xlsx(XLSX, drop.rows(1, 2))
    cell = '<c r="D2" t="n"><v>4</v></c>'
    in_sheet(drop, cell, '<c r="D2"><f>2+3</f><v>5</v></c>')
    assert seen.answers(connect())["How satisfied are you?"] == [(5.0, None), (4.0, None)]


def test_a_formula_that_was_never_computed_sets_its_row_apart_by_its_cell(
    connect, drop, seen
) -> None:
    drop.xlsx(XLSX, [drop.header, drop.row(1), drop.row(2, value="=2+3"), drop.row(3)])
    (reason,) = seen.refused(connect())
    assert "row 3: D3 holds a formula that was never computed" in reason
    assert [each.number for each in seen.feedback(connect())] == ["1", "3"]
    found = seen.raw(connect(ignore=["How satisfied are you?"], questions={}))
    assert len([each for each in found if "problem" not in each]) == 3


@pytest.mark.parametrize("error", ["#N/A", "#REF!", "#VALUE!", "#DIV/0!"])
def test_an_error_value_sets_its_row_apart_by_its_cell(connect, drop, seen, error: str) -> None:
    drop.xlsx(XLSX, drop.rows(1, 2))
    in_sheet(drop, '<c r="D2" t="n"><v>4</v></c>', f'<c r="D2" t="e"><v>{error}</v></c>')
    assert seen.refused(connect()) == [f"problem: {XLSX}, row 2: D2 holds {error}"]
    assert [each.number for each in seen.feedback(connect())] == ["2"]


def test_a_serial_that_is_no_date_sets_its_row_apart(connect, drop, seen) -> None:
    def far_off(book: Workbook) -> None:
        sheet = book.active
        sheet["B2"] = 99999999999
        sheet["B2"].number_format = "yyyy-mm-dd"
        sheet["B3"] = 12

    drop.xlsx(XLSX, drop.rows(1, 2, 3), change=far_off)
    far, small = seen.refused(connect())
    assert "row 2: B2 holds #VALUE!" in far
    assert "row 3: column 'Completion time' (answered_at): '12' is no date, but a number" in small


def test_merged_cells_in_the_data_set_the_covered_rows_apart(connect, drop, seen) -> None:
    def merge(book: Workbook) -> None:
        book.active.merge_cells("D2:D4")
        book.active.merge_cells("D6:E6")

    drop.xlsx(XLSX, drop.rows(1, 2, 3, 4, 5), change=merge)
    assert seen.refused(connect()) == [
        f"problem: {XLSX}, row 3: D3 is merged into D2",
        f"problem: {XLSX}, row 4: D4 is merged into D2",
        f"problem: {XLSX}, row 6: E6 is merged into D6",
    ]
    assert [each.number for each in seen.feedback(connect())] == ["1", "4"]


def test_a_merged_title_above_and_a_merged_name_are_understood(connect, drop, seen) -> None:
    def merge(book: Workbook) -> None:
        book.active.merge_cells("A1:E1")
        for column in "ABC":
            book.active.merge_cells(f"{column}2:{column}3")

    group = [*drop.header[:3], "What did you think?", None]
    names = [None, None, None, *drop.header[3:]]
    drop.xlsx(XLSX, [["Report"], group, names, drop.row(1)], change=merge)
    found = seen.answers(connect(skip_rows=1, header_rows=2, name_row=2))
    assert found == {"How satisfied are you?": [(4.0, None)], "Comment": [(None, "fine")]}


def test_hidden_rows_are_read_and_told_and_empty_ones_are_not(connect, drop, sync, store) -> None:
    def hide(book: Workbook) -> None:
        book.active.row_dimensions[3].hidden = True

    rows = [drop.header, drop.row(1), drop.row(2), [None] * 5, [" "], drop.row(3), []]
    drop.xlsx(XLSX, rows, change=hide)
    outcome = sync(connect())["onboarding"]
    assert (outcome.read, outcome.quarantined) == (3, 0)
    assert outcome.notes == [f"{XLSX}: hidden rows, read like the others: 1"]


def test_a_value_beyond_the_header_sets_its_row_apart(connect, drop, seen) -> None:
    drop.xlsx(XLSX, [drop.header, [*drop.row(1), "", "beyond"], drop.row(2)])
    assert seen.refused(connect()) == [
        f"problem: {XLSX}, row 2: has a value in G2, where the header has no name"
    ]


def test_the_only_visible_sheet_is_read_and_others_have_to_be_named(connect, drop, seen) -> None:
    def more(book: Workbook) -> None:
        book.active.title = "Form1"
        book.create_sheet("_56F9DC9755BA473782653E2940F9").sheet_state = "veryHidden"
        book.create_sheet("Old").append(["ID"])
        book["Old"].sheet_state = "hidden"

    drop.xlsx(XLSX, drop.rows(1), change=more)
    assert len(seen.feedback(connect())) == 1
    drop.xlsx(XLSX, drop.rows(1), change=lambda book: book.create_sheet("Chart") and None)
    with pytest.raises(SourceError, match=r"2 visible sheets \('Sheet', 'Chart'\); name one"):
        seen.raw(connect())
    assert len(seen.feedback(connect(sheet="Sheet"))) == 1
    with pytest.raises(SourceError, match="has no sheet 'Form2'; it has 'Sheet', 'Chart'"):
        seen.raw(connect(sheet="Form2"))


def test_text_with_marks_and_styles_is_its_text(connect, drop, seen) -> None:
    drop.xlsx(XLSX, drop.rows(1, comment="<b>&amp;</b> 日本語 🧯\nsecond line"))
    assert seen.answers(connect())["Comment"] == [(None, "<b>&amp;</b> 日本語 🧯\nsecond line")]


def test_what_is_no_workbook_is_told_as_what_it_is(connect, drop, seen) -> None:
    for content, why in (
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Excel file .* or has a password"),
        (b"<!DOCTYPE html><html><title>Sign in</title>", "is a web page or XML, not a workbook"),
        (b"ID,Completion time\n1,2\n", "is no workbook; save it as .xlsx"),
    ):
        drop.text(XLSX, content)
        with pytest.raises(SourceError, match=why):
            seen.raw(connect())


@pytest.mark.parametrize("name", ["onboarding.xls", "onboarding.csv", "onboarding"])
def test_the_content_counts_not_the_name(connect, drop, seen, name: str) -> None:
    whole = drop.xlsx(XLSX, drop.rows(1)).read_bytes()
    (drop.path / XLSX).unlink()
    drop.text(name, whole)
    assert len(seen.feedback(connect())) == 1
    drop.text(name, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    with pytest.raises(SourceError, match=rf"{name} is an old Excel file \(\.xls\) or has a"):
        seen.raw(connect())
    drop.text(name, b"\xef\xbb\xbf  <!DOCTYPE html><html>Sign in</html>")
    with pytest.raises(SourceError, match=rf"{name} is a web page, not an export"):
        seen.raw(connect())


def test_a_document_of_another_program_is_refused(connect, drop, seen) -> None:
    types = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
    rewrite(drop, XLSX, {"[Content_Types].xml": types, "_rels/.rels": b"<Relationships/>"})
    with pytest.raises(SourceError, match=r"onboarding\.xlsx cannot be read as a workbook"):
        seen.raw(connect())


def test_the_workbook_may_stand_elsewhere_in_its_package(connect, drop, seen) -> None:
    """Office on the web writes xl/workbook2.xml and the like."""
    drop.xlsx(XLSX, [drop.header, drop.row(1, value="=2+3"), drop.row(2)])
    moved = {
        name.replace("xl/workbook.xml", "xl/workbook2.xml").replace(
            "xl/_rels/workbook.xml.rels", "xl/_rels/workbook2.xml.rels"
        ): content.replace(b"xl/workbook.xml", b"xl/workbook2.xml")
        for name, content in parts_of(drop.path / XLSX).items()
    }
    rewrite(drop, XLSX, moved)
    assert [each.number for each in seen.feedback(connect())] == ["2"]
    assert "D2 holds a formula that was never computed" in seen.refused(connect())[0]


def test_a_zip_archive_that_is_no_workbook_is_told(connect, drop, seen) -> None:
    rewrite(drop, XLSX, {"readme.txt": b"hello"})
    with pytest.raises(SourceError, match="is a zip archive, but no workbook"):
        seen.raw(connect())


def test_a_zip_bomb_is_refused_before_it_is_unpacked(connect, drop, seen) -> None:
    drop.xlsx(XLSX, drop.rows(1))
    parts = parts_of(drop.path / XLSX)
    rewrite(drop, XLSX, parts | {"xl/media/image1.png": b"\0" * 30_000_000})
    assert (drop.path / XLSX).stat().st_size < 100_000
    with pytest.raises(SourceError, match="more than 300 times its size: it looks like a zip bomb"):
        seen.raw(connect())
    with pytest.raises(SourceError, match=r"unpacks to 30 MB in .* parts; 20 MB .*max_megabytes"):
        seen.raw(connect({"max_megabytes": 20}))
    many = {f"xl/part{number}.xml": b"" for number in range(2_001)}
    rewrite(drop, XLSX, parts | many)
    with pytest.raises(SourceError, match=r"in 20\d\d parts"):
        seen.raw(connect())


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"])
def test_entities_in_its_xml_are_refused(connect, drop, seen, tmp_path: Path, part: str) -> None:
    (tmp_path / "secret").write_text("do not read")
    drop.xlsx(XLSX, drop.rows(1))
    parts = parts_of(drop.path / XLSX)
    doctype = (
        f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file://{tmp_path}/secret">'
        '<!ENTITY b "&a;&a;">]>'
    )
    text = parts[part].decode().partition("?>")[2] or parts[part].decode()
    rewrite(drop, XLSX, parts | {part: (doctype + text).encode()})
    with pytest.raises(SourceError, match=r"cannot be read as a workbook \(EntitiesForbidden\)"):
        seen.raw(connect())


@pytest.mark.parametrize(
    "spoil",
    [
        {"xl/worksheets/sheet1.xml": b"<worksheet"}, {"xl/workbook.xml": b"<workbook/>"},
        {"xl/worksheets/sheet1.xml": b""}, {"xl/_rels/workbook.xml.rels": b"<Relationships/>"},
    ],
)  # fmt: skip
def test_a_broken_package_is_told_of_its_file(connect, drop, seen, spoil: dict[str, bytes]) -> None:
    drop.xlsx(XLSX, drop.rows(1))
    rewrite(drop, XLSX, parts_of(drop.path / XLSX) | spoil)
    with pytest.raises(SourceError, match=r"onboarding\.xlsx (cannot be read as|has 0 )"):
        seen.raw(connect())


def test_a_sheet_that_lies_about_its_size_is_read_as_it_is(connect, drop, seen) -> None:
    drop.xlsx(XLSX, drop.rows(1, 2))
    in_sheet(drop, '<dimension ref="A1:E3" />', '<dimension ref="A1:XFD1048576" />')
    assert len(seen.feedback(connect())) == 2
    in_sheet(drop, '<dimension ref="A1:XFD1048576" />', '<dimension ref="A1" />')
    assert len(seen.feedback(connect())) == 2
    in_sheet(drop, '<c r="E3"', '<c r="XFD3"')
    with pytest.raises(SourceError, match="has 16384 columns in sheet 'Sheet'; 2000 are allowed"):
        seen.raw(connect())


def test_macros_and_links_of_a_workbook_stay_asleep(connect, drop, seen) -> None:
    drop.xlsx("onboarding.xlsm", drop.rows(1))
    parts = parts_of(drop.path / "onboarding.xlsm")
    rewrite(drop, "onboarding.xlsm", parts | {
        "xl/vbaProject.bin": b"\xcc" * 100,
        "xl/externalLinks/externalLink1.xml": b"<externalLink><broken",
    })  # fmt: skip
    assert len(seen.feedback(connect())) == 1
