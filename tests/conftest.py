"""A clean environment for every test, and a source that obeys: it changes, fails and refuses."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from vmo_bridge.connectors.contract import (
    CheckRow,
    Page,
    Slice,
    Stream,
)
from vmo_bridge.connectors.writing import (
    Change,
    Places,
    ProvisionStep,
    Receipt,
    Written,
)
from vmo_bridge.errors import AccessError, RecordError, SourceError, WriteRefused
from vmo_bridge.hooks.extensions import ConnectorType, Kpi, Rule
from vmo_bridge.hooks.loader import Plugins
from vmo_bridge.hooks.specs import hookimpl
from vmo_bridge.records import (
    Answer,
    Feedback,
    Person,
    Question,
    Record,
    Service,
    Ticket,
    UserGroup,
)
from vmo_bridge.settings import Settings, load_settings

NOON = 1_790_000_000  # 2026-09-21, the source's clock when a test begins


@pytest.fixture(autouse=True)
def clean_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Neither the developer's settings, nor home, nor folder reach a test."""
    for name in list(os.environ):
        if name.upper().startswith("VMO_"):
            monkeypatch.delenv(name)
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(home)
    return home


def at(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


STREAMS = (
    Stream(name="groups", kinds=("user_group",), key_field="key"),
    Stream(
        name="people",
        kinds=("person",),
        key_field="key",
        person_fields=("key",),
        private_fields=("name", "email"),
    ),
    Stream(name="services", kinds=("service",), key_field="key"),
    Stream(name="tickets", kinds=("ticket",), key_field="key", person_fields=("requester",)),
    Stream(name="questions", kinds=("question",), key_field="key"),
    Stream(
        name="surveys",
        kinds=("feedback", "answer"),
        key_field="key",
        person_fields=("person",),
    ),
)


class Platform:
    """What stands on the other side, and all the ways in which it can misbehave."""

    def __init__(self) -> None:
        self.clock = NOON
        self.rows: dict[str, dict[str, dict[str, Any]]] = {each.name: {} for each in STREAMS}
        self.streams: Sequence[Stream] = STREAMS
        self.page_size = 3
        self.fail_at: dict[str, tuple[int, BaseException]] = {}
        """Stream to (page, counted from 1, before which it fails once; the failure)."""
        self.fail_count: dict[str, BaseException] = {}
        self.before_page: Callable[[str, int], None] = lambda stream, page: None
        self.reads: list[Slice] = []
        self.expected: int | None = None
        # What is written to: table to key to field to text.
        self.target: dict[str, dict[str, dict[str, str]]] = {}
        self.fields: dict[str, set[str]] = {}
        self.hidden_tables: dict[str, BaseException] = {}
        self.written: list[Change] = []
        self.reject: dict[str, BaseException] = {}
        """Key (or match value) to the failure of its write."""
        self.away_after: int | None = None
        """So many writes are still taken."""
        self.away_with: BaseException = WriteRefused("no failure was set")
        self.fail_read_back: BaseException | None = None
        self.drop: set[str] = set()
        """Fields that an access rule drops without a word."""
        self.hide: set[str] = set()
        """Fields that are left out of what is read back."""
        self.revert: dict[str, str] = {}
        """Fields that a business rule sets to something else."""
        self.at_call: Callable[[str], None] = lambda call: None
        """Hears of each call before the platform obeys it, and of each write once it stands."""
        self.undying: set[str] = set()
        """Keys of records that are there after a removal that was answered with yes."""
        self.stamps_writes = False
        """Whether a write is a change of the record, which the next sync reads again."""
        self.made: Counter[str] = Counter()
        """How many records were ever made, by table: no key comes twice."""
        self.closed = 0

    def put(self, stream: str, key: str, *, tick: int = 1, **fields: Any) -> None:
        self.clock += tick
        row = self.rows[stream].get(key, {})
        self.rows[stream][key] = {**row, **fields, "key": key, "updated": self.clock}

    def ticket(self, key: str, *, tick: int = 1, **fields: Any) -> None:
        if key not in self.rows["tickets"]:
            fields = {"number": f"INC{key}", "state": "new", "opened": self.clock, **fields}
        self.put("tickets", key, tick=tick, **fields)

    def survey(
        self, key: str, ticket: str | None, answers: Mapping[str, float], **more: Any
    ) -> None:
        self.put("surveys", key, ticket=ticket, answers=dict(answers), **more)

    def make_target(self, layout: Any, keys: Mapping[str, Iterable[str]]) -> None:
        """Provision the target, and put empty records on its tables."""
        for table in layout.tables():
            self.fields[table.table] = {column.name for column in table.columns}
            self.target[table.table] = {}
            for key in keys.get(table.table, ()):
                empty = dict.fromkeys(self.fields[table.table], "")
                self.target[table.table][key] = empty


# The stream in which a table of the target is read.
STREAM_OF = {"incident": "tickets", "services": "services", "groups": "groups"}


class FakeConnector:
    """Reads a ``Platform`` by keyset, as an honest connector does."""

    def __init__(self, platform: Platform, name: str = "desk") -> None:
        self.platform = platform
        self.name = name

    @property
    def streams(self) -> Sequence[Stream]:
        return self.platform.streams

    def check(self) -> Iterable[CheckRow]:
        return [CheckRow(what="reach", state="ok")]

    def slices(self, stream: Stream, since: datetime | None, until: datetime | None) -> list[Slice]:
        return [Slice(stream=stream.name, since=since, until=until)]

    def read(self, piece: Slice) -> Iterator[Page]:
        platform = self.platform
        platform.reads.append(piece)
        after = ("", "")
        if piece.cursor is not None:
            moment, _, key = piece.cursor.partition("|")
            after = (moment, key)
        since = f"{int(piece.since.timestamp()):012}" if piece.since else ""
        number = 0
        while True:
            number += 1
            platform.before_page(piece.stream, number)
            fail_page, failure = platform.fail_at.get(piece.stream, (0, None))
            if failure is not None and fail_page == number:
                del platform.fail_at[piece.stream]
                raise failure
            rows = sorted(
                (f"{row['updated']:012}", key, row)
                for key, row in platform.rows[piece.stream].items()
            )
            left = [each for each in rows if each[:2] > after and each[0] >= since]
            page = left[: platform.page_size]
            if not page:
                return
            after = page[-1][:2]
            yield Page(
                records=[dict(row) for *_, row in page],
                cursor="|".join(after),
                newest=at(int(after[0])),
                expected=len(rows),
            )

    def normalise(self, stream: str, record: Mapping[str, Any]) -> Iterable[Record]:
        if "broken" in record:
            raise RecordError(f"broken: {record['broken']}")
        if "stumble" in record:
            raise record["stumble"]
        common = {
            "ref": f"{self.name}/{record['key']}",
            "id": f"{self.name}:{stream}:{record['key']}",
            "source": self.name,
            "updated_at": at(record["updated"]),
        }
        make: Callable[..., Iterable[Record]] = getattr(self, f"_{stream}")
        return make(record, common)

    def _ref(self, key: str | None) -> str | None:
        return f"{self.name}/{key}" if key else None

    def _groups(self, row: Mapping[str, Any], common: Any) -> Iterable[Record]:
        yield UserGroup(**common, name=row.get("title", row["key"]))

    def _people(self, row: Mapping[str, Any], common: Any) -> Iterable[Record]:
        group = self._ref(row.get("group"))
        yield Person(**common, name=row.get("name"), user_group_ref=group, active=True)

    def _services(self, row: Mapping[str, Any], common: Any) -> Iterable[Record]:
        yield Service(**common, name=row.get("title", row["key"]))

    def _tickets(self, row: Mapping[str, Any], common: Any) -> Iterable[Record]:
        yield Ticket(
            **common,
            type="incident",
            original_type=row.get("table", "incident"),
            number=row["number"],
            title=row.get("title"),
            state=row["state"],
            original_state=row["state"],
            opened_at=at(row["opened"]),  # type: ignore[arg-type]
            resolved_at=at(row.get("resolved")),
            closed_at=at(row.get("closed")),
            requester_ref=self._ref(row.get("requester")),
            service_ref=self._ref(row.get("service")),
            made_sla=row.get("made_sla"),
        )

    def _questions(self, row: Mapping[str, Any], common: Any) -> Iterable[Record]:
        yield Question(
            **common, text=row["text"], scale_min=row.get("min"), scale_max=row.get("max")
        )

    def _surveys(self, row: Mapping[str, Any], common: Any) -> Iterable[Record]:
        moment = at(row.get("answered", row["updated"]))
        yield Feedback(
            **common,
            number=f"AI{row['key']}",
            person_ref=self._ref(row.get("person")),
            ticket_ref=self._ref(row.get("ticket")),
            service_ref=self._ref(row.get("service")),
            state="answered",
            original_state="complete",
            invited_at=moment,
            answered_at=moment,
        )
        for question, value in row["answers"].items():
            yield Answer(
                ref=f"{common['ref']}-{question}",
                id=f"{common['id']}-{question}",
                source=self.name,
                updated_at=common["updated_at"],
                feedback_ref=common["ref"],
                question_ref=f"{self.name}/{question}",
                value=value,
            )

    def count(self, stream: Stream) -> int | None:
        if stream.name in self.platform.fail_count:
            raise self.platform.fail_count.pop(stream.name)
        if self.platform.expected is not None:
            return self.platform.expected
        return len(self.platform.rows[stream.name])

    def link(self, stream: str, key: str) -> str:
        return f"https://desk.invalid/{stream}/{key}"

    def close(self) -> None:
        self.platform.closed += 1


class FakeWriter(FakeConnector):
    """A source that can also be written to."""

    places = Places(
        tickets=("incident",),
        services="services",
        user_groups="groups",
        service_path="service",
        user_group_paths={"incident": "requester.group"},
    )

    def current(
        self, table: str, field_: str, keys: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, str]]:
        platform = self.platform
        platform.at_call("current")
        if table in platform.hidden_tables:
            raise platform.hidden_tables[table]
        found = {}
        for key, row in platform.target.get(table, {}).items():
            if (key if field_ == "sys_id" else row.get(field_)) in keys:
                found[key] = {each: row[each] for each in fields if each in row}
        return found

    def write(self, change: Change) -> str:
        platform = self.platform
        platform.at_call("write")
        if platform.away_after is not None:
            if platform.away_after == 0:
                raise platform.away_with
            platform.away_after -= 1
        for name in (change.key, *change.match.values()):
            if name in platform.reject:
                raise platform.reject[name]
        rows = platform.target.setdefault(change.table, {})
        key = change.key or next(
            (key for key, row in rows.items() if change.match.items() <= row.items()), None
        )
        known = platform.fields.get(change.table, set())
        if key is None:
            key = f"new{platform.made[change.table]}"
            platform.made[change.table] += 1
            rows[key] = {**dict.fromkeys(known, ""), **_known(change.match, known)}
        if key not in rows:
            raise WriteRefused(f"{change.table}/{key} is not there")
        values = {**_known(change.values, known), **_known(platform.revert, {*change.values})}
        rows[key] |= {each: text for each, text in values.items() if each not in platform.drop}
        platform.written.append(change)
        self._move(change.table, key)
        platform.at_call("written")
        return key

    def _move(self, table: str, key: str) -> None:
        if not self.platform.stamps_writes:
            return
        row = self.platform.rows.get(STREAM_OF.get(table, ""), {}).get(key)
        if row is not None:
            self.platform.clock += 1
            row["updated"] = self.platform.clock

    def read_back(self, change: Change, key: str) -> Receipt:
        self.platform.at_call("read back")
        if self.platform.fail_read_back is not None:
            raise self.platform.fail_read_back
        row = self.platform.target[change.table].get(key)
        if row is None:
            raise WriteRefused(f"{change.table}/{key} cannot be seen")
        names = [each for each in (*change.match, *change.values) if each in row]
        stored = {each: row[each] for each in names if each not in self.platform.hide}
        moved = self.platform.rows.get(STREAM_OF.get(change.table, ""), {}).get(key, {})
        return Receipt(
            key=key,
            stored=stored,
            seen_at=datetime.now(tz=UTC),
            changed_at=at(moved.get("updated")),
        )

    def provision_plan(self, tables: Sequence[Any]) -> list[ProvisionStep]:
        return []

    def provision(self, step: ProvisionStep) -> None:
        raise AssertionError(step)


