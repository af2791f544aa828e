"""What a file is to everything behind it: header rows, then lines of cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from vmo_bridge.plugin import SourceError


class FileRefused(SourceError):
    """A file that cannot be read as it is; the others go on.

    The message goes on behind the file's name: ``is not UTF-8; save it as …``.
    """


class NotWhole(Exception):
    """A file that looks as if somebody were still writing it."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A cell without a value that can be trusted."""

    reason: str
    """Names the cell: ``B7 holds #N/A``."""


Cell = str | int | float | bool | datetime | date | time | timedelta | Flaw | None
"""A datetime is local to wherever the file was made; a float with percent is in percent."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of data."""

    number: int
    """As people count: a line of a CSV file, a row of a sheet."""
    cells: Sequence[Cell]
    problem: str = ""
    """Why the row as a whole cannot be read."""


class Table(Protocol):
    """An open file."""

    @property
    def headers(self) -> list[list[str]]:
        """The header rows, as texts."""
        ...

    @property
    def word(self) -> str:
        """What its lines are called: ``line`` or ``row``."""
        ...

    @property
    def system(self) -> int:
        """Which of Excel's two systems its serial dates count in: 1900 or 1904."""
        ...

    def lines(self) -> Iterator[Line]:
        """The rows below the header; empty ones are left out."""
        ...

    def told(self) -> list[str]:
        """What people should know of the file besides its rows."""
        ...

    def look_whole(self, *, trusted: bool) -> None:
        """Raise ``NotWhole`` where its end looks cut; ``trusted``: nothing was added for long."""
        ...


def is_empty(cell: Cell) -> bool:
    """Whether nothing stands in a cell."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def text_of(cell: Cell) -> str:
    """A cell as people read it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return f"{cell:.15g}"
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, Flaw):
        return ""
    return str(cell)


def trimmed(rows: list[list[str]]) -> list[list[str]]:
    """Header rows of one width, without the empty cells behind the last name."""
    width = max((at + 1 for row in rows for at, cell in enumerate(row) if cell.strip()), default=0)
    return [(row + [""] * width)[:width] for row in rows]
