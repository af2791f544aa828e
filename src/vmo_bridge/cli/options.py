"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import click

_DAY = re.compile(r"\d{4}-?\d\d-?\d\d|\d{4}-?W\d\d-?\d", re.ASCII)
"""Every form of a day alone that ISO 8601 has: all mean the end of it."""


class Moment(click.ParamType[datetime]):
    """A moment, UTC unless it says otherwise; a day alone means the end of it."""

    name = "moment"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read ``2026-10-31`` or ``2026-10-31T12:00:00Z``."""
        if isinstance(value, datetime):
            return value
        try:
            return _end_of_day(value) if _DAY.fullmatch(value) else _moment(value)
        except (ValueError, OverflowError):  # the second: a zone that leads out of the calendar
            self.fail(
                f"{value!r} is not a moment; write 2026-10-31 (the end of that day) "
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
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="For people, for machines, or for a spreadsheet.",
)
