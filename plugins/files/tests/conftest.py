"""Drop folders made in the test, connectors on them, and a sync into a real store."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from openpyxl import Workbook

from vmo_bridge.plugin import Answer, Feedback, RawRecord, RecordError
from vmo_bridge.store import Store
from vmo_bridge.sync import Care, StreamOutcome, sync_source
from vmo_bridge.sync.people import People
from vmo_bridge.testing.source import masked, rows_of
from vmo_bridge.watch import Stopped, Watch
from vmo_bridge_files.connector import Files
from vmo_bridge_files.settings import FilesSettings

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
"""When the clock of a test begins."""
HEADER = ["ID", "Completion time", "Email", "How satisfied are you?", "Comment"]
FORM: dict[str, Any] = {
    "files": "onboarding*",
    "id": "ID",
    "answered_at": "Completion time",
    "email": "Email",
    "time_zone": "America/New_York",
    "questions": {"How satisfied are you?": {"scale": [1, 5]}},
}
Rows = Sequence[Sequence[Any]]
Connect = Callable[..., Files]


@pytest.fixture(autouse=True)
def clean_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither settings nor home of the developer reach a test."""
    for name in list(os.environ):
        if name.upper().startswith("VMO_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now.timestamp()

    def go_on(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Drop:
    """A drop folder."""

    header = HEADER
    form = FORM

    def row(self, number: int, *, comment: Any = "fine", value: Any = 4, day: int = 1) -> list[Any]:
        """One answer of the form."""
        at = f"2026-10-{day:02} 09:{number % 60:02}:00"
        return [number, at, f"user{number}@example.org", value, comment]

    def rows(self, *numbers: int, **more: Any) -> list[list[Any]]:
        """The header, and the answers with these numbers."""
        return [self.header, *(self.row(each, **more) for each in numbers)]

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        path.mkdir()

    def csv(self, name: str, rows: Rows, *, encoding: str = "utf-8", **how: Any) -> Path:
        """Write a CSV file; ``old`` seconds ago."""
        old = how.pop("old", 3600)
        with (self.path / name).open("w", encoding=encoding, newline="") as file:
            csv.writer(file, **how).writerows(rows)
        return self.age(name, old)

    def text(self, name: str, content: str | bytes, *, old: float = 3600) -> Path:
        data = content.encode() if isinstance(content, str) else content
        (self.path / name).write_bytes(data)
        return self.age(name, old)

    def xlsx(
        self, name: str, rows: Rows, *, old: float = 3600,
        change: Callable[[Workbook], None] = lambda book: None,
    ) -> Path:  # fmt: skip
        """Write a workbook; ``change`` does more to it before it is saved."""
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        for row in rows:
            sheet.append(list(row))
        change(book)
        book.save(self.path / name)
        return self.age(name, old)

    def age(self, name: str, old: float) -> Path:
        """Make a file look as if it was changed so many seconds ago."""
        moment = self._clock() - old
        os.utime(self.path / name, (moment, moment))
        return self.path / name


@pytest.fixture
def drop(tmp_path: Path, clock: Clock) -> Drop:
    return Drop(tmp_path / "drop", clock)


@pytest.fixture
def connect(tmp_path: Path, drop: Drop, clock: Clock) -> Connect:
    """A connector with one form; what is given changes the form, ``settings`` the rest."""

    def connected(settings: dict[str, Any] | None = None, **form: Any) -> Files:
        one = {name: value for name, value in (FORM | form).items() if value is not None}
        content = {"folder": "drop", "forms": {"onboarding": one}} | (settings or {})
        return Files("drop", FilesSettings.model_validate(content), tmp_path, clock=clock)

    return connected


class Seen:
    """Ways to look at what a connector gives."""

    def raw(self, connector: Files, stream: str = "onboarding") -> list[RawRecord]:
        """All raw records of a stream, as a sync hands them on."""
        (found,) = (each for each in connector.streams if each.name == stream)
        return [masked(found, each) for each in rows_of(connector, found)]

    def records(self, connector: Files, stream: str = "onboarding") -> list[Any]:
        """All records of a stream; what is refused is left out."""
        found: list[Any] = []
        for each in self.raw(connector, stream):
            with suppress(RecordError):
                found += connector.normalise(stream, each)
        return found

    def feedback(self, connector: Files) -> list[Any]:
        return [each for each in self.records(connector) if each.kind == "feedback"]

    def refused(self, connector: Files) -> list[str]:
        """Why rows are refused."""
        reasons = []
        for each in self.raw(connector):
            try:
                list(connector.normalise("onboarding", each))
            except RecordError as error:
                reasons.append(error.reason)
        return reasons

    def answers(self, connector: Files) -> dict[str, list[Any]]:
        """What was answered, by question: (value, text) in the order of the rows."""
        texts = {each.ref: each.text for each in self.records(connector, "onboarding.questions")}
        found: dict[str, list[Any]] = {}
        for each in self.records(connector):
            if each.kind == "answer":
                found.setdefault(texts[each.question_ref], []).append((each.value, each.text))
        return found


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "vmo-bridge.db", owner="test") as store:
        yield store


Sync = Callable[..., dict[str, StreamOutcome]]


@pytest.fixture
def sync(store: Store) -> Sync:
    """Sync a connector into the store; the outcomes by stream."""

    def synced(connector: Files, watch: Watch | None = None) -> dict[str, StreamOutcome]:
        outcomes = sync_source(
            connector, store, People(b"key", names=False), 1,
            care=Care(overlap=timedelta(minutes=5)), watch=watch or Watch(),
        )  # fmt: skip
        return {each.stream: each for each in outcomes}

    return synced


class Life:
    """A folder into which exports are laid, and a store that is synced with interruptions."""

    def __init__(self, path: Path) -> None:
        self._clock = Clock()
        self._path = path
        self._drop = Drop(path / "drop", self._clock)
        self._files = 0
        self.exported: set[str] = set()

    def export(self, rows: int, *, old: float) -> None:
        """One more file; some of its rows were in an earlier one."""
        first = max(len(self.exported) - 1, 0)
        numbers = range(first, first + rows)
        self._files += 1
        self._drop.csv(f"onboarding-{self._files}.csv", self._drop.rows(*numbers), old=old)
        self.exported |= {str(each) for each in numbers}

    def sync(self, *, pages: int) -> None:
        """Read so many pages at most."""
        settings = FilesSettings.model_validate(
            {"folder": "drop", "forms": {"onboarding": FORM}, "page_size": 2}
        )
        self._clock.go_on(minutes=5)
        with Store(self._path / "vmo-bridge.db", owner="test") as store, suppress(Stopped):
            sync_source(
                Files("drop", settings, self._path, clock=self._clock),
                store, People(b"key", names=False), 1,
                care=Care(overlap=timedelta(minutes=5)), watch=Patience(pages),
            )  # fmt: skip

    def held(self) -> set[str]:
        with Store(self._path / "vmo-bridge.db") as store:
            return {each["number"] for each in store.versions.all("feedback")}


class Patience(Watch):
    """Lets so many pages be read."""

    def __init__(self, pages: int) -> None:
        self._pages = pages

    def stop_here(self) -> None:
        self._pages -= 1
        if self._pages <= 0:
            raise Stopped("in the test")


def read_one(name: str, content: bytes) -> dict[str, set[Any]]:
    """What one file says: number of the feedback to the values and texts of its answers."""
    form = {
        "files": name, "id": "ID", "answered_at": "When", "time_zone": "UTC",
        "questions": {"Rating": {"scale": [1, 5]}},
    }  # fmt: skip
    with TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(content)
        settings = {"folder": ".", "settle_seconds": 0, "forms": {"one": form}}
        connector = Files("drop", FilesSettings.model_validate(settings), Path(folder))
        stream = connector.streams[1]
        found = [
            each for row in rows_of(connector, stream) for each in connector.normalise("one", row)
        ]
    answers: dict[str, set[Any]] = {}
    for each in found:
        if isinstance(each, Feedback):
            answers[each.ref] = set()
    for each in found:
        if isinstance(each, Answer):
            answers[each.feedback_ref].add(each.value if each.text is None else each.text)
    return {ref.rpartition("/")[2]: said for ref, said in answers.items()}


@pytest.fixture(scope="session")
def lives() -> type[Life]:
    return Life


@pytest.fixture(scope="session")
def read_file() -> Callable[[str, bytes], dict[str, set[Any]]]:
    return read_one


@pytest.fixture
def patience() -> type[Patience]:
    return Patience
