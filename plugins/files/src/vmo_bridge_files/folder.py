"""The drop folder: which files are there, which of them are whole, and what each one holds."""

from __future__ import annotations

import fnmatch
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vmo_bridge.plugin import AccessError, RetryLater
from vmo_bridge_files.books import Books, Seen
from vmo_bridge_files.csvfile import CsvTable
from vmo_bridge_files.settings import FilesSettings, FormEntry
from vmo_bridge_files.table import FileRefused, NotWhole, Table

_UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".download", ".filepart")
_WORKBOOKS = (".xlsx", ".xlsm")
_NO_TEXT = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""What workbooks begin with, whatever they are called."""
_WEB_PAGE = (b"<!doctype", b"<html")


@dataclass(frozen=True, slots=True, order=True)
class Export:
    """A file that is whole; in the order of age, so that the newest has the last word."""

    changed_ns: int
    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at the files of a form found."""

    ready: tuple[Export, ...]
    waiting: dict[str, str]
    """Name to what is waited for."""
    refused: dict[str, str]
    """Name to why, to be read behind the name."""


class Folder:
    """The folder, looked at by our own clock. Nothing in it is ever changed."""

    def __init__(
        self, source: str, path: Path, settings: FilesSettings, clock: Callable[[], float]
    ) -> None:
        self.path = path
        self._source = source
        self._settings = settings
        self._clock = clock
        self._last: tuple[Export, FormEntry, Table] | None = None

    def names(self) -> dict[str, os.stat_result]:
        """All plain files but those that programs are still writing, by name."""
        try:
            found = {}
            with os.scandir(self.path) as entries:
                for entry in entries:
                    if _is_finished(entry.name) and entry.is_file(follow_symlinks=False):
                        found[entry.name] = entry.stat(follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            raise RetryLater(
                f"{self._source}: the folder {self.path} is not there; mount it, or mend "
                f"connectors.{self._source}.folder"
            ) from None
        except PermissionError:
            raise AccessError(
                f"{self._source}: the folder {self.path} may not be read by this user; "
                "give the right to read it"
            ) from None
        except OSError as error:
            raise RetryLater(
                f"{self._source}: the folder {self.path} cannot be read now: {error.strerror}"
            ) from error
        return found

    def look(self, form: FormEntry, books: Books) -> Look:
        """The files of a form: ready ones by age, and the others with their reason."""
        there = self.names()
        books.forget_all_but(list(there))
        ready: dict[str, Export] = {}
        waiting: dict[str, str] = {}
        refused: dict[str, str] = {}
        for name in sorted(there):
            if not belongs(name, form):
                continue
            try:
                export = self._export(name, there[name], form, books)
            except NotWhole as reason:
                waiting[name] = str(reason)
            except FileRefused as reason:
                refused[name] = str(reason)
            else:
                # The same content under a second name is the same file.
                ready[export.sha256] = min(export, ready.get(export.sha256, export))
        return Look(tuple(sorted(ready.values())), waiting, refused)

    def open(self, export: Export, form: FormEntry) -> Table:
        """Open a file; the last one is at hand, for its header is asked for more than once."""
        if self._last is None or self._last[:2] != (export, form):
            self._last = export, form, self._open(self.path / export.name, form)
        return self._last[2]

    def is_same(self, export: Export) -> bool:
        """Whether the file is still the one that was looked at."""
        try:
            now = (self.path / export.name).stat(follow_symlinks=False)
        except OSError:
            return False
        return (now.st_size, now.st_mtime_ns) == (export.size, export.changed_ns)

    def _export(self, name: str, found: os.stat_result, form: FormEntry, books: Books) -> Export:
        """The file if it is whole; ``NotWhole`` while it may become so, else ``FileRefused``."""
        now = self._clock()
        seen = books.seen(name)
        if seen is None or (seen.size, seen.changed_ns) != (found.st_size, found.st_mtime_ns):
            seen = Seen(size=found.st_size, changed_ns=found.st_mtime_ns, since=now)
            books.see(name, seen)
        quiet = now - min(seen.since, found.st_mtime)
        if quiet < self._settings.settle_seconds:
            raise NotWhole(f"it changed {max(quiet, 0):.0f} s ago")
        if found.st_size > self._settings.max_megabytes * 1_000_000:
            raise FileRefused(
                f"has {found.st_size / 1e6:,.0f} MB; {self._settings.max_megabytes} are allowed "
                "(max_megabytes)"
            )
        patience = self._settings.patience_minutes * 60
        try:
            return self._whole_file(name, seen, form, books, trusted=quiet >= patience)
        except NotWhole as reason:
            # A copy keeps the age of its original: patience counts from our first look.
            if now - seen.since < patience:
                raise
            raise FileRefused(
                f"is broken: {reason}, and nothing was added for {patience / 60:.0f} minutes; "
                "export it again"
            ) from None
        except PermissionError:
            raise FileRefused("may not be read by this user; give the right to read it") from None
        except OSError as error:
            raise NotWhole(f"it cannot be read now: {error.strerror}") from None

    def _whole_file(
        self, name: str, seen: Seen, form: FormEntry, books: Books, *, trusted: bool
    ) -> Export:
        """The file with its hash, which is noted once its end was looked at."""
        export = Export(seen.changed_ns, name, seen.size, seen.sha256 or self._hash(name))
        if not seen.sha256:
            self.open(export, form).look_whole(trusted=trusted)
            if not self.is_same(export):
                raise NotWhole("it changed while it was looked at")
            books.see(name, Seen(seen.size, seen.changed_ns, seen.since, export.sha256))
        return export

    def _hash(self, name: str) -> str:
        with (self.path / name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _open(self, path: Path, form: FormEntry) -> Table:
        with path.open("rb") as file:
            start = file.read(64)
        if path.suffix.casefold() not in _WORKBOOKS and not start.startswith(_NO_TEXT):
            if start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_WEB_PAGE):
                raise FileRefused("is a web page, not an export; download it again")
            return CsvTable(path, form)
        # Importing openpyxl takes a while, and many folders hold no workbook.
        from vmo_bridge_files.xlsxfile import XlsxTable  # noqa: PLC0415 - as said

        return XlsxTable(path, form, self._settings.max_megabytes * 1_000_000)


def belongs(name: str, form: FormEntry) -> bool:
    """Whether a file is an export of a form."""
    return fnmatch.fnmatchcase(name.casefold(), form.files.casefold())


def _is_finished(name: str) -> bool:
    """Whether a name is not one that programs give to files they are still writing."""
    return not (name.startswith((".", "~$")) or name.casefold().endswith(_UNFINISHED))
