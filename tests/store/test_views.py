"""The documented views: the world as it stood then, as we knew it then."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmo_bridge.analysis.schema import VIEWS, check_tables
from vmo_bridge.records import (
    Answer,
    Choice,
    Feedback,
    Person,
    Question,
    Record,
    SlaOutcome,
    Span,
    Ticket,
    UserGroup,
)
from vmo_bridge.settings.model import FeedbackSection
from vmo_bridge.store import Store

NewTicket = Callable[..., Ticket]
DOCS = Path(__file__).parents[2] / "docs" / "tables.md"


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def save(store: Store, *records: Record, seen: int = 1, page: int = 1) -> None:
    store.versions.save(page, at(seen), [(each, place) for place, each in enumerate(records)])


def rows(
    store: Store, view: str, as_of: int, known_at: int | None = None, **more: Any
) -> list[dict[str, Any]]:
    known = None if known_at is None else at(known_at)
    found: list[dict[str, Any]] = store.tables(as_of=at(as_of), known_at=known, **more)[
        view
    ].to_pylist()
    return found


def common(key: str, updated: int = 0) -> dict[str, Any]:
    return {"ref": f"desk/{key}", "id": f"desk:{key}", "source": "desk", "updated_at": at(updated)}


def test_the_views_are_exactly_those_of_the_documentation(store: Store) -> None:
    documented = {
        name: columns.split(", ")
        for name, columns in re.findall(
            r"^\| (\w+) \| .* \| ([a-z_, ]+) \|$", DOCS.read_text(), re.MULTILINE
        )
        if name != "table"
    }
    tables = store.tables(as_of=at(0))
    assert {name: table.column_names for name, table in tables.items()} == documented


def test_some_of_the_views_are_the_same_as_among_all(store: Store) -> None:
    some = store.tables(as_of=at(1), only=("tickets", "links"))
    every = store.tables(as_of=at(1))
    assert some == {name: every[name] for name in ("tickets", "links")}


def test_the_types_are_those_that_analysis_expects_empty_or_filled(
    store: Store, new_ticket: NewTicket
) -> None:
    check_tables(store.tables(as_of=at(5)))
    full = new_ticket(resolved_at=3, closed_at=4, made_sla=True, reopen_count=1, priority=2)
    save(store, full, new_ticket("2"), UserGroup(**common("g"), name="g"))
    tables = store.tables(as_of=at(2000))
    check_tables(tables)
    assert {name: table.schema for name, table in tables.items()} == dict(VIEWS)
    assert tables["tickets"]["made_sla"].to_pylist() == [True, None]


# Against a model in plain Python.


@dataclass(frozen=True)
class Version:
    """One change of one ticket, in the order in which we saw them."""

    key: str
    updated: int
    seen: int
    resolved: int | None
    closed: int | None
    team: str


MOMENTS = st.integers(10, 30)


@st.composite
def histories(draw: st.DrawFn) -> list[Version]:
    versions = []
    seen = 10
    for _ in range(draw(st.integers(1, 9))):
        seen += draw(st.integers(0, 3))
        resolved = draw(st.none() | MOMENTS)
        versions.append(
            Version(
                key=draw(st.sampled_from("ab")),
                updated=draw(st.integers(8, 30)),
                seen=seen,
                resolved=resolved,
                closed=draw(st.none() | MOMENTS) if resolved else None,
                team=draw(st.sampled_from("xyz")),
            )
        )
    return versions


OPENED = {"a": 9, "b": 15}


def modelled(versions: Sequence[Version], as_of: int, known_at: int) -> list[dict[str, Any]]:
    found = []
    for key in "ab":
        known = [each for each in versions if each.key == key and each.seen <= known_at]
        if not known or OPENED[key] > as_of:
            continue
        first = min(each.updated for each in known)
        stood = [each for each in known if each.updated <= as_of or each.updated == first]
        # Of equal moments the last one seen; enumerate gives the order in which we saw them.
        _, version = max(enumerate(stood), key=lambda pair: (pair[1].updated, pair[0]))
        resolved = version.resolved is not None and version.resolved <= as_of
        closed = version.closed is not None and version.closed <= as_of
        looked_before = version.updated > as_of
        state = "closed" if closed else "resolved" if resolved else "other"
        found.append(
            {
                "ref": f"desk/{key}",
                "state": state if looked_before else "in_progress",
                "resolved_at": version.resolved if resolved else None,
                "closed_at": version.closed if closed else None,
                "updated_at": min(version.updated, as_of),
                "reopen_count": version.updated if resolved or not looked_before else None,
                "team_ref": version.team,
                "reconstructed": looked_before,
            }
        )
    return found


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One store for thousands of histories."""
    with Store(tmp_path_factory.mktemp("views") / "s.db", owner="test") as store:
        yield store


