"""Rule 'recurring': what raises it, and what does not count."""

from __future__ import annotations

from typing import Any

import pytest

from vmo_bridge.analysis.engine import Analysis
from vmo_bridge.analysis.schema import tables_from
from vmo_bridge.signals.needs import missing_facts
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


def row_of(world: Any, ref: str) -> dict[str, Any]:
    return next(row for row in world.rows["tickets"] if row["ref"] == ref)


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


@pytest.mark.parametrize("seed", range(30))
def test_worlds_without_a_story_raise_nothing(calm_world: Any, small_talk: Any, seed: int) -> None:
    world, talk = calm_world(seed), small_talk(seed)
    for at in range(200):
        moment = NOW - (at * 170 // 200) * DAY
        world.ticket("Portal", title=talk(5), requester_ref=f"x/c{at}", opened_at=moment)
    assert world.find(RULE) == []


@pytest.mark.parametrize(("people", "raised"), [(2, False), (3, True)])
def test_three_different_people_have_to_call(everyday: Any, people: int, raised: bool) -> None:
    for at, ref in enumerate(come(everyday, 8)):
        row_of(everyday, ref)["requester_ref"] = f"x/p{at % people}"
    assert bool(everyday.find(RULE)) == raised


@pytest.mark.parametrize(("linked", "raised"), [(1, True), (2, False)])
def test_a_quarter_linked_to_one_problem_covers_all(
    everyday: Any, linked: int, raised: bool
) -> None:
    for ref in come(everyday, 8)[:linked]:
        row_of(everyday, ref)["problem_ref"] = "x/prb1"
    found = everyday.find(RULE)
    assert bool(found) == raised
    assert not found or found[0].numbers["linked_to_a_problem"] == 1
    assert not found or "1 of them have a problem" in found[0].why


@pytest.mark.parametrize(("hours", "raised"), [(5.9, False), (6, True)])
def test_a_topic_lasts_longer_than_a_day(everyday: Any, hours: float, raised: bool) -> None:
    come(everyday, 5, every=hours / 24)
    assert bool(everyday.find(RULE)) == raised


@pytest.mark.parametrize(("age", "counts"), [(180, True), (180.1, False), (0, False)])
def test_the_window_is_a_hundred_and_eighty_days_and_ends_before_now(
    everyday: Any, age: float, counts: bool
) -> None:
    refs = come(everyday, 6)
    edge = come(everyday, 1, last=age)
    (found,) = everyday.find(RULE)
    assert set(found.evidence) == {*refs, *(edge if counts else [])}


@pytest.mark.parametrize("kind", ["request", "change", "problem", "story", None])
def test_only_incidents_come_back(everyday: Any, kind: str | None) -> None:
    come(everyday, 9, type=kind)
    assert everyday.find(RULE) == []


@pytest.mark.parametrize(
    "title", ["Lost entry: a sesion ends", "LOST-ENTRIES, session ends", "Portal: lost sessions"]
)
def test_an_owner_in_other_spelling_owns_it_too(everyday: Any, title: str) -> None:
    come(everyday, 8)
    everyday.ticket("Portal", type="problem", state="in_progress", title=title)
    assert everyday.find(RULE) == []


def test_an_owner_may_speak_of_it_in_its_description(everyday: Any) -> None:
    come(everyday, 8)
    text = {"title": "Known error 17", "description": "entries are lost when a session ends"}
    everyday.ticket("Portal", type="problem", state="in_progress", **text)
    assert everyday.find(RULE) == []


def test_an_owner_of_no_known_service_may_be_of_any(everyday: Any) -> None:
    come(everyday, 8)
    everyday.ticket(None, type="problem", state="in_progress", title="Lost session entries")
    assert everyday.find(RULE) == []


def test_an_owner_of_another_service_or_another_matter_owns_nothing(everyday: Any) -> None:
    come(everyday, 8)
    everyday.ticket("Print", type="problem", state="in_progress", title="Lost session entries")
    everyday.ticket("Portal", type="problem", state="in_progress", title="Session of the board")
    assert len(everyday.find(RULE)) == 1


def test_incidents_of_no_known_service_come_back_too_and_anybody_s_problem_owns_them(
    world: Any,
) -> None:
    refs = come(world, 6, service=None)
    (found,) = world.find(RULE)
    assert set(found.evidence) == set(refs)
    assert (found.service, found.service_ref) == (None, None)
    assert found.id.startswith("recurring:no-service:")
    world.ticket("Print", type="problem", state="in_progress", title="Lost session entries")
    assert world.find(RULE) == []


@pytest.mark.parametrize("title", [None, "", "It does not work, please!", "正常", "💥"])
@pytest.mark.parametrize(("count", "raised"), [(24, False), (25, True)])
def test_titles_that_say_nothing_count_by_their_subcategory(
    world: Any, title: str | None, count: int, raised: bool
) -> None:
    refs = come(world, count, every=1, title=title, category="Software", subcategory="Export")
    found = world.find(RULE)
    assert bool(found) == raised
    assert not found or set(found[0].evidence) == set(refs)
    assert not found or found[0].keywords == ("Software", "Export")


def test_a_category_alone_is_no_topic(world: Any) -> None:
    come(world, 60, every=0.5, title="", category="Software", subcategory=None)
    assert world.find(RULE) == []


def test_the_service_s_own_name_makes_no_titles_alike(world: Any, small_talk: Any) -> None:
    talk = small_talk(3)
    for at in range(30):
        title, caller = f"Portal: {talk(3)}", f"x/p{at}"
        world.ticket("Portal", title=title, requester_ref=caller, opened_at=NOW - (at + 1) * DAY)
    assert world.find(RULE) == []


def test_two_topics_of_one_service_are_two_signals_with_names_of_their_own(everyday: Any) -> None:
    one = come(everyday, 8)
    other = come(everyday, 6, title="entries printed twice on the yellow form")
    found = {each.id: set(each.evidence) for each in everyday.find(RULE)}
    assert sorted(found.values(), key=len) == [set(other), set(one)]


def test_services_of_one_name_keep_names_of_their_own(world: Any) -> None:
    for number in (1, 2):
        for ref in come(world, 6):
            row_of(world, ref)["service_ref"] = f"x/s-{number}"
    ids = [each.id for each in world.find(RULE)]
    assert len(set(ids)) == 2


def test_its_name_does_not_change_with_the_words_of_a_few_more(everyday: Any) -> None:
    come(everyday, 12)
    (before,) = everyday.find(RULE)
    come(everyday, 2, title="suddenly lost my entries, session ended", last=1)
    (after,) = everyday.find(RULE)
    assert len(after.evidence) == 14
    assert after.id == before.id


def test_a_service_that_is_not_known_to_be_active_counts(everyday: Any) -> None:
    come(everyday, 9)
    everyday.add("services", ref="x/s-Portal", name="Portal", active=None)
    assert len(everyday.find(RULE)) == 1


def test_evidence_stands_in_order_of_time(everyday: Any) -> None:
    refs = come(everyday, 8)
    everyday.rows["tickets"].reverse()
    (found,) = everyday.find(RULE)
    assert list(found.evidence) == refs


def test_more_like_incidents_are_stronger_up_to_fifty(world: Any) -> None:
    come(world, 10, every=1, title=SAID[0])
    (few,) = world.find(RULE)
    come(world, 50, every=1, title=SAID[0])
    (many,) = world.find(RULE)
    assert (few.strength, many.strength) == (0.2, 1.0)
    assert few.worth.hours_per_year == pytest.approx(10 * 365.25 / 180)


def test_what_it_misses_is_told(world: Any) -> None:
    world.ticket("Portal")
    world.ticket("Portal", type="request", title="x")
    with Analysis(tables_from(world.rows), threads=1) as analysis:
        assert missing_facts(RULE, analysis) == ["incidents with a title or subcategory"]
