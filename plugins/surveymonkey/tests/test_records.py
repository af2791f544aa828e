"""What questions and responses become, and what of a person is left of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import zstandard

from vmo_bridge.plugin import RecordError
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.store import Store
from vmo_bridge.sync import Care, sync_source
from vmo_bridge.sync.people import People
from vmo_bridge.watch import Watch
from vmo_bridge_surveymonkey.details import questions
from vmo_bridge_surveymonkey.flatten import Flattener
from vmo_bridge_surveymonkey.normalise import Normaliser
from vmo_bridge_surveymonkey.settings import SurveyMonkeySettings


def settings(**more: Any) -> SurveyMonkeySettings:
    return SurveyMonkeySettings.model_validate({"token": {"env": "X"}} | more)


def question(number: str = "7", heading: str = "How easy?", **more: Any) -> dict[str, Any]:
    return {"id": number, "headings": [{"heading": heading}], "family": "matrix",
            "subtype": "rating"} | more  # fmt: skip


def choices(*given: tuple[str, Any]) -> list[dict[str, Any]]:
    return [{"id": f"c{at}", "text": text, "weight": weight}
            for at, (text, weight) in enumerate(given)]  # fmt: skip


def details(*asked: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": "1", "title": "Pulse", "date_modified": "2026-01-02T03:04:05",
        "pages": [{"id": "p", "questions": list(asked)}],
    }  # fmt: skip


RATING = question(answers={"rows": [{"id": "r", "text": ""}], "choices": choices(
    ("1 - hard", 1), ("2", 2), ("3 - easy", 3))})  # fmt: skip


def response(*answers: dict[str, Any], question_id: str = "7", **more: Any) -> dict[str, Any]:
    return {
        "id": "99", "survey_id": "1", "response_status": "completed", "date_modified":
        "2026-05-06T07:08:09+00:00", "email_address": "Ada@Example.invalid", "recipient_id": "55",
        "first_name": "Ada", "last_name": "Secret", "ip_address": "192.0.2.7",
        "custom_value": "private", "metadata": {"contact": {"first_name": "Ada"}},
        "custom_variables": {"svc": "Payroll", "other": "not asked for"},
        "pages": [{"id": "p", "questions": [{"id": question_id, "answers": list(answers)}]}],
    } | more  # fmt: skip


def records(survey: dict[str, Any], given: dict[str, Any], **more: Any) -> list[Any]:
    raw = Flattener(survey, settings(**more)).flat(given)
    return list(Normaliser("voices").records("responses", raw))


# -- questions -----------------------------------------------------------------------------------


def test_a_question_has_its_survey_its_words_and_its_scale() -> None:
    heading = "How <b>easy</b> was&nbsp;it?"
    survey = details(RATING | {"headings": [{"heading": heading}]})
    (record,) = Normaliser("voices").records("questions", survey)
    assert (record.text, record.survey, record.survey_ref) == (
        "How easy was it?",
        "Pulse",
        "voices/1",
    )
    assert (record.scale_min, record.scale_max, record.datatype) == (1.0, 3.0, "matrix/rating")


def test_each_row_of_a_matrix_is_a_question() -> None:
    rows = [{"id": "r1", "text": "Speed"}, {"id": "r2", "text": "Words"}]
    answers = {"rows": rows, "choices": choices(("bad", 1), ("good", 2))}
    texts = [each.text for each in questions(details(question(answers=answers)))]
    assert texts == ["How easy? – Speed", "How easy? – Words"]  # noqa: RUF001 - a dash
    given = response({"row_id": "r2", "choice_id": "c1"}, {"row_id": "r1", "choice_id": "c0"})
    _, *found = records(details(question(answers=answers)), given)
    assert [(each.question_ref, each.value) for each in found] == [
        ("voices/7:r2", 2.0), ("voices/7:r1", 1.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "scale"),
    [
        (choices(("0", 0), ("1", 1), ("2", 2)), (0.0, 2.0)),
        (choices(("0 - not at all", None), ("1", None), ("2 - very", None)), (0.0, 2.0)),
        (choices(("1-5 years", None), ("6-10 years", None)), (None, None)),
        (choices(("red", None), ("blue", None)), (None, None)),
        (choices(("a", 1), ("b", 1)), (None, None)),
        ([*choices(("1", 1), ("2", 2)), {"id": "na", "text": "N/A", "is_na": True}], (1.0, 2.0)),
    ],
)
def test_a_scale_goes_on_step_by_step_or_is_not_known(given: Any, scale: Any) -> None:
    (asked,) = questions(details(question(answers={"choices": given})))
    assert (asked.low, asked.high) == scale


def test_text_between_questions_is_none() -> None:
    assert list(questions(details(question(family="presentation")))) == []


# -- responses -----------------------------------------------------------------------------------


def test_an_answer_keeps_its_number_and_the_scale_it_was_asked_on() -> None:
    feedback, answer = records(details(RATING), response({"choice_id": "c2", "row_id": "r"}))
    assert (answer.value, answer.scale_min, answer.scale_max) == (3.0, 1.0, 3.0)
    assert (answer.question_ref, answer.feedback_ref) == ("voices/7", feedback.ref)
    assert (feedback.state, feedback.survey, feedback.invited_at) == ("answered", "Pulse", None)


def test_a_choice_without_a_number_keeps_its_words() -> None:
    survey = details(question(family="single_choice", answers={"choices": choices(("red", None))}))
    _, answer = records(survey, response({"choice_id": "c0"}))
    assert (answer.value, answer.text) == (None, "red")


def test_each_tick_of_several_is_an_answer() -> None:
    survey = details(
        question(family="multiple_choice", answers={"choices": choices(("ease", 1), ("trust", 2))})
    )
    _, *found = records(survey, response({"choice_id": "c0"}, {"choice_id": "c1"}))
    assert [each.text for each in found] == ["ease", "trust"]
    assert len({each.ref for each in found}) == 2


def test_an_answer_to_a_deleted_question_or_choice_is_kept_as_far_as_it_goes() -> None:
    _, gone = records(details(), response({"text": "still said"}))
    assert (gone.text, gone.value, gone.scale_max) == ("still said", None, None)
    _, gone = records(details(RATING), response({"choice_id": "gone"}))
    assert (gone.text, gone.value) == (None, None)


@pytest.mark.parametrize(
    ("status", "answers", "state"),
    [
        ("completed", 1, "answered"), ("partial", 1, "answered"), ("partial", 0, "invited"),
        ("overquota", 1, "canceled"), ("disqualified", 0, "canceled"), ("new word", 0, "invited"),
    ],
)  # fmt: skip
def test_a_response_s_state(status: str, answers: int, state: str) -> None:
    given = response(*[{"choice_id": "c0"}] * answers, response_status=status)
    feedback, *found = records(details(RATING), given)
    assert (feedback.state, feedback.original_state) == (state, status)
    assert len(found) == (answers if state == "answered" else 0)
    assert (feedback.answered_at is None) == (state != "answered")


def test_custom_variables_and_hidden_questions_say_what_it_is_about() -> None:
    variables = {"service": "svc"}
    feedback, *_ = records(details(RATING), response(), variables=variables)
    assert (feedback.service_name, feedback.tied_by) == ("Payroll", "custom variable")
    asked = question(heading="Which group?", family="open_ended", subtype="single")
    hidden = {"user_group": "Which group?"}
    feedback, *answers = records(details(asked), response({"text": "Field"}), questions=hidden)
    assert (feedback.user_group_name, feedback.tied_by) == ("Field", "hidden field")
    assert answers == [], "it is no answer of its own"
    feedback, *_ = records(details(), response())
    assert (feedback.service_name, feedback.tied_by) == (None, None)


def test_only_what_is_asked_for_of_a_person_is_kept() -> None:
    raw = Flattener(details(RATING), settings(variables={"service": "svc"})).flat(response())
    for secret in ("Ada", "Secret", "192.0.2.7", "private", "not asked for"):
        assert secret not in str({k: v for k, v in raw.items() if k != "email"})


@pytest.mark.parametrize(
    "odd", [None, [], "x", 5, {"pages": "x"}, {"questions": [3]}, {"answers": [None]}]
)
def test_odd_payloads_are_read_as_far_as_they_make_sense(odd: Any) -> None:
    for field in ("pages", "custom_variables"):
        raw = Flattener(details(RATING), settings()).flat(response() | {field: odd})
        assert raw["id"] == "99"
    assert list(questions({"pages": odd})) == []


def test_an_answer_that_comes_twice_is_refused_by_name() -> None:
    with pytest.raises(RecordError, match="answers: '7' is there twice"):
        records(details(RATING), response({"choice_id": "c0"}, {"choice_id": "c1"}))


# -- in the store --------------------------------------------------------------------------------


def test_nobody_s_address_name_or_place_is_in_the_store(
    server: SandboxServer, connect: Any, tmp_path: Path
) -> None:
    with Store(tmp_path / "store.db", owner="test") as store:
        people = People(b"key", names=False)
        outcomes = sync_source(
            connect(), store, people, 1, care=Care(overlap=_none()), watch=Watch()
        )
        assert [each.problem for each in outcomes if each.problem] == []
        blobs = store._db.execute("select content from raw_page").fetchall()
        text = "".join(zstandard.decompress(blob).decode() for (blob,) in blobs)
        counts = store.versions.counts()
    assert "192.0.2.1" not in text
    assert "@meridian.example" not in text
    assert (counts["feedback"], counts["question"]) == (53, 6)


def _none() -> Any:
    from datetime import timedelta

    return timedelta()
