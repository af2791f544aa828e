"""A small world to tell stories in: services, people, tickets, surveys, team histories."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from vmo_bridge.analysis.engine import Analysis
from vmo_bridge.analysis.schema import check_tables, tables_from
from vmo_bridge.hooks.extensions import Rule
from vmo_bridge.records import Finding
from vmo_bridge.signals.run import evaluate

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
NOW = int(AS_OF.timestamp())
DAY = 86400


class World:
    def __init__(self) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.targets: dict[str, float] = {}

    def add(self, view: str, **row: Any) -> dict[str, Any]:
        row.setdefault("ref", f"x/{view}-{len(self.rows[view])}")
        self.rows[view].append(row)
        return row

    def ticket(self, service: str | None = "VPN", group: str | None = "Finance", **row: Any) -> str:
        row = {"opened_at": NOW - 10 * DAY, "type": "incident"} | row
        return self.add("tickets", **_place(service, group), **row)["ref"]

    def tickets(
        self, met: int, missed: int, service: str = "VPN", group: str = "Finance", **row: Any
    ) -> list[str]:
        refs = []
        for made in [True] * met + [False] * missed:
            ref = self.ticket(service, group, **{"resolved_at": NOW - 9 * DAY} | row)
            self.outcome(ref, breached=not made)
            refs.append(ref)
        return refs

    def outcome(self, ticket_ref: str, **row: Any) -> None:
        row = {"target": "resolution", "stage": "completed", "breached": False} | row
        self.add("sla_outcomes", ticket_ref=ticket_ref, **row)

    def answer(
        self,
        value: float | None,
        person: str | None,
        service: str | None = "VPN",
        group: str | None = "Finance",
        *,
        scale: tuple[float | None, float | None] = (1, 5),
        lost: float | None = None,
        comment: str | None = None,
        **row: Any,
    ) -> str:
        feedback = f"x/feedback-{len(self.rows['feedback'])}"
        shared = {"answered_at": NOW - 8 * DAY, "person_ref": person} | _place(service, group)
        shared |= row
        self.add("feedback", ref=feedback, state="answered", **shared)
        shared["feedback_ref"] = feedback
        self.add(
            "answers", metric="csat", value=value, scale_min=scale[0], scale_max=scale[1], **shared
        )
        if lost is not None:
            self.add("answers", metric="lost_time", value=lost, **shared)
        if comment is not None:
            self.add("answers", metric="comment", text=comment, **shared)
        return feedback

    def answers(
        self, happy: int, unhappy: int, service: str = "VPN", group: str = "Finance", **row: Any
    ) -> list[str]:
        """One answer of each of so many people."""
        start = len(self.rows["feedback"])
        return [
            self.answer(value, f"x/person-{start + i}", service, group, **row)
            for i, value in enumerate([5] * happy + [2] * unhappy)
        ]

    def path(self, teams: Sequence[str | tuple[str, int]], **ticket: Any) -> str:
        """A ticket that went through teams, an hour each or so many seconds."""
        moment = ticket.setdefault("opened_at", NOW - 10 * DAY)
        ref = self.ticket(**ticket)
        for i, held in enumerate(teams):
            team, seconds = (held, 3600) if isinstance(held, str) else held
            last = i == len(teams) - 1 and isinstance(held, str)
            self.add(
                "spans",
                ticket_ref=ref,
                field="team",
                value_ref=f"x/{team}",
                value=team,
                started_at=moment,
                ended_at=None if last else moment + seconds,
            )
            moment += seconds
        return ref

    def find(self, rule: Rule, as_of: datetime = AS_OF, **parameters: Any) -> list[Finding]:
        tables = tables_from(self.rows)
        check_tables(tables)
        with Analysis(tables, threads=1) as analysis:
            return evaluate(
                rule,
                analysis,
                rule.parameters(**parameters),
                as_of=as_of,
                hourly_rate=68.0,
                targets=self.targets,
            )


def _place(service: str | None, group: str | None) -> dict[str, Any]:
    return {
        "service": service,
        "service_ref": service and f"x/s-{service}",
        "user_group": group,
        "user_group_ref": group and f"x/g-{group}",
    }


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def calm_world():
    """Makes worlds without a story, one a seed: chance alone."""

    def make(seed: int) -> World:
        dice, world = random.Random(seed), World()
        teams = ["Network", "Server", "Mail", "Apps"]
        for service in ("VPN", "E-mail", "Print", "Portal", "Phones"):
            for group in ("Finance", "Legal", "Field", "HR"):
                for _ in range(dice.randint(5, 40)):
                    _calm_ticket(world, dice, service, group, teams)
                for person in range(dice.randint(0, 30)):
                    value = dice.choices([5, 4, 3, 2, 1], [55, 35, 5, 3, 2])[0]
                    name = f"x/{group}-{person}"
                    for _ in range(dice.randint(1, 2)):
                        world.answer(value, name, service, group, lost=dice.randint(0, 60))
        return world

    return make


def _calm_ticket(
    world: World, dice: random.Random, service: str, group: str, teams: list[str]
) -> None:
    path = ["Desk"]
    if dice.random() < 0.6:
        path.append(dice.choice(teams))
        if dice.random() < 0.5:
            path.append("Desk")
        elif dice.random() < 0.1:
            path += [dice.choice([team for team in teams if team != path[-1]]), path[-1]]
    opened = NOW - dice.randint(1, 149) * DAY
    ref = world.path(
        path,
        service=service,
        group=group,
        opened_at=opened,
        resolved_at=opened + DAY // 2,
        category=dice.choice(["access", "hardware", "software", None]),
    )
    world.outcome(ref, breached=dice.random() < 0.03)


@pytest.fixture
def small_talk():
    """Makes talkers, one a seed: words as rare as words are (Zipf), none of them a story."""

    def make(seed: int) -> Any:
        dice = random.Random(seed)
        vocabulary = [
            f"{first}{vowel}{last}"
            for first in ("b", "cr", "d", "fl", "g", "kn", "m", "pl", "st", "tr", "v", "w")
            for vowel in ("a", "e", "i", "o", "u")
            for last in ("mbo", "lter", "ndik", "rgus", "ppel", "ckoz", "ffin", "tchu", "xal")
        ]
        weights = [1 / (10 + rank) for rank in range(len(vocabulary))]

        def talk(words: int) -> str:
            return " ".join(dice.choices(vocabulary, weights, k=words))

        return talk

    return make
