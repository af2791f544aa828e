"""From a raw record to our records; one that cannot be is refused with its reason."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from vmo_bridge.plugin import Answer, Feedback, Question, RawRecord, Record, RecordError


class Normaliser:
    """Turns the raw records of one source into records."""

    def __init__(self, source: str) -> None:
        self._source = source

    def question(self, form: str, raw: RawRecord) -> Iterable[Record]:
        """The question of a column."""
        fields = _Fields(raw)
        key = fields.need("key")
        low, high = fields.scale("scale", raw.get("scale"))
        yield Question(
            ref=self._ref(form, "question", key),
            id=f"{self._source}:question:{form}/{key}",
            source=self._source,
            updated_at=fields.need_time("updated_at"),
            survey_ref=self._ref(form),
            survey=form,
            text=fields.need("text"),
            scale_min=low,
            scale_max=high,
        )

    def row(self, form: str, raw: RawRecord) -> Iterable[Record]:
        """The feedback of a row, and its answers."""
        fields = _Fields(raw)
        problem = fields.text("problem")
        if problem is not None:
            raise RecordError(problem if "problem" in problem else f"problem: {problem}")
        key = fields.need("key")
        updated_at = fields.need_time("updated_at")
        answers = raw.get("answers")
        if not isinstance(answers, Mapping):
            raise RecordError("answers is no table of answers")
        feedback = self._feedback(form, fields, key, updated_at, bool(answers))
        return [
            feedback,
            *(self._answer(form, feedback, name, answers[name]) for name in answers),
        ]

    def _feedback(
        self, form: str, fields: _Fields, key: str, updated_at: datetime, answers: bool
    ) -> Feedback:
        answered_at, invited_at = fields.time("answered_at"), fields.time("invited_at")
        answered = answered_at is not None or invited_at is None
        person = fields.text("person")
        named = [fields.text(each) for each in ("ticket", "service", "user_group")]
        return Feedback(
            ref=self._ref(form, key),
            id=f"{self._source}:{form}:{key}",
            source=self._source,
            updated_at=updated_at,
            number=key,
            survey_ref=self._ref(form),
            survey=form,
            person_ref=None if person is None else f"{self._source}/person/{person}",
            contact=fields.text("email"),
            ticket_number=named[0],
            service_name=named[1],
            user_group_name=named[2],
            tied_by="column" if any(named) else None,
            state="answered" if answered else "invited",
            original_state="answered" if answered else "partly answered" if answers else "invited",
            invited_at=invited_at,
            answered_at=answered_at,
        )

    def _answer(self, form: str, feedback: Feedback, name: str, raw: Any) -> Answer:
        if not isinstance(raw, Mapping):
            raise RecordError(f"answers: {name!r:.60} is no answer")
        fields = _Fields(raw, prefix="answers: ")
        low, high = fields.scale("scale", raw.get("scale"))
        return Answer(
            ref=f"{feedback.ref}/{name}",
            id=f"{feedback.id}/{name}",
            source=self._source,
            updated_at=feedback.updated_at,
            feedback_ref=feedback.ref,
            question_ref=self._ref(form, "question", name),
            value=fields.number("value", raw.get("value")),
            text=fields.text("text"),
            scale_min=low,
            scale_max=high,
        )

    def _ref(self, *parts: str) -> str:
        return "/".join((self._source, *parts))


class _Fields:
    """Reads the fields of a raw record: absent is not known, nonsense is refused."""

    def __init__(self, raw: Mapping[str, Any], prefix: str = "") -> None:
        self._raw = raw
        self._prefix = prefix

    def text(self, field: str) -> str | None:
        """A text, or None where there is none."""
        value = self._raw.get(field)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self._wrong(field, f"is a {type(value).__name__}, not a text")
        return value

    def need(self, field: str) -> str:
        """A text that has to be there."""
        value = self.text(field)
        if value is None:
            raise self._wrong(field, "is empty")
        return value

    def time(self, field: str) -> datetime | None:
        """A moment, UTC."""
        text = self.text(field)
        try:
            moment = None if text is None else datetime.fromisoformat(text)
        except ValueError:
            raise self._wrong(field, f"is {text!r:.40}, no moment") from None
        if moment is not None and moment.tzinfo is None:
            raise self._wrong(field, f"is {text!r:.40}, a moment without a zone")
        return None if moment is None else moment.astimezone(UTC)

    def need_time(self, field: str) -> datetime:
        """A moment that has to be there."""
        moment = self.time(field)
        if moment is None:
            raise self._wrong(field, "is empty")
        return moment

    def scale(self, field: str, value: Any) -> tuple[float | None, float | None]:
        """(lowest, highest) answer."""
        if value is None:
            return None, None
        if not isinstance(value, (list, tuple)) or len(value) != 2:
            raise self._wrong(field, "is no pair of numbers")
        low, high = (self.number(field, each) for each in value)
        return low, high

    def number(self, field: str, value: Any) -> float | None:
        """A number."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._wrong(field, f"is a {type(value).__name__}, not a number")
        if not math.isfinite(value):
            raise self._wrong(field, "is no number")
        return float(value)

    def _wrong(self, field: str, what: str) -> RecordError:
        return RecordError(f"{self._prefix}{field} {what}")
