"""From raw records to ours: a survey's questions, and a response with its answers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from vmo_bridge.plugin import Answer, Feedback, Question, RawRecord, Record, RecordError
from vmo_bridge_surveymonkey.details import questions
from vmo_bridge_surveymonkey.moments import moment

_STATES = {
    "completed": "answered",
    "partial": "answered",
    "overquota": "canceled",
    "disqualified": "canceled",
}


class Normaliser:
    """Turns the raw records of one account into records."""

    def __init__(self, source: str) -> None:
        self._source = source

    def records(self, stream: str, raw: RawRecord) -> Iterable[Record]:
        """The records of one raw one; ``RecordError`` names the field and what is wrong with it."""
        return list(self._questions(raw) if stream == "questions" else self._response(raw))

    def _questions(self, raw: RawRecord) -> Iterator[Record]:
        survey = _need(raw, "id")
        updated_at = _moment(raw, "date_modified")
        title = _text(raw, "title")
        if not isinstance(raw.get("pages"), list):
            raise RecordError("pages is no list: the survey came without its questions")
        for each in questions(raw):
            yield Question(
                **self._base("question", each.key, updated_at),
                survey_ref=f"{self._source}/{survey}",
                survey=title,
                text=each.text,
                datatype=each.datatype or None,
                scale_min=each.low,
                scale_max=each.high,
            )

    def _response(self, raw: RawRecord) -> Iterator[Record]:
        number = _need(raw, "id")
        updated_at = _moment(raw, "date_modified")
        theirs = _need(raw, "response_status")
        answers = list(self._answers(raw, number, updated_at))
        state = _STATES.get(theirs, "invited")
        if theirs == "partial" and not answers:
            state = "invited"
        people = [_text(raw, name) for name in ("email", "person", "recipient")]
        who = next((each for each in people if each), None)
        yield Feedback(
            **self._base("response", number, updated_at),
            number=number,
            survey_ref=f"{self._source}/{_need(raw, 'survey_id')}",
            survey=_text(raw, "survey"),
            person_ref=f"{self._source}/{who}" if who else None,
            contact=people[0] or people[1],
            ticket_number=_text(raw, "ticket"),
            service_name=_text(raw, "service"),
            user_group_name=_text(raw, "user_group"),
            tied_by=_text(raw, "tied_by"),
            state=state,
            original_state=theirs,
            answered_at=updated_at if state == "answered" else None,
        )
        if state == "answered":
            yield from answers

    def _answers(self, raw: RawRecord, number: str, updated_at: datetime) -> Iterator[Record]:
        answers = raw.get("answers")
        if not isinstance(answers, list):
            raise RecordError("answers is no list")
        seen: set[str] = set()
        for answer in answers:
            if not isinstance(answer, Mapping):
                raise RecordError("answers holds something that is no answer")
            key = _need(answer, "key", "answers: key")
            if key in seen:
                raise RecordError(f"answers: {key!r:.60} is there twice")
            seen.add(key)
            yield Answer(
                **self._base("answer", f"{number}:{key}", updated_at),
                feedback_ref=f"{self._source}/{number}",
                question_ref=f"{self._source}/{_need(answer, 'question', 'answers: question')}",
                value=_number(answer, "value"),
                text=_text(answer, "text", "answers: text"),
                scale_min=_number(answer, "low"),
                scale_max=_number(answer, "high"),
            )

    def _base(self, kind: str, key: str, updated_at: datetime) -> dict[str, Any]:
        return {
            "ref": f"{self._source}/{key}",
            "id": f"{self._source}:{kind}:{key}",
            "source": self._source,
            "updated_at": updated_at,
        }


def _text(raw: Mapping[str, Any], field: str, name: str = "") -> str | None:
    value = raw.get(field)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise RecordError(f"{name or field} is a {type(value).__name__}, not a text")
    return value


def _need(raw: Mapping[str, Any], field: str, name: str = "") -> str:
    value = _text(raw, field, name)
    if value is None:
        raise RecordError(f"{name or field} is empty or not there")
    return value


def _moment(raw: Mapping[str, Any], field: str) -> datetime:
    text = _need(raw, field)
    try:
        return moment(text)
    except (ValueError, OverflowError):
        raise RecordError(f"{field} is {text!r:.40}, not a date-time") from None


def _number(raw: Mapping[str, Any], field: str) -> float | None:
    value = raw.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise RecordError(f"answers: {field} is {value!r:.40}, not a number")
    return float(value)
