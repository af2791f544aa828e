"""Scales, labels and choices: what is understood is a value, what is not is kept and told."""

from __future__ import annotations

from typing import Any

import pytest

from vmo_bridge_files.answers import AnswerReader, Reading, number
from vmo_bridge_files.settings import QuestionEntry

CSV = "onboarding.csv"
ASKED = "How satisfied are you?"
WORDS = {"Very satisfied": 5, "Satisfied": 4, "Neutral": 3, "Unhappy": 2, "Very unhappy": 1}


def read(cell: Any, **entry: Any) -> Reading | None:
    return AnswerReader(QuestionEntry.model_validate(entry)).read(cell)


@pytest.mark.parametrize(
    ("cell", "value", "text"),
    [
        ("Very satisfied", 5.0, "Very satisfied"), (" very  SATISFIED ", 5.0, " very  SATISFIED "),
        ("Neutral *", 3.0, "Neutral *"), ("4", 4.0, None), (4, 4.0, None), ("2.0", 2.0, None),
    ],
)  # fmt: skip
def test_labels_and_numbers_on_the_scale_are_values(
    cell: Any, value: float, text: str | None
) -> None:
    assert read(cell, labels=WORDS) == Reading(value, text)


@pytest.mark.parametrize(
    ("cell", "entry", "complaint"),
    [
        ("Delighted", {"labels": WORDS}, "not among its labels"),
        ("9", {"labels": WORDS}, "outside its scale"),
        (11, {"scale": [0, 10]}, "outside its scale"),
        ("-1", {"scale": [0, 10]}, "outside its scale"),
        ("many", {"scale": [0, 10]}, "no numbers"),
        ("1,5", {"scale": [0, 10]}, "no numbers"),
        ("1e3", {"scale": [0, 10_000]}, "no numbers"),
        (True, {"scale": [0, 10]}, "no numbers"),
        ("no", {"labels": {"yes": 1}}, "not among its labels"),
    ],
)
def test_what_fits_neither_keeps_its_text_and_is_told(
    cell: Any, entry: dict[str, Any], complaint: str
) -> None:
    reading = read(cell, **entry)
    assert reading is not None
    assert (reading.value, bool(reading.text)) == (None, True)
    assert complaint in reading.complaint


@pytest.mark.parametrize(
    ("cell", "reading"),
    [
        ("7", Reading(7.0, "7")), (7, Reading(7.0, "7")), ("95 %", Reading(95.0, "95 %")),
        ("007", Reading(7.0, "007")), ("fine", Reading(None, "fine")), ("", None), (" ", None),
        (None, None), (2.5, Reading(2.5, "2.5")), ("9" * 400, Reading(None, "9" * 400)),
    ],
)  # fmt: skip
def test_without_a_scale_a_number_is_value_and_text(cell: Any, reading: Reading | None) -> None:
    assert read(cell) == reading


def test_several_choices_are_one_answer_with_all_of_them() -> None:
    words = {"Phone": 1, "Email": 2}
    assert read("Phone;Email;", several=";") == Reading(None, "Phone; Email")
    assert read("Phone, Email", several=", ", labels=words) == Reading(None, "Phone; Email")
    assert "labels" in read("Phone;Fax", several=";", labels=words).complaint
    assert read(";", several=";") == Reading(None, ";")


def test_a_scale_is_declared_or_spanned_by_the_labels() -> None:
    assert AnswerReader(QuestionEntry(labels=WORDS)).scale == (1, 5)
    assert AnswerReader(QuestionEntry(labels=WORDS, scale=(0, 10))).scale == (0, 10)
    assert AnswerReader(QuestionEntry(labels={"yes": 1})).scale is None
    assert AnswerReader(QuestionEntry()).scale is None


def test_numbers_that_no_float_holds_are_none() -> None:
    assert number(10**400) is None
    assert number(float("inf")) is None
    assert number(float("nan")) is None


def test_an_unknown_label_costs_its_value_only_and_is_told_once_a_column(
    connect, drop, sync, store
) -> None:
    words = ["Very satisfied", "Delighted", "Delighted", "Over the moon"]
    drop.csv(CSV, [drop.header, *(drop.row(at, value=each) for at, each in enumerate(words, 1))])
    outcome = sync(connect(questions={ASKED: {"labels": WORDS}}))["onboarding"]
    assert outcome.quarantined == 0
    (note,) = outcome.notes
    assert note.endswith("not among its labels, kept as text without a value: 3 (first: line 3)")
    assert note.startswith(f"{CSV}: answers to {ASKED!r}")
    kept = sorted(str((each["value"], each["text"])) for each in store.versions.all("answer"))
    assert kept.count("(None, 'fine')") == 4
    assert "(None, 'Over the moon')" in kept
    assert "(5.0, 'Very satisfied')" in kept


