"""Results as CSV that a spreadsheet may open: nothing in it is taken for a formula.

RFC 4180 (CRLF, quotes where needed), UTF-8 without a mark: it goes down a pipe, where a mark would
become a part of the first column's name. Formulas are made texts as OWASP says ("CSV Injection").
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click

from vmo_bridge.cli import show

_PLAIN_NUMBER = re.compile(r"[+-]?\d+(?:[.,]\d+)*(?:[eE][+-]?\d+)?\s*%?", re.ASCII)
_FORMULA = re.compile("^([\t\r\n]|\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20])")
"""A cell that a spreadsheet would compute; the last four are the wide forms of the signs."""
_HIDDEN_FORMULA = re.compile(r"([;\t|]\s*)(?=[=+\-@])")
"""The same behind what separates cells in other countries: their spreadsheets cut there."""


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Print rows as CSV; a column ``worth.cost`` is ``cost`` in the row's ``worth``."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([safe_cell(_found(row, column)) for column in columns] for row in rows)
    click.echo(text.getvalue(), nl=False)


def safe_cell(value: Any) -> str:
    """A value as the text of a cell; what would be a formula begins with an apostrophe.

    Numbers stay numbers: whoever imports the file wants to count.
    """
    text = _text(value)
    if _PLAIN_NUMBER.fullmatch(text):
        return text
    return _HIDDEN_FORMULA.sub(r"\1'", _FORMULA.sub(r"'\1", text))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime):
        return show.iso(value) or ""
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, (list, tuple)):
        return "; ".join(map(_text, value))
    return str(value)


def _found(row: Mapping[str, Any], column: str) -> Any:
    """What stands in a row under a name, or under names that lead into it."""
    value: Any = row
    for name in column.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
