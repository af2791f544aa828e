"""Reads the log: from a CSV file (gzip or plain) to checked lines; a wrong one is named."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vmo_bridge.errors import ConfigError
from vmo_bridge.sandbox.replay.columns import COLUMNS, Reader, readers

_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Line:
    """One event: the platform's text of each column in the order of ``COLUMNS``, "" if missing."""

    number: int
    """Of the line in the file, counted from 1."""
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """All events in the order of the file, and every word the log uses."""

    events: list[Line]
    words: Mapping[str, Mapping[str, str]]
    """Column to its different cells, each with the platform's text of it."""


def digest(path: Path) -> str:
    """The sha256 of the file; ``ConfigError`` where there is none to read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        message = f"log {path}: cannot be read ({error.strerror}); name a CSV file or its .csv.gz"
        raise ConfigError(message) from error


def read_lines(path: Path, now: datetime) -> Lines:
    """Read and check the whole log; ``ConfigError`` names line, column and value."""
    try:
        with _opened(path) as file:
            return _Reading(path, now).lines(file)
    except (OSError, EOFError, zlib.error) as error:
        message = f"log {path}: cannot be read to its end ({error}); get a fresh copy"
        raise ConfigError(message) from error
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"log {path}: is no CSV file in UTF-8 ({error})"
        raise ConfigError(message) from error


class _Reading:
    """One pass through a file."""

    def __init__(self, path: Path, now: datetime) -> None:
        self._path = path
        self._readers = readers(now)
        self._words: dict[str, dict[str, str]] = {name: {} for name in COLUMNS}

    def lines(self, file: io.TextIOBase) -> Lines:
        """All lines of the open file."""
        rows = csv.reader(file, strict=True)
        header = [cell.strip() for cell in next(rows, [])]
        places = self._places(header)
        columns = [
            (name, place, self._words[name], self._readers[name])
            for name, place in zip(COLUMNS, places, strict=True)
        ]
        events = []
        for cells in rows:
            if not cells:
                continue  # an empty line, such as the last one of some exports
            if len(cells) != len(header):
                message = (
                    f"log {self._path}: line {rows.line_num}: has {len(cells)} cells, "
                    f"the header {len(header)}"
                )
                raise ConfigError(message)
            values = []
            for name, place, words, reader in columns:
                cell = cells[place]
                if cell not in words:
                    words[cell] = self._word(name, cell, reader, rows.line_num)
                values.append(words[cell])
            events.append(Line(rows.line_num, tuple(values)))
        if not events:
            message = f"log {self._path}: is empty: a header, and no event"
            raise ConfigError(message)
        return Lines(events, self._words)

    def _places(self, header: list[str]) -> list[int]:
        if not any(header):
            message = f"log {self._path}: is empty"
            raise ConfigError(message)
        missing = [name for name in COLUMNS if name not in header]
        if missing:
            message = (
                f"log {self._path}: is not the event log of incidents: "
                f"lacks the columns {', '.join(missing)}"
            )
            raise ConfigError(message)
        double = [name for name in COLUMNS if header.count(name) > 1]
        if double:
            message = f"log {self._path}: has columns twice: {', '.join(double)}"
            raise ConfigError(message)
        return [header.index(name) for name in COLUMNS]

    def _word(self, name: str, cell: str, reader: Reader, line: int) -> str:
        try:
            return reader(cell)
        except ValueError as error:
            message = f"log {self._path}: line {line}, {name}: {cell!r:.60} {error}"
            raise ConfigError(message) from None


@contextmanager
def _opened(path: Path) -> Iterator[io.TextIOBase]:
    """The text of the file; gzip is told by its first bytes, whatever the name says."""
    with path.open("rb") as raw:
        packed = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        binary = gzip.GzipFile(fileobj=raw) if packed else raw
        with io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as text:
            yield text
