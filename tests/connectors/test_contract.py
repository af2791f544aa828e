"""The suite on the smallest honest connector; and each of its lies is found by the right check."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from vmo_bridge import testing
from vmo_bridge.connectors.contract import (
    CheckRow,
    Connector,
    Page,
    Slice,
    Stream,
)
from vmo_bridge.connectors.writing import (
    Change,
    Column,
    Places,
    ProvisionStep,
    Receipt,
    TargetTable,
)
from vmo_bridge.errors import RecordError, RetryLater, SignInError, SourceError, WriteRefused
from vmo_bridge.records import Service, Ticket
from vmo_bridge.testing import (
    Broken,
    ConnectorContract,
    KeepingContract,
    ReconcilingContract,
    RefusingContract,
    Source,
    Target,
)
from vmo_bridge.testing.source import change_of

PASSWORD = "correct horse battery staple"
NOON = 1_790_000_000


@dataclass
class World:
    """What stands over there."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    clock: int = NOON
    away: bool = False
    lying: bool = False
    tables: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    columns: dict[str, set[str]] = field(default_factory=dict)

    def put(self, key: str, **fields: Any) -> None:
        self.clock += 1
        self.rows[key] = {**self.rows.get(key, {}), **fields, "key": key, "at": str(self.clock)}


class Tiny:
    """Reads tickets from a world; the smallest connector that keeps to the contract."""

    name = "tiny"
    streams: Sequence[Stream] = (
        Stream(name="tickets", kinds=("ticket",), key_field="key", person_fields=("who",)),
    )

    def __init__(self, world: World, password: str = PASSWORD) -> None:
        self._world = world
        self._good = password == PASSWORD

    def check(self) -> Iterable[CheckRow]:
        try:
            self._sign_in()
        except (RetryLater, SignInError) as error:
            yield CheckRow(what="tickets", state="failed", detail=str(error))
        else:
            yield CheckRow(what="tickets", state="ok")

    def slices(self, stream: Stream, since: datetime | None, until: datetime | None) -> list[Slice]:
        return [Slice(stream=stream.name, since=since, until=until)]

    def read(self, piece: Slice) -> Iterator[Page]:
        self._sign_in()
        rows = sorted(self._world.rows.values(), key=self._place)
        rows = [row for row in rows if self._wanted(row, piece)]
        for start in range(0, len(rows), 2):
            if self._world.lying:
                raise SourceError("tiny: there is a failure in the answer")
            page = rows[start : start + 2]
            yield Page(
                records=[dict(row) for row in page],
                cursor=self._cursor(page[-1]),
                newest=self._moment(page[-1]["at"]),
                expected=len(rows) if not start else None,
            )

    def normalise(self, stream: str, record: Mapping[str, Any]) -> Iterable[Any]:
        for name in ("key", "at", "title", "state", "who"):
            if not isinstance(record.get(name), str) or "\x00" in record[name]:
                raise RecordError(f"{name} is not a text")
        if not record["key"]:
            raise RecordError("key is empty")
        at = self._moment(record["at"])
        yield Ticket(
            ref=f"{self.name}/{record['key']}",
            id=f"{self.name}:ticket:{record['key']}",
            source=self.name,
            updated_at=at,
            type="incident",
            original_type="incident",
            number=record["key"],
            title=record["title"],
            state="other",
            original_state=record["state"],
            requester_ref=f"{self.name}/{record['who']}",
            opened_at=at,
        )

    def count(self, stream: Stream) -> int | None:
        self._sign_in()
        return len(self._world.rows)

    def link(self, stream: str, key: str) -> str:
        return f"https://tiny.invalid/{stream}/{key}"

    def close(self) -> None:
        pass

    def _sign_in(self) -> None:
        if self._world.away:
            raise RetryLater("tiny: away")
        if not self._good:
            raise SignInError("tiny: refused")

    def _place(self, row: Mapping[str, Any]) -> tuple[str, str]:
        return row["at"], row["key"]

    def _cursor(self, row: Mapping[str, Any]) -> str | None:
        return "|".join(self._place(row))

    def _wanted(self, row: Mapping[str, Any], piece: Slice) -> bool:
        after = tuple((piece.cursor or "|").split("|"))
        at = int(row["at"])
        return (
            self._place(row) > after
            and (piece.since is None or at >= piece.since.timestamp())
            and (piece.until is None or at < piece.until.timestamp())
        )

    def _moment(self, text: str) -> datetime:
        try:
            return datetime.fromtimestamp(int(text), UTC)
        except (ValueError, OverflowError):
            raise RecordError(f"at is {text:.20}, not a moment") from None


