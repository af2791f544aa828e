"""Rule 'feedback-without-ticket': what raises it, and what does not count."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

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


@pytest.mark.parametrize("seed", range(30))
def test_worlds_without_a_story_raise_nothing(calm_world: Any, small_talk: Any, seed: int) -> None:
    world, talk = calm_world(seed), small_talk(seed)
    for service in ("VPN", "E-mail", "Print", "Portal", "Phones"):
        for at in range(20):
            world.answer(2, f"x/c{service}{at}", service, "HR", comment=talk(8))
        for at in range(80):
            world.ticket(service, title=talk(5), opened_at=NOW - at * DAY)
    assert world.find(RULE) == []


def test_several_comments_of_one_survey_are_one_answer_and_its_lost_time_counts_once(
    busy: Any,
) -> None:
    refs = ask(busy, 6, lost=60)
    first = next(row for row in busy.rows["answers"] if row["feedback_ref"] == refs[0])
    more = {"metric": "comment", "text": "and a tablet, and a phone", "value": None}
    busy.add("answers", **{**first, **more, "ref": "x/second"})
    other = {"metric": "comment", "text": "the canteen was closed", "value": None}
    busy.add("answers", **{**first, **other, "ref": "x/third"})
    (found,) = busy.find(RULE)
    assert sorted(found.evidence) == sorted(refs)
    assert found.numbers["answers"] == found.numbers["people"] == 6
    assert found.numbers["lost_minutes"] == 360
    assert found.worth.hours_per_year == pytest.approx((6 + 6) * 365.25 / 90)
    assert "canteen" not in found.why


@pytest.mark.parametrize(
    "title",
    ["Moblie page, phones and tablets", "smartphone and tablett", "Tablets / phones: when?"],
)
def test_a_ticket_in_other_spelling_covers_it_too(busy: Any, title: str) -> None:
    ask(busy, 6)
    busy.ticket("VPN", title=title, opened_at=NOW - 20 * DAY)
    assert busy.find(RULE) == []


@pytest.mark.parametrize("kind", ["incident", "request", "problem"])
def test_a_ticket_of_any_desk_kind_covers_it_by_its_description_too(busy: Any, kind: str) -> None:
    ask(busy, 6)
    busy.ticket("VPN", type=kind, description="phone and tablet", opened_at=NOW - 20 * DAY)
    assert busy.find(RULE) == []


@pytest.mark.parametrize("kind", ["story", "change", "task"])
def test_what_development_writes_to_itself_covers_nothing(busy: Any, kind: str) -> None:
    ask(busy, 6)
    busy.ticket("VPN", type=kind, title="phone and tablet", opened_at=NOW - 20 * DAY)
    assert len(busy.find(RULE)) == 1


def test_one_word_in_common_is_not_yet_the_same_matter(busy: Any) -> None:
    ask(busy, 6)
    busy.ticket("VPN", title="The phone rings", opened_at=NOW - 20 * DAY)
    assert len(busy.find(RULE)) == 1


@pytest.mark.parametrize("tickets", [1, 2, 3])
def test_among_few_tickets_too_one_that_speaks_of_it_covers_it(busy: Any, tickets: int) -> None:
    busy.rows["tickets"].clear()
    for at in range(tickets):
        busy.ticket("VPN", title="phone and tablet" if not at else f"matter {at}")
    ask(busy, 6)
    assert busy.find(RULE) == []


def test_a_desk_that_hears_of_little_else_is_not_said_to_hear_nothing(busy: Any) -> None:
    for row in busy.rows["tickets"][::2]:
        row["title"] = "phone and tablet show nothing"
    ask(busy, 6)
    assert busy.find(RULE) == []


def test_words_that_most_tickets_have_cover_nothing_by_themselves(busy: Any) -> None:
    for row in busy.rows["tickets"]:
        row["title"] = f"page half supported, {row['title']}"
    ask(busy, 6)
    assert len(busy.find(RULE)) == 1


def test_how_many_tickets_speak_of_it_is_told(busy: Any) -> None:
    ask(busy, 6)
    for _ in range(2):
        busy.ticket("VPN", title="phone and tablet", opened_at=NOW - 20 * DAY)
    assert busy.find(RULE, max_tickets=1) == []
    (found,) = busy.find(RULE, max_tickets=2)
    assert found.numbers["tickets_about_it"] == 2
    assert "2 of its" in found.why
    assert "no ticket" not in found.title + found.why


@pytest.mark.parametrize(("people", "named"), [(4, None), (5, "Field")])
def test_a_group_is_named_from_five_people_on(busy: Any, people: int, named: str | None) -> None:
    ask(busy, people)
    (found,) = busy.find(RULE)
    assert found.user_group == named
    assert found.user_group_ref == (named and f"x/g-{named}")


def test_five_of_a_group_among_many_others_do_not_make_it_theirs(busy: Any) -> None:
    ask(busy, 5)
    for at in range(2):
        busy.answer(2, f"x/legal-{at}", "VPN", "Legal", comment="phone and tablet")
    assert busy.find(RULE)[0].user_group is None


def test_people_of_no_known_group_name_none(busy: Any) -> None:
    ask(busy, 6, group=None)
    (found,) = busy.find(RULE)
    assert found.user_group is None


def test_answers_without_a_person_are_people_of_their_own(busy: Any) -> None:
    for text in ASKED[:4]:
        busy.answer(2, None, "VPN", "Field", comment=text)
    (found,) = busy.find(RULE)
    assert found.numbers["people"] == 4


def test_comments_of_no_service_without_words_or_of_tomorrow_are_left_out(busy: Any) -> None:
    ask(busy, 2)
    for at, text in enumerate(ASKED):
        busy.answer(2, f"x/n{at}", None, "Field", comment=text)
        busy.answer(2, f"x/t{at}", "VPN", "Field", comment=text, answered_at=NOW)
        busy.answer(2, f"x/e{at}", "VPN", "Field", comment="")
        busy.answer(2, f"x/w{at}", "VPN", "Field", answered_at=None, comment=text)
    assert busy.find(RULE) == []


@pytest.mark.parametrize(("value", "scale"), [(4, (1, 5)), (9, (0, 10)), (80, (0, 100))])
def test_the_top_two_boxes_of_any_scale_are_praise(busy: Any, value: float, scale: Any) -> None:
    ask(busy, 6, value=value, scale=scale)
    assert busy.find(RULE) == []


@pytest.mark.parametrize(("value", "scale"), [(3, (1, 5)), (8, (0, 10)), (5, (None, None))])
def test_below_them_or_on_no_known_scale_it_is_none(busy: Any, value: float, scale: Any) -> None:
    ask(busy, 6, value=value, scale=scale)
    assert len(busy.find(RULE)) == 1


def test_recommendation_counts_as_satisfaction_does(busy: Any) -> None:
    ask(busy, 6)
    for row in busy.rows["answers"]:
        if row["metric"] == "csat" and row["service"] == "VPN":
            row.update(metric="nps", value=10, scale_min=0, scale_max=10)
    assert busy.find(RULE) == []


def test_services_of_one_name_keep_names_of_their_own(busy: Any) -> None:
    ask(busy, 6)
    for at in range(6):
        text = "let me copy an earlier entry"
        ref = busy.answer(2, f"x/second-{at}", "VPN", "Field", comment=text)
        for row in busy.rows["answers"]:
            if row["feedback_ref"] == ref:
                row["service_ref"] = "x/s-other"
    other = {"service": "VPN", "service_ref": "x/s-other", "type": "incident"}
    busy.add("tickets", title="anything", opened_at=NOW - 9 * DAY, **other)
    ids = [each.id for each in busy.find(RULE)]
    assert len({name.split(":")[1] for name in ids}) == 2


def test_comments_on_one_service_alone_can_be_compared_with_nothing(busy: Any) -> None:
    busy.rows["answers"].clear()
    ask(busy, 6)
    with Analysis(tables_from(busy.rows), threads=1) as analysis:
        assert missing_facts(RULE, analysis) == ["comments on more than one service"]
    busy.answer(2, "x/a", "Print", "Field", comment="jam")
    with Analysis(tables_from(busy.rows), threads=1) as analysis:
        assert missing_facts(RULE, analysis) == []


@pytest.mark.parametrize("name", ["min_people", "ticket_days", "max_tickets", "common_words"])
def test_parameters_outside_their_range_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        RULE.parameters(**{name: -1})
    with pytest.raises(ValidationError):
        RULE.parameters(min_people=2)
