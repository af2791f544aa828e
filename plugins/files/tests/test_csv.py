"""CSV files as programs write them, and as they break them."""

from __future__ import annotations

from typing import Any

import pytest

from vmo_bridge.plugin import SourceError

CSV = "onboarding.csv"


def lines(*rows: list[Any]) -> str:
    return "\n".join(",".join(map(str, row)) for row in rows) + "\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-marked", "utf-16-be-marked"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_recognised(
    connect, drop, seen, encoding: str, delimiter: str
) -> None:
    rows = drop.rows(1, comment='naïve; 日本語, with | all\tof "them"')
    if encoding.endswith("-marked"):
        name = encoding.removesuffix("-marked")
        drop.csv(CSV, rows, encoding=name, delimiter=delimiter)
        drop.text(CSV, "\ufeff".encode(name) + (drop.path / CSV).read_bytes())
    else:
        drop.csv(CSV, rows, encoding=encoding, delimiter=delimiter)
    assert seen.answers(connect()) == {
        "How satisfied are you?": [(4.0, None)],
        "Comment": [(None, 'naïve; 日本語, with | all\tof "them"')],
    }


def test_the_delimiter_is_the_one_that_gives_the_mapped_columns(connect, drop, seen) -> None:
    header = ["ID", "Completion time", "Email", "How satisfied are you?", "Well, and, so, on, why?"]
    drop.csv(CSV, [header, drop.row(1)], delimiter=";")
    assert set(seen.answers(connect())) == {"How satisfied are you?", header[-1]}


def test_excel_s_own_hint_is_obeyed(connect, drop, seen) -> None:
    drop.text(CSV, "sep=;\n" + lines(*drop.rows(1, 2)).replace(",", ";"))
    assert len(seen.feedback(connect())) == 2
    drop.text(CSV, "sep=;\n" + lines(drop.header, [1]).replace(",", ";"))
    assert "line 3: has 1 cells" in seen.refused(connect())[0]


def test_other_encodings_are_told_and_can_be_set(connect, drop, seen) -> None:
    drop.csv(CSV, drop.rows(1, comment="naïve"), encoding="cp1252")
    with pytest.raises(
        SourceError, match=r"onboarding\.csv is not utf-8 \(it holds the byte 0xef\); save it as"
    ):
        seen.raw(connect())
    assert seen.answers(connect(encoding="cp1252"))["Comment"] == [(None, "naïve")]


def test_a_mark_at_the_beginning_beats_the_setting(connect, drop, seen) -> None:
    drop.csv(CSV, drop.rows(1, comment="naïve"), encoding="utf-8-sig")
    assert seen.answers(connect(encoding="cp1252"))["Comment"] == [(None, "naïve")]


def test_quotes_and_newlines_in_cells_belong_to_them(connect, drop, seen) -> None:
    text = 'first line\nsecond, with "quotes"\r\n\nlast'
    drop.csv(CSV, [*drop.rows(1, comment=text), ["", *drop.row(2)[1:]]])
    assert seen.answers(connect())["Comment"] == [(None, text)]
    assert "line 6: column 'ID' (id) is empty" in seen.refused(connect())[0]


def test_a_cell_may_be_very_long(connect, drop, seen) -> None:
    drop.csv(CSV, drop.rows(1, comment="x" * 1_500_000))
    ((_, text),) = seen.answers(connect())["Comment"]
    assert len(text) == 1_500_000


def test_rows_with_too_few_or_too_many_cells_are_told_by_line(connect, drop, seen) -> None:
    good = drop.row(1)
    rows = [drop.header, good, drop.row(2)[:3], [*drop.row(3), "more"], [*drop.row(4), "", ""]]
    drop.text(CSV, lines(*rows))
    assert seen.refused(connect()) == [
        "problem: onboarding.csv, line 3: has 3 cells where the header has 5",
        "problem: onboarding.csv, line 4: has 6 cells where the header has 5",
    ]
    assert [each.number for each in seen.feedback(connect())] == ["1", "4"]


@pytest.mark.parametrize(
    ("cell", "why"), [("\0", "holds a NUL byte"), ('"a"b', "is no CSV: ',' expected after '\"'")]
)
def test_a_broken_line_costs_that_line(connect, drop, seen, cell: str, why: str) -> None:
    rows = [drop.header, drop.row(1, comment=cell), drop.row(2)]
    drop.text(CSV, lines(*rows))
    assert seen.refused(connect()) == [f"problem: onboarding.csv, line 2: {why}"]
    assert [each.number for each in seen.feedback(connect())] == ["2"]


def test_empty_lines_are_left_out(connect, drop, seen) -> None:
    drop.text(CSV, lines(drop.header, [], drop.row(1), ["", "", "", "", ""], [" "], drop.row(2)))
    assert [each.number for each in seen.feedback(connect())] == ["1", "2"]
    assert seen.refused(connect()) == []


def test_a_line_of_totals_is_set_apart_by_name(connect, drop, seen) -> None:
    drop.csv(CSV, [*drop.rows(1), ["Total", "", "", 4, ""]])
    assert seen.refused(connect()) == [
        "problem: onboarding.csv, line 3: column 'Completion time' (answered_at) is empty"
    ]


def test_rows_above_the_header_are_skipped(connect, drop, seen) -> None:
    drop.csv(CSV, [["Report"], ["of October"], *drop.rows(1)])
    assert len(seen.feedback(connect(skip_rows=2))) == 1


def test_an_id_that_stands_twice_counts_once(connect, drop, seen) -> None:
    drop.csv(CSV, [*drop.rows(1, 2), drop.row(1, comment="other")])
    (reason,) = seen.refused(connect())
    assert "line 4: column 'ID' (id) holds the same as in line 2; that one counts" in reason
    assert seen.answers(connect())["Comment"] == [(None, "fine"), (None, "fine")]


def test_without_an_id_rows_are_told_apart_by_their_content(connect, drop, sync, store) -> None:
    """In any order of columns, with another column or not, and without their people."""
    no_id = {"id": None, "ignore": ["ID"], "dates": "iso"}
    first, second, third = drop.row(1), drop.row(2), drop.row(3)
    drop.csv("onboarding-1.csv", [drop.header, first, second], old=9000)
    sync(connect(**no_id))
    rows = [[*each, ""] for each in (first, [8, *second[1:]], third)]
    rows[0][2] = "moved@example.org"
    longer = [[*drop.header, "New question"], *rows]
    drop.csv("onboarding-2.csv", [each[::-1] for each in longer], old=8000)
    sync(connect(**no_id))
    assert store.versions.counts()["feedback"] == 3


def test_rows_that_are_the_same_are_all_kept(connect, drop, seen) -> None:
    drop.csv(CSV, [drop.header, *[["", *drop.row(1)[1:]]] * 3])
    found = seen.feedback(connect(id=None, ignore=["ID"]))
    assert len({each.ref for each in found}) == 3
    assert [each.number.partition("-")[2] for each in found] == ["", "2", "3"]


def test_a_key_made_of_content_leads_to_nobody(connect, drop, seen) -> None:
    drop.csv(CSV, drop.rows(1))
    (one,) = seen.raw(connect(id=None, ignore=["ID"]))
    rows = drop.rows(1)
    rows[1][2] = "another@example.org"
    drop.csv(CSV, rows)
    (other,) = seen.raw(connect(id=None, ignore=["ID"]))
    assert one["key"] == other["key"]
    assert one["email"] != other["email"]