class TinyWriter(Tiny):
    """And one that writes."""

    places = Places(tickets=("tickets",))

    def current(
        self, table: str, field_: str, keys: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, str]]:
        found = {}
        for key, row in self._world.tables.get(table, {}).items():
            if (key if field_ == "sys_id" else row.get(field_)) in keys:
                found[key] = {name: row[name] for name in (field_, *fields) if name in row}
        return found

    def write(self, change: Change) -> str:
        rows = self._world.tables[change.table]
        key = change.key or self._find(change, rows)
        if key is None:
            key = f"key{len(rows)}"
            rows[key] = dict.fromkeys(self._world.columns[change.table], "")
        if key not in rows:
            raise WriteRefused(f"{key} is not there")
        known = self._world.columns[change.table]
        rows[key] |= {n: v for n, v in {**change.match, **change.values}.items() if n in known}
        return key

    def _find(self, change: Change, rows: Mapping[str, Mapping[str, str]]) -> str | None:
        if not change.match:
            raise WriteRefused("a new record needs a key of ours")
        return next((k for k, row in rows.items() if change.match.items() <= row.items()), None)

    def read_back(self, change: Change, key: str) -> Receipt:
        row = self._world.tables[change.table].get(key)
        if row is None:
            raise WriteRefused(f"{key} is not there")
        names = [name for name in (*change.match, *change.values) if name in row]
        return Receipt(
            key=key, stored={name: row[name] for name in names}, seen_at=datetime.now(tz=UTC)
        )

    def provision_plan(self, tables: Sequence[TargetTable]) -> list[ProvisionStep]:
        return [
            ProvisionStep(what=column.name, table=table.table, values={"name": column.name})
            for table in tables
            for column in table.columns
            if column.name not in self._world.columns.get(table.table, set())
        ]

    def provision(self, step: ProvisionStep) -> None:
        self._world.columns.setdefault(step.table, set()).add(step.values["name"])
        for row in self._world.tables.setdefault(step.table, {}).values():
            row.setdefault(step.values["name"], "")


COLUMNS = tuple(Column(name=name, label=name, type="string") for name in ("u_key", "u_a", "u_b"))
TARGET = Target(
    tables=(TargetTable(table="results", columns=COLUMNS, create=True),
            TargetTable(table="tickets", columns=COLUMNS[1:])),
    match_field="u_key",
    values={"u_a": "1", "u_b": "two"},
    others={"u_a": "2", "u_b": ""},
    absent_key="nobody",
    record=("tickets", "k0"),
)  # fmt: skip

STANDING = replace(TARGET, tables=TARGET.tables[1:], match_field=None)
"""A platform on which values go onto records that are there, and none is made."""


def make_source(kind: type[Tiny] = TinyWriter) -> Source:
    world = World(tables={"tickets": {"k0": {}}})
    for number in range(7):
        world.put(f"k{number}", title=f"No. {number}", state="open", who=f"u{number % 3}")
    # Two in one second, on the edge of a page.
    world.rows["k3"]["at"] = world.rows["k4"]["at"]

    def insert(text: str) -> tuple[str, str]:
        world.put("long", title=text, state="open", who="u1")
        return "tickets", "long"

    def away() -> Connector:
        world.away = True
        return kind(world)

    return Source(
        connect=lambda: kind(world),
        page_size=2,
        change=lambda stream, key: world.put(key, title="changed"),
        insert=insert,
        unreachable=away,
        wrong_secret=lambda: kind(world, "wrong"),
        hide_error=lambda: setattr(world, "lying", True),
        secrets=(PASSWORD,),
        broken=(
            Broken(stream="tickets", field="at", changes={"at": "yesterday"}),
            Broken(stream="tickets", field="title", changes={"title": None}),
        ),
        target=TARGET,
        seconds=2,
    )


