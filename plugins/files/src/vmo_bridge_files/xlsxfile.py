"""XLSX workbooks: opened with care, read row by row, as the values that Excel saw last."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import MAC_EPOCH

from vmo_bridge_files.peek import Hidden, peek
from vmo_bridge_files.settings import FormEntry
from vmo_bridge_files.table import Cell, FileRefused, Flaw, Line, NotWhole, is_empty, trimmed

if TYPE_CHECKING:
    from openpyxl.cell.read_only import ReadOnlyCell
    from openpyxl.worksheet._read_only import ReadOnlyWorksheet

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_WIDEST = 2_000
"""Columns; more than that is no export of a form."""
_MOST_PARTS = 2_000
_STEEPEST = 300
"""Unpacked bytes for a packed one; sheets stay far below, a zip bomb does not."""
_SMALL = 10_000_000
"""Below so many unpacked bytes no ratio does harm."""
_BATCH = 200


class XlsxTable:
    """A workbook's sheet; each pass over it opens it anew."""

    word = "row"

    def __init__(self, path: Path, form: FormEntry, most_bytes: int) -> None:
        self._path = path
        self._form = form
        look_inside(path, most_bytes)

    @cached_property
    def _top(self) -> tuple[int, str, list[list[str]]]:
        """(the system of its serial dates, the sheet's name, the rows down to the header)."""
        below = self._form.skip_rows + self._form.header_rows
        with self._sheet() as (book, sheet):
            rows = [_texts(row) for row in islice(_rows(sheet), below)]
            system = 1904 if book.epoch == MAC_EPOCH else 1900
        if len(rows) < below:
            raise FileRefused(
                f"has {len(rows)} rows in sheet {sheet.title!r}, too few for a header of "
                f"{self._form.header_rows} below {self._form.skip_rows}"
            )
        return system, sheet.title, rows

    @property
    def system(self) -> int:
        """Which of Excel's two systems its serial dates count in."""
        return self._top[0]

    @cached_property
    def hidden(self) -> Hidden:
        """What openpyxl does not tell of the sheet."""
        with _understood(), zipfile.ZipFile(self._path) as archive:
            return peek(archive, self._top[1])

    @cached_property
    def headers(self) -> list[list[str]]:
        """The header rows; a name in merged cells stands in each of them."""
        first = self._form.skip_rows + 1
        rows = [[*row] for row in self._top[2][self._form.skip_rows :]]
        for (row, column), (top, left) in self.hidden.covered():
            if first <= top and row < first + len(rows):
                cells = rows[row - first]
                cells += [""] * (column - len(cells))
                source = rows[top - first]
                cells[column - 1] = source[left - 1] if left <= len(source) else ""
        return trimmed(rows)

    def lines(self) -> Iterator[Line]:
        """The rows below the header."""
        width = len(self.headers[self._form.name_row - 1])
        above = self._form.skip_rows + self._form.header_rows
        flaws = {
            place: Flaw(f"{_called(*place)} holds a formula that was never computed; open the "
                        "file in a spreadsheet program and save it")
            for place in self.hidden.without_value
        }  # fmt: skip
        for place, source in self.hidden.covered():
            flaws[place] = Flaw(f"{_called(*place)} is merged into {_called(*source)}")
        with self._sheet() as (_, sheet):
            for number, row in enumerate(_rows(sheet), start=1):
                if number > above:
                    yield from self._line(number, row, width, flaws)

    def _line(
        self, number: int, row: Sequence[ReadOnlyCell], width: int, flaws: dict[Any, Flaw]
    ) -> Iterator[Line]:
        cells = [_value(each, number, at) for at, each in enumerate(row, start=1)]
        if all(map(is_empty, cells)) and not any(
            (number, at) in flaws for at in range(1, width + 1)
        ):
            return
        cells += [None] * (width - len(cells))
        beyond = next((at for at in range(width, len(cells)) if not is_empty(cells[at])), None)
        problem = ""
        if beyond is not None:
            problem = f"has a value in {_called(number, beyond + 1)}, where the header has no name"
        del cells[width:]
        if flaws:
            for at in range(width):
                cells[at] = flaws.get((number, at + 1), cells[at])
        yield Line(number, cells, problem)

    def told(self) -> list[str]:
        """Rows that are hidden: a filter hides them, and they are answers all the same."""
        rows = self.hidden.rows
        return [f"hidden rows, read like the others: {rows}"] if rows else []

    def look_whole(self, *, trusted: bool) -> None:
        """Nothing to do: a cut workbook does not open."""

    @contextmanager
    def _sheet(self) -> Iterator[tuple[Any, ReadOnlyWorksheet]]:
        # A file of our own: openpyxl leaves one open where it stumbles.
        with self._path.open("rb") as file, _understood():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it tells of styles and extensions it drops
                book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            with closing(book):
                sheet = _chosen(book, self._form.sheet)
                sheet.reset_dimensions()  # what a file says of its own size need not be true
                yield book, sheet