class FakeBulkWriter(FakeWriter):
    """A target that takes three changes in a call, and lets us take away what we made."""

    batch = 3

    def write_many(self, changes: Sequence[Change]) -> list[Written]:
        assert len({(each.table, each.key, *each.match.values()) for each in changes}) == len(
            changes
        ), "two changes of one record in one call"
        return [self._written(each) for each in changes]

    def _written(self, change: Change) -> Written:
        try:
            return Written(key=self.write(change))
        except (WriteRefused, AccessError, SourceError) as error:
            return Written(refused=str(error))

    def read_back_many(
        self, changes: Sequence[Change], keys: Sequence[str]
    ) -> list[Receipt | None]:
        return [self._seen(*each) for each in zip(changes, keys, strict=True)]

    def _seen(self, change: Change, key: str) -> Receipt | None:
        try:
            return self.read_back(change, key)
        except WriteRefused:
            return None

    def remove(self, table: str, key: str) -> None:
        platform = self.platform
        platform.at_call("remove")
        if key in platform.reject:
            raise platform.reject[key]
        if key not in platform.undying:
            platform.target[table].pop(key, None)
        platform.at_call("removed")


def _known(values: Mapping[str, str], known: Iterable[str]) -> dict[str, str]:
    return {each: text for each, text in values.items() if each in known}


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture(scope="session")
def fakes() -> SimpleNamespace:
    """The classes themselves, for tests that need more than one of each."""
    return SimpleNamespace(
        Platform=Platform,
        Connector=FakeConnector,
        Writer=FakeWriter,
        BulkWriter=FakeBulkWriter,
        at=at,
        noon=NOON,
    )