class TestReader(ConnectorContract):
    @pytest.fixture
    def source(self) -> Source:
        return make_source(Tiny)


class TestWriter(ConnectorContract):
    @pytest.fixture
    def source(self) -> Source:
        return make_source()


class TestWriterOnWhatIsThere(ConnectorContract):
    @pytest.fixture
    def source(self) -> Source:
        return replace(make_source(), target=STANDING)


# -- the suite can fail ----------------------------------------------------------------------


def run(name: str, source: Source, caplog: pytest.LogCaptureFixture) -> None:
    """Run one check of the suite by name, as pytest would."""
    suite = ConnectorContract()
    check = getattr(suite, name)
    given: dict[str, Any] = {"source": source, "caplog": caplog, "target": source.target}
    wanted = inspect.signature(check).parameters
    if {"connector", "writer"} & {*wanted}:
        given["connector"] = given["writer"] = source.connect()
    if "writer" in wanted:
        for step in given["writer"].provision_plan((source.target or TARGET).tables):
            given["writer"].provision(step)
    check(**{each: given[each] for each in wanted})


LIES: list[tuple[str, type[Tiny]]] = []


def lie(check: str) -> Callable[[type[Tiny]], type[Tiny]]:
    """Note a connector that lies, and the check that has to find it."""

    def noted(kind: type[Tiny]) -> type[Tiny]:
        LIES.append((f"test_{check}", kind))
        return kind

    return noted


@lie("streams_are_named_once_and_have_a_key_and_known_kinds")
class TwoOfOneName(TinyWriter):
    streams = Tiny.streams * 2


@lie("streams_are_named_once_and_have_a_key_and_known_kinds")
class OddKind(TinyWriter):
    streams = (Stream(name="tickets", kinds=("gossip",), key_field="key"),)


@lie("check_tells_each_stream_in_seconds_and_changes_nothing")
class SilentCheck(TinyWriter):
    def check(self) -> Iterable[CheckRow]:
        return []


@lie("check_tells_each_stream_in_seconds_and_changes_nothing")
class CheckThatWrites(TinyWriter):
    def check(self) -> Iterable[CheckRow]:
        self._world.put("k0", title="checked")
        return super().check()


@lie("there_is_enough_to_interrupt")
class OnePage(TinyWriter):
    def read(self, piece: Slice) -> Iterator[Page]:
        yield next(super().read(piece))


@lie("slices_survive_pickling_and_are_read_independently")
class RemembersItsSlices(TinyWriter):
    known = False

    def slices(self, stream: Stream, since: datetime | None, until: datetime | None) -> list[Slice]:
        self.known = True
        return super().slices(stream, since, until)

    def read(self, piece: Slice) -> Iterator[Page]:
        return super().read(piece) if self.known else iter(())


@lie("reading_again_from_any_cursor_gives_exactly_the_rest")
class CursorOfTheSecond(TinyWriter):
    """Loses what shares its second with the last of a page."""

    def _cursor(self, row: Mapping[str, Any]) -> str | None:
        return f"{row['at']}|~"


@lie("reading_again_from_any_cursor_gives_exactly_the_rest")
class NoCursor(TinyWriter):
    def _cursor(self, row: Mapping[str, Any]) -> str | None:
        return None


@lie("no_key_comes_twice_while_nothing_changes")
class Stutters(TinyWriter):
    def read(self, piece: Slice) -> Iterator[Page]:
        for page in super().read(piece):
            yield page
            yield page


