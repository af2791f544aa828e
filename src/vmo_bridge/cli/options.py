"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import click


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
            if len(value) == 10:
                day = date.fromisoformat(value)
                return datetime.combine(day, time(), tzinfo=UTC) + timedelta(days=1)
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(
                f"{value!r} is not a moment; write 2026-10-31 (the end of that day) "
                "or 2026-10-31T12:00:00Z",
                param,
                ctx,
            )
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


as_of_option = click.option(
    "--as-of",
    type=Moment(),
    help="Look from this moment; a day means its end.  [default: the configuration's, or now]",
)
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people or for machines.",
)
