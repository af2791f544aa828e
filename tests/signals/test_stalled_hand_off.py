"""Rule 'stalled-hand-off': what raises it, and what does not count."""

from __future__ import annotations

from typing import Any

import pytest

from vmo_bridge.analysis.engine import Analysis
from vmo_bridge.analysis.schema import tables_from
from vmo_bridge.signals.needs import missing_facts
from vmo_bridge.signals.rules.stalled_hand_off import RULE

DAY = 86_400
NOW = 1_793_491_200  # 2026-11-01


class Hands:
    """A demand, its epic and stories, and their history."""

    def __init__(self, world: Any) -> None:
        self.world = world

    def demand(self, state: str = "approved", number: str = "DMND1", **more: Any) -> str:
        row = {
            "type": "demand", "state": state, "number": number, "title": "Portal on the phone",
            "description": "For phones and tablets.", "opened_at": NOW - 200 * DAY,
            "service": "Portal", "service_ref": "x/s-Portal",
        }  # fmt: skip
        return str(self.world.add("initiatives", **row | more)["ref"])

    def epic(
        self, *moves: int, state: str = "in_progress", number: str = "APP-1", **more: Any
    ) -> str:
        row = {
            "type": "epic", "state": state, "number": number, "title": "Small screens",
            "opened_at": NOW - 190 * DAY, "updated_at": NOW - 2 * DAY,
        }  # fmt: skip
        ref = str(self.world.add("initiatives", **row | more)["ref"])
        self.moved(ref, *moves)
        return ref

    def story(self, parent: str, *moves: int, **more: Any) -> str:
        row = {"type": "story", "parent_ref": parent, "title": "Touch targets",
               "opened_at": NOW - 180 * DAY}  # fmt: skip
        ref = str(self.world.add("tickets", **row | more)["ref"])
        self.moved(ref, *moves)
        return ref

    def moved(self, ref: str, *days_ago: int) -> None:
        """Status changes so many days ago, after the stretch from creation on."""
        for at in (NOW - 190 * DAY, *(NOW - days * DAY for days in days_ago)):
            self.world.add("spans", ticket_ref=ref, field="state", started_at=at)

    def link(self, one: str, other: str, named_in: str = "field") -> None:
        self.world.add("links", from_ref=one, to_ref=other, named_in=named_in)

    def found(self, **parameters: Any) -> Any:
        return self.world.find(RULE, **parameters)


@pytest.fixture
def hands(world: Any) -> Hands:
    return Hands(world)


def stalled(hands: Hands, *, epic: int = 100, story: int = 100) -> tuple[str, str, str]:
    demand, e = hands.demand(), hands.epic(epic)
    s = hands.story(e, story)
    hands.link(demand, e)
    return demand, e, s


def test_an_accepted_demand_whose_epic_and_stories_stand_still_is_raised(hands: Hands) -> None:
    refs = stalled(hands)
    (found,) = hands.found()
    assert found.evidence == refs
    assert found.id == "stalled-hand-off:dmnd1:app-1"
    assert found.numbers["days_without_movement"] == 100
    assert "nor its 1 stories changed status for 100 days" in found.why
    assert "only edited, last on 2026-10-30" in found.why


@pytest.mark.parametrize(("days", "raised"), [(59, False), (60, True)])
def test_sixty_days_are_too_long(hands: Hands, days: int, raised: bool) -> None:
    stalled(hands, epic=days, story=90)
    assert bool(hands.found()) == raised


def test_a_quiet_epic_whose_stories_move_is_fine(hands: Hands) -> None:
    stalled(hands, epic=150, story=5)
    assert hands.found() == []


def test_an_epic_that_moves_while_its_stories_wait_is_fine(hands: Hands) -> None:
    stalled(hands, epic=5, story=150)
    assert hands.found() == []


def test_what_lies_below_a_story_moves_the_epic_too(hands: Hands) -> None:
    _, _, story = stalled(hands)
    hands.story(story, 10, type="task")
    assert hands.found() == []


def test_edits_are_no_movement(hands: Hands) -> None:
    stalled(hands)
    hands.world.rows["tickets"][0]["updated_at"] = NOW - DAY
    assert len(hands.found()) == 1