@lie("pages_keep_to_their_size")
class BigPages(TinyWriter):
    def read(self, piece: Slice) -> Iterator[Page]:
        first, second, *rest = super().read(piece)
        both = [*first.records, *second.records]
        yield Page(records=both, cursor=second.cursor, newest=second.newest)
        yield from rest


class Ahead(TinyWriter):
    def read(self, piece: Slice) -> Iterator[Page]:
        for number, page in enumerate(super().read(piece)):
            newest = datetime.fromtimestamp(NOON + self.step * number, UTC)
            yield Page(records=page.records, cursor=page.cursor, newest=newest)

    step = 1_000


LIES.append(("test_newest_is_the_latest_change_read_so_far", Ahead))


@lie("newest_is_utc_and_never_goes_back")
class Backwards(Ahead):
    step = -1


@lie("newest_is_utc_and_never_goes_back")
class Naive(TinyWriter):
    def read(self, piece: Slice) -> Iterator[Page]:
        for page in super().read(piece):
            assert page.newest
            yield Page(
                records=page.records, cursor=page.cursor, newest=page.newest.replace(tzinfo=None)
            )


@lie("count_and_expected_are_what_is_read")
class CountsTooMany(TinyWriter):
    def count(self, stream: Stream) -> int | None:
        return 8


@lie("normalise_is_pure")
class PopsFromTheRaw(TinyWriter):
    def normalise(self, stream: str, record: Mapping[str, Any]) -> Iterable[Any]:
        found = list(super().normalise(stream, record))
        record.pop("title")  # type: ignore[attr-defined]
        return found


@lie("normalise_is_pure")
class AsksTheClock(TinyWriter):
    ticks = 0

    def normalise(self, stream: str, record: Mapping[str, Any]) -> Iterable[Any]:
        for each in super().normalise(stream, record):
            AsksTheClock.ticks += 1
            yield msgspec.structs.replace(each, title=str(self.ticks))


def changed(**changes: Any) -> type[Tiny]:
    """A connector whose records differ in some fields from what they should be."""

    class Changed(TinyWriter):
        def normalise(self, stream: str, record: Mapping[str, Any]) -> Iterable[Any]:
            for each in super().normalise(stream, record):
                yield msgspec.structs.replace(each, **changes)

    Changed.__name__ = "_".join(changes)
    return Changed


LIES += [
    ("test_records_are_frozen_whole_and_named", changed(source="other")),
    ("test_records_are_frozen_whole_and_named", changed(ref="k1")),
    ("test_records_are_frozen_whole_and_named", changed(id="1")),
    ("test_records_are_frozen_whole_and_named", changed(opened_at=datetime(2026, 1, 1))),  # noqa: DTZ001
    ("test_records_are_frozen_whole_and_named", changed(title=7)),
    ("test_refs_and_ids_are_unique", changed(ref="tiny/same")),
    ("test_refs_and_ids_are_unique", changed(id="tiny:ticket:same")),
    ("test_people_are_pseudonyms", changed(requester_ref=None)),
    ("test_any_text_survives", changed(title="short")),
]


@lie("records_are_frozen_whole_and_named")
class UndeclaredKind(TinyWriter):
    def normalise(self, stream: str, record: Mapping[str, Any]) -> Iterable[Any]:
        for each in super().normalise(stream, record):
            yield Service(
                ref=each.ref, id=each.id, source=each.source, updated_at=each.updated_at, name="x"
            )


@lie("people_are_pseudonyms")
class PersonInADictionary(TinyWriter):
    def read(self, piece: Slice) -> Iterator[Page]:
        for page in super().read(piece):
            rows = [{**row, "who": {"value": row["who"]}} for row in page.records]
            yield Page(records=rows, cursor=page.cursor, newest=page.newest)


@lie("changes_are_read_and_a_boundary_second_is_not_lost")
class AfterNotSince(TinyWriter):
    def _wanted(self, row: Mapping[str, Any], piece: Slice) -> bool:
        later = piece.since is None or int(row["at"]) > piece.since.timestamp()
        return later and super()._wanted(row, piece)