class Nothing(BaseModel, extra="forbid"):
    """The settings of a source that needs none."""


@pytest.fixture
def offer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., EntryPoint]:
    """Make an entry point of hook functions, as an installed distribution would have it."""

    def offered(name: str, **hooks: Callable[..., Any]) -> EntryPoint:
        module = ModuleType(f"vmo_test_plugin_{name}")
        for hook, function in hooks.items():
            setattr(module, hook, hookimpl(function))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return EntryPoint(name=name, value=module.__name__, group="vmo_bridge")

    return offered


@pytest.fixture
def make_plugins(platform: Platform, offer: Callable[..., EntryPoint]) -> Callable[..., Plugins]:
    """Plugins with the kinds of source ``desk`` (writable) and ``reader`` on one platform."""

    def made(
        *more: EntryPoint,
        rules: Sequence[Rule] = (),
        kpis: Sequence[Kpi] = (),
        connect: Callable[[str], FakeConnector] | None = None,
    ) -> Plugins:
        def kind(name: str, cls: type[FakeConnector]) -> ConnectorType:
            def opened(*, name: str, settings: Nothing, folder: Path) -> FakeConnector:
                return connect(name) if connect else cls(platform, name)

            return ConnectorType(
                name=name,
                title=name,
                settings=Nothing,
                connect=opened,
                writes=issubclass(cls, FakeWriter),
            )

        kinds = [kind("desk", FakeWriter), kind("reader", FakeConnector)]
        point = offer(
            "fakes",
            vmo_connectors=lambda: kinds,
            vmo_rules=lambda: list(rules),
            vmo_kpis=lambda: list(kpis),
        )
        plugins = Plugins([point, *more])
        assert plugins.rows[0].state == "loaded", plugins.rows[0]
        return plugins

    return made


@pytest.fixture
def configure(tmp_path: Path) -> Callable[[str], Settings]:
    """Settings from TOML text."""

    def configured(text: str = '[connectors.desk]\nplugin = "desk"\n') -> Settings:
        file = tmp_path / "vmo-bridge.toml"
        file.write_text(text, encoding="utf-8")
        return load_settings(file)

    return configured
