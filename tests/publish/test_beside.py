"""What is said beside an epic: the link to its demand of another source, and a comment."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from vmo_bridge.connectors.writing import Places
from vmo_bridge.publish.addresses import Addresses
from vmo_bridge.publish.layout import Layout
from vmo_bridge.publish.stage import Publisher, PublishOutcome
from vmo_bridge.publish.undo import Undo
from vmo_bridge.records import Initiative, Link
from vmo_bridge.settings import Settings
from vmo_bridge.settings.publish import PublishSection
from vmo_bridge.watch import Watch

LINK, COMMENT, SIGNALS = "vmo.link.demand", "vmo.comment.signals", "vmo.value.open_signals"
PLACES = Places(
    tickets=(),
    all_tickets="issue",
    initiatives="epic",
    demand_field=LINK,
    comment_field=COMMENT,
    own_records=False,
    field_prefix="vmo.value.",
)
MOMENT = datetime(2026, 9, 1, tzinfo=UTC)


def initiative(ref: str, type_: str, number: str, state: str = "in_progress") -> Initiative:
    source, _, key = ref.partition("/")
    return Initiative(
        ref=ref,
        id=f"{source}:{type_}:{key}",
        source=source,
        updated_at=MOMENT,
        type=type_,
        number=number,
        state=state,
        original_state=state,
        opened_at=MOMENT,
    )


def tie(from_ref: str, to_ref: str) -> Link:
    source, _, key = from_ref.partition("/")
    return Link(
        ref=f"{source}/{key}-{to_ref.partition('/')[2]}",
        id=f"{source}:link:{key}-{to_ref}",
        source=source,
        updated_at=MOMENT,
        from_ref=from_ref,
        to_ref=to_ref,
        named_in="field",
    )


class Tracker:
    """A desk seen as a tracker of epics, beside a source of demands."""

    def __init__(self, desk: Any, fakes: SimpleNamespace) -> None:
        self.asked: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = []
        self.addresses: dict[str, str] = {}
        self.desk, self.store, tracker = desk, desk.store, self

        class Writer(fakes.Writer):  # type: ignore[misc, name-defined]
            places = PLACES

            def current(self, table: str, field_: str, keys: Any, fields: Any) -> Any:
                tracker.asked.append((table, tuple(keys), tuple(fields)))
                return super().current(table, field_, keys, fields)

        self.writer = desk.writer = Writer(desk.platform)
        names = ("e1", "e2", "e3")
        self.save(
            *(initiative(f"desk/{each}", "epic", f"DEV-{each}") for each in names),
            initiative("other/d1", "demand", "DMND1"),
            initiative("other/d2", "demand", "DMND2"),
        )
        desk.platform.make_target(Layout(PublishSection(), PLACES), {"epic": names, "issue": "123"})
        for row in desk.platform.target["epic"].values():
            row |= {LINK: "", COMMENT: ""}
        desk.platform.fields["epic"] |= {LINK, COMMENT}

    def save(self, *records: Any) -> None:
        with self.store.transaction():
            self.store.versions.save(1, self.desk.now, [(each, 0) for each in records])

    def gone(self, *refs: str) -> None:
        with self.store.transaction():
            self.store._db.execute(
                f"delete from link where ref in ({', '.join('?' * len(refs))})", list(refs)
            )

    def publisher(self, settings: Settings | None = None) -> Publisher:
        return Publisher(
            self.store,
            settings or self.desk.settings,
            "desk",
            self.writer,
            as_of=self.desk.now,
            address=lambda ref: self.addresses.get(ref, f"https://other.example/{ref[-2:]}"),
        )

    def apply(self) -> PublishOutcome:
        run = self.store.runs.start("publish")
        return self.publisher().apply(run, Watch(), lambda result, key: None)

    def held(self, key: str) -> dict[str, str]:
        row = self.desk.platform.target["epic"][key]
        return {name: row[name] for name in (LINK, COMMENT, SIGNALS) if row[name]}


@pytest.fixture
def tracker(desk: Any, fakes: SimpleNamespace) -> Tracker:
    return Tracker(desk, fakes)


def test_an_epic_links_to_its_demand_whichever_of_the_two_names_the_other(
    tracker: Tracker,
) -> None:
    tracker.save(tie("desk/e1", "other/d1"), tie("other/d2", "desk/e2"))
    assert tracker.apply().delivery.troubled == []  # type: ignore[union-attr]
    assert tracker.held("e1") == {LINK: "DMND1 https://other.example/d1"}
    assert tracker.held("e2") == {LINK: "DMND2 https://other.example/d2"}
    assert tracker.held("e3") == {}
    rows = [row for row in tracker.publisher().plan().plan if row.table == "epic"]
    assert {row.action for row in rows} == {"unchanged"}


def test_only_epics_that_need_it_are_asked_for_what_stands_beside_them(
    tracker: Tracker, signal: Callable[..., Any]
) -> None:
    tracker.save(tie("desk/e1", "other/d1"))
    found = [signal("a", "desk/e2", "desk/e3")]
    tracker.store.findings.save_signals(1, tracker.desk.now, found)
    tracker.publisher(without_comments(tracker)).plan()
    asked = [(keys, LINK in fields) for table, keys, fields in tracker.asked if table == "epic"]
    assert sorted(asked) == [(("e1",), True), (("e2", "e3"), False)]


def without_comments(tracker: Tracker) -> Settings:
    tracker.writer.places = dataclasses.replace(PLACES, comment_field=None)
    settings: Settings = tracker.desk.settings
    return settings


def test_of_several_demands_the_first_that_is_still_open_is_linked(tracker: Tracker) -> None:
    tracker.save(
        initiative("other/d1", "demand", "DMND1", "done"),
        *(tie("desk/e1", f"other/{each}") for each in ("d1", "d2")),
    )
    tracker.apply()
    assert tracker.held("e1") == {LINK: "DMND2 https://other.example/d2"}


def test_demands_of_the_target_itself_are_not_linked(tracker: Tracker) -> None:
    tracker.save(initiative("desk/d9", "demand", "DMND9"), tie("desk/e1", "desk/d9"))
    assert [row for row in tracker.publisher().plan().plan if row.table == "epic"] == []


def test_a_tie_that_is_no_more_takes_only_a_link_of_ours_away(tracker: Tracker) -> None:
    tracker.desk.platform.target["epic"]["e2"][LINK] = "WIKI https://somebody.example"
    tracker.save(tie("desk/e1", "other/d1"))
    tracker.apply()
    tracker.gone("desk/e1-d1")
    tracker.apply()
    assert tracker.held("e1") == {}
    assert tracker.held("e2") == {LINK: "WIKI https://somebody.example"}
    tracker.asked.clear()
    rows = [row for row in tracker.publisher().plan().plan if row.key == "e1"]
    assert [row.action for row in rows] == ["unchanged"]
    assert not any(LINK in fields for _, _, fields in tracker.asked), "it is over"


@pytest.mark.parametrize("address", ["", "https://other.example/a b"])
def test_a_link_whose_address_is_not_known_stays_as_it_is(tracker: Tracker, address: str) -> None:
    tracker.save(tie("desk/e1", "other/d1"), tie("desk/e2", "other/d2"))
    tracker.addresses["other/d2"] = address
    tracker.apply()
    tracker.addresses["other/d1"] = address
    tracker.apply()
    assert tracker.held("e1") == {LINK: "DMND1 https://other.example/d1"}
    assert tracker.held("e2") == {}


def test_a_comment_tells_open_signals_in_a_line_and_names_nobody(
    tracker: Tracker, signal: Callable[..., Any]
) -> None:
    title = "Asked by x@example.org\nand @all."
    open_ = [
        replace(each, finding=replace(each.finding, title=title))
        for each in (signal(name, "desk/e1") for name in ("a", "b"))
    ]
    ended = signal("c", "desk/e1", "desk/e2", state="ended")
    tracker.store.findings.save_signals(1, tracker.desk.now, [*open_, ended])
    tracker.apply()
    asked = "Asked by (e-mail address) and @\u2060all (rule)"
    said = f"2 open signals name this as evidence: {asked}; {asked}."
    assert tracker.held("e1") == {COMMENT: said, SIGNALS: "2"}
    assert tracker.held("e2") == {}
    over = [signal(name, "desk/e1", state="ended") for name in ("a", "b")]
    tracker.store.findings.save_signals(2, tracker.desk.now, over)
    tracker.apply()
    assert tracker.held("e1") == {}


def test_many_signals_are_counted_not_listed(tracker: Tracker, signal: Callable[..., Any]) -> None:
    many = [signal(f"{number:02}", "desk/e1") for number in range(13)]
    tracker.store.findings.save_signals(1, tracker.desk.now, many)
    tracker.apply()
    said = tracker.held("e1")[COMMENT]
    assert said.startswith("13 open signals name this as evidence: t (rule); ")
    assert said.endswith("; and 3 more.")
    assert said.count("(rule)") == 10


def test_what_cannot_be_read_beside_an_epic_does_not_hold_its_values_up(
    tracker: Tracker, signal: Callable[..., Any]
) -> None:
    tracker.save(tie("desk/e1", "other/d1"))
    tracker.store.findings.save_signals(1, tracker.desk.now, [signal("a", "desk/e1")])
    del tracker.desk.platform.target["epic"]["e1"][LINK]
    rows = [row for row in tracker.apply().plan if row.table == "epic"]
    assert [(row.action, row.reason) for row in rows] == [
        ("refused", f"the target does not let us read {LINK}; the log says why"),
        ("change", ""),
    ]
    assert tracker.desk.platform.target["epic"]["e1"][SIGNALS] == "1"


def test_undoing_takes_links_and_comments_away_again(
    tracker: Tracker, signal: Callable[..., Any]
) -> None:
    tracker.save(tie("desk/e1", "other/d1"))
    found = [signal("a", "desk/e1", "desk/e2")]
    tracker.store.findings.save_signals(1, tracker.desk.now, found)
    run = tracker.store.runs.start("publish")
    tracker.publisher().apply(run, Watch(), lambda result, key: None)
    assert set(tracker.held("e1")) == {LINK, COMMENT, SIGNALS}
    tracker.asked.clear()
    undo = Undo(tracker.store, tracker.desk.settings, "desk", tracker.writer)
    outcome = undo.apply(run, tracker.store.runs.start("undo"), Watch())
    assert outcome.delivery is not None
    assert outcome.delivery.troubled == []
    assert tracker.held("e1") == tracker.held("e2") == {}
    assert [keys for _, keys, fields in tracker.asked if LINK in fields] == [("e1",)] * 2


def test_a_map_is_the_whole_list_of_what_is_written(
    tracker: Tracker, configure: Callable[[str], Settings], signal: Callable[..., Any]
) -> None:
    tracker.save(tie("desk/e1", "other/d1"))
    tracker.store.findings.save_signals(1, tracker.desk.now, [signal("a", "desk/e1")])
    text = '[connectors.desk]\nplugin = "desk"\n[publish.map.desk.epic]\nopen_signals = '
    settings = configure(f'{text}"{SIGNALS}"\n')
    (row,) = (each for each in tracker.publisher(settings).plan().plan if each.table == "epic")
    assert row.values == {SIGNALS: "1"}


def test_links_and_comments_are_ours_by_their_names() -> None:
    layout = Layout(PublishSection(), PLACES)
    assert [layout.is_ours(name) for name in (LINK, COMMENT, "customfield_1")] == [
        True, True, False,
    ]  # fmt: skip


def test_addresses_come_from_the_record_s_own_connector_opened_once(
    desk: Any, make_plugins: Callable[..., Any], fakes: SimpleNamespace
) -> None:
    opened: list[str] = []

    def connect(name: str) -> Any:
        opened.append(name)
        return fakes.Writer(desk.platform, name)

    plugins = make_plugins(connect=connect)
    with Addresses(desk.store, desk.settings, plugins) as addresses:
        assert opened == []
        told = {key: addresses.of(f"desk/{key}") for key in ("1", "2")}
        assert told == {key: desk.writer.link("tickets", key) for key in ("1", "2")}
        assert addresses.of("desk/none") == addresses.of("elsewhere/1") == ""
        assert opened == ["desk"]
        assert desk.platform.closed == 0
    assert desk.platform.closed == 1
