"""Rule 'recurring': what raises it, and what does not count."""

from __future__ import annotations

from typing import Any

import pytest

from vmo_bridge.signals.rules.recurring import RULE

DAY = 86_400
NOW = 1_793_491_200  # 2026-11-01
SAID = (
    "session ends and my entries are lost", "entries lost when the session ends",
    "lost entries after sesion ended", "my session ends, entries gone",
    "entries lost again, session ended suddenly",
)  # fmt: skip


def come(world: Any, count: int, *, every: float = 5, last: float = 3, **more: Any) -> list[str]:
    """So many like incidents, so many days apart, the last so many days ago."""
    row = {"service": "Portal", "group": "Field"} | more
    refs = []
    for at in range(count):
        moment = int(NOW - (last + (count - 1 - at) * every) * DAY)
        given = {"title": SAID[at % len(SAID)], "requester_ref": f"x/p{at}"} | row
        refs.append(world.ticket(opened_at=moment, **given))
    return refs


@pytest.fixture
def everyday(world: Any, small_talk: Any) -> Any:
    talk = small_talk(7)
    for at in range(60):
        world.ticket("Portal", title=talk(5), requester_ref=f"x/e{at}", opened_at=NOW - at * DAY)
    return world


def test_like_incidents_that_nobody_owns_are_raised_with_all_of_them(everyday: Any) -> None:
    refs = come(everyday, 8)
    (found,) = everyday.find(RULE)
    assert set(found.evidence) == set(refs)
    assert found.service == "Portal"
    assert found.numbers == {"incidents": 8, "people": 8, "linked_to_a_problem": 0}
    assert {"entries", "session"} & set(found.keywords)


@pytest.mark.parametrize(
    ("count", "every", "raised"), [(4, 5, False), (5, 5, True), (5, 7.5, True), (5, 7.6, False)]
)
def test_five_have_to_come_within_thirty_days(
    everyday: Any, count: int, every: float, raised: bool
) -> None:
    come(everyday, count, every=every)
    assert bool(everyday.find(RULE)) == raised


@pytest.mark.parametrize(("last", "raised"), [(89.9, True), (90.1, False)])
def test_it_has_to_be_alive(everyday: Any, last: float, raised: bool) -> None:
    come(everyday, 6, last=last)
    assert bool(everyday.find(RULE)) == raised


def test_a_linked_problem_covers_those_without_the_link(everyday: Any) -> None:
    refs = come(everyday, 8)
    for row in everyday.rows["tickets"]:
        if row["ref"] in refs[:2]:
            row["problem_ref"] = "x/prb1"
    assert everyday.find(RULE) == []
    for at, ref in enumerate(refs[:2]):
        for row in everyday.rows["tickets"]:
            if row["ref"] == ref:
                row["problem_ref"] = f"x/prb{at}"
    assert len(everyday.find(RULE)) == 1, "two problems, neither about the topic"


@pytest.mark.parametrize(
    ("owner", "covered"),
    [
        ({"type": "problem", "state": "in_progress", "opened_at": NOW - 400 * DAY}, True),
        ({"type": "problem", "state": "closed", "opened_at": NOW - 20 * DAY}, True),
        ({"type": "problem", "state": "closed", "opened_at": NOW - 400 * DAY}, False),
        ({"type": "change", "state": "in_progress"}, True),
        ({"type": "change", "state": "closed"}, False),
    ],
)
def test_a_problem_or_a_change_under_way_that_speaks_of_it_owns_it(
    everyday: Any, owner: Any, covered: bool
) -> None:
    come(everyday, 8)
    everyday.ticket("Portal", title="Lost entries when a session ends", **owner)
    assert bool(everyday.find(RULE)) != covered


@pytest.mark.parametrize(
    ("state", "service", "covered"),
    [("approved", "Portal", True), ("draft", "Portal", True), ("rejected", "Portal", False),
     ("done", "Portal", False), ("approved", "Print", False)],
)  # fmt: skip
def test_a_demand_that_moves_owns_it(
    everyday: Any, state: str, service: str, covered: bool
) -> None:
    come(everyday, 8)
    everyday.add(
        "initiatives", type="demand", state=state, service=service, service_ref=f"x/s-{service}",
        title="Keep entries when the session ends",
    )  # fmt: skip
    assert bool(everyday.find(RULE)) != covered


def test_what_one_person_or_machine_reports_again_and_again_is_no_topic(everyday: Any) -> None:
    come(everyday, 9, requester_ref="x/monitor")
    assert everyday.find(RULE) == []


def test_callers_that_nobody_knows_are_no_reason_to_be_silent(everyday: Any) -> None:
    come(everyday, 9, requester_ref=None)
    assert len(everyday.find(RULE)) == 1


def test_a_bulk_of_one_day_is_no_topic(everyday: Any) -> None:
    come(everyday, 9, every=0.1)
    assert everyday.find(RULE) == []


def test_a_retired_service_is_left_out(everyday: Any) -> None:
    come(everyday, 9)
    everyday.add("services", ref="x/s-Portal", name="Portal", active=False)
    assert everyday.find(RULE) == []


def test_the_same_words_of_two_services_are_two_matters(everyday: Any) -> None:
    come(everyday, 3)
    come(everyday, 3, service="Print")
    assert everyday.find(RULE) == []


def test_without_titles_a_category_has_to_come_much_more_often(everyday: Any) -> None:
    bare = {"title": None, "category": "Software", "subcategory": "Sub 9", "service": None}
    come(everyday, 20, every=1, **bare)
    assert everyday.find(RULE) == []
    come(everyday, 10, every=1, **bare)
    (found,) = everyday.find(RULE)
    assert found.id == "recurring:software:software-sub-9"
    assert found.service is None


def test_what_the_desk_filed_together_holds_other_words_together(everyday: Any) -> None:
    filed = {"subcategory": "lost entries"}
    refs = come(everyday, 5, **filed)
    refs += come(
        everyday, 2, last=2, title="portal threw me out, nothing of my entries kept", **filed
    )
    (found,) = everyday.find(RULE)
    assert set(found.evidence) == set(refs)


def test_the_order_of_rows_does_not_matter(everyday: Any) -> None:
    come(everyday, 8)
    once = everyday.find(RULE)
    for rows in everyday.rows.values():
        rows.reverse()
    assert everyday.find(RULE) == once


@pytest.mark.parametrize("seed", range(10))
def test_worlds_without_a_story_raise_nothing(calm_world: Any, small_talk: Any, seed: int) -> None:
    world, talk = calm_world(seed), small_talk(seed)
    for at in range(200):
        moment = NOW - (at * 170 // 200) * DAY
        world.ticket("Portal", title=talk(5), requester_ref=f"x/c{at}", opened_at=moment)
    assert world.find(RULE) == []
