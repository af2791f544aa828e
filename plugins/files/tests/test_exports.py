"""Exports as people really lay them down: odd files are told, sound rows are kept."""

from __future__ import annotations

import csv
import io
import random
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from vmo_bridge.store import Store

ASKED = "How satisfied are you?"


def numbers(store: Store) -> set[str]:
    return {row["number"] for row in store.versions.all("feedback")}


# -- headers -------------------------------------------------------------------------------------


def test_columns_are_found_by_name_whatever_their_order_case_and_blanks(
    drop: Any, connect: Any, seen: Any
) -> None:
    header = ["Comment ", "how\u00a0satisfied are you?*", "COMPLETION TIME", "id", "Email2"]
    drop.csv("onboarding.csv", [header, ["fine", "5", "2026-10-01 09:00", "7", "a@example.org"]])
    (feedback,) = seen.feedback(connect())
    assert feedback.number == "7"
    assert (5.0, None) in seen.answers(connect())["how satisfied are you?*"]


def test_a_vanished_column_refuses_its_file_by_name_and_the_others_go_on(
    drop: Any, connect: Any, sync: Any, store: Store
) -> None:
    drop.csv("onboarding-1.csv", drop.rows(1, 2))
    header = [*drop.header[:1], "Completed at", *drop.header[2:]]
    drop.csv("onboarding-2.csv", [header, drop.row(3)])
    problem = sync(connect())["onboarding"].problem
    assert "onboarding-2.csv has no column 'Completion time' (answered_at)" in problem
    assert "the nearest is 'Completed at'" in problem
    assert numbers(store) == {"1", "2"}


def test_a_changed_header_is_told_once_and_a_new_column_is_a_question(
    drop: Any, connect: Any, sync: Any, store: Store
) -> None:
    drop.csv("onboarding-1.csv", drop.rows(1))
    assert sync(connect())["onboarding"].notes == []
    drop.csv("onboarding-2.csv", [[*drop.header, "Anything else?"], [*drop.row(2), "no"]])
    (note,) = sync(connect())["onboarding"].notes
    assert note == "onboarding-2.csv: 'anything else?' is new"
    assert sync(connect())["onboarding"].notes == []
    assert "Anything else?" in {row["text"] for row in store.versions.all("question")}


def test_several_header_rows_name_columns_in_one_and_ask_in_another(
    drop: Any, connect: Any, seen: Any
) -> None:
    rows = [
        ["ResponseID", "RecordedDate", "Q1"],
        ["Response ID", "Recorded Date", "How was it?"],
        ['{"ImportId":"_recordId"}', '{"ImportId":"recordedDate"}', '{"ImportId":"QID1"}'],
        ["R_1", "2026-10-01 09:00:00", "4"],
    ]
    drop.csv("onboarding.csv", rows)
    connector = connect(
        id="ResponseID", answered_at="RecordedDate", email=None, header_rows=3, text_row=2,
        questions={"Q1": {"scale": [1, 5]}},
    )  # fmt: skip
    assert seen.answers(connector) == {"How was it?": [(4.0, None)]}


# -- whole, half-written, taken ------------------------------------------------------------------


def test_a_half_written_file_is_left_alone_until_it_is_whole(
    drop: Any, connect: Any, sync: Any, clock: Any, store: Store
) -> None:
    text = "ID,Completion time,Email,How satisfied are you?,Comment\n1,2026-10-01 09:00,a@b.c,4,"
    drop.text("onboarding.csv", text, old=5)
    outcome = sync(connect())["onboarding"]
    assert (outcome.read, outcome.problem) == (0, "")
    assert "waiting" in outcome.notes[0]
    clock.go_on(minutes=2)
    assert "its last line" in sync(connect())["onboarding"].notes[0]
    drop.text("onboarding.csv", f"{text}good\n", old=0)
    clock.go_on(minutes=2)
    assert sync(connect())["onboarding"].read == 1
    assert numbers(store) == {"1"}


def test_a_cut_workbook_is_waited_for_and_then_told_as_broken(
    drop: Any, connect: Any, sync: Any, clock: Any
) -> None:
    path = drop.xlsx("onboarding.xlsx", drop.rows(1), old=120)
    drop.text("onboarding.xlsx", path.read_bytes()[:-40], old=120)
    outcome = sync(connect())["onboarding"]
    assert outcome.problem == ""
    assert "does not open as a workbook" in outcome.notes[0]
    clock.go_on(hours=2)
    assert "onboarding.xlsx is broken" in sync(connect())["onboarding"].problem


@pytest.mark.parametrize(
    "name", ["onboarding.csv.part", "~$onboarding.xlsx", ".onboarding.csv", "onboarding.csv.tmp"]
)
def test_what_programs_are_still_writing_is_not_looked_at(
    drop: Any, connect: Any, sync: Any, name: str
) -> None:
    drop.csv(name, drop.rows(1))
    outcome = sync(connect())["onboarding"]
    assert (outcome.read, outcome.notes, outcome.problem) == (0, [], "")


