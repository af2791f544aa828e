"""CSV files: encoding, delimiter, header, and lines that are told apart from broken ones."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from vmo_bridge_files.headers import plain, position
from vmo_bridge_files.settings import FormEntry
from vmo_bridge_files.table import FileRefused, Line, NotWhole, trimmed

_DELIMITERS = ",;\t|"
_LONGEST_CELL = 8_000_000
"""Characters; far more than any form takes, and far less than a quote that is never closed."""
_CUT = "unexpected end of data"
"""What the csv module says of a quote that is still open at the end of the file."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class CsvTable:
    """A CSV file; each pass over it opens it anew."""

    word = "line"
    system = 1900
    """Which of Excel's two systems its serial dates count in."""

    def __init__(self, path: Path, form: FormEntry) -> None:
        self._path = path
        self._form = form
        csv.field_size_limit(_LONGEST_CELL)  # the csv module has one for the whole process
        self._encoding = _by_mark(path) or form.encoding or "utf-8"
        self._hint = self._said_delimiter()
        self._delimiter = form.delimiter or self._hint or self._recognised()

    @cached_property
    def headers(self) -> list[list[str]]:
        """The header rows."""
        return trimmed(self._top(self._delimiter))

    def lines(self) -> Iterator[Line]:
        """The lines below the header; one with too few or too many cells is told by number."""
        width = len(self.headers[self._form.name_row - 1])
        above = self._form.skip_rows + self._form.header_rows
        for at, (number, cells, problem) in enumerate(self._records(self._delimiter)):
            if at < above or not (problem or any(cell.strip() for cell in cells)):
                continue
            while len(cells) > width and not cells[-1].strip():
                cells.pop()
            yield Line(number, cells, problem or _flaw(cells, width))

    def told(self) -> list[str]:
        """Nothing: a CSV file hides nothing."""
        return []

    def look_whole(self, *, trusted: bool) -> None:
        """Raise ``NotWhole`` where the end looks cut.

        ``trusted``: nothing was added for long, so a last line without its end is believed if it
        has all its cells; many programs write none.
        """
        ending = self._ending()
        if not ending.strip(b"\0"):
            raise NotWhole("it is empty, or its end is still blank")
        width = len(self.headers[self._form.name_row - 1])
        last: list[str] = []
        for _number, cells, problem in self._records(self._delimiter):
            last = cells
            if problem == _CUT:
                raise NotWhole("a quote is still open at its end")
        wide = codecs.lookup(self._encoding).name.startswith("utf-16")
        if any(byte in b"\r\n" for byte in ending[-2 if wide else -1 :]):
            return
        if len(last) < width:
            raise NotWhole(f"its last line has {len(last)} of {width} cells, and no end")
        if not trusted:
            raise NotWhole("its last line has no end")

    def _records(self, delimiter: str) -> Iterator[tuple[int, list[str], str]]:
        """All records as (first line, cells, problem)."""
        above = 1 if self._hint else 0
        with self._path.open(encoding=self._encoding, newline="") as text:
            reader = csv.reader(text, delimiter=delimiter, strict=True)
            try:
                for _ in range(above):
                    next(text)
                while True:
                    first = reader.line_num + above + 1
                    try:
                        cells = next(reader)
                    except csv.Error as error:
                        yield first, [], _CUT if _CUT in str(error) else f"is no CSV: {error}"
                    else:
                        yield first, cells, ""
            except StopIteration:
                return
            except UnicodeError as error:
                raise self._not_encoded(error) from None

    def _not_encoded(self, error: UnicodeError) -> FileRefused:
        byte = (
            f" (it holds the byte 0x{error.object[error.start]:02x})"
            if isinstance(error, UnicodeDecodeError)
            else ""
        )
        return FileRefused(
            f"is not {self._encoding}{byte}; save it as UTF-8, or set the encoding of its form"
        )

    def _said_delimiter(self) -> str:
        """Excel's own hint, a first line ``sep=;``."""
        with suppress(UnicodeError), self._path.open(encoding=self._encoding, newline="") as text:
            first = text.readline(20).strip("\r\n").casefold()
            if len(first) == 5 and first.startswith("sep="):
                return first[4]
        return ""

    def _recognised(self) -> str:
        """The delimiter that gives most of the mapped columns, and then most columns at all."""

        def merit(delimiter: str) -> tuple[int, int]:
            names = [plain(each) for each in self._top(delimiter)[self._form.name_row - 1]]
            wanted = (*self._form.mapped.values(), *self._form.questions)
            return sum(position(each, names) is not None for each in wanted), len(names)

        return max(_DELIMITERS, key=merit)

    def _top(self, delimiter: str) -> list[list[str]]:
        rows: list[list[str]] = []
        below = self._form.skip_rows + self._form.header_rows
        for _number, cells, problem in self._records(delimiter):
            if problem == _CUT:
                raise NotWhole("a quote is still open in its header")
            rows.append(cells)
            if len(rows) == below:
                return rows[self._form.skip_rows :]
        raise NotWhole("it has no header yet")

    def _ending(self) -> bytes:
        with self._path.open("rb") as file:
            size = file.seek(0, io.SEEK_END)
            file.seek(max(size - 4, 0))
            return file.read()


def _flaw(cells: list[str], width: int) -> str:
    """What is wrong with a record that is sound CSV."""
    if len(cells) != width:
        return f"has {len(cells)} cells where the header has {width}"
    return "holds a NUL byte" if any("\0" in cell for cell in cells) else ""


def _by_mark(path: Path) -> str:
    """The encoding that the file's first bytes name; empty if they name none."""
    with path.open("rb") as file:
        start = file.read(4)
    return next((name for mark, name in _MARKS if start.startswith(mark)), "")
