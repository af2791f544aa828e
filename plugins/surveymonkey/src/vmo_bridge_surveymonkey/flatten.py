"""A response as it is kept: who and what it is about on top, answers decoded, the rest dropped.

Answers carry ids only, so what the survey's details say of them is joined here, while it is known;
a response is then read without asking again. Names, addresses and variables that nobody asked for
are never kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from vmo_bridge_surveymonkey.details import finite, questions
from vmo_bridge_surveymonkey.settings import SurveyMonkeySettings

PERSON_FIELDS = ("email", "recipient", "person")
_KEPT = (
    "id",
    "survey_id",
    "collector_id",
    "response_status",
    "collection_mode",
    "total_time",
    "date_created",
    "date_modified",
)


class Flattener:
    """Flattens the responses of one survey."""

    def __init__(self, details: Mapping[str, Any], settings: SurveyMonkeySettings) -> None:
        self._title = str(details.get("title") or "")
        self._variables = {
            name: variable for name, variable in settings.variables.model_dump().items() if variable
        }
        asked = list(questions(details))
        self._asked = {each.key: each for each in asked}
        hidden = settings.questions.model_dump()
        self._hidden = {
            each.key: name for name, text in hidden.items() for each in asked if each.text == text
        }

    def flat(self, response: Mapping[str, Any]) -> dict[str, Any]:
        """The raw record of a response."""
        record = {name: response[name] for name in _KEPT if name in response}
        record["survey"] = self._title
        record["email"] = _text(response.get("email_address"))
        recipient = _text(response.get("recipient_id"))
        record["recipient"] = "" if recipient == "0" else recipient
        variables = response.get("custom_variables")
        variables = variables if isinstance(variables, dict) else {}
        record |= {
            name: text
            for name, variable in self._variables.items()
            if (text := _text(variables.get(variable)))
        }
        tied = "custom variable" if record.keys() & {"ticket", "service", "user_group"} else ""
        record["answers"] = answers = []
        for answer in self._answers(response):
            name = self._hidden.get(answer["question"])
            if name is None:
                answers.append(answer)
            elif name not in record and answer.get("text"):
                record[name] = answer["text"]
                tied = tied or "hidden field"
        record["tied_by"] = tied
        return record

    def _answers(self, response: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for page in _dicts(response.get("pages")):
            for question in _dicts(page.get("questions")):
                number = _text(question.get("id"))
                for answer in _dicts(question.get("answers")):
                    yield self._decoded(number, answer)

    def _decoded(self, number: str, answer: Mapping[str, Any]) -> dict[str, Any]:
        """One answer: which question, which number on which scale, which words."""
        row = _text(answer.get("row_id"))
        asked = self._asked.get(f"{number}:{row}") or self._asked.get(number)
        other = _text(answer.get("other_id"))
        choice = _text(answer.get("choice_id")) or other
        found: dict[str, Any] = {"question": asked.key if asked else number}
        column = _text(answer.get("col_id"))
        apart = asked is None or asked.several or bool(column or other)
        found["key"] = _key(found["question"], column, choice, apart=apart)
        text = _text(answer.get("text"))
        if asked is None:
            return found | ({"text": text} if text else {})
        value = asked.worth.get(choice)
        if value is not None:
            return found | {"value": value, "low": asked.low, "high": asked.high}
        if not choice and asked.datatype.endswith("/numerical"):
            value = finite(text)
        words = text or asked.labels.get(choice, "")
        return found | ({"value": value} if value is not None else {}) | {"text": words}


def _key(question: str, column: str, choice: str, *, apart: bool) -> str:
    """What tells an answer from all others of the response.

    A rating has one answer, whatever it is; ticks, menus and comments stand beside others.
    """
    return ":".join(filter(None, (question, column, choice))) if apart else question


def _text(value: Any) -> str:
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else ""


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