def test_a_file_is_taken_once_by_its_content(
    drop: Any, connect: Any, sync: Any, store: Store
) -> None:
    drop.csv("onboarding.csv", drop.rows(1, 2))
    assert sync(connect())["onboarding"].read == 2
    assert sync(connect())["onboarding"].read == 0
    drop.csv("onboarding (copy).csv", drop.rows(1, 2))
    assert sync(connect())["onboarding"].read == 0, "the same content under another name"
    drop.csv("onboarding-2.csv", drop.rows(1, 2, 3))
    assert sync(connect())["onboarding"].read == 3
    assert numbers(store) == {"1", "2", "3"}
    assert store._db.execute("select count(*) from feedback_history").fetchone() == (0,)


def test_the_folder_stays_as_it_is(drop: Any, connect: Any, sync: Any) -> None:
    drop.csv("onboarding.csv", drop.rows(1, 2))
    before = {path.name: path.read_bytes() for path in drop.path.iterdir()}
    sync(connect())
    assert {path.name: path.read_bytes() for path in drop.path.iterdir()} == before


def test_rows_without_an_id_are_told_apart_by_content_and_doubles_are_kept(
    drop: Any, connect: Any, sync: Any, store: Store
) -> None:
    header = ["Timestamp", ASKED]
    first, second = ["2026-10-01 09:00", "4"], ["2026-10-01 10:00", "5"]
    form = {"id": None, "email": None, "answered_at": "Timestamp"}
    drop.csv("onboarding-1.csv", [header, first, first])
    sync(connect(**form))
    assert len(numbers(store)) == 2, "two people may answer the same in one minute"
    drop.csv("onboarding-2.csv", [header, first, first, second])
    sync(connect(**form))
    assert len(numbers(store)) == 3


# -- dates and zones -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "more", "moment"),
    [
        ("2026-07-01 12:00:00", {}, datetime(2026, 7, 1, 16, tzinfo=UTC)),
        ("2026-12-01T12:00:00+01:00", {}, datetime(2026, 12, 1, 11, tzinfo=UTC)),
        ("1/2/2026 3:04 PM", {"dates": "month-first"}, datetime(2026, 1, 2, 20, 4, tzinfo=UTC)),
        ("01.02.2026", {"dates": "day-first"}, datetime(2026, 2, 1, 17, tzinfo=UTC)),
        (
            "31/12/2025 08:00",
            {"dates": "mixed-month-first"},
            datetime(2025, 12, 31, 13, tzinfo=UTC),
        ),
        ("46023.5", {"dates": "excel"}, datetime(2026, 1, 1, 17, tzinfo=UTC)),
        ("2026-03-08 02:30:00", {}, datetime(2026, 3, 8, 7, 30, tzinfo=UTC)),
        ("2026-11-01 01:30:00", {}, datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_local_times_are_read_in_the_declared_zone(
    drop: Any, connect: Any, seen: Any, cell: str, more: Any, moment: datetime
) -> None:
    row = drop.row(1)
    row[1] = cell
    drop.csv("onboarding.csv", [drop.header, row])
    (feedback,) = seen.feedback(connect(**more))
    assert feedback.answered_at == moment


def test_local_times_without_a_declared_zone_refuse_the_file(
    drop: Any, connect: Any, sync: Any
) -> None:
    drop.csv("onboarding.csv", drop.rows(1))
    problem = sync(connect(time_zone=None))["onboarding"].problem
    assert "'Completion time'" in problem
    assert "set time_zone" in problem


# -- cells ---------------------------------------------------------------------------------------


def test_a_formula_that_was_never_computed_is_quarantined_by_its_cell(
    drop: Any, connect: Any, sync: Any, store: Store
) -> None:
    rows = drop.rows(1, 2, 3)
    rows[2][3] = "=1+3"
    drop.xlsx("onboarding.xlsx", rows)
    assert sync(connect())["onboarding"].quarantined == 1
    (held,) = store.raw.quarantined()
    assert "D3 holds a formula that was never computed" in held.reason
    assert numbers(store) == {"1", "3"}


def test_merged_cells_and_error_values_are_named_and_the_rest_is_kept(
    drop: Any, connect: Any, sync: Any, store: Store
) -> None:
    def spoil(book: Workbook) -> None:
        sheet = book.active
        assert sheet is not None
        sheet.merge_cells("D3:D4")
        sheet["D5"] = "#N/A"
        sheet["D5"].data_type = "e"

    drop.xlsx("onboarding.xlsx", drop.rows(1, 2, 3, 4, 5), change=spoil)
    assert sync(connect())["onboarding"].quarantined == 2
    reasons = " ".join(each.reason for each in store.raw.quarantined())
    assert "D4 is merged into D3" in reasons
    assert "D5 holds #N/A" in reasons
    assert numbers(store) == {"1", "2", "5"}


def test_ragged_rows_are_quarantined_by_their_line(
    drop: Any, connect: Any, sync: Any, store: Store
) -> None:
    drop.csv("onboarding.csv", [*drop.rows(1), ["2", "too short"], drop.row(3)])
    assert sync(connect())["onboarding"].quarantined == 1
    (held,) = store.raw.quarantined()
    assert "line 3" in held.reason
    assert "2 cells where the header has 5" in held.reason
    assert numbers(store) == {"1", "3"}


@pytest.mark.parametrize(
    ("value", "answer", "told"),
    [
        ("4", (4.0, None), ""),
        ("9", (None, "9"), "outside its scale"),
        ("very", (None, "very"), "no numbers"),
        ("95%", (None, "95%"), "outside its scale"),
    ],
)
def test_what_is_not_on_the_scale_keeps_its_words_and_is_told(
    drop: Any, connect: Any, seen: Any, sync: Any, value: str, answer: Any, told: str
) -> None:
    drop.csv("onboarding.csv", drop.rows(1, value=value))
    assert seen.answers(connect())[ASKED] == [answer]
    notes = sync(connect())["onboarding"].notes
    assert (told in notes[0]) if told else notes == []


def test_labels_are_numbers_and_an_unknown_label_costs_only_itself(
    drop: Any, connect: Any, seen: Any, sync: Any
) -> None:
    asked = {ASKED: {"labels": {"Bad": 1, "So so": 2, "Good": 3}}}
    rows = [*drop.rows(1, value=" GOOD "), drop.row(2, value="Great"), drop.row(3, value="bad")]
    drop.csv("onboarding.csv", rows)
    connector = connect(questions=asked)
    assert seen.answers(connector)[ASKED] == [(3.0, " GOOD "), (None, "Great"), (1.0, "bad")]
    assert len(seen.feedback(connector)) == 3
    assert "not among its labels" in sync(connector)["onboarding"].notes[0]


def test_nobody_s_name_or_address_is_kept(drop: Any, connect: Any, sync: Any, store: Store) -> None:
    import zstandard

    header = [*drop.header, "Name", "IP Address"]
    drop.csv("onboarding.csv", [header, [*drop.row(1), "Ada Secret", "192.0.2.9"]])
    sync(connect())
    blobs = store._db.execute("select content from raw_page").fetchall()
    text = "".join(zstandard.decompress(blob).decode() for (blob,) in blobs)
    for secret in ("Ada Secret", "192.0.2.9", "user1@example.org"):
        assert secret not in text


# -- files that are no exports -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("onboarding.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 600, "old Excel file"),
        ("onboarding.xlsx", b"<html><body>Sign in</body></html>", "is a web page"),
        ("onboarding.xlsx", b"no zip at all" * 50, "is no workbook"),
        ("onboarding.csv", "ID,Completion time,Email,x,Comment\n1,\xe9\n".encode("latin-1"),
         "is not utf-8"),
    ],
)  # fmt: skip
def test_what_is_no_export_is_told_as_what_it_is(
    drop: Any, connect: Any, sync: Any, name: str, content: bytes, told: str
) -> None:
    drop.text(name, content, old=7200)
    assert told in sync(connect())["onboarding"].problem