@lie("until_is_exclusive")
class IgnoresUntil(TinyWriter):
    def slices(self, stream: Stream, since: datetime | None, until: datetime | None) -> list[Slice]:
        return [Slice(stream=stream.name, since=since)]


@lie("a_change_over_there_arrives")
class Snapshot(TinyWriter):
    """Reads what it saw at first."""

    def __init__(self, world: World, password: str = PASSWORD) -> None:
        super().__init__(World(rows=dict(world.rows)), password)


@lie("a_link_leads_to_the_record")
class NoLink(TinyWriter):
    def link(self, stream: str, key: str) -> str:
        return "somewhere"


@lie("nonsense_in_any_field_is_a_record_error_that_names_it")
class Stumbles(TinyWriter):
    def _moment(self, text: str) -> datetime:
        return datetime.fromtimestamp(int(text), UTC)


@lie("nonsense_in_any_field_is_a_record_error_that_names_it")
class SaysNothing(TinyWriter):
    def _moment(self, text: str) -> datetime:
        try:
            return super()._moment(text)
        except RecordError:
            raise RecordError("something is wrong") from None


@lie("broken_records_are_refused_by_name")
class Accepts(TinyWriter):
    def normalise(self, stream: str, record: Mapping[str, Any]) -> Iterable[Any]:
        return []


@lie("a_source_that_is_away_is_retry_later_in_seconds")
class BlamesTheUser(TinyWriter):
    def _sign_in(self) -> None:
        if self._world.away:
            raise SignInError("tiny: no idea")


@lie("a_source_that_is_away_is_retry_later_in_seconds")
class EmptyWhenAway(TinyWriter):
    def read(self, piece: Slice) -> Iterator[Page]:
        return iter(())

    def count(self, stream: Stream) -> int | None:
        return None


@lie("wrong_credentials_are_a_sign_in_error")
class WaitsForAPassword(TinyWriter):
    def _sign_in(self) -> None:
        if not self._good:
            raise RetryLater("tiny: later")


@lie("an_error_that_hides_in_a_good_answer_becomes_no_page")
class Believes(TinyWriter):
    def read(self, piece: Slice) -> Iterator[Page]:
        try:
            yield from super().read(piece)
        except SourceError:
            return


@lie("no_secret_is_shown")
class Chatters(TinyWriter):
    def __init__(self, world: World, password: str = PASSWORD) -> None:
        super().__init__(world, password)
        logging.getLogger("chatter").debug("signing in with %s", password)


@lie("places_are_streams")
class ElsewherePlaces(TinyWriter):
    places = Places(tickets=("elsewhere",))


@lie("planning_changes_nothing")
class PlansAndMakes(TinyWriter):
    def provision_plan(self, tables: Sequence[TargetTable]) -> list[ProvisionStep]:
        steps = super().provision_plan(tables)
        for step in steps:
            self.provision(step)
        return steps


@lie("after_provisioning_nothing_is_missing")
class NeverDone(TinyWriter):
    def provision(self, step: ProvisionStep) -> None:
        pass


@lie("writing_twice_makes_one_record")
class NeverLooks(TinyWriter):
    def _find(self, change: Change, rows: Mapping[str, Mapping[str, str]]) -> str | None:
        return None


LIES += [
    ("test_a_write_by_match_updates_what_is_there", NeverLooks),
    ("test_a_new_record_without_a_key_of_ours_is_refused", NeverLooks),
]


@lie("read_back_tells_what_is_stored")
class RepeatsTheWish(TinyWriter):
    """Says what it was asked to write, not what is there."""

    def read_back(self, change: Change, key: str) -> Receipt:
        stored = {**change.match, **change.values, "u_c": ""}
        return Receipt(key=key, stored=stored, seen_at=datetime.now(tz=UTC))


