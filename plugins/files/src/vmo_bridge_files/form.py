"""One form and its files: what is there, how a file is opened, and what is remembered of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from vmo_bridge.plugin import SourceError
from vmo_bridge_files.books import Books
from vmo_bridge_files.folder import Export, Folder, Look
from vmo_bridge_files.layout import Layout, layout
from vmo_bridge_files.rows import RowReader
from vmo_bridge_files.settings import FormEntry
from vmo_bridge_files.table import FileRefused, Line, NotWhole


@dataclass(slots=True)
class Form:
    """A form, its folder and its books."""

    source: str
    name: str
    entry: FormEntry
    folder: Folder
    books: Books
    clock: Callable[[], float]
    """Our own time, in epoch seconds."""
    notes: list[str] = field(default_factory=list)
    """What people should know of the last read."""

    @property
    def hash(self) -> str:
        """Of the settings by which files are read; with others they are read again."""
        text = self.entry.model_dump_json(exclude={"files"}, exclude_defaults=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def now(self) -> datetime:
        """This moment."""
        return datetime.fromtimestamp(self.clock(), tz=UTC)

    def look(self) -> Look:
        """Its files now."""
        return self.folder.look(self.entry, self.books)

    def layout(self, export: Export) -> Layout:
        """What the columns of a file mean; the header of one that was seen is remembered."""
        rows = self.books.top(self.name, export.sha256, self.hash)
        if rows is None:
            rows = self.folder.open(export, self.entry).headers
            self.books.note_top(self.name, export.sha256, self.hash, rows)
        return layout(self.entry, rows)

    def lines(self, export: Export) -> tuple[RowReader, Iterator[Line]]:
        """The lines of a file, and what makes records of them."""
        table = self.folder.open(export, self.entry)
        found = layout(self.entry, table.headers)
        return RowReader(self.entry, found, table, export.name, made(export)), table.lines()

    def begin(self) -> Look:
        """A look at the beginning of a read: what is waited for is told."""
        look = self.look()
        self.notes = [f"{name}: waiting: {why}" for name, why in look.waiting.items()]
        return look

    def failed(self, export: Export, reason: Exception, refused: dict[str, str]) -> None:
        """A file that failed while it was read: refused, changed meanwhile, or out of reach."""
        if not self.folder.is_same(export):
            self.notes.append(f"{export.name}: waiting: it changed while it was read")
        elif isinstance(reason, FileRefused):
            refused[export.name] = str(reason)
        else:
            self.notes.append(f"{export.name}: waiting: it cannot be read now ({reason})")

    def end(self, refused: dict[str, str]) -> None:
        """The end of a read: an error names the files that were refused."""
        if refused:
            told = "; ".join(f"{name} {why}" for name, why in sorted(refused.items()))
            raise SourceError(f"{self.source}: form {self.name}: {told}")


def made(export: Export) -> datetime:
    """When a file was changed last."""
    return datetime.fromtimestamp(export.changed_ns / 1e9, tz=UTC)


FAILURES = (FileRefused, NotWhole, OSError)
"""What may happen to one file, and is no matter of the others."""
