"""A survey as it is asked: its questions, their scales, and what a choice is worth."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

_TAG = re.compile(r"<[^>]*>")
_LABEL_NUMBER = re.compile(r"\s*(-?\d{1,3})(?![\d.,]).*|.*\s(-?\d{1,3})\s*", re.DOTALL)
"""``0 - not at all``, or ``Not at all - 0``."""


_NO_SCALE: dict[str, Any] = {"low": None, "high": None, "worth": {}}


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
    subtype = str(question.get("subtype") or "")
    several = family == "multiple_choice" or (family, subtype) == ("matrix", "multi")
    choices = list(_dicts(answers.get("choices")))
    other = answers.get("other")
    others = _dicts([other] if isinstance(other, dict) else other)
    menus = [
        each for column in _dicts(answers.get("cols")) for each in _dicts(column.get("choices"))
    ]
    worth = {} if several else _worth(choices)
    rows = list(_dicts(answers.get("rows")))
    common: dict[str, Any] = {
        "datatype": "/".join(filter(None, (family, subtype))),
        "low": min(worth.values(), default=None),
        "high": max(worth.values(), default=None),
        "worth": worth,
        "labels": {
            str(each.get("id")): plain(str(each.get("text") or ""))
            for each in (*choices, *others, *menus)
        },
        "several": several,
    }
    if len(rows) < 2:
        yield Asked(key=number, text=heading or number, **common)
        return
    for row in rows:
        words = plain(str(row.get("text") or ""))
        text = " – ".join(filter(None, (heading, words))) or number  # noqa: RUF001 - a dash
        yield Asked(key=f"{number}:{row.get('id')}", text=text, **common)
    if others:  # a comment on all rows
        yield Asked(key=number, text=heading or number, **common | _NO_SCALE)


def _worth(choices: list[Mapping[str, Any]]) -> dict[str, float]:
    """Each choice's number: its weight, else the number in its label; else no scale.

    ``N/A`` has no number and is no answer on the scale.
    """
    for read in (_weight, _label_number):
        found = {str(each.get("id")): read(each) for each in choices if not each.get("is_na")}
        numbers = {key: number for key, number in found.items() if number is not None}
        steps = sorted(numbers.values())
        # Recommendations may weigh -100, 0 and 100 several times: then the labels are the scale.
        weighed = read is _weight and all(a < b for a, b in pairwise(steps))
        # "1-5 years, 6-10 years" are labels: a scale of theirs goes on step by step.
        if len(steps) >= 2 and (weighed or all(b - a == 1 for a, b in pairwise(steps))):
            return numbers
    return {}


def _weight(choice: Mapping[str, Any]) -> float | None:
    weight = choice.get("weight")
    if isinstance(weight, bool) or not isinstance(weight, (int, float, str)):
        return None
    return finite(weight)


def _label_number(choice: Mapping[str, Any]) -> float | None:
    match = _LABEL_NUMBER.fullmatch(str(choice.get("text") or ""))
    return float(match[1] or match[2]) if match else None


def finite(given: float | str) -> float | None:
    """A number; None for what is none, or could be read as another (``1,5``)."""
    try:
        number = float(given)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def plain(text: str) -> str:
    """Words without mark-up."""
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
