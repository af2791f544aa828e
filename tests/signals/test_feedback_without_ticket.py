"""Rule 'feedback-without-ticket': what raises it, and what does not count."""

from __future__ import annotations

from typing import Any

import pytest

from vmo_bridge.analysis.engine import Analysis
from vmo_bridge.analysis.schema import tables_from
from vmo_bridge.signals.needs import missing_facts
from vmo_bridge.signals.rules.feedback_without_ticket import RULE

DAY = 86_400
NOW = 1_793_491_200  # 2026-11-01
ASKED = (
    "cannot be used on my phone", "phone or tablet, please", "a page for the phone would help",
    "when will it fit a tablet", "my tablet shows half of it", "phones are not supported",
)  # fmt: skip


@pytest.fixture
def busy(world: Any) -> Any:
    """Everyday comments on other services, and tickets of all of them."""
    for service in ("E-mail", "Print", "Badge"):
        for at, text in enumerate(("inbox full", "paper jam again", "door stays shut", "too loud")):
            world.answer(2, f"x/{service}-{at}", service, "Legal", comment=text)
    for service in ("VPN", "E-mail", "Print", "Badge"):
        for at in range(40):
            world.ticket(
                service, title=f"matter {at % 7} does not start", opened_at=NOW - (at + 1) * DAY
            )
    return world


def ask(
    world: Any, count: int, *, value: float = 2, group: str = "Field", **more: Any
) -> list[str]:
    """So many people ask for one thing, each in own words."""
    return [
        world.answer(value, f"x/asks-{at}", "VPN", group, comment=text, **more)
        for at, text in enumerate(ASKED[:count])
    ]


def test_several_people_ask_for_what_no_ticket_asks(busy: Any) -> None:
    refs = ask(busy, 6)
    (found,) = busy.find(RULE)
    assert set(found.evidence) == set(refs)
    assert found.id == "feedback-without-ticket:vpn:phone"
    assert (found.service, found.user_group) == ("VPN", "Field")
    assert found.numbers["people"] == 6
    assert {"phone", "tablet"} <= set(found.keywords)
    assert found.worth.hours_per_year == pytest.approx(6 * 365.25 / 90)


@pytest.mark.parametrize(("people", "raised"), [(2, False), (3, True)])
def test_three_people_make_a_matter(busy: Any, people: int, raised: bool) -> None:
    ask(busy, people)
    assert bool(busy.find(RULE)) == raised


def test_a_group_under_five_is_not_named(busy: Any) -> None:
    ask(busy, 4)
    (found,) = busy.find(RULE)
    assert (found.user_group, found.user_group_ref) == (None, None)
    assert "Field" not in found.title + found.why + found.id


def test_a_matter_of_several_groups_names_none(busy: Any) -> None:
    ask(busy, 3)
    for at, text in enumerate(ASKED):
        busy.answer(2, f"x/legal-{at}", "VPN", "Legal", comment=text)
    (found,) = busy.find(RULE)
    assert found.user_group is None
    assert found.numbers["people"] == 9


def test_one_respondent_who_repeats_it_does_not_count(busy: Any) -> None:
    for text in ASKED:
        busy.answer(1, "x/one", "VPN", "Field", comment=text)
    assert busy.find(RULE) == []


def test_praise_does_not_count_by_rating_or_by_its_words(busy: Any) -> None:
    ask(busy, 6, value=5)
    assert busy.find(RULE) == []
    for at in range(5):
        busy.answer(None, f"x/fan-{at}", "VPN", "Field", comment=f"love the new phone page {at}")
    assert busy.find(RULE) == []


def test_a_matter_the_desk_hears_of_does_not_count(busy: Any) -> None:
    ask(busy, 6)
    busy.ticket("VPN", title="Phone and tablet show nothing", opened_at=NOW - 20 * DAY)
    assert busy.find(RULE) == []
    assert len(busy.find(RULE, max_tickets=1)) == 1


@pytest.mark.parametrize(("days_before", "raised"), [(29, False), (31, True)])
def test_tickets_are_looked_at_thirty_days_around(
    busy: Any, days_before: int, raised: bool
) -> None:
    ask(busy, 6)
    moment = NOW - 8 * DAY - days_before * DAY
    busy.ticket("VPN", title="phone and tablet", opened_at=moment)
    assert bool(busy.find(RULE)) == raised


def test_a_ticket_of_another_service_covers_nothing(busy: Any) -> None:
    ask(busy, 6)
    busy.ticket("Print", title="Phone and tablet show nothing", opened_at=NOW - 20 * DAY)
    assert len(busy.find(RULE)) == 1


def test_what_is_said_about_a_ticket_has_been_told_to_the_desk(busy: Any) -> None:
    ask(busy, 6, ticket_ref="x/tickets-1")
    assert busy.find(RULE) == []


def test_without_tickets_of_the_service_nothing_is_claimed(busy: Any) -> None:
    busy.rows["tickets"] = [row for row in busy.rows["tickets"] if row["service"] != "VPN"]
    ask(busy, 6)
    assert busy.find(RULE) == [], "a service whose tickets we do not see may have any"


@pytest.mark.parametrize(("age", "raised"), [(89, True), (91, False)])
def test_the_window_is_ninety_days(busy: Any, age: int, raised: bool) -> None:
    ask(busy, 6, answered_at=NOW - age * DAY)
    busy.ticket("VPN", title="anything", opened_at=NOW - age * DAY)
    assert bool(busy.find(RULE)) == raised


def test_what_it_misses_is_told(world: Any) -> None:
    world.answer(2, "x/a", "VPN", "Field")
    world.ticket("VPN", title="x")
    with Analysis(tables_from(world.rows), threads=1) as analysis:
        assert missing_facts(RULE, analysis) == [
            "answers to a question mapped to comment", "comments tied to a service"
        ]  # fmt: skip


def test_the_order_of_rows_does_not_matter(busy: Any) -> None:
    ask(busy, 6)
    once = busy.find(RULE)
    for rows in busy.rows.values():
        rows.reverse()
    assert busy.find(RULE) == once


@pytest.mark.parametrize("seed", range(10))
def test_worlds_without_a_story_raise_nothing(calm_world: Any, small_talk: Any, seed: int) -> None:
    world, talk = calm_world(seed), small_talk(seed)
    for service in ("VPN", "E-mail", "Print", "Portal", "Phones"):
        for at in range(20):
            world.answer(2, f"x/c{service}{at}", service, "HR", comment=talk(8))
        for at in range(80):
            world.ticket(service, title=talk(5), opened_at=NOW - at * DAY)
    assert world.find(RULE) == []
