"""How results look: a table for people, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import click


def as_json(content: Any) -> None:
    """Print JSON; moments as ISO 8601 UTC."""
    click.echo(json.dumps(content, indent=2, ensure_ascii=False, default=_plain))


def as_rows(rows: Sequence[Mapping[str, Any]], form: str) -> None:
    """Print a list for machines (``json``) or for spreadsheet programs (``csv``)."""
    if form == "csv":
        from vmo_bridge.cli.export import as_csv

        click.echo(as_csv(rows), nl=False)
    else:
        as_json(rows)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
    """Print a table; wide enough for its content where nobody's screen limits it."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    drawn = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(escape(text(cell)) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(drawn)


def text(value: object) -> str:
    """A value as people read it; empty is not known."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return str(value)


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 UTC with ``Z``."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__name__} has no JSON form")