LIES += [
    ("test_a_field_that_is_not_stored_is_not_in_the_receipt", RepeatsTheWish),
    ("test_a_record_that_is_gone_is_refused", RepeatsTheWish),
]


@lie("an_update_changes_the_named_field_only")
class Overwrites(TinyWriter):
    def write(self, change: Change) -> str:
        if change.key:
            self._world.tables[change.table][change.key] |= {"u_b": ""}
        return super().write(change)


@lie("a_record_that_was_there_before_can_be_written_to")
class MakesItsOwn(TinyWriter):
    def write(self, change: Change) -> str:
        rows = self._world.tables[change.table]
        rows["mine"] = {**change.values}
        return "mine"


@lie("current_leaves_out_what_is_not_there")
class FillsGaps(TinyWriter):
    def current(
        self, table: str, field_: str, keys: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, str]]:
        found = super().current(table, field_, keys, fields)
        return {key: {name: row.get(name, "") for name in fields} for key, row in found.items()}


@lie("current_takes_many_keys")
class FirstHundred(TinyWriter):
    def current(
        self, table: str, field_: str, keys: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, str]]:
        return super().current(table, field_, keys[:100], fields)


@pytest.mark.parametrize(
    ("check", "kind"), LIES, ids=[f"{kind.__name__}-{check[5:]}" for check, kind in LIES]
)
def test_a_lie_is_found_by_the_check_that_is_meant_for_it(
    check: str, kind: type[Tiny], caplog: pytest.LogCaptureFixture
) -> None:
    run(check, make_source(), caplog)
    with pytest.raises(AssertionError):
        run(check, make_source(kind), caplog)


ON_WHAT_IS_THERE = (RepeatsTheWish, Overwrites, MakesItsOwn, FillsGaps)


@pytest.mark.parametrize(
    ("check", "kind"), [(check, kind) for check, kind in LIES if kind in ON_WHAT_IS_THERE]
)
def test_a_lie_is_found_where_no_record_is_ours_too(
    check: str, kind: type[Tiny], caplog: pytest.LogCaptureFixture
) -> None:
    run(check, replace(make_source(), target=STANDING), caplog)
    with pytest.raises(AssertionError):
        run(check, replace(make_source(kind), target=STANDING), caplog)


def test_a_target_without_a_field_to_tell_records_needs_one_that_is_there() -> None:
    with pytest.raises(ValueError, match="needs a 'record' in 'tickets', not None"):
        change_of(replace(STANDING, record=None), "any")
    with pytest.raises(ValueError, match="in 'tickets', not \\('elsewhere', 'k0'\\)"):
        change_of(replace(STANDING, record=("elsewhere", "k0")), "any")


def test_every_check_but_the_harmless_one_has_a_lie_that_it_finds() -> None:
    def named(contract: type) -> set[str]:
        return {name for name in dir(contract) if name.startswith("test_")}

    # They have lies of their own in test_reconciling.py and test_keeping.py.
    elsewhere = named(ReconcilingContract) | named(KeepingContract) | named(RefusingContract)
    checks = named(ConnectorContract) - elsewhere
    assert checks - {check for check, _ in LIES} == {"test_closing_twice_is_harmless"}


def test_what_a_source_cannot_do_is_skipped_with_the_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bare = Source(connect=make_source(Tiny).connect)
    for check, what in (
        ("a_change_over_there_arrives", "'change'"),
        ("any_text_survives", "'insert'"),
        ("no_secret_is_shown", "'secrets'"),
        ("wrong_credentials_are_a_sign_in_error", "'wrong_secret'"),
    ):
        with pytest.raises(pytest.skip.Exception, match=what):
            run(f"test_{check}", bare, caplog)


def test_the_documentation_names_every_field_of_a_source() -> None:
    text = (Path(__file__).parents[2] / "docs" / "plugins.md").read_text(encoding="utf-8")
    assert [each.name for each in fields(Source) if f"| `{each.name}` |" not in text] == []
    assert [name for name in testing.__all__ if name not in text] == []
