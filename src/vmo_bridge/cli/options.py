"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

_DAY = re.compile(r"\d{4}-?\d\d-?\d\d|\d{4}-?W\d\d-?\d", re.ASCII)
"""Every form of a day alone that ISO 8601 has: all mean the end of it."""


class Moment(click.ParamType[datetime]):
    """A moment, UTC unless it says otherwise; a day alone means the end of it, or its begin."""

    name = "moment"

    def __init__(self, *, begin: bool = False) -> None:
        self._begin = begin

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read ``2026-10-31`` or ``2026-10-31T12:00:00Z``."""
        if isinstance(value, datetime):
            return value
        try:
            if not _DAY.fullmatch(value):
                return _moment(value)
            return _end_of_day(value) - timedelta(days=self._begin)
        except (ValueError, OverflowError):  # the second: a zone that leads out of the calendar
            self.fail(
                f"{value!r} is not a moment; write 2026-10-31 "
                f"(the {'beginning' if self._begin else 'end'} of that day) "
                "or 2026-10-31T12:00:00Z",
                param,
                ctx,
            )


def _end_of_day(value: str) -> datetime:
    day = date.fromisoformat(value)
    return datetime.combine(day, time(), tzinfo=UTC) + timedelta(days=1)


def _moment(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


as_of_option = click.option(
    "--as-of",
    type=Moment(),
    help="Look from this moment; a day means its end.  [default: the configuration's, or now]",
)


def since_option(help_: str) -> Callable[[Command], Command]:
    """``--since``: inclusive; a day alone means its beginning."""
    return click.option("--since", type=Moment(begin=True), help=help_)


def until_option(help_: str) -> Callable[[Command], Command]:
    """``--until``: exclusive; a day alone means its end."""
    return click.option("--until", type=Moment(), help=help_)


def _form(help_: str, *choices: str) -> Callable[[Command], Command]:
    return click.option(
        "--format",
        "form",
        type=click.Choice(choices),
        default="table",
        show_default=True,
        help=help_,
    )


format_option = _form("For people or for machines.", "table", "json")
list_format_option = _form("For people, machines or spreadsheets.", "table", "json", "csv")
