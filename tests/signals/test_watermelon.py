"""Each line of the rule 'watermelon': what raises it, what does not count."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from vmo_bridge.signals.rules.watermelon import RULE, WatermelonParameters

DAY = 86400
NOW = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())


def story(world):
    """Green SLAs and unhappy people at one cell, contentment elsewhere."""
    world.tickets(60, 1)
    unhappy = world.answers(2, 15)
    world.tickets(50, 1, "VPN", "Legal")
    world.answers(30, 3, "VPN", "Legal")
    return unhappy


def test_green_slas_and_unhappy_people_are_raised(world):
    story(world)
    (finding,) = world.find(RULE)
    assert finding.id == "watermelon:vpn:finance"
    assert (finding.service, finding.user_group) == ("VPN", "Finance")
    assert (finding.service_ref, finding.user_group_ref) == ("x/s-VPN", "x/g-Finance")
    assert finding.why.startswith("SLA met 98% of 61, but only 12% of 17 people satisfied")
    assert "target 80%, elsewhere 91%" in finding.why
    assert (finding.end - finding.start).days == 150


def test_happy_people_are_not_raised(world):
    world.tickets(60, 1)
    world.answers(15, 2)
    assert world.find(RULE) == []


def test_an_sla_that_is_itself_missed_is_not_raised(world):
    story(world)
    world.tickets(0, 12)
    assert world.find(RULE) == []


def test_a_few_misses_within_noise_still_are_green(world):
    world.tickets(57, 4)  # 93.4 %
    world.answers(2, 15)
    assert len(world.find(RULE)) == 1


def test_noise_is_no_excuse_below_the_floor(world):
    world.tickets(9, 1)  # 90 % of 10: as good as certain to be noise, yet not green
    world.answers(2, 15)
    assert world.find(RULE) == []
    assert len(world.find(RULE, sla_floor=0.9)) == 1


def test_many_misses_are_significant_though_above_the_floor(world):
    world.tickets(930, 70)
    world.answers(2, 15)
    assert world.find(RULE) == []


def test_fewer_than_five_people_are_not_raised(world):
    world.tickets(60, 1)
    world.answers(0, 4)
    assert world.find(RULE) == []


def test_five_people_are_enough(world):
    world.tickets(60, 1)
    world.answers(0, 5)
    assert len(world.find(RULE)) == 1


def test_privacy_is_not_for_sale():
    with pytest.raises(ValidationError):
        WatermelonParameters(min_people=4)


def test_one_angry_person_answering_often_is_not_raised(world):
    world.tickets(60, 1)
    world.answers(10, 1)
    for _ in range(40):
        world.answer(1, "x/person-angry")
    assert world.find(RULE) == []


def test_one_angry_person_does_not_lend_voices_to_the_few(world):
    world.tickets(60, 1)
    world.answers(0, 3)
    for _ in range(40):
        world.answer(1, "x/person-angry")
    assert world.find(RULE) == []


def test_a_person_is_judged_by_the_mean_of_their_answers(world):
    world.tickets(60, 1)
    for i in range(12):
        world.answer(5, f"x/p{i}")
        world.answer(3, f"x/p{i}")
    assert world.find(RULE) == []
    for i in range(12):
        world.answer(3, f"x/p{i}")
    assert len(world.find(RULE)) == 1


def test_answers_without_a_person_are_no_votes(world):
    world.tickets(60, 1)
    for _ in range(20):
        world.answer(1, None)
    world.answers(0, 4)
    assert world.find(RULE) == []


@pytest.mark.parametrize(
    ("value", "scale", "raised"),
    [
        (4, (1, 5), False),
        (3, (1, 5), True),
        (9, (0, 10), False),
        (8, (0, 10), True),
        (3, (1, 4), False),
        (2, (1, 4), True),
        (1, (0, 1), False),
        (0, (0, 1), True),
        (2, (1, 3), True),
        (80, (0, 100), False),
        (79, (0, 100), True),
    ],
)
def test_satisfied_is_top_two_box_on_the_questions_own_scale(world, value, scale, raised):
    world.tickets(60, 1)
    for i in range(12):
        world.answer(value, f"x/p{i}", scale=scale)
    assert bool(world.find(RULE)) is raised


@pytest.mark.parametrize(
    ("value", "scale"),
    [(1, (None, 5)), (1, (1, None)), (1, (5, 5)), (7, (1, 5)), (None, (1, 5))],
)
def test_an_answer_on_no_known_scale_is_not_known(world, value, scale):
    world.tickets(60, 1)
    for i in range(12):
        world.answer(value, f"x/p{i}", scale=scale)
    assert world.find(RULE) == []


def test_a_cell_without_enough_known_slas_is_not_green(world):
    world.tickets(4, 0)
    world.answers(0, 20)
    assert world.find(RULE) == []


def test_made_sla_counts_where_a_ticket_has_no_outcome(world):
    for _ in range(20):
        world.ticket(resolved_at=NOW - DAY, made_sla=True)
    world.answers(0, 20)
    (finding,) = world.find(RULE)
    assert finding.numbers["sla_known"] == 20


def test_outcomes_that_are_no_completed_resolution_are_not_known(world):
    for row in (
        {"stage": "canceled"},
        {"stage": "in_progress"},
        {"target": "response"},
        {"breached": None},
    ):
        for _ in range(10):
            ref = world.ticket(resolved_at=NOW - DAY, made_sla=True)
            world.outcome(ref, **row)
    world.answers(0, 20)
    assert world.find(RULE) == []


def test_one_breach_among_the_outcomes_of_a_ticket_is_a_miss(world):
    for ref in world.tickets(30, 0):
        world.outcome(ref, breached=True, stage="breached")
    world.answers(0, 20)
    assert world.find(RULE) == []


def test_satisfaction_below_the_rest_is_raised_although_the_target_is_met(world):
    world.targets["csat"] = 0.5
    world.tickets(100, 1)
    world.answers(65, 35)
    world.tickets(100, 1, "VPN", "Legal")
    world.answers(190, 10, "VPN", "Legal")
    (finding,) = world.find(RULE)
    assert finding.user_group == "Finance"
    assert finding.numbers["gap"] == pytest.approx(0.95 - 0.65)


def test_a_rest_of_too_few_people_is_not_told(world):
    world.tickets(60, 1)
    world.answers(0, 10)
    world.answers(4, 0, "VPN", "Legal")
    (finding,) = world.find(RULE)
    assert "elsewhere" not in finding.why
    assert "rest_satisfied_share" not in finding.numbers
    world.answers(1, 0, "VPN", "Legal")
    (finding,) = world.find(RULE)
    assert "elsewhere 100%" in finding.why
    assert finding.numbers["rest_satisfied_share"] == 1


def test_an_agreed_target_is_the_measure(world):
    world.tickets(100, 1)
    world.answers(70, 30)
    world.targets["csat"] = 0.70
    assert world.find(RULE) == []
    world.targets["csat"] = 0.90
    assert len(world.find(RULE)) == 1


def test_a_significant_gap_that_is_too_small_to_matter_is_not_raised(world):
    world.tickets(100, 1)
    world.answers(1500, 500)  # 75 % against 80 %: certain, and small
    assert world.find(RULE) == []
    assert len(world.find(RULE, min_gap=0.04)) == 1


def test_the_window_ends_before_as_of_and_is_150_days(world):
    for at in (NOW, NOW - 150 * DAY - 1):
        world.tickets(30, 0, resolved_at=at)
        world.answers(0, 20, answered_at=at)
    assert world.find(RULE) == []
    at = NOW - 150 * DAY
    world.tickets(30, 0, resolved_at=at)
    world.answers(0, 20, answered_at=at)
    (finding,) = world.find(RULE)
    assert (finding.numbers["sla_known"], finding.numbers["people"]) == (30, 20)


def test_evidence_is_all_unhappy_feedback_and_its_tickets_once_each(world):
    tickets = world.tickets(60, 1)
    unhappy = [
        world.answer(1, f"x/p{i}", ticket_ref=tickets[i // 2], answered_at=NOW - DAY + i)
        for i in range(12)
    ]
    world.answers(3, 0, ticket_ref=tickets[20])
    twice = world.answer(1, "x/p0", ticket_ref=tickets[7], answered_at=NOW - 10)
    nobody = world.answer(1, None, ticket_ref=None, answered_at=NOW - 9)
    elsewhere = world.answer(1, "x/p0", "VPN", "Legal")
    (finding,) = world.find(RULE)
    assert set(finding.evidence) == {*unhappy, twice, nobody, *tickets[:6], tickets[7]}
    assert len(finding.evidence) == len(set(finding.evidence))
    assert finding.evidence[:3] == (unhappy[0], tickets[0], unhappy[1])
    feedback = [ref for ref in finding.evidence if "feedback" in ref]
    assert feedback == [*unhappy, twice, nobody]
    assert elsewhere not in finding.evidence


def test_feedback_with_several_ratings_is_unhappy_by_their_mean(world):
    world.tickets(60, 1)
    world.answers(0, 10)
    mixed = world.answer(5, "x/p")
    world.add("answers", **{**world.rows["answers"][-1], "ref": "x/second", "value": 3})
    (finding,) = world.find(RULE)
    assert mixed not in finding.evidence
    assert finding.numbers["people_satisfied"] == 1


def test_among_many_cells_one_must_stand_out_more(world):
    world.tickets(60, 1)
    world.answers(4, 6)
    assert len(world.find(RULE)) == 1
    for i in range(20):
        world.tickets(60, 1, "VPN", f"Group {i}")
        world.answers(8, 2, "VPN", f"Group {i}")
    assert world.find(RULE) == []


def test_worth_is_cases_and_lost_time_a_year_by_the_hourly_rate(world):
    world.tickets(60, 1)
    world.answers(0, 10, lost=90)
    world.answers(1, 0, lost=600)  # satisfied: not part of the case
    world.answers(0, 1, lost=-600)  # no time at all
    (finding,) = world.find(RULE, hours_per_item=0.5)
    assert "they report 90 minutes lost per ticket" in finding.why
    hours = (11 * 0.5 + 10 * 1.5) * 365.25 / 150
    assert finding.worth.hours_per_year == pytest.approx(hours)
    assert finding.worth.cost_per_year == pytest.approx(hours * 68)


def test_keywords_are_words_of_several_unhappy_people_and_never_names(world):
    world.tickets(60, 1)
    texts = [
        "The tunnel drops. Ask Maria or m.lopez@agency.example, phone 555-0100, asset ab12345",
        "tunnel drops again; Maria knows",
        "after lunch the tunnel, it breaks",
        "password",
    ]
    for i, text in enumerate(texts):
        world.answer(1, f"x/p{i}", comment=text)
    world.answer(1, "x/p9", comment="password password password")
    world.answer(5, "x/p10", comment="wonderful helpers")
    world.answer(5, "x/p11", comment="wonderful helpers")
    world.answers(0, 5)
    (finding,) = world.find(RULE)
    assert finding.keywords == ("tunnel", "drops", "password")


def test_ids_stay_different_where_names_give_one_slug(world):
    for group in ("R&D", "R+D"):
        world.tickets(60, 1, "VPN", group)
        world.answers(0, 10, "VPN", group)
    ids = [finding.id for finding in world.find(RULE)]
    assert len(set(ids)) == 2
    assert all(name.startswith("watermelon:vpn:r-d-") for name in ids)


def test_cells_without_service_or_group_are_never_raised_but_count_as_the_rest(world):
    world.tickets(60, 1, None, "Finance")
    world.answers(0, 10, None, "Finance")
    world.tickets(60, 1, "VPN", None)
    world.answers(0, 10, "VPN", None)
    assert world.find(RULE) == []


def test_more_evidence_and_larger_gaps_are_stronger(world):
    world.tickets(60, 1)
    world.answers(4, 6)
    (weak,) = world.find(RULE)
    world.answers(0, 40)
    (strong,) = world.find(RULE)
    assert 0 < weak.strength < strong.strength <= 1


def test_chance_alone_raises_nothing(calm_world):
    assert [seed for seed in range(30) if calm_world(seed).find(RULE)] == []


def test_a_planted_story_is_found_among_chance(calm_world):
    for seed in range(10):
        world = calm_world(seed)
        world.tickets(40, 1, "Badge", "Field")
        world.answers(4, 9, "Badge", "Field")
        assert [finding.id for finding in world.find(RULE)] == ["watermelon:badge:field"]