def look_inside(path: Path, most_bytes: int) -> None:
    """Refuse what is no workbook, or would unpack to more than allowed, before it is opened."""
    with path.open("rb") as file:
        start = file.read(512)
    if start.startswith(_OLE):
        raise FileRefused(
            "is an old Excel file (.xls) or has a password; save it as .xlsx without one"
        )
    if start.lstrip().startswith(b"<"):
        raise FileRefused("is a web page or XML, not a workbook; download it again")
    if start.strip(b"\0") and not _ZIP.startswith(start[: len(_ZIP)]):
        raise FileRefused("is no workbook; save it as .xlsx")
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        raise NotWhole("it does not open as a workbook: its end is missing") from None
    names = {part.filename for part in parts}
    if any(part.flag_bits & 0x1 for part in parts):
        raise FileRefused("has a password; save it without one")
    if not {"_rels/.rels", "[Content_Types].xml"} <= names:
        raise FileRefused("is a zip archive, but no workbook; save it as .xlsx")
    unpacked = sum(part.file_size for part in parts)
    if unpacked > most_bytes or len(parts) > _MOST_PARTS:
        raise FileRefused(
            f"unpacks to {unpacked / 1e6:,.0f} MB in {len(parts)} parts; "
            f"{most_bytes / 1e6:,.0f} MB in {_MOST_PARTS} are allowed (max_megabytes)"
        )
    if any(part.file_size > _SMALL + part.compress_size * _STEEPEST for part in parts):
        raise FileRefused(
            f"unpacks to more than {_STEEPEST} times its size: it looks like a zip bomb"
        )


@contextmanager
def _understood() -> Iterator[None]:
    """Whatever a broken package makes of openpyxl is said of the file."""
    try:
        yield
    except (FileRefused, NotWhole):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's, not the file's: openpyxl's own has no number
        told = type(error.__cause__ or error).__name__  # openpyxl wraps what it stumbles over
        raise FileRefused(
            f"cannot be read as a workbook ({told}); "
            "open it in a spreadsheet program and save it as .xlsx"
        ) from error


def _chosen(book: Any, wanted: str | None) -> ReadOnlyWorksheet:
    sheets = {each.title: each for each in book.worksheets}
    if wanted is not None:
        if wanted in sheets:
            return sheets[wanted]
        raise FileRefused(f"has no sheet {wanted!r}; it has {', '.join(map(repr, sheets))}")
    shown = [each for each in sheets.values() if each.sheet_state == "visible"]
    if len(shown) != 1:
        raise FileRefused(
            f"has {len(shown)} visible sheets ({', '.join(map(repr, sheets))}); name one by sheet"
        )
    return shown[0]


def _rows(sheet: ReadOnlyWorksheet) -> Iterator[Sequence[ReadOnlyCell]]:
    """The rows, some at a time: so warnings are held back while openpyxl works, and only then."""
    rows = sheet.iter_rows()
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a serial that is no date comes as an error cell, too
            batch = list(islice(rows, _BATCH))
        if not batch:
            return
        for row in batch:
            if len(row) > _WIDEST:
                raise FileRefused(
                    f"has {len(row)} columns in sheet {sheet.title!r}; {_WIDEST} are allowed"
                )
            yield row


def _texts(row: Sequence[ReadOnlyCell]) -> list[str]:
    return ["" if cell.value is None else str(cell.value) for cell in row]


def _value(cell: ReadOnlyCell, row: int, column: int) -> Cell:
    value: Cell = cell.value
    if value is None or isinstance(value, str):
        return Flaw(f"{_called(row, column)} holds {value}") if cell.data_type == "e" else value
    if isinstance(value, datetime):
        # A format without hours shows a day: midnight is then not the time of the answer.
        day_only = not {"h", "H"} & {*cell.number_format} and value.time() == datetime.min.time()
        return value.date() if day_only else value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return round(value * 100, 9) if cell.number_format.endswith("%") else value
    return value


def _called(row: int, column: int) -> str:
    return f"{get_column_letter(column)}{row}"
