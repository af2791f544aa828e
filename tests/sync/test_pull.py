"""Whatever happens on the way, the store ends with exactly what the source has."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmo_bridge.errors import (
    AccessError,
    PluginError,
    RetryLater,
    SignInError,
    SourceError,
    TooSlow,
    VmoBridgeError,
)
from vmo_bridge.store import Store
from vmo_bridge.sync import Care, StreamOutcome, sync_source
from vmo_bridge.sync.people import People
from vmo_bridge.watch import Stopped, Watch

Sync = Callable[..., dict[str, StreamOutcome]]


def titles(store: Store) -> dict[str, str]:
    """What the store holds of every ticket."""
    return {row["ref"].removeprefix("desk/"): row["title"] for row in store.versions.all("ticket")}


def in_source(platform: Any) -> dict[str, str]:
    return {key: row["title"] for key, row in platform.rows["tickets"].items()}


def put_tickets(platform: Any, count: int) -> None:
    for number in range(count):
        platform.ticket(f"{number:03}", title=f"t{number}")


def pages(store: Store) -> int:
    (count,) = store._db.execute("select count(*) from raw_page").fetchone()
    return int(count)


class StopAfter(Watch):
    """Asks to stop after so many pages, and remembers what it was told."""

    def __init__(self, pages: int = -1, failure: BaseException | None = None) -> None:
        self.left = pages
        self.failure = failure
        self.told: list[tuple[Any, ...]] = []

    def begin(self, task: str, total: int | None = None) -> None:
        self.told.append(("begin", task, total))

    def advance(self, steps: int = 1) -> None:
        self.left -= 1
        self.told.append(("advance", steps))
        if self.failure is not None and self.left == 0:
            raise self.failure

    def end(self, note: str = "") -> None:
        self.told.append(("end", note))

    def stopping(self) -> bool:
        return self.left == 0


def test_all_streams_are_read_in_their_order_and_known_as_whole(
    platform: Any, store: Store, sync: Sync
) -> None:
    put_tickets(platform, 7)
    platform.put("services", "vpn", title="VPN")
    outcomes = sync()
    assert list(outcomes) == [each.name for each in platform.streams]
    assert titles(store) == in_source(platform)
    assert (outcomes["tickets"].read, outcomes["tickets"].changed) == (7, 7)
    assert {each.problem for each in outcomes.values()} == {""}
    marks = {each.name: each for each in store.marks.streams()}
    assert marks["tickets"].expected == 7
    assert int(marks["tickets"].watermark.timestamp()) == platform.rows["tickets"]["006"]["updated"]  # type: ignore[union-attr]
    assert marks["people"].watermark is None
    assert marks["people"].complete_at is not None


def test_a_second_sync_without_changes_stores_nothing(
    platform: Any, store: Store, sync: Sync
) -> None:
    put_tickets(platform, 7)
    sync()
    before = pages(store)
    outcomes = sync(overlap=10_000)
    assert (outcomes["tickets"].read, outcomes["tickets"].changed) == (7, 0)
    assert pages(store) == before
    assert store._db.execute("select count(*) from ticket_history").fetchone() == (0,)


def test_only_what_changed_is_asked_for_and_kept(platform: Any, store: Store, sync: Sync) -> None:
    put_tickets(platform, 7)
    sync()
    platform.ticket("003", title="new title", tick=100)
    outcomes = sync(overlap=5)
    assert (outcomes["tickets"].read, outcomes["tickets"].changed) == (6, 1)
    outcomes = sync(overlap=5)
    assert (outcomes["tickets"].read, outcomes["tickets"].changed) == (1, 0)
    assert titles(store)["003"] == "new title"
    (old,) = store._db.query("select * from ticket_history")
    assert old["title"] == "t3"


def test_a_change_committed_late_is_found_by_the_overlap(
    platform: Any, store: Store, sync: Sync
) -> None:
    put_tickets(platform, 4)
    sync()
    platform.ticket("late", title="late", tick=-2)
    assert sync(overlap=1)["tickets"].changed == 0
    assert sync(overlap=5)["tickets"].changed == 1
    assert titles(store) == in_source(platform)


@pytest.mark.parametrize(
    "failure",
    [
        SourceError("the answer is broken"),
        AccessError("not allowed"),
        PluginError("a bad plugin"),
        IndexError("list index out of range"),
        RuntimeError("who knows"),
    ],
)
def test_a_stream_that_fails_is_noted_and_the_others_go_on(
    platform: Any, store: Store, sync: Sync, failure: Exception
) -> None:
    put_tickets(platform, 4)
    platform.put("services", "vpn")
    platform.fail_at["services"] = (1, failure)
    outcomes = sync()
    assert str(failure) in outcomes["services"].problem
    assert outcomes["tickets"].problem == ""
    assert titles(store) == in_source(platform)
    marks = {each.name: each for each in store.marks.streams()}
    assert marks["services"].problem == outcomes["services"].problem
    assert marks["services"].complete_at is None
    assert sync()["services"].problem == ""
    marks = {each.name: each for each in store.marks.streams()}
    assert marks["services"].problem is None
    assert marks["services"].complete_at is not None


@pytest.mark.parametrize(
    "failure", [RetryLater("it is away"), TooSlow("no answer"), SignInError("refused")]
)
def test_a_source_that_is_away_is_not_asked_for_its_other_streams(
    platform: Any, store: Store, sync: Sync, failure: VmoBridgeError
) -> None:
    put_tickets(platform, 4)
    platform.put("groups", "g")
    platform.fail_at["services"] = (1, failure)
    outcomes = sync()
    problems = {name: each.problem for name, each in outcomes.items()}
    told = str(failure)
    assert problems == {
        "groups": "",
        "people": "",
        "services": told,
        "tickets": told,
        "questions": told,
        "surveys": told,
    }
    assert {piece.stream for piece in platform.reads} == {"groups", "people", "services"}
    assert titles(store) == {}
    sync()
    assert titles(store) == in_source(platform)


@pytest.mark.parametrize("page", [1, 2, 3])
def test_an_interrupted_read_resumes_after_the_last_page_it_kept(
    platform: Any, store: Store, sync: Sync, page: int
) -> None:
    put_tickets(platform, 8)
    platform.fail_at["tickets"] = (page, RetryLater("gone"))
    assert sync()["tickets"].read == 3 * (page - 1)
    assert len(titles(store)) == 3 * (page - 1)
    platform.reads.clear()
    outcome = sync()["tickets"]
    assert outcome.read == 8 - 3 * (page - 1), "no page is read twice"
    assert titles(store) == in_source(platform)
    (piece,) = (each for each in platform.reads if each.stream == "tickets")
    assert (piece.cursor is None) == (page == 1)


def test_a_stop_is_obeyed_between_two_pages_and_the_next_run_goes_on(
    platform: Any, store: Store, sync: Sync
) -> None:
    put_tickets(platform, 8)
    watch = StopAfter(2)
    with pytest.raises(Stopped, match="the next run goes on"):
        sync(watch=watch)
    assert len(titles(store)) == 6
    assert watch.told == [
        ("begin", "desk:tickets", 8),
        ("advance", 3),
        ("advance", 3),
        ("end", "6 new or changed"),
    ]
    assert sync()["tickets"].read == 2
    assert titles(store) == in_source(platform)


def test_the_watermark_waits_until_the_stream_is_whole(
    platform: Any, store: Store, sync: Sync
) -> None:
    put_tickets(platform, 8)
    platform.fail_at["tickets"] = (3, SourceError("broken"))
    sync()
    marks = {each.name: each for each in store.marks.streams()}
    assert marks["tickets"].watermark is None
    assert marks["tickets"].complete_at is None


def test_a_source_that_fails_at_its_count_is_read_all_the_same(
    platform: Any, store: Store, sync: Sync
) -> None:
    put_tickets(platform, 4)
    platform.fail_count["tickets"] = SourceError("cannot count")
    assert sync()["tickets"].problem == "cannot count"
    assert titles(store) == in_source(platform)
    platform.ticket("more", title="more")
    sync()
    assert titles(store) == in_source(platform), "one sync ends the old read and does the new one"


def test_a_broken_record_is_set_apart_and_the_rest_of_its_page_is_kept(
    platform: Any, store: Store, sync: Sync
) -> None:
    put_tickets(platform, 4)
    platform.ticket("001", broken="its state is 99")
    outcome = sync()["tickets"]
    assert (outcome.read, outcome.quarantined, outcome.problem) == (4, 1, "")
    assert set(titles(store)) == {"000", "002", "003"}
    (apart,) = store.raw.quarantined()
    assert (apart.source, apart.stream, apart.key) == ("desk", "tickets", "001")
    assert apart.reason == "broken: its state is 99"
    assert sync(overlap=100)["tickets"].quarantined == 0, "told once"
    assert len(store.raw.quarantined()) == 1
    del platform.rows["tickets"]["001"]["broken"]
    platform.ticket("001", title="mended")
    sync()
    assert store.raw.quarantined() == []
    assert titles(store) == in_source(platform)


def test_a_record_that_breaks_later_keeps_its_last_good_version(
    platform: Any, store: Store, sync: Sync
) -> None:
    put_tickets(platform, 2)
    sync()
    platform.ticket("001", broken="now")
    assert sync()["tickets"].quarantined == 1
    assert titles(store) == {"000": "t0", "001": "t1"}


class OddError(Exception):
    """What no one expects."""


@pytest.mark.parametrize(
    "failure",
    [KeyError("number"), ValueError("x"), IndexError("i"), ZeroDivisionError("d"), OddError("?")],
)
def test_a_connector_that_stumbles_over_a_record_loses_that_record_only(
    platform: Any,
    store: Store,
    fakes: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    sync: Sync,
    failure: Exception,
) -> None:
    normal = fakes.Connector.normalise

    def stumbling(self: Any, stream: str, record: Any) -> Any:
        if record["key"] == "001":
            raise failure
        return normal(self, stream, record)

    monkeypatch.setattr(fakes.Connector, "normalise", stumbling)
    put_tickets(platform, 4)
    assert sync()["tickets"].problem == ""
    (apart,) = store.raw.quarantined()
    assert apart.reason.startswith(f"the connector stumbled: {type(failure).__name__}: ")
    assert set(titles(store)) == {"000", "002", "003"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"number": None}, "Expected `str`, got `null` - at `$.number`"),
        ({"reopen_count": "many"}, "Expected `int"),
        ({"reopen_count": 2**63}, "reopen_count as a number that no store holds"),
        ({"opened_at": datetime(2026, 1, 1)}, "opened_at without a zone"),  # noqa: DTZ001
        ({"updated_at": datetime(2026, 1, 1)}, "updated_at without a zone"),  # noqa: DTZ001
    ],
)
def test_a_record_that_is_not_what_it_says_is_set_apart_alone(
    platform: Any,
    store: Store,
    fakes: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    sync: Sync,
    change: dict[str, Any],
    said: str,
) -> None:
    normal = fakes.Connector.normalise

    def careless(self: Any, stream: str, record: Any) -> Any:
        made = normal(self, stream, record)
        if record["key"] != "001":
            return made
        return [msgspec.structs.replace(each, **change) for each in made]

    monkeypatch.setattr(fakes.Connector, "normalise", careless)
    put_tickets(platform, 4)
    assert sync()["tickets"].problem == ""
    (apart,) = store.raw.quarantined()
    assert apart.key == "001"
    assert said in apart.reason
    assert set(titles(store)) == {"000", "002", "003"}


def test_records_without_a_key_are_all_set_apart_none_is_lost(
    platform: Any, store: Store, sync: Sync, fakes: SimpleNamespace
) -> None:
    tickets = replace(platform.streams[3], key_field="number")
    platform.streams = (tickets,)
    put_tickets(platform, 4)
    platform.put("tickets", "000", number=None, broken="no number")
    platform.put("tickets", "001", number="", broken="no number")
    platform.put("tickets", "002", number=0)
    sync()
    keys = [each.key for each in store.raw.quarantined()]
    assert len(keys) == 2
    assert all(key.startswith("without a key, ") for key in keys)
    assert store.ledger.held(1) == 4
    assert set(titles(store)) == {"002", "003"}
    sync(overlap=1000)
    assert store.ledger.held(1) == 4


def test_every_record_can_be_followed_back_to_its_payload(
    platform: Any, store: Store, sync: Sync
) -> None:
    put_tickets(platform, 7)
    platform.ticket("002", title="again", tick=50)
    sync()
    for row in store.versions.all("ticket"):
        payload = store.raw.payload(row["page"], row["position"])
        assert payload == platform.rows["tickets"][payload["key"]]
        assert row["ref"] == f"desk/{payload['key']}"
        assert store.raw.origin(row["page"])[:2] == ("desk", "tickets")


def test_a_failure_of_the_store_is_not_taken_for_one_of_the_source(
    platform: Any, store: Store, sync: Sync, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_tickets(platform, 4)

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(store.marks, "advance", full)
    with pytest.raises(OSError, match="no space left"):
        sync()
    monkeypatch.undo()
    assert titles(store) == {}, "the page was rolled back with its cursor"
    sync()
    assert titles(store) == in_source(platform)


def test_a_change_in_the_second_in_which_a_read_was_cut_off_is_found(
    platform: Any, store: Store, sync: Sync
) -> None:
    put_tickets(platform, 3)
    with pytest.raises(Stopped):
        sync(watch=StopAfter(1))
    platform.ticket("002", title="in the same second", tick=0)
    platform.ticket("later", title="an hour later", tick=3600)
    sync(overlap=300)
    sync(overlap=300)
    assert titles(store) == in_source(platform)


# The law.

KEYS = st.sampled_from([f"k{number}" for number in range(8)])
EDIT = st.tuples(st.just("edit"), KEYS, st.integers(0, 2))
TROUBLE = st.one_of(
    st.tuples(st.just("fail"), st.integers(1, 4), st.sampled_from([RetryLater, SourceError])),
    st.tuples(st.just("stop"), st.integers(1, 4)),
    st.tuples(st.just("kill"), st.integers(1, 4)),
    st.tuples(st.just("count")),
    st.tuples(st.just("edit between pages"), KEYS, st.integers(0, 2)),
    st.tuples(st.just("none")),
)
STEPS = st.lists(EDIT | st.tuples(st.just("sync"), TROUBLE), max_size=25)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with Store(tmp_path_factory.mktemp("law") / "s.db", owner="test") as store:
        yield store


class Life:
    """A source that is edited, and syncs of it that go wrong."""

    def __init__(self, store: Store, fakes: SimpleNamespace, page_size: int, overlap: int) -> None:
        for table in ("ticket", "ticket_history", "ledger", "raw_page", "stream", "slice"):
            store._db.execute(f"delete from {table}")
        self.store = store
        self.platform = fakes.Platform()
        self.platform.streams = (self.platform.streams[3],)
        self.platform.page_size = page_size
        self.connector = fakes.Connector(self.platform)
        self.overlap = timedelta(seconds=overlap)
        self.edits = 0

    def edit(self, key: str, tick: int) -> None:
        self.edits += 1
        self.platform.ticket(key, title=f"edit {self.edits}", tick=tick)

    def run(self, watch: Watch | None = None) -> StreamOutcome:
        people = People(b"key", names=False)
        (outcome,) = sync_source(
            self.connector,
            self.store,
            people,
            1,
            care=Care(overlap=self.overlap),
            watch=watch or Watch(),
        )
        return outcome

    def sync(self, trouble: tuple[Any, ...]) -> None:
        platform, (kind, *how) = self.platform, trouble
        watch = Watch()
        if kind == "fail":
            platform.fail_at["tickets"] = (how[0], how[1]("trouble"))
        elif kind == "stop":
            watch = StopAfter(how[0])
        elif kind == "kill":
            watch = StopAfter(how[0], Killed())
        elif kind == "count":
            platform.fail_count["tickets"] = SourceError("trouble")
        elif kind == "edit between pages":
            platform.before_page = lambda _, page: self.edit(*how) if page == 2 else None
        with contextlib.suppress(Stopped, Killed):
            self.run(watch)
        platform.fail_at.clear()
        platform.fail_count.clear()
        platform.before_page = lambda *_: None
        # The second of an interruption is a story of its own, told above.
        platform.clock += 1


@settings(
    deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS, page_size=st.integers(1, 4), overlap=st.sampled_from([0, 1, 100]))
def test_after_any_edits_and_interruptions_the_store_has_what_the_source_has(
    one_store: Store,
    fakes: SimpleNamespace,
    steps: list[tuple[Any, ...]],
    page_size: int,
    overlap: int,
) -> None:
    life = Life(one_store, fakes, page_size, overlap)
    for what, *how in steps:
        getattr(life, what)(*how)
    # One sync ends the read under way, the next one sees what changed since that began.
    assert life.run().problem == ""
    assert life.run().problem == ""
    assert titles(one_store) == in_source(life.platform)
    before = pages(one_store)
    assert life.run().changed == 0
    assert pages(one_store) == before