@pytest.mark.parametrize("state", ["draft", "submitted", "done", "rejected", "other"])
def test_a_demand_that_nobody_accepted_or_that_is_over_does_not_count(
    hands: Hands, state: str
) -> None:
    hands.link(hands.demand(state), hands.epic(100))
    assert hands.found() == []


@pytest.mark.parametrize("named_in", ["field", "text", "link"])
@pytest.mark.parametrize("turned", [False, True])
def test_either_side_may_name_the_other(hands: Hands, named_in: str, turned: bool) -> None:
    pair = hands.demand(), hands.epic(100)
    hands.link(*(pair[::-1] if turned else pair), named_in=named_in)
    hands.link(*pair, named_in="text")
    assert len(hands.found()) == 1, "one hand-off, however often it is named"


def test_a_number_that_leads_nowhere_is_no_hand_off(hands: Hands) -> None:
    hands.demand()
    hands.epic(100)
    hands.world.add("links", from_ref="x/initiatives-0", to_number="GONE-1", named_in="field")
    assert hands.found() == []


def test_an_epic_that_never_moved_counts_from_its_beginning(hands: Hands) -> None:
    hands.link(hands.demand(), hands.epic())
    (found,) = hands.found()
    assert found.numbers["days_without_movement"] == 190


@pytest.mark.parametrize(("days", "raised"), [(13, False), (14, True)])
def test_an_epic_that_was_closed_leaves_its_demand_open(
    hands: Hands, days: int, raised: bool
) -> None:
    hands.link(hands.demand(), hands.epic(days, state="done"))
    found = hands.found()
    assert bool(found) == raised
    assert not found or f"was closed {days} days ago" in found[0].why


def test_each_epic_of_a_demand_is_a_hand_off(hands: Hands) -> None:
    demand = hands.demand()
    hands.link(demand, hands.epic(100))
    hands.link(demand, hands.epic(3, number="APP-2"))
    hands.link(demand, hands.epic(80, number="APP-3"))
    assert [each.id for each in hands.found()] == [
        "stalled-hand-off:dmnd1:app-1", "stalled-hand-off:dmnd1:app-3",
    ]  # fmt: skip


ASKED = ("cannot be used on my phone", "fits no tablet", "phone or tablet please",
         "a page for the phone", "tablet shows half", "phones and tablets!")  # fmt: skip


def comment(hands: Hands, people: int) -> list[str]:
    for at in range(12):
        hands.world.answer(2, f"x/o{at}", "Print", "Legal", comment=f"paper jam {at}")
    return [
        hands.world.answer(2, f"x/p{at}", "Portal", "Field", comment=ASKED[at])
        for at in range(people)
    ]


def test_who_asks_for_it_in_surveys_stands_beside_it(hands: Hands) -> None:
    refs = stalled(hands)
    voices = comment(hands, 6)
    (found,) = hands.found()
    assert found.evidence == (*refs, *voices)
    assert "6 people ask for it in surveys" in found.why
    assert "no ticket does" in found.why
    hands.world.ticket("Portal", title="phone and tablet", opened_at=NOW - DAY)
    assert "1 tickets do" in hands.found()[0].why


def test_fewer_than_five_who_ask_are_not_told(hands: Hands) -> None:
    refs = stalled(hands)
    comment(hands, 4)
    (found,) = hands.found()
    assert found.evidence == refs
    assert "people" not in found.why


def test_people_who_ask_for_something_else_do_not_count(hands: Hands) -> None:
    demand = hands.demand(title="Second language", description="In French as well.")
    epic = hands.epic(100, title="Translation")
    hands.link(demand, epic)
    comment(hands, 6)
    (found,) = hands.found()
    assert found.numbers["people_asking"] == 0


def test_what_it_misses_is_told(hands: Hands) -> None:
    hands.demand()
    with Analysis(tables_from(hands.world.rows), threads=1) as analysis:
        assert missing_facts(RULE, analysis) == [
            "epics", "links between demands and epics", "status history of epics"
        ]  # fmt: skip


def test_the_order_of_rows_does_not_matter(hands: Hands) -> None:
    stalled(hands)
    comment(hands, 6)
    once = hands.found()
    for rows in hands.world.rows.values():
        rows.reverse()
    assert hands.found()[0].why == once[0].why
    assert set(hands.found()[0].evidence) == set(once[0].evidence)
