"""The rows of a form, page after page, each file once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from vmo_bridge.plugin import Page, Slice
from vmo_bridge_files.books import Taken
from vmo_bridge_files.folder import Export
from vmo_bridge_files.form import FAILURES, Form, made
from vmo_bridge_files.layout import changes
from vmo_bridge_files.rows import Row
from vmo_bridge_files.table import FileRefused


class Place(msgspec.Struct, frozen=True):
    """Where a page ended: at this row of this content. It is the cursor, as JSON."""

    changed_ns: int
    name: str
    sha256: str
    row: int


@dataclass(slots=True)
class FormReader:
    """Reads one slice of a form's rows.

    A file that was taken is not opened again. One that was not is read as a whole, however old
    its rows are: all of it is new to us. Where nobody keeps what we remember, nothing counts as
    taken, and ``since`` alone says which rows are read.
    """

    form: Form
    piece: Slice
    page_size: int

    def pages(self) -> Iterator[Page]:
        """The pages from the slice's cursor on; at the end an error names what was refused."""
        look = self.form.begin()
        refused = dict(look.refused)
        place = _place(self.piece.cursor)
        newest: datetime | None = None
        for export in look.ready:
            if self._is_done(export, place):
                continue
            begin = place.row if place and place.sha256 == export.sha256 else 0
            try:
                for rows in self._batches(export, begin):
                    moments = [row.changed_at for row in rows if row.changed_at]
                    newest = max([*moments, newest] if newest else moments, default=None)
                    yield _page(export, rows, newest)
            except FAILURES as reason:
                self.form.failed(export, reason, refused)
        self.form.end(refused)

    def _is_done(self, export: Export, place: Place | None) -> bool:
        """Whether all of a file was stored already."""
        form = self.form
        taken = form.books.kept and form.books.taken(form.name, export.sha256, form.hash)
        if taken and self.piece.since is not None:
            return True
        if place is None:
            return False
        if export.sha256 == place.sha256:
            return bool(taken)
        before = (export.changed_ns, export.name) < (place.changed_ns, place.name)
        return before and bool(taken or not form.books.kept)

    def _batches(self, export: Export, begin: int) -> Iterator[list[Row]]:
        """The wanted rows of a file behind a row, a page at a time; then it counts as taken."""
        form, count = self.form, 0
        reader, lines = form.lines(export)
        if not begin:
            self._tell_header(export)
        batch: list[Row] = []
        for line in lines:
            count += 1
            if line.number <= begin:
                reader.pass_over(line)
                continue
            row = reader.row(line)
            if self._is_wanted(row, export):
                batch.append(row)
            if len(batch) == self.page_size:
                self._still_the_same(export)
                yield batch
                batch = []
        self._still_the_same(export)
        if batch:
            yield batch
        # Only now: what was yielded is stored when it is asked for more.
        form.notes += reader.told()
        taken = Taken(name=export.name, at=f"{form.now():%Y-%m-%dT%H:%M:%SZ}", rows=count,
                      form=form.hash)  # fmt: skip
        form.books.take(form.name, export.sha256, taken)

    def _is_wanted(self, row: Row, export: Export) -> bool:
        changed_at = row.changed_at or made(export)
        if self.piece.until is not None and changed_at >= self.piece.until:
            return False
        return self.form.books.kept or self.piece.since is None or changed_at >= self.piece.since

    def _still_the_same(self, export: Export) -> None:
        if not self.form.folder.is_same(export):
            raise FileRefused("changed while it was read")

    def _tell_header(self, export: Export) -> None:
        """Another header than the one before is told, once."""
        names = self.form.layout(export).names
        before = self.form.books.header(self.form.name)
        if before is not None and (told := changes(before, names)):
            self.form.notes.append(f"{export.name}: {told}")
        self.form.books.note_header(self.form.name, names)


def count(form: Form) -> int | None:
    """How many different rows the files hold; None while one of them cannot be read.

    Exports of a form overlap, so their rows are compared; that is done once for the same files.
    """
    look = form.look()
    if look.waiting or look.refused:
        return None
    hashes = [form.hash, *sorted(each.sha256 for each in look.ready)]
    files = hashlib.sha256("".join(hashes).encode()).hexdigest()
    counted = form.books.counted(form.name)
    if counted is not None and counted[0] == files:
        return counted[1]
    try:
        rows = _different(form, look.ready)
    except FAILURES:
        return None
    form.books.note_count(form.name, files, rows)
    return rows


def _different(form: Form, exports: Sequence[Export]) -> int:
    if len(exports) == 1:
        taken = form.books.taken(form.name, exports[0].sha256, form.hash)
        if taken is not None:
            return taken.rows
    keys: set[str] = set()
    for export in exports:
        reader, lines = form.lines(export)
        keys.update(reader.row(line).content["key"] for line in lines)
    return len(keys)


def _page(export: Export, rows: Sequence[Row], newest: datetime | None) -> Page:
    place = Place(export.changed_ns, export.name, export.sha256, rows[-1].number)
    return Page(
        records=[row.content for row in rows],
        cursor=msgspec.json.encode(place).decode(),
        newest=newest,
    )


def _place(cursor: str | None) -> Place | None:
    return None if cursor is None else msgspec.json.decode(cursor, type=Place)
