"""Rules on rows with holes: whatever is NULL, they judge, twice the same, and touch nothing."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmo_bridge.hooks.extensions import Row, Rule, RuleRun
from vmo_bridge.records import Finding
from vmo_bridge.signals.rules import feedback_without_ticket, recurring, stalled_hand_off

DAY = 86_400
NOW = 1_793_491_200  # 2026-11-01
RULES = (feedback_without_ticket.RULE, recurring.RULE, stalled_hand_off.RULE)
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
ASKED = (
    "cannot be used on my phone", "phone or tablet, please", "a page for the phone would help",
    "when will it fit a tablet", "tablet shows half of it", "phones are not supported",
)  # fmt: skip
CAME = ("session ends and my entries are lost", "entries lost when the session ends")


def story(world: Any) -> Any:
    """One story for each of the three rules, among everyday rows."""
    for service in ("E-mail", "Print"):
        for at, text in enumerate(("inbox full", "paper jam again", "door shut", "too loud") * 3):
            world.answer(2, f"x/{service}-{at}", service, "Legal", comment=text, lost=5)
    for at, text in enumerate(ASKED):
        world.answer(2, f"x/asks-{at}", "Portal", "Field", comment=text, lost=10)
    for at in range(40):
        words = f"matter {at % 7} does not start"
        world.ticket("Portal", type="request", title=words, opened_at=NOW - (at + 1) * DAY)
    for at in range(8):
        row = {"title": CAME[at % 2], "requester_ref": f"x/p{at}", "subcategory": "entries"}
        world.ticket("Portal", opened_at=NOW - (at * 3 + 2) * DAY, **row)
    place = {"service": "Portal", "service_ref": "x/s-Portal"}
    demand = world.add(
        "initiatives", type="demand", state="approved", number="DMND1", title="Phone, tablet",
        description="x", opened_at=NOW - 200 * DAY, **place,
    )  # fmt: skip
    epic = world.add(
        "initiatives", type="epic", state="in_progress", number="APP-1", title="Small screens",
        opened_at=NOW - 190 * DAY, updated_at=NOW - DAY, **place,
    )  # fmt: skip
    world.add("links", from_ref=demand["ref"], to_ref=epic["ref"], named_in="field")
    below = world.add("tickets", type="story", parent_ref=epic["ref"], title="Touch", **place)
    for ref in (epic["ref"], below["ref"]):
        for days in (190, 100):
            world.add("spans", ticket_ref=ref, field="state", started_at=NOW - days * DAY)
    world.add("services", ref="x/s-Portal", name="Portal", active=True)
    return world


def sound(rule: Rule, findings: Sequence[Finding], world: Any) -> None:
    refs = {row["ref"] for rows in world.rows.values() for row in rows}
    assert len({each.id for each in findings}) == len(findings)
    for each in findings:
        assert each.id.startswith(f"{rule.name}:")
        assert "None" not in each.title + each.why
        assert set(each.evidence) <= refs
        assert len(set(each.evidence)) == len(each.evidence) > 0


@each_rule
def test_each_of_the_stories_is_there(world: Any, rule: Rule) -> None:
    findings = story(world).find(rule)
    assert len(findings) == 1
    sound(rule, findings, world)


@each_rule
@given(seed=st.integers(0, 10_000))
@settings(
    max_examples=25,
    deadline=None,  # each example runs real SQL
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # the world is copied, not used
)
def test_holes_anywhere_break_nothing(world: Any, rule: Rule, seed: int) -> None:
    dice = random.Random(seed)
    holed = story(type(world)())
    share = dice.choice([0.02, 0.2, 0.6])
    for rows in holed.rows.values():
        for row in rows:
            for column in row.keys() - {"ref", "feedback_ref"}:
                if dice.random() < share:
                    row[column] = None
    sound(rule, holed.find(rule), holed)


@each_rule
@pytest.mark.parametrize(
    ("view", "column"),
    [
        ("answers", "service"), ("answers", "user_group"), ("answers", "user_group_ref"),
        ("answers", "person_ref"), ("answers", "scale_max"), ("tickets", "service"),
        ("tickets", "requester_ref"), ("tickets", "subcategory"), ("tickets", "description"),
        ("initiatives", "title"), ("initiatives", "number"), ("initiatives", "service_ref"),
        ("initiatives", "opened_at"), ("initiatives", "updated_at"), ("services", "active"),
        ("spans", "ref"), ("links", "named_in"),
    ],
)  # fmt: skip
def test_a_column_that_is_not_known_ends_no_story_that_does_not_need_it(
    world: Any, rule: Rule, view: str, column: str
) -> None:
    for row in story(world).rows[view]:
        row[column] = None
    findings = world.find(rule)
    assert len(findings) == 1
    sound(rule, findings, type("Whole", (), {"rows": story(type(world)()).rows}))


@each_rule
@pytest.mark.parametrize("seed", range(5))
def test_a_changed_order_of_rows_gives_the_same_findings(world: Any, rule: Rule, seed: int) -> None:
    once = story(world).find(rule)
    for rows in world.rows.values():
        random.Random(seed).shuffle(rows)
    assert world.find(rule) == once


@each_rule
def test_no_rows_are_no_story(world: Any, rule: Rule) -> None:
    assert world.find(rule) == []


@each_rule
def test_the_judgement_is_pure(world: Any, rule: Rule) -> None:
    seen: list[RuleRun] = []

    def judge(run: RuleRun) -> Sequence[Finding]:
        seen.append(run)
        return rule.decide(run)

    kept = {name: getattr(rule, name) for name in rule.__dataclass_fields__}
    first = story(world).find(Rule(**{**kept, "decide": judge}))
    (run,) = seen
    before: dict[str, Sequence[Row]] = copy.deepcopy(dict(run.rows))
    assert list(rule.decide(run)) == first
    assert dict(run.rows) == before


@each_rule
def test_the_same_story_has_the_same_name_days_later(world: Any, rule: Rule) -> None:
    (today,) = story(world).find(rule)
    later = datetime.fromtimestamp(NOW + 5 * DAY, tz=UTC)
    (then,) = world.find(rule, as_of=later)
    assert then.id == today.id
