"""Reads the fields of a raw record: what is absent is not known, nonsense is refused by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from vmo_bridge.plugin import RecordError
from vmo_bridge_jira import moments


class Raw:
    """One object of a raw record; ``where`` is what errors call its fields."""

    def __init__(self, content: Mapping[str, Any], where: str = "") -> None:
        self._content = content
        self._where = where

    def text(self, field: str) -> str | None:
        """A text, or None where it is empty or absent."""
        value = self._content.get(field)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise RecordError(f"{self._where}{field} is a {type(value).__name__}, not a text")
        return value

    def need(self, field: str) -> str:
        """A text that has to be there."""
        value = self.text(field)
        if value is None:
            raise RecordError(f"{self._where}{field} is empty or not readable")
        return value

    def time(self, field: str) -> datetime | None:
        """A moment, UTC."""
        text = self.text(field)
        try:
            return None if text is None else moments.moment(text)
        except ValueError:
            raise RecordError(
                f"{self._where}{field} is {text!r:.40}, not a moment (ISO 8601, with its offset)"
            ) from None

    def need_time(self, field: str) -> datetime:
        """A moment that has to be there."""
        found = self.time(field)
        if found is None:
            raise RecordError(f"{self._where}{field} is empty")
        return found

    def number(self, field: str) -> float | None:
        """A finite number."""
        value = self._content.get(field)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise RecordError(f"{self._where}{field} is {value!r:.40}, not a number")
        number = float(value) if abs(value) < 1e300 else math.inf
        if not math.isfinite(number):
            raise RecordError(f"{self._where}{field} is {value!r:.40}, not a number")
        return number

    def flag(self, field: str) -> bool | None:
        """True or false."""
        value = self._content.get(field)
        if value is not None and not isinstance(value, bool):
            raise RecordError(f"{self._where}{field} is {value!r:.40}, not true or false")
        return value

    def parts(self, field: str) -> list[Raw] | None:
        """A list of objects; None where it is absent."""
        value = self._content.get(field)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise RecordError(f"{self._where}{field} is {value!r:.40}, not a list of objects")
        return [Raw(each, f"{self._where}{field}[{n}].") for n, each in enumerate(value)]