def test_the_scale_stands_on_the_question_and_on_each_answer(connect, drop, seen) -> None:
    drop.csv(CSV, drop.rows(1))
    connector = connect(questions={ASKED: {"scale": [1, 5]}})
    (asked,) = (r for r in seen.records(connector, "onboarding.questions") if r.text == ASKED)
    (given,) = (r for r in seen.records(connector) if getattr(r, "value", None) == 4)
    assert (asked.scale_min, asked.scale_max) == (given.scale_min, given.scale_max) == (1, 5)
    assert given.question_ref == asked.ref
    assert asked.survey == "onboarding"


def test_what_a_row_is_about_comes_from_its_columns(connect, drop, seen) -> None:
    header = ["ID", "Completion time", "Ticket", "Service", "Bureau", ASKED]
    row = [1, "2026-10-01 09:00:00", "INC001", "VPN", "Parks", 5]
    drop.csv(CSV, [header, row, [2, *row[1:2], "", "", "", 3]])
    about, not_about = seen.feedback(
        connect(email=None, ticket="ticket", service="SERVICE", user_group="bureau")
    )
    assert (about.ticket_number, about.service_name, about.user_group_name, about.tied_by) == (
        "INC001", "VPN", "Parks", "column",
    )  # fmt: skip
    assert (not_about.ticket_number, not_about.tied_by) == (None, None)


def test_invitations_are_kept_until_they_are_answered(connect, drop, sync, store) -> None:
    header = ["ID", "Sent", "Answered", "Rating"]
    mapped = {
        "email": None, "invited_at": "Sent", "answered_at": "Answered",
        "questions": {"Rating": {"scale": [1, 5]}},
    }  # fmt: skip
    drop.csv("onboarding-1.csv", [header, [1, "2026-10-01", "", ""], [2, "2026-10-01", "", 3]])
    sync(connect(**mapped))
    states = {f["number"]: f["original_state"] for f in store.versions.all("feedback")}
    assert states == {"1": "invited", "2": "partly answered"}
    drop.csv("onboarding-2.csv", [header, [1, "2026-10-01", "2026-10-05 09:00:00", 5]], old=60)
    sync(connect(**mapped))
    (one,) = (each for each in store.versions.all("feedback") if each["number"] == "1")
    assert one["state"] == "answered"
    assert one["invited_at"] < one["answered_at"]


def test_a_form_without_any_time_is_as_old_as_its_file(connect, drop, seen, clock) -> None:
    drop.csv(CSV, [["ID", "Rating"], [1, 5]], old=7200)
    (feedback,) = seen.feedback(
        connect(email=None, answered_at=None, time_zone=None, questions={"Rating": {}})
    )
    assert (feedback.state, feedback.answered_at) == ("answered", None)
    assert feedback.updated_at.timestamp() == clock() - 7200


def test_an_edit_of_an_answer_is_newer_than_the_answer(connect, drop, seen) -> None:
    rows = drop.rows(1)
    drop.csv(CSV, [[*rows[0], "Last modified time"], [*rows[1], "2026-10-09 10:00:00"]])
    (feedback,) = seen.feedback(connect(changed_at="Last modified time"))
    assert feedback.updated_at.day == 9
    assert feedback.answered_at.day == 1


def test_the_count_is_of_different_rows_whatever_the_exports_share(
    connect, drop, sync, store
) -> None:
    drop.csv("onboarding-1.csv", drop.rows(1, 2), old=9000)
    sync(connect())
    marks = {mark.name: mark.expected for mark in store.marks.streams()}
    assert marks == {"onboarding.questions": 2, "onboarding": 2}
    drop.csv("onboarding-2.csv", [*drop.rows(1, 2, 3), ["Total"] + [""] * 4], old=8000)
    outcome = sync(connect())["onboarding"]
    assert outcome.quarantined == 1
    marks = {mark.name: mark.expected for mark in store.marks.streams()}
    assert marks == {"onboarding.questions": 2, "onboarding": 4}
    drop.csv("onboarding-3.csv", drop.rows(9), old=1)
    sync(connect())
    assert {mark.expected for mark in store.marks.streams()} == {None}


def test_a_link_leads_to_the_folder_and_names_the_record(connect, drop) -> None:
    link = connect().link("onboarding", "7 of 9")
    assert link == f"{drop.path.as_uri()}#onboarding/7%20of%209"
