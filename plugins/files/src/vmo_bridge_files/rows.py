"""From a line of a file to a raw record: flat, with moments in UTC, and without names.

What was understood of a cell stands in the record, so that other settings make another record:
the file is then read again and its answers are mended.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vmo_bridge_files.dates import NoMoment, NoZone, Times
from vmo_bridge_files.headers import TIMES
from vmo_bridge_files.layout import Layout
from vmo_bridge_files.notes import Notes
from vmo_bridge_files.settings import FormEntry
from vmo_bridge_files.table import Cell, FileRefused, Flaw, Line, Table, is_empty, text_of

_LIKE_A_DATE = re.compile(r"(?=.*\d)[\d\s/:.,+\-TZAPM]{1,40}", re.IGNORECASE)
_PLAIN = ("person", "email", "ticket", "service", "user_group")
_NOBODY = frozenset({"anonymous", "none", "n/a", "-"})
"""What stands for people who did not say who they are; one person would be made of them all."""


@dataclass(frozen=True, slots=True)
class Row:
    """A raw record on its way into a page."""

    number: int
    content: dict[str, Any]
    changed_at: datetime | None
    """Its own moment; None where it has none that can be read."""


class _Unreadable(Exception):
    """Why a row is quarantined."""


class RowReader:
    """Turns the lines of one file into raw records."""

    def __init__(self, form: FormEntry, found: Layout, table: Table, file: str, made: datetime):
        self._form = form
        self._layout = found
        self._table = table
        self._word = table.word
        self._file = file
        self._made = made
        self._times = Times(form.zone, form.dates, system=table.system)
        self._keys: dict[str, int] = {}
        self._same: Counter[str] = Counter()
        self._notes = Notes()

    def told(self) -> list[str]:
        """What is to be said of the file, after it was read."""
        times = (f"{what}: {number}" for what, number in self._times.told.items())
        return [
            f"{self._file}: {each}" for each in (*self._table.told(), *times, *self._notes.told())
        ]

    def row(self, line: Line) -> Row:
        """The raw record; one that cannot be read says why, and where."""
        place = f"{self._word} {line.number}"
        key = f"{self._file} {place}"
        try:
            if line.problem:
                raise _Unreadable(line.problem)
            key = self._key(line)
            content = self._content(line, place)
        except _Unreadable as reason:
            problem = f"{self._file}, {place}: {reason}"
            return Row(line.number, {"key": key, "problem": problem}, None)
        changed_at = self._changed_at(content)
        return Row(line.number, {"key": key, "updated_at": _iso(changed_at), **content}, changed_at)

    def pass_over(self, line: Line) -> None:
        """Take note of a row that was read before: another with its key is not the first."""
        with suppress(_Unreadable):
            if not line.problem:
                self._key(line)

    def _changed_at(self, content: dict[str, Any]) -> datetime:
        """The latest edit, else the answer, the opening, the invitation; else the file's age."""
        for name in ("changed_at", "answered_at", "started_at", "invited_at"):
            if name in content:
                return datetime.fromisoformat(content[name])
        return self._made

    def _key(self, line: Line) -> str:
        """The cell of the id column, else a hash of what tells the row apart."""
        if "id" not in self._layout.roles:
            return self._hash(line)
        cell = self._cell(line, "id")
        key = text_of(cell).strip()
        if not key:
            raise _Unreadable(f"column {self._header('id')!r} (id) is empty")
        first = self._keys.setdefault(key, line.number)
        if first != line.number:
            raise _Unreadable(
                f"column {self._header('id')!r} (id) holds the same as in {self._word} {first}; "
                "that one counts"
            )
        return key

    def _hash(self, line: Line) -> str:
        """The same in every export: without people, empty cells, and the order of the columns.

        Rows that are the same get a number: each of them is kept.
        """
        content = [
            (self._layout.names[at], text_of(line.cells[at]).strip())
            for at in self._layout.kept
            if not is_empty(line.cells[at])
        ]
        text = json.dumps(content, ensure_ascii=False)
        key = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._same[key] += 1
        return key if self._same[key] < 2 else f"{key}-{self._same[key]}"

    def _content(self, line: Line, place: str) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for name in TIMES:
            moment = self._moment(line, name)
            if moment is not None:
                content[name] = _iso(moment)
        if "answered_at" in self._layout.roles and not {"answered_at", "invited_at"} & {*content}:
            raise _Unreadable(f"column {self._header('answered_at')!r} (answered_at) is empty")
        for name in _PLAIN:
            text = text_of(self._cell(line, name)).strip()
            if text and not (name in ("person", "email") and text.casefold() in _NOBODY):
                content[name] = text
        content["answers"] = self._answers(line, place)
        return content

    def _answers(self, line: Line, place: str) -> dict[str, Any]:
        answers = {}
        for asked in self._layout.questions:
            cell = line.cells[asked.at]
            if isinstance(cell, Flaw):
                raise _Unreadable(cell.reason)
            reading = asked.reader.read(cell)
            if reading is None:
                continue
            if reading.complaint:
                self._notes.add(f"answers to {asked.header!r} {reading.complaint}", place)
            answer: dict[str, Any] = {"value": reading.value, "text": reading.text}
            if asked.reader.scale is not None:
                answer["scale"] = list(asked.reader.scale)
            answers[asked.key] = answer
        return answers

    def _moment(self, line: Line, name: str) -> datetime | None:
        cell = self._cell(line, name)
        if is_empty(cell):
            return None
        try:
            return self._times.moment(cell)
        except NoZone as reason:
            raise FileRefused(f"has times in {self._header(name)!r} whose cell {reason}") from None
        except NoMoment as reason:
            text = text_of(cell)
            # A wrong column may name people: what does not look like a date is not repeated.
            shown = repr(text) if _LIKE_A_DATE.fullmatch(text) else "its text"
            raise _Unreadable(f"column {self._header(name)!r} ({name}): {shown} {reason}") from None

    def _cell(self, line: Line, name: str) -> Cell:
        at = self._layout.roles.get(name)
        cell = None if at is None else line.cells[at]
        if isinstance(cell, Flaw):
            raise _Unreadable(cell.reason)
        return cell

    def _header(self, name: str) -> str:
        return self._layout.headers[self._layout.roles[name]]


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