@settings(deadline=None, max_examples=200)
@given(
    versions=histories(),
    pages=st.booleans(),
    as_of=st.integers(5, 35),
    known_at=st.none() | st.integers(9, 40),
)
def test_looking_back_equals_a_list_of_versions_in_plain_python(
    shared: Store,
    new_ticket: NewTicket,
    versions: list[Version],
    pages: bool,
    as_of: int,
    known_at: int | None,
) -> None:
    with shared.transaction():
        shared._db.execute("delete from ticket")
        shared._db.execute("delete from ticket_history")
        for place, each in enumerate(versions):
            ticket = new_ticket(
                each.key,
                updated=each.updated,
                opened_at=OPENED[each.key],
                state="in_progress",
                resolved_at=each.resolved,
                closed_at=each.closed,
                team_ref=each.team,
                reopen_count=each.updated,
            )
            # Many pages, or one page that holds them all at different positions.
            page = place if pages else 1
            shared.versions.save(page, at(each.seen), [(ticket, place)])
    expected = modelled(versions, as_of, 10**9 if known_at is None else known_at)
    names = expected[0].keys() if expected else ()
    given_ = [
        {name: row[name] for name in names} for row in rows(shared, "tickets", as_of, known_at)
    ]
    assert given_ == expected


def test_the_second_of_a_change_belongs_to_it(store: Store, new_ticket: NewTicket) -> None:
    save(store, new_ticket(updated=10, state="new"), seen=10)
    save(store, new_ticket(updated=20, state="in_progress"), seen=21)
    assert [row["state"] for row in rows(store, "tickets", 19)] == ["new"]
    assert [row["state"] for row in rows(store, "tickets", 20)] == ["in_progress"]
    assert [row["state"] for row in rows(store, "tickets", 20, 20)] == ["new"]
    assert [row["state"] for row in rows(store, "tickets", 20, 21)] == ["in_progress"]
    assert rows(store, "tickets", 20, 9) == []


def test_a_ticket_is_there_from_the_second_it_was_opened(
    store: Store, new_ticket: NewTicket
) -> None:
    save(store, new_ticket(updated=100, opened_at=50))
    assert rows(store, "tickets", 49) == []
    assert len(rows(store, "tickets", 50)) == 1


