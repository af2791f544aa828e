"""Lists as CSV for spreadsheet programs: texts of others, which must not become formulas there."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_STARTS_FORMULA = re.compile(r"[\s\u00a0\u200b\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20|%]|[\t\r\n]")
_HIDDEN = re.compile(r"([;\t|]\s*)(?=[=+\-@])")
"""The same behind what separates cells in other countries: their programs may cut there."""
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as CSV (RFC 4180); the first row's keys are the header.

    A list is joined by ``;``, a table inside stands as JSON; what is not known is empty.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    if rows:
        writer.writerow([harmless(name) for name in rows[0]])
    for row in rows:
        writer.writerow([harmless(_cell(value)) for value in row.values()])
    return text.getvalue()


def harmless(cell: str) -> str:
    """A cell that no spreadsheet program takes for a formula (OWASP: CSV injection).

    What begins like a formula, behind blanks, in full width or behind another separator, gets a
    ``'`` before it; a number is left as it is.
    """
    if _NUMBER.fullmatch(cell):
        return cell
    quoted = _HIDDEN.sub(r"\1'", cell)
    return f"'{quoted}" if _STARTS_FORMULA.match(cell) else quoted


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value):
        return "; ".join(value)
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