def test_a_zip_bomb_is_refused_before_it_is_opened(drop: Any, connect: Any, sync: Any) -> None:
    path = drop.xlsx("onboarding.xlsx", drop.rows(1))
    packed = io.BytesIO(path.read_bytes())
    with zipfile.ZipFile(packed, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet2.xml", b"0" * 60_000_000)
    drop.text("onboarding.xlsx", packed.getvalue(), old=7200)
    problem = sync(connect(settings={"max_megabytes": 100}))["onboarding"].problem
    assert "looks like a zip bomb" in problem
    assert "unpacks to 60 MB" in sync(connect(settings={"max_megabytes": 1}))["onboarding"].problem


# -- a law ---------------------------------------------------------------------------------------

CELL = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\u2028\u2029\ufeff"),
    max_size=12,
).filter(lambda text: text == text.strip())


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    comments=st.lists(CELL, min_size=1, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    order=st.randoms(use_true_random=False),
)
def test_the_same_table_gives_the_same_records_however_it_is_written(
    drop: Any,
    connect: Any,
    seen: Any,
    comments: list[str],
    delimiter: str,
    encoding: str,
    quoting: Any,
    order: random.Random,
) -> None:
    for path in Path(drop.path).iterdir():
        path.unlink()
    rows = [drop.row(at, comment=text) for at, text in enumerate(comments)]
    columns = list(range(len(drop.header)))
    order.shuffle(columns)
    shuffled = [[row[at] for at in columns] for row in [drop.header, *rows]]
    drop.csv("onboarding.csv", shuffled, encoding=encoding, delimiter=delimiter, quoting=quoting)
    found = seen.records(connect())
    kept = {each.number for each in found if each.kind == "feedback"}
    assert kept == {str(at) for at in range(len(comments))}
    texts = [each.text for each in found if each.kind == "answer" and each.value is None]
    numbers_ = [each.text for each in found if each.kind == "answer" and each.text and each.value]
    expected = sorted(text for text in comments if text)
    spoken = [*texts, *(text for text in numbers_ if text not in texts)]
    assert sorted({*spoken}) == sorted({*expected})
