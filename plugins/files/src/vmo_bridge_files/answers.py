"""What a cell under a question says: its value on the scale, and its text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from vmo_bridge_files.headers import plain
from vmo_bridge_files.settings import QuestionEntry
from vmo_bridge_files.table import Cell, is_empty, text_of

_NUMBER = re.compile(r"([+-]?\d{1,15}(?:\.\d{1,15})?)\s*%?")
_EXACT = 2.0**53

NO_LABEL = "not among its labels, kept as text without a value"
OUTSIDE = "outside its scale, kept as text without a value"
NO_NUMBER = "that are no numbers, kept as text without a value"


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer as it was understood."""

    value: float | None
    text: str | None
    complaint: str = ""
    """What could not be understood of it."""


class AnswerReader:
    """Reads the answers to one question.

    A number on the scale is a value, a label is a value with its word. What fits neither keeps
    its text, without a value. Without scale and labels a number is both: it may be a comment.
    """

    def __init__(self, entry: QuestionEntry) -> None:
        self._entry = entry
        self.scale = entry.range

    @cached_property
    def _labels(self) -> dict[str, float]:
        return {plain(label): value for label, value in self._entry.labels.items()}

    def read(self, cell: Cell) -> Reading | None:
        """The answer; None where the cell is empty."""
        if is_empty(cell):
            return None
        text = text_of(cell)
        if self._entry.several is not None:
            return self._choices(text, self._entry.several)
        label = self._labels.get(plain(text))
        return self._number(cell, text) if label is None else Reading(label, text)

    def _number(self, cell: Cell, text: str) -> Reading:
        value = number(cell)
        if value is None and (self.scale or self._labels):
            return Reading(None, text, NO_LABEL if self._labels else NO_NUMBER)
        if self.scale is None:
            return Reading(value, text)
        if value is None or not self.scale[0] <= value <= self.scale[1]:
            return Reading(None, text, OUTSIDE)
        return Reading(value, None)

    def _choices(self, text: str, between: str) -> Reading:
        chosen = [part.strip() for part in text.split(between) if part.strip()]
        known = not self._labels or all(plain(each) in self._labels for each in chosen)
        return Reading(None, "; ".join(chosen) or text, "" if known else NO_LABEL)


def number(cell: Cell) -> float | None:
    """A number, also one that is stored as text; ``95%`` is 95."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, (int, float)):
        return float(cell) if abs(cell) < _EXACT else None
    if isinstance(cell, str) and (found := _NUMBER.fullmatch(cell.strip())):
        return float(found[1])
    return None
