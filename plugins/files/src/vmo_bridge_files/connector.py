"""The connector: the forms of a drop folder as streams."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from vmo_bridge.plugin import (
    AccessError,
    CheckRow,
    Page,
    RawRecord,
    Record,
    RetryLater,
    Slice,
    Stream,
)
from vmo_bridge_files import questions, reader
from vmo_bridge_files.books import Books
from vmo_bridge_files.check import check_form, unclaimed
from vmo_bridge_files.folder import Folder
from vmo_bridge_files.form import Form
from vmo_bridge_files.normalise import Normaliser
from vmo_bridge_files.settings import FilesSettings

_QUESTIONS = ".questions"
_READABLE = "".join(map(chr, range(0x21, 0x7F))).replace("%", "")


class Files:
    """A drop folder: a ``Connector`` that remembers what it took, and has notes to tell.

    Each form is two streams: ``<form>.questions``, its columns, and ``<form>``, its rows.
    """

    def __init__(
        self,
        name: str,
        settings: FilesSettings,
        folder: Path,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._settings = settings
        self._books = Books({})
        self._folder = Folder(
            name, (folder / settings.folder.expanduser()).absolute(), settings, clock
        )
        self._normaliser = Normaliser(name)
        self._forms = {
            each: Form(name, each, entry, self._folder, self._books, clock)
            for each, entry in settings.forms.items()
        }

    def remember(self, memory: MutableMapping[str, str]) -> None:
        """Take the memory of earlier runs: which files were seen, and which were taken."""
        self._books.memory = memory
        self._books.kept = True

    @property
    def streams(self) -> Sequence[Stream]:
        """Questions before the rows that answer them."""
        return [stream for form in self._forms for stream in _streams(form)]

    def notes(self, stream: str) -> Sequence[str]:
        """What people should know of the last read of a stream."""
        notes = self._forms[stream.removesuffix(_QUESTIONS)].notes
        # Of a file that is waited for the rows tell.
        return [] if stream.endswith(_QUESTIONS) else list(notes)

    def check(self) -> Iterable[CheckRow]:
        """The folder, and of each form its files, columns and questions."""
        try:
            there = self._folder.names()
        except (RetryLater, AccessError) as error:
            for stream in self.streams:
                yield CheckRow(what=stream.name, state="failed", detail=str(error))
            return
        for name, form in self._forms.items():
            yield from check_form(form, f"{name}{_QUESTIONS}")
        yield from unclaimed(there, self._settings)

    def slices(self, stream: Stream, since: datetime | None, until: datetime | None) -> list[Slice]:
        """One slice: what lies there when it is read."""
        return [Slice(stream=stream.name, since=since, until=until)]

    def read(self, piece: Slice) -> Iterator[Page]:
        """The pages of a slice: the questions by age, or the files by age, row after row."""
        form = self._forms[piece.stream.removesuffix(_QUESTIONS)]
        size = self._settings.page_size
        if piece.stream.endswith(_QUESTIONS):
            return questions.pages(form, piece, size)
        return reader.FormReader(form, piece, size).pages()

    def normalise(self, stream: str, record: RawRecord) -> Iterable[Record]:
        """A question, or feedback with its answers."""
        form = stream.removesuffix(_QUESTIONS)
        if stream.endswith(_QUESTIONS):
            return self._normaliser.question(form, record)
        return self._normaliser.row(form, record)

    def count(self, stream: Stream) -> int | None:
        """Of the files that lie there now; None while one of them cannot be read."""
        form = self._forms[stream.name.removesuffix(_QUESTIONS)]
        if stream.name.endswith(_QUESTIONS):
            return questions.count(form)
        return reader.count(form)

    def link(self, stream: str, key: str) -> str:
        """The folder, with the record's key behind it."""
        return f"{self._folder.path.as_uri()}#{stream}/{quote(key, safe=_READABLE)}"

    def close(self) -> None:
        """Nothing is held open."""


def _streams(form: str) -> Iterator[Stream]:
    yield Stream(name=f"{form}{_QUESTIONS}", kinds=("question",), key_field="key")
    yield Stream(
        name=form,
        kinds=("feedback", "answer"),
        key_field="key",
        person_fields=("person", "email"),
    )
