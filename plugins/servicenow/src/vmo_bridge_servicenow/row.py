"""One row of a table, read by field: empty is not known, nonsense is refused by its name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from vmo_bridge.plugin import RawRecord, RecordError
from vmo_bridge_servicenow import query

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
"""A whole number that every store can hold (64 bits)."""
_FLAGS = {"true": True, "false": False, "1": True, "0": False}
_PLAIN = {str}


class Row:
    """Reads the strings of a row: empty is not known, nonsense is refused."""

    def __init__(
        self, source: str, table: str, raw: RawRecord, stamp: str = "sys_updated_on"
    ) -> None:
        self.table = table
        self._stamp = stamp
        self._prefix = f"{source}/"
        self._source = source
        plain = {*map(type, raw.values())} == _PLAIN  # asked once instead of for some thirty values
        self._get: Callable[[str], str | None] = raw.get if plain else partial(_unwrapped, raw)

    def base(self, name: str | None = None) -> dict[str, Any]:
        """What every record carries."""
        key = self.need("sys_id")
        return {
            "ref": self._prefix + key,
            "id": f"{self._source}:{self.table}:{name or key}",
            "source": self._source,
            "updated_at": self.updated(),
        }

    def named(self, name: str) -> dict[str, str]:
        """Ref and id of what has no row of its own, but a name."""
        return {"ref": self._prefix + name, "id": f"{self._source}:{self.table}:{name}"}

    def updated(self) -> datetime:
        """When the row last changed."""
        moment = self.time(self._stamp)
        if moment is None:
            raise RecordError(f"{self._stamp} is empty")
        return moment

    def began(self) -> datetime:
        """When work was asked for."""
        moment = self.time("opened_at") or self.time("sys_created_on")
        if moment is None:
            raise RecordError("opened_at and sys_created_on are empty: no moment it began")
        return moment

    def text(self, field: str) -> str | None:
        """A text, or None where it is empty or absent."""
        return self._get(field) or None

    def need(self, field: str) -> str:
        """A text that has to be there."""
        value = self._get(field)
        if not value:
            raise RecordError(f"{field} is empty or not readable")
        return value

    def ref(self, field: str) -> str | None:
        """The ref of what a field points to."""
        key = self._get(field)
        return self._prefix + key if key else None

    def need_ref(self, field: str) -> str:
        """A ref that has to be there."""
        return self._prefix + self.need(field)

    def time(self, field: str) -> datetime | None:
        """A moment, UTC."""
        text = self._get(field)
        try:
            return query.moment(text) if text else None
        except ValueError:
            raise RecordError(
                f"{field} is {text!r:.40}, not a date-time (YYYY-MM-DD HH:MM:SS)"
            ) from None

    def number(self, field: str) -> float | None:
        """A number."""
        text = self.text(field)
        try:
            number = None if text is None else float(text)
        except ValueError:
            number = math.nan
        if number is not None and not math.isfinite(number):
            raise RecordError(f"{field} is {text!r:.40}, not a number")
        return number

    def integer(self, field: str) -> int | None:
        """A whole number."""
        text = self._get(field)
        if not text:
            return None
        plain = text.isdecimal() and text.isascii() and len(text) <= 18  # as nearly all are
        if not plain and not _WHOLE.fullmatch(text):
            raise RecordError(f"{field} is {text!r:.40}, not a whole number")
        return int(text)

    def flag(self, field: str) -> bool | None:
        """True or false."""
        text = self._get(field)
        if not text:
            return None
        flag = _FLAGS.get(text.lower())
        if flag is None:
            raise RecordError(f"{field} is {text!r:.40}, not true or false")
        return flag


def _unwrapped(raw: RawRecord, field: str) -> str | None:
    """A field of a row that is not all plain texts."""
    value = raw.get(field)
    if isinstance(value, dict):  # a reference that kept its link
        value = value.get("value")
    if value is not None and not isinstance(value, str):
        raise RecordError(f"{field} is a {type(value).__name__}, not a text")
    return value