def test_before_our_first_sight_what_came_later_is_empty(
    store: Store, new_ticket: NewTicket
) -> None:
    late = new_ticket(
        updated=100,
        opened_at=10,
        resolved_at=50,
        closed_at=80,
        state="closed",
        original_state="7",
        reopen_count=1,
        reassignment_count=2,
        made_sla=False,
        business_seconds=3,
        calendar_seconds=4,
        close_code="x",
        close_notes="y",
    )
    save(store, late, seen=100)
    later = [
        "reopen_count",
        "reassignment_count",
        "made_sla",
        "business_seconds",
        "calendar_seconds",
        "close_code",
        "close_notes",
    ]
    (row,) = rows(store, "tickets", 49)
    assert row["reconstructed"]
    assert row["state"] == "other"
    assert {name: row[name] for name in [*later, "resolved_at", "resolved_day", "closed_at"]} == (
        dict.fromkeys([*later, "resolved_at", "resolved_day", "closed_at"])
    )
    assert row["original_state"] is None
    (row,) = rows(store, "tickets", 50)
    assert (row["state"], row["resolved_at"], row["closed_at"]) == ("resolved", 50, None)
    assert row["made_sla"] is False, "a reopening would have moved the resolution"
    (row,) = rows(store, "tickets", 80)
    assert (row["state"], row["closed_at"], row["reconstructed"]) == ("closed", 80, True)
    (row,) = rows(store, "tickets", 100)
    assert (row["state"], row["original_state"], row["reconstructed"]) == ("closed", "7", False)
    assert row["close_notes"] == "y"


def test_the_state_before_our_first_sight_is_taken_from_the_sources_own_history(
    store: Store, new_ticket: NewTicket
) -> None:
    def span(key: str, start: int, end: int | None, value: str) -> Span:
        return Span(
            **common(key, 100),
            ticket_ref="desk/1",
            field="state",
            value=value,
            original_value=value.upper(),
            started_at=at(start),
            ended_at=at(end) if end else None,
        )

    save(
        store,
        new_ticket(updated=100, opened_at=10, resolved_at=50, state="resolved"),
        span("s1", 10, 20, "new"),
        span("s2", 20, 50, "on_hold"),
        span("s3", 50, None, "resolved"),
    )
    states = [rows(store, "tickets", moment)[0]["state"] for moment in (19, 20, 49, 50)]
    assert states == ["new", "on_hold", "on_hold", "resolved"]
    assert rows(store, "tickets", 30)[0]["original_state"] == "ON_HOLD"
    spans = rows(store, "spans", 20)
    assert [(row["value"], row["ended_at"]) for row in spans] == [("new", 20), ("on_hold", None)]


@pytest.mark.parametrize("names", [("s1", "s2"), ("s2", "s1")])
def test_of_two_states_that_began_in_one_moment_the_one_that_lasted_is_shown(
    store: Store, new_ticket: NewTicket, names: tuple[str, str]
) -> None:
    def span(key: str, end: int | None, value: str) -> Span:
        return Span(
            **common(key, 100),
            ticket_ref="desk/1",
            field="state",
            value=value,
            original_value=value.upper(),
            started_at=at(20),
            ended_at=None if end is None else at(end),
        )

    passed, lasted = names
    save(
        store,
        new_ticket(updated=100, opened_at=10, state="closed"),
        span(passed, 20, "new"),
        span(lasted, None, "on_hold"),
    )
    assert rows(store, "tickets", 30)[0]["state"] == "on_hold"


def test_the_work_of_a_look_back_grows_with_the_tickets_not_with_their_square(
    store: Store, new_ticket: NewTicket
) -> None:
    def steps_with(first: int, end: int) -> int:
        keys = range(first, end)
        save(store, *(new_ticket(f"{key}", updated=100) for key in keys))
        save(
            store,
            *(
                Span(
                    **common(f"s{key}", 100),
                    ticket_ref=f"desk/{key}",
                    field="state",
                    value="new",
                    original_value="1",
                    started_at=at(10),
                )
                for key in keys
            ),
        )
        steps = iter(range(1_000_000_000))
        store.versions._db.conn.set_progress_handler(lambda: next(steps) < 0, 100)
        assert len(rows(store, "tickets", 50)) == end
        store.versions._db.conn.set_progress_handler(None, 100)
        return next(steps)

    few = steps_with(0, 200)
    many = steps_with(200, 1600)
    assert many < 16 * few


