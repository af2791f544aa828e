"""One row of a table, read by field: empty is not known, nonsense is refused by its name."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

from vmo_bridge.plugin import RawRecord, RecordError
from vmo_bridge_servicenow import query

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
"""A whole number that every store can hold (64 bits)."""


class Row:
    """Reads the strings of a row: empty is not known, nonsense is refused."""

    def __init__(
        self, source: str, table: str, raw: RawRecord, stamp: str = "sys_updated_on"
    ) -> None:
        self.table = table
        self._stamp = stamp
        self._prefix = f"{source}/"
        self._source = source
        self._get = raw.get

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
        value = self._get(field)
        if type(value) is str:  # asked some thirty times a row: what is usual comes first
            return value or None
        if isinstance(value, dict):  # a reference that kept its link
            value = value.get("value")
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise RecordError(f"{field} is a {type(value).__name__}, not a text")
        return value

    def need(self, field: str) -> str:
        """A text that has to be there."""
        value = self.text(field)
        if value is None:
            raise RecordError(f"{field} is empty or not readable")
        return value

    def ref(self, field: str) -> str | None:
        """The ref of what a field points to."""
        key = self.text(field)
        return None if key is None else self._prefix + key

    def need_ref(self, field: str) -> str:
        """A ref that has to be there."""
        return self._prefix + self.need(field)

    def time(self, field: str) -> datetime | None:
        """A moment, UTC."""
        text = self.text(field)
        try:
            return None if text is None else query.moment(text)
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
        text = self.text(field)
        if text is None:
            return None
        plain = text.isdecimal() and text.isascii() and len(text) <= 18  # as nearly all are
        if not plain and not _WHOLE.fullmatch(text):
            raise RecordError(f"{field} is {text!r:.40}, not a whole number")
        return int(text)

    def flag(self, field: str) -> bool | None:
        """True or false."""
        text = self.text(field)
        if text is None:
            return None
        if text.lower() not in ("true", "false", "1", "0"):
            raise RecordError(f"{field} is {text!r:.40}, not true or false")
        return text.lower() in ("true", "1")
