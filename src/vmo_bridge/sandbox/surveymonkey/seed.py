"""The yearly survey, a small poll and an empty draft as SurveyMonkey tells them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from vmo_bridge.sandbox.agency.model import Agency
from vmo_bridge.sandbox.agency.voices import DRAFT, POLL, YEARLY
from vmo_bridge.sandbox.agency.works import Voice
from vmo_bridge.sandbox.surveymonkey.store import SurveyStore

_NPS = "How likely are you to recommend this service to a colleague?"
_CES = "How easy is it to get your work done with this service?"
_TEXT = "What should we change or keep?"
_RATED = "How useful was the training room equipment?"
#: Survey → title, day it was made, questions as (heading, lowest, highest); 0, 0 is free text.
_SURVEYS = {
    YEARLY: (
        "Relationship survey 2026", "2026-09-01T08:00:00",
        ((_NPS, 0, 10), (_CES, 1, 7), (_TEXT, 0, 0)),
    ),
    POLL: ("Training rooms", "2026-04-20T08:00:00", ((_RATED, 1, 5), (_TEXT, 0, 0))),
    DRAFT: ("Draft: onboarding of new staff", "2026-10-05T08:00:00", ((_CES, 1, 7),)),
}  # fmt: skip
_ENDS = {
    (0, 10): ("Not at all likely", "Extremely likely"),
    (1, 7): ("Very difficult", "Very easy"),
    (1, 5): ("Not useful", "Very useful"),
}


def fill(store: SurveyStore, agency: Agency) -> None:
    """Make the tables and put everything in."""
    store.create()
    for survey in _SURVEYS:
        store.put(_details(survey))
        voices = [voice for voice in agency.voices if voice.survey == survey]
        store.load(survey, [_response(voice) for voice in voices])


def _details(survey: str) -> dict[str, Any]:
    title, made, questions = _SURVEYS[survey]
    variables = {"department": "Department", "service": "Service", "ticket": "Ticket number"}
    return {
        "id": survey, "title": title, "nickname": "", "language": "en", "category": "",
        "question_count": len(questions), "page_count": 1, "date_created": made,
        "date_modified": made, "custom_variables": variables if survey == YEARLY else {},
        "pages": [
            {
                "id": f"{survey}1", "title": "", "description": "", "position": 1,
                "question_count": len(questions),
                "questions": list(_questions(survey)),
            }
        ],
    }  # fmt: skip


def _questions(survey: str) -> Iterator[dict[str, Any]]:
    for position, (heading, low, high) in enumerate(_SURVEYS[survey][2], start=1):
        number = f"{survey}{position:02d}"
        question: dict[str, Any] = {
            "id": number, "position": position, "visible": True, "required": None,
            "headings": [{"heading": heading}], "family": "open_ended", "subtype": "essay",
        }  # fmt: skip
        if high:
            question |= {"family": "matrix", "subtype": "rating"}
            question["answers"] = {
                "rows": [{"id": f"{number}00", "text": "", "position": 1, "visible": True}],
                "choices": [
                    {"id": _choice(number, value), "text": _label(value, low, high),
                     "weight": value, "position": value - low + 1, "visible": True}
                    for value in range(low, high + 1)
                ],
            }  # fmt: skip
        yield question


def _label(value: int, low: int, high: int) -> str:
    first, last = _ENDS[low, high]
    return f"{value} - {first if value == low else last}" if value in {low, high} else f"{value}"


def _choice(question: str, value: int) -> str:
    return f"{question}{value + 10}"


def _response(voice: Voice) -> dict[str, Any]:
    taken = voice.taken
    known = int(voice.number) % 2 == 0 or voice.story == "repeat"
    variables = {"department": voice.department, "service": voice.service, "ticket": voice.ticket}
    return {
        "id": voice.number,
        "survey_id": voice.survey,
        "collector_id": f"{voice.survey}9",
        "recipient_id": f"{int(voice.number) - 100_000_000}",
        "custom_value": "",
        "custom_variables": {key: value for key, value in variables.items() if value},
        "total_time": 40 + int(voice.number) % 300,
        "date_created": _moment(taken - timedelta(seconds=40 + int(voice.number) % 300)),
        "date_modified": _moment(taken),
        "response_status": "completed" if voice.complete else "partial",
        "collection_mode": "default",
        "ip_address": "192.0.2.1",
        "first_name": "",
        "last_name": "",
        "email_address": f"{voice.person}@meridian.example" if known else "",
        "metadata": {},
        "page_path": [],
        "logic_path": {},
        "quiz_results": {},
        "pages": [{"id": f"{voice.survey}1", "questions": list(_answers(voice))}],
    }


def _answers(voice: Voice) -> Iterator[dict[str, Any]]:
    numbers = [voice.nps, voice.ces]
    for position, (_, low, high) in enumerate(_SURVEYS[voice.survey][2], start=1):
        question = f"{voice.survey}{position:02d}"
        value = numbers[position - 1] if high else None
        if value is not None:
            metadata = {"weight": str(value)}
            yield {
                "id": question,
                "answers": [
                    {"choice_id": _choice(question, value), "row_id": f"{question}00",
                     "choice_metadata": metadata}
                ],
            }  # fmt: skip
        elif not high and voice.text and low == 0:
            yield {"id": question, "answers": [{"text": voice.text, "tag_data": []}]}


def _moment(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S+00:00")
