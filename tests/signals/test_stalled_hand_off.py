"""Rule 'stalled-hand-off': what raises it, and what does not count."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

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


@pytest.mark.parametrize("state", ["done", "rejected"])
def test_a_closed_epic_counts_from_when_it_was_closed(hands: Hands, state: str) -> None:
    epic = hands.epic(150, 100, state=state, closed_at=NOW - 20 * DAY)
    hands.link(hands.demand(), epic)
    (found,) = hands.found()
    assert "its epic APP-1 was closed 20 days ago" in found.why
    assert hands.found(closed_days=21) == []


def test_an_epic_that_was_rejected_leaves_its_demand_open_too(hands: Hands) -> None:
    hands.link(hands.demand(), hands.epic(20, state="rejected"))
    assert len(hands.found()) == 1


def test_an_epic_closed_at_no_known_time_is_not_judged(hands: Hands) -> None:
    hands.link(hands.demand(), hands.epic(state="done"))
    assert hands.found() == []


def test_a_demand_with_another_epic_in_work_was_not_dropped(hands: Hands) -> None:
    demand = hands.demand()
    hands.link(demand, hands.epic(100, state="done"))
    hands.link(demand, hands.epic(3, number="APP-2"))
    assert hands.found() == []
    hands.link(demand, hands.epic(70, number="APP-3"))
    (found,) = hands.found()
    assert found.id == "stalled-hand-off:dmnd1:app-3", "and that one stands still"


def test_an_epic_without_any_history_is_not_judged(hands: Hands) -> None:
    stalled(hands, epic=100)
    for row in hands.world.rows["spans"]:
        if row["ticket_ref"].startswith("x/initiatives"):
            row["field"] = "team"
    assert hands.found() == []


def test_a_change_of_team_is_no_movement(hands: Hands) -> None:
    _, epic, _ = stalled(hands)
    for days in (150, 5):
        hands.world.add("spans", ticket_ref=epic, field="team", started_at=NOW - days * DAY)
    assert len(hands.found()) == 1


def test_no_hand_off_stands_still_longer_than_its_demand_is_there(hands: Hands) -> None:
    hands.link(hands.demand(opened_at=NOW - 59 * DAY), hands.epic(150))
    assert hands.found() == []
    hands.link(hands.demand(opened_at=NOW - 60 * DAY, number="DMND2"), hands.epic(150))
    (found,) = hands.found()
    assert found.numbers["days_without_movement"] == 60


def test_what_lies_three_levels_below_an_epic_is_no_part_of_it(hands: Hands) -> None:
    refs = stalled(hands)
    task = hands.story(refs[2], 90, type="task")
    hands.story(task, 5, type="task")
    (found,) = hands.found()
    assert found.evidence == (*refs, task)
    assert found.numbers["stories"] == 1


def test_stories_of_other_epics_and_of_none_move_nothing(hands: Hands) -> None:
    stalled(hands)
    hands.story(hands.epic(100, number="APP-9"), 5)
    hands.story("x/initiatives-0", 5)
    hands.moved(str(hands.world.add("tickets", type="story", title="alone")["ref"]), 5)
    assert len(hands.found()) == 1


def test_one_epic_of_two_demands_is_two_hand_offs(hands: Hands) -> None:
    epic = hands.epic(100)
    for number in ("DMND1", "DMND2"):
        hands.link(hands.demand(number=number), epic)
    assert [each.id for each in hands.found()] == [
        "stalled-hand-off:dmnd1:app-1", "stalled-hand-off:dmnd2:app-1",
    ]  # fmt: skip


def test_one_number_of_two_sources_names_two_hand_offs(hands: Hands) -> None:
    for _ in range(2):
        hands.link(hands.demand(), hands.epic(100))
    ids = [each.id for each in hands.found()]
    assert len(set(ids)) == 2
    assert all(each.startswith("stalled-hand-off:dmnd1-") for each in ids)


def test_links_between_others_are_no_hand_off(hands: Hands) -> None:
    demand, epic = hands.demand(), hands.epic(100)
    hands.link(demand, demand)
    hands.link(epic, epic)
    hands.link(demand, hands.demand(number="DMND2"))
    hands.link(demand, str(hands.world.add("tickets", type="story", title="x")["ref"]))
    assert hands.found() == []
    with Analysis(tables_from(hands.world.rows), threads=1) as analysis:
        assert missing_facts(RULE, analysis) == ["links between demands and epics"]


def test_the_history_of_demands_is_not_that_of_epics(hands: Hands) -> None:
    demand = hands.demand()
    hands.moved(demand, 5)
    hands.link(demand, str(hands.world.add("initiatives", type="epic", number="APP-1")["ref"]))
    assert hands.found() == []
    with Analysis(tables_from(hands.world.rows), threads=1) as analysis:
        assert missing_facts(RULE, analysis) == ["status history of epics"]


def test_what_is_not_known_is_not_told(hands: Hands) -> None:
    bare = dict.fromkeys(("title", "description", "service", "service_ref", "opened_at", "number"))
    demand = hands.demand(**bare)
    hands.link(demand, hands.epic(100, **bare, updated_at=None))
    (found,) = hands.found()
    assert "None" not in found.title + found.why + found.id
    assert demand in found.title
    assert (found.service, found.service_ref) == (None, None)


def test_five_who_ask_are_told_with_the_time_they_lost_once_a_survey(hands: Hands) -> None:
    stalled(hands)
    refs = comment(hands, 5)
    for row in list(hands.world.rows["answers"]):
        if row["feedback_ref"] in refs and row["metric"] == "comment":
            lost = {"metric": "lost_time", "value": 30, "text": None}
            hands.world.add("answers", **{**row, **lost, "ref": f"lost/{row['ref']}"})
            more = {"text": "tablet and phone as well", "ref": f"more/{row['ref']}"}
            hands.world.add("answers", **{**row, **more})
    (found,) = hands.found()
    assert found.numbers["people_asking"] == 5
    assert found.numbers["lost_minutes"] == 150
    assert found.worth.hours_per_year == pytest.approx((5 + 2.5) * 365.25 / 90)


def test_people_of_another_service_do_not_ask_for_it(hands: Hands) -> None:
    stalled(hands)
    for at, text in enumerate(ASKED):
        hands.world.answer(2, f"x/q{at}", "Badge", "Field", comment=text)
    for at in range(12):
        hands.world.answer(2, f"x/o{at}", "Print", "Legal", comment=f"paper jam {at}")
    assert hands.found()[0].numbers["people_asking"] == 0


def test_a_demand_in_other_spelling_is_what_they_ask_for_too(hands: Hands) -> None:
    demand = hands.demand(title="Portal on the smartphone", description="For tablett users.")
    hands.link(demand, hands.epic(100))
    comment(hands, 6)
    assert hands.found()[0].numbers["people_asking"] == 6


def test_fewer_than_five_can_not_be_asked_for_by_parameter() -> None:
    with pytest.raises(ValidationError):
        RULE.parameters(people_asking=4)


def test_the_longer_it_stands_still_the_stronger_up_to_a_year(hands: Hands) -> None:
    stalled(hands, epic=73)
    (found,) = hands.found()
    assert found.strength == pytest.approx(0.2)
    (found,) = hands.found(as_of=datetime.fromtimestamp(NOW + 300 * DAY, tz=UTC))
    assert found.strength == 1


@pytest.mark.parametrize("seed", range(30))
def test_worlds_whose_hand_offs_move_raise_nothing(world: Any, seed: int) -> None:
    hands, dice = Hands(world), random.Random(seed)
    for at in range(12):
        state = dice.choice(["draft", "submitted", "approved", "in_progress", "done", "rejected"])
        demand = hands.demand(state, number=f"DMND{at}", title=f"Matter {at}")
        epic = hands.epic(*sorted(dice.sample(range(60, 190), 2), reverse=True), number=f"APP-{at}")
        hands.link(*dice.sample([demand, epic], 2), named_in=dice.choice(["field", "text", "link"]))
        stories = [hands.story(epic, dice.randint(60, 180)) for _ in range(dice.randint(1, 5))]
        hands.moved(dice.choice([epic, *stories]), dice.randint(1, 59))
    assert hands.found() == []
