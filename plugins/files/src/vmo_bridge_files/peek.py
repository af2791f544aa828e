"""A look at a sheet's own XML, for what openpyxl hides when it reads row by row."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from posixpath import join, normpath, split

from defusedxml.ElementTree import fromstring, iterparse
from openpyxl.utils.cell import coordinate_to_tuple, range_boundaries

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_SIGNS = (b"<f", b"mergeCell", b"hidden=", b":f>", b":f ")
"""Without any of these in it, a sheet has nothing to hide."""
_CHUNK = 1 << 20
_MOST_MERGED = 100_000

Place = tuple[int, int]
"""(row, column), from 1."""


@dataclass(slots=True)
class Hidden:
    """What row-by-row reading does not show."""

    without_value: set[Place] = field(default_factory=set)
    """Formulas that nobody has computed yet."""
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    """(first column, first row, last column, last row) of merged cells."""
    rows: int = 0
    """How many rows are hidden from sight."""

    def covered(self) -> Iterator[tuple[Place, Place]]:
        """Each merged cell that shows no value of its own, and the one that shows it."""
        for left, top, right, bottom in self.merged:
            for row in range(top, bottom + 1):
                for column in range(left, right + 1):
                    if (row, column) != (top, left):
                        yield (row, column), (top, left)


def peek(archive: zipfile.ZipFile, sheet: str) -> Hidden:
    """Look at one sheet, by its name."""
    part = _part_of(archive, sheet)
    hidden = Hidden()
    if not _shows_a_sign(archive, part):
        return hidden
    with archive.open(part) as file:
        for _, element in iterparse(file):
            if element.tag == f"{_MAIN}c":
                if element.find(f"{_MAIN}f") is not None and not element.findtext(f"{_MAIN}v"):
                    hidden.without_value.add(coordinate_to_tuple(element.get("r", "A1")))
            elif element.tag == f"{_MAIN}row":
                hidden.rows += element.get("hidden") in ("1", "true")
                element.clear()
            elif element.tag == f"{_MAIN}mergeCell":
                hidden.merged.append(range_boundaries(element.get("ref", "A1")))
    cells = sum((right - left + 1) * (bottom - top + 1)
                for left, top, right, bottom in hidden.merged)  # fmt: skip
    if cells > _MOST_MERGED:
        raise ValueError(f"{cells} merged cells")
    return hidden


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """The part of the package that holds a sheet; the workbook need not be xl/workbook.xml."""
    book = next(
        target for kind, _, target in _links(archive, "") if kind.endswith("/officeDocument")
    )
    targets = {name: target for _, name, target in _links(archive, book)}
    for each in fromstring(archive.read(book)).iter(f"{_MAIN}sheet"):
        if each.get("name") == sheet:
            return targets[each.get(_LINK)]
    raise KeyError(sheet)


def _links(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[str, str, str]]:
    """(type, id, part) of what a part of the package links to; no part: the package itself."""
    folder, name = split(part)
    content = archive.read(normpath(f"{folder or '.'}/_rels/{name}.rels"))
    for each in fromstring(content).iter(_PACKAGE):
        target = join("/", folder, each.get("Target", ""))
        yield each.get("Type", ""), each.get("Id", ""), normpath(target).lstrip("/")


def _shows_a_sign(archive: zipfile.ZipFile, part: str) -> bool:
    before = b""
    with archive.open(part) as file:
        while chunk := file.read(_CHUNK):
            if any(sign in before + chunk for sign in _SIGNS):
                return True
            before = chunk[-12:]
    return False