def test_a_ticket_shows_what_people_read_for_its_state_and_is_one_row(
    store: Store, new_ticket: NewTicket
) -> None:
    choice = {"table": "incident", "field": "state", "value": "1"}
    save(
        store,
        new_ticket(),
        Choice(**common("c1"), **choice, label="New"),
        Choice(**common("c2"), **choice, label="New"),
        Choice(**common("c3"), **{**choice, "table": "problem"}, label="Assess"),
    )
    assert [row["original_state"] for row in rows(store, "tickets", 2000)] == ["New"]


def test_the_group_of_a_ticket_is_its_own_else_that_of_who_asked(
    store: Store, new_ticket: NewTicket
) -> None:
    save(
        store,
        UserGroup(**common("g1"), name="Finance"),
        UserGroup(**common("g2"), name="Field", headcount=12),
        Person(**common("p"), user_group_ref="desk/g1", active=True),
        new_ticket("1", requester_ref="desk/p"),
        new_ticket("2", requester_ref="desk/p", user_group_ref="desk/g2"),
        new_ticket("3", requester_ref="desk/gone"),
    )
    groups = [row["user_group"] for row in rows(store, "tickets", 2000)]
    assert groups == ["Finance", "Field", None]
    assert [row["headcount"] for row in rows(store, "user_groups", 2000)] == [1, 12]


def test_an_sla_that_ended_later_was_still_running_and_breached_if_it_was_due(
    store: Store,
) -> None:
    outcome = SlaOutcome(
        **common("o", 100),
        ticket_ref="desk/1",
        stage="completed",
        breached=True,
        started_at=at(10),
        ended_at=at(50),
        due_at=at(30),
    )
    save(store, outcome)
    assert rows(store, "sla_outcomes", 9) == []

    def seen(moment: int) -> tuple[Any, ...]:
        (row,) = rows(store, "sla_outcomes", moment)
        return row["stage"], row["breached"], row["ended_at"]

    assert seen(29) == ("in_progress", False, None)
    assert seen(30) == ("in_progress", True, None)
    assert seen(50) == ("completed", True, 50)


def test_answers_are_those_given_by_then_and_say_what_they_measure(store: Store) -> None:
    question = Question(**common("q"), text="Happy?", scale_min=1, scale_max=5)
    minutes = Question(**common("m"), text="Minutes?")
    feedback = Feedback(
        **common("f", 60),
        number="AI1",
        state="answered",
        original_state="complete",
        invited_at=at(40),
        answered_at=at(60),
    )
    one = Answer(**common("a1", 60), feedback_ref="desk/f", question_ref="desk/q", value=4)
    two = Answer(**common("a2", 60), feedback_ref="desk/f", question_ref="desk/m", value=10)
    save(store, question, minutes, feedback, one, two, seen=60)
    feedback = FeedbackSection(questions={"csat": ["Happy?"], "lost_time": ["desk:m"]})
    assert rows(store, "feedback", 39) == []
    (invited,) = rows(store, "feedback", 59)
    assert (invited["state"], invited["answered_at"]) == ("invited", None)
    assert rows(store, "answers", 59, feedback=feedback) == []
    answers = rows(store, "answers", 60, feedback=feedback)
    assert [(row["metric"], row["value"]) for row in answers] == [
        ("csat", 4.0),
        ("lost_time", 10.0),
    ]
    assert [row["metric"] for row in rows(store, "answers", 60)] == [None, None]


def test_a_clock_that_was_set_back_hides_nothing(store: Store, new_ticket: NewTicket) -> None:
    save(store, new_ticket(updated=10), seen=4_000_000_000)
    assert len(rows(store, "tickets", 100)) == 1


def test_days_and_months_are_keys_in_utc(store: Store, new_ticket: NewTicket) -> None:
    midnight = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
    save(store, new_ticket(opened_at=midnight - 1, resolved_at=midnight, updated=midnight))
    (row,) = rows(store, "tickets", midnight)
    assert (row["opened_day"], row["opened_month"]) == ("2026-10-31", "2026-10")
    assert (row["resolved_day"], row["resolved_month"]) == ("2026-11-01", "2026-11")
