"""Encoded queries: built from checked names and values only, dates always literal UTC."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

_COLUMN = re.compile(r"[a-z][a-z0-9_.]*")
_FORMAT = "%Y-%m-%d %H:%M:%S"


def column(name: str) -> str:
    """A column's name, or ``ValueError``: an instance ignores an unknown one and returns all."""
    if not _COLUMN.fullmatch(name):
        raise ValueError(f"{name!r} is not a column name")
    return name


def value(text: str) -> str:
    """A value; there is no escape for ``^``, so one that has it is refused."""
    if "^" in text or "\n" in text:
        raise ValueError(
            f"{text!r} cannot stand in a query: '^' and line ends have a meaning there"
        )
    return text


def any_of(name: str, values: Iterable[str]) -> str:
    """``name`` is one of the values."""
    listed = [value(each) for each in values]
    if any("," in each for each in listed):
        raise ValueError("a value with a comma cannot stand in a list")
    return f"{column(name)}IN{','.join(listed)}"


def literal(moment: datetime) -> str:
    """A date-time as the instance reads it: UTC, without a zone."""
    return moment.astimezone(UTC).strftime(_FORMAT)


def moment(text: str) -> datetime:
    """The aware UTC moment of an instance's date-time."""
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)


def keyset(filter_: str, since: str | None, after: tuple[str, str] | None) -> str:
    """The rows of one read, in the order (sys_updated_on, sys_id), from a place on.

    ``since``: changed at or after this moment (literal); ``after``: behind this (moment, sys_id).
    The filter is repeated behind ``^NQ``, which starts a whole new set of conditions.
    """
    if after:
        updated, sys_id = after
        alternatives = [
            f"sys_updated_on>{updated}",
            f"sys_updated_on={updated}^sys_id>{value(sys_id)}",
        ]
    else:
        alternatives = [f"sys_updated_on>={since}" if since else ""]
    sets = ["^".join(part for part in (filter_, each) if part) for each in alternatives]
    return "^NQ".join(sets) + "^ORDERBYsys_updated_on^ORDERBYsys_id"
