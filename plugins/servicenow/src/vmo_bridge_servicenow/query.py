"""Encoded queries: built from checked names and values only, dates always literal UTC."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

_COLUMN = re.compile(r"[a-z][a-z0-9_.]*")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_KEY = re.compile(r"[0-9A-Za-z_.-]+")
_FORMAT = "%Y-%m-%d %H:%M:%S"


def column(name: str) -> str:
    """A column's name, or ``ValueError``: an instance ignores an unknown one and returns all."""
    if not _COLUMN.fullmatch(name):
        raise ValueError(f"{name!r} is not a column name")
    return name


def value(text: str) -> str:
    """A value; there is no escape for ``^``, so one that has it is refused.

    ``javascript:`` would be run on the instance, and an empty value asks for what is empty.
    """
    if "^" in text or "\n" in text:
        raise ValueError(
            f"{text!r} cannot stand in a query: '^' and line ends have a meaning there"
        )
    if not text or text.lstrip().lower().startswith("javascript:"):
        raise ValueError(f"{text!r} cannot stand in a query: it is not taken as a text there")
    return text


def key(sys_id: str) -> str:
    """A sys_id, or ``ValueError``; one that began with ``=`` would change the operator."""
    if not _KEY.fullmatch(sys_id):
        raise ValueError(f"{sys_id!r:.40} is not a sys_id")
    return sys_id


def is_key(text: str) -> bool:
    """Whether a text can be a sys_id."""
    return _KEY.fullmatch(text) is not None


def is_value(text: str) -> bool:
    """Whether a text can stand in a query."""
    try:
        return value(text) == text
    except ValueError:
        return False


def any_of(name: str, values: Iterable[str]) -> str:
    """``name`` is one of the values; a list without any would be ignored, and is refused."""
    listed = [value(each) for each in values]
    if not listed:
        raise ValueError(f"no values for {name}")
    if any("," in each for each in listed):  # a comma would end the value
        return "^OR".join(f"{column(name)}={each}" for each in listed)
    return f"{column(name)}IN{','.join(listed)}"


def together(*conditions: str) -> str:
    """All conditions at once; empty ones are left out."""
    return "^".join(each for each in conditions if each)


def by_key(filter_: str, after: str | None) -> str:
    """The rows of a sweep, in the order of sys_id, behind a key."""
    behind = f"sys_id>{key(after)}" if after else ""
    return together(filter_, behind) + "^ORDERBYsys_id"


def literal(moment: datetime) -> str:
    """A date-time as the instance reads it: UTC, without a zone."""
    return moment.astimezone(UTC).strftime(_FORMAT)


def moment(text: str) -> datetime:
    """The aware UTC moment of an instance's date-time; ``ValueError`` for any other notation."""
    # Not strptime, and no replace(): that is many times as slow, and dates are most of the parsing.
    if not _MOMENT.fullmatch(text):
        raise ValueError(f"{text!r:.40} is not a date-time")
    return datetime.fromisoformat(text + "+00:00")


def keyset(stamp: str, filter_: str, since: str | None, after: tuple[str, str] | None) -> str:
    """The rows of one read, in the order (``stamp``, sys_id), from a place on.

    ``stamp``: the column that says when a row changed; ``since``: changed at or after this moment
    (literal); ``after``: behind this (moment, sys_id). The filter is repeated behind ``^NQ``, which
    starts a whole new set of conditions.
    """
    if after:
        moment_, sys_id = after
        same = f"{stamp}={moment_}" if moment_ else f"{stamp}ISEMPTY"
        alternatives = [
            # Rows without a stamp (some imports leave none) come before all others.
            f"{stamp}>{moment_}" if moment_ else f"{stamp}ISNOTEMPTY",
            f"{same}^sys_id>{key(sys_id)}",
        ]
    else:
        alternatives = [f"{stamp}>={since}" if since else ""]
    sets = [together(filter_, each) for each in alternatives]
    return "^NQ".join(sets) + f"^ORDERBY{stamp}^ORDERBYsys_id"
