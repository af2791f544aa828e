"""Answers of every family of questions: comments, grids of ticks, menus, numbers that are typed."""

from __future__ import annotations

from typing import Any

import pytest

from vmo_bridge_surveymonkey.details import questions
from vmo_bridge_surveymonkey.flatten import Flattener
from vmo_bridge_surveymonkey.normalise import Normaliser
from vmo_bridge_surveymonkey.settings import SurveyMonkeySettings

SETTINGS = SurveyMonkeySettings.model_validate({"token": {"env": "X"}})
SCALE = [{"id": f"c{at}", "text": f"{at}", "weight": at} for at in (1, 2, 3)]
COMMENT = {"id": "o", "text": "Why?", "is_answer_choice": False}


def survey(family: str, subtype: str, **answers: Any) -> dict[str, Any]:
    asked = {"id": "7", "family": family, "subtype": subtype, "answers": answers,
             "headings": [{"heading": "How easy?"}]}  # fmt: skip
    return {"id": "1", "title": "Pulse", "pages": [{"questions": [asked]}]}


def answers(details: dict[str, Any], *given: dict[str, Any]) -> list[tuple[Any, ...]]:
    """(question, value, words) of each answer; every ref is there once."""
    response = {
        "id": "99", "survey_id": "1", "response_status": "completed",
        "date_modified": "2026-05-06T07:08:09+00:00",
        "pages": [{"questions": [{"id": "7", "answers": list(given)}]}],
    }  # fmt: skip
    raw = Flattener(details, SETTINGS).flat(response)
    _, *found = Normaliser("voices").records("responses", raw)
    assert len({each.ref for each in found}) == len(found)
    return [(each.question_ref, each.value, each.text) for each in found]


@pytest.mark.parametrize("family", ["single_choice", "matrix"])
def test_a_comment_under_a_rating_stands_beside_it(family: str) -> None:
    details = survey(family, "rating", choices=SCALE, other=COMMENT, rows=[{"id": "r"}])
    given = {"choice_id": "c3", "row_id": "r"}, {"other_id": "o", "text": "at last"}
    assert answers(details, *given) == [
        ("voices/7", 3.0, None),
        ("voices/7", None, "at last"),
    ]


def test_a_comment_under_a_grid_belongs_to_a_question_that_is_there() -> None:
    rows = [{"id": "r1", "text": "Speed"}, {"id": "r2", "text": "Words"}]
    details = survey("matrix", "rating", choices=SCALE, other=[COMMENT], rows=rows)
    given = {"choice_id": "c3", "row_id": "r2"}, {"other_id": "o", "text": "at last"}
    found = answers(details, *given)
    assert found == [("voices/7:r2", 3.0, None), ("voices/7", None, "at last")]
    keys = {f"voices/{each.key}" for each in questions(details)}
    assert {question for question, _, _ in found} <= keys
    plain = survey("matrix", "rating", choices=SCALE, rows=rows)
    assert [each.key for each in questions(plain)] == ["7:r1", "7:r2"]


def test_each_tick_of_a_grid_is_an_answer_and_no_number() -> None:
    rows = [{"id": "r1", "text": "Desk"}, {"id": "r2", "text": "Field"}]
    details = survey("matrix", "multi", choices=SCALE, rows=rows)
    given = [{"choice_id": choice, "row_id": "r1"} for choice in ("c1", "c3")]
    assert answers(details, *given) == [("voices/7:r1", None, "1"), ("voices/7:r1", None, "3")]
    assert {each.low for each in questions(details)} == {None}


def test_what_was_chosen_from_a_menu_keeps_its_words() -> None:
    columns = [{"id": "k", "text": "When", "choices": [{"id": "m", "text": "In the morning"}]}]
    details = survey("matrix", "menu", cols=columns, rows=[{"id": "r", "text": "Desk"}])
    given = {"choice_id": "m", "col_id": "k", "row_id": "r"}
    assert answers(details, given) == [("voices/7", None, "In the morning")]


@pytest.mark.parametrize(
    ("weights", "scale"),
    [
        ((0, 25, 50, 75, 100), (0.0, 100.0)),
        ((-2, 0, 2), (-2.0, 2.0)),
        (("1", "2", "3"), (1.0, 3.0)),
        ((1, 1, 1), (None, None)),
        (("nan", "inf", "x"), (None, None)),
        ((True, False), (None, None)),
    ],
)
def test_weights_that_differ_are_a_scale_whatever_their_steps(weights: Any, scale: Any) -> None:
    given = [{"id": f"c{at}", "text": "word", "weight": each} for at, each in enumerate(weights)]
    (asked,) = questions(survey("single_choice", "vertical", choices=given))
    assert (asked.low, asked.high) == scale


@pytest.mark.parametrize(
    ("typed", "value"),
    [("12", 12.0), ("1.5", 1.5), (" 7 ", 7.0), ("1,5", None), ("inf", None), ("1e999", None),
     ("NaN", None), ("many", None)],
)  # fmt: skip
def test_a_typed_number_is_one_only_if_it_cannot_be_another(typed: str, value: Any) -> None:
    ((_, number, text),) = answers(survey("open_ended", "numerical"), {"text": typed})
    assert (number, text) == (value, typed)
