"""A survey as it is asked: its questions, their scales, and what a choice is worth."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

_TAG = re.compile(r"<[^>]*>")
_LEADING_NUMBER = re.compile(r"\s*(-?\d{1,3})(?![\d.,])")
SEVERAL = "multiple_choice"
"""The family of questions to which several choices may be ticked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One question, or one row of a matrix with several."""

    key: str
    """``<question>`` or ``<question>:<row>``."""
    text: str
    datatype: str
    low: float | None
    high: float | None
    worth: Mapping[str, float] = field(default_factory=dict)
    """Choice to its number on the scale; empty where the choices have no order."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Choice to its words."""
    several: bool = False


def questions(details: Mapping[str, Any]) -> Iterator[Asked]:
    """The questions of a survey as ``/details`` tells them, in their order."""
    for page in _dicts(details.get("pages")):
        for question in _dicts(page.get("questions")):
            yield from _rows_of(question)


def _rows_of(question: Mapping[str, Any]) -> Iterator[Asked]:
    number = str(question.get("id") or "")
    if not number or question.get("family") == "presentation":
        return
    answers = question.get("answers")
    answers = answers if isinstance(answers, dict) else {}
    heading = plain(
        " ".join(str(each.get("heading") or "") for each in _dicts(question.get("headings")))
    )
    family = str(question.get("family") or "")
    choices = [*_dicts(answers.get("choices")), *_dicts(answers.get("other"))]
    worth = _worth(choices) if family != SEVERAL else {}
    rows = list(_dicts(answers.get("rows")))
    common: dict[str, Any] = {
        "datatype": "/".join(filter(None, (family, str(question.get("subtype") or "")))),
        "low": min(worth.values(), default=None),
        "high": max(worth.values(), default=None),
        "worth": worth,
        "labels": {str(each.get("id")): plain(str(each.get("text") or "")) for each in choices},
        "several": family == SEVERAL,
    }
    if len(rows) < 2:
        yield Asked(key=number, text=heading or number, **common)
        return
    for row in rows:
        words = plain(str(row.get("text") or ""))
        text = " – ".join(filter(None, (heading, words))) or number  # noqa: RUF001 - a dash
        yield Asked(key=f"{number}:{row.get('id')}", text=text, **common)


def _worth(choices: list[Mapping[str, Any]]) -> dict[str, float]:
    """Each choice's number: its weight, else the number its label begins with; else no scale.

    ``N/A`` has no number and is no answer on the scale.
    """
    for read in (_weight, _label_number):
        found = {str(each.get("id")): read(each) for each in choices if not each.get("is_na")}
        numbers = {key: number for key, number in found.items() if number is not None}
        steps = sorted(numbers.values())
        # "1-5 years, 6-10 years" are labels: a scale goes on step by step.
        if len(steps) >= 2 and all(b - a == 1 for a, b in pairwise(steps)):
            return numbers
    return {}


def _weight(choice: Mapping[str, Any]) -> float | None:
    weight = choice.get("weight")
    if isinstance(weight, bool) or not isinstance(weight, (int, float)):
        return None
    return float(weight)


def _label_number(choice: Mapping[str, Any]) -> float | None:
    match = _LEADING_NUMBER.match(str(choice.get("text") or ""))
    return float(match[1]) if match else None


def plain(text: str) -> str:
    """Words without mark-up."""
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
