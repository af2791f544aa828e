"""The planted stories and decoys: what happens beyond everyday, and the record of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.model import Ticket, Topic
from vmo_bridge.sandbox.agency.organisation import Organisation
from vmo_bridge.sandbox.agency.plot import Cell, Plot
from vmo_bridge.sandbox.agency.surveys import Questioner
from vmo_bridge.sandbox.agency.tickets import Desk
from vmo_bridge.sandbox.agency.topics import RECURRING

RECURRING_TOPIC = "lost entries"
_FIRST = calendar.STORY_START + timedelta(days=2)
_LAST = calendar.DATA_END - timedelta(days=8)
_UNHAPPY = (1, 2, 1, 2, 2, 1, 1, 3, 2, 1, 2, 1, 4, 1, 2, 2, 1, 3, 1, 2)
_CONTENT = (5, 4, 5, 5, 4, 5, 4, 5, 5, 4, 5, 5)


class Stories:
    """Makes the tickets of the stories; ``desk`` takes their calls, ``questioner`` asks."""

    def __init__(
        self,
        random: Random,
        organisation: Organisation,
        plot: Plot,
        desk: Desk,
        questioner: Questioner,
    ) -> None:
        self._random = random
        self._organisation = organisation
        self._plot = plot
        self._desk = desk
        self._questioner = questioner

    def extra(self) -> Iterator[Ticket]:
        """Tickets that exist for a story alone."""
        for cell in self._plot.watermelons:
            yield from self._cell(cell, "watermelon", 46)
        yield from self._cell(self._plot.angry, "angry", 24)
        yield from self._cell(self._plot.few, "few", 7)
        for _ in range(10):
            yield self._call("angry_person", self._plot.angry[0], self._plot.angry_person)
        yield from self._recurring()

    def _cell(self, cell: Cell, story: str, count: int) -> Iterator[Ticket]:
        for caller in self._desk.callers(cell[1], count):
            yield self._call(story, cell[0], caller)

    def _call(self, story: str, service: str, caller: str) -> Ticket:
        opened = calendar.moment(self._random, _FIRST, _LAST)
        ticket = self._desk.ticket("incident", service, caller, opened, calm=True)
        ticket.story = story
        return ticket

    def _recurring(self) -> Iterator[Ticket]:
        others = [
            each.name for each in self._organisation.departments if each.name != self._plot.silent
        ]
        topic = Topic(RECURRING_TOPIC, RECURRING)
        for number in range(28):
            first = calendar.DATA_END - timedelta(days=88 - 3 * number)
            opened = calendar.moment(self._random, first, first + timedelta(days=4))
            caller = self._desk.caller(self._random.choice(others))
            ticket = self._desk.ticket(
                "incident", self._plot.recurring, caller, opened, calm=True, topic=topic
            )
            ticket.story = "recurring"
            yield ticket

    def shape(self, tickets: list[Ticket]) -> None:
        """Bend the SLA of everyday tickets where a story says so; before they travel."""
        late: dict[Cell, int] = defaultdict(int)
        for ticket in tickets:
            cell = self._questioner.cell(ticket)
            if cell in self._plot.own_cells and not ticket.met:
                self._desk.run(ticket, met=True)
                ticket.held = ticket.reopened = ticket.first_resolved = None
            elif ticket.service == self._plot.missed:
                late[cell] += 1
                self._desk.run(ticket, met=late[cell] % 5 not in {1, 3})
                ticket.held = ticket.reopened = ticket.first_resolved = None

    def ask(self, tickets: list[Ticket]) -> None:
        """Send the surveys of the stories; a cell of a story has no others."""
        by_story: dict[str, dict[Cell, list[Ticket]]] = defaultdict(lambda: defaultdict(list))
        for ticket in tickets:
            by_story[ticket.story][self._questioner.cell(ticket)].append(ticket)
        for cell in self._plot.watermelons:
            # The newest first: the story stands for weeks after the end of the data as well.
            newest = by_story["watermelon"][cell][::-1]
            for ticket, rating in zip(newest, _UNHAPPY, strict=False):
                self._questioner.ask(ticket, rating, lost=200, angry=rating <= 2)
            for ticket in newest[len(_UNHAPPY) :]:
                self._questioner.ask(ticket, 0)
        angry = self._plot.angry
        for ticket in by_story["angry_person"][angry]:
            self._questioner.ask(ticket, self._random.choice((1, 1, 2)), lost=150, angry=True)
        for ticket, rating in zip(by_story["angry"][angry], _CONTENT, strict=False):
            self._questioner.ask(ticket, rating)
        for ticket, rating in zip(by_story["few"][self._plot.few], (1, 2, 1), strict=False):
            self._questioner.ask(ticket, rating, lost=120, angry=True)

    def truth(self, tickets: list[Ticket]) -> dict[str, Any]:
        """What was planted, with ticket numbers; times are UTC."""
        plot = self._plot
        numbers: dict[tuple[str, str], list[str]] = defaultdict(list)
        for ticket in tickets:
            if ticket.story != "ping_pong" or _came_back(ticket):
                numbers[ticket.story, ticket.service].append(ticket.number)
        return {
            "data": {
                "start": calendar.DATA_START.isoformat(),
                "end": calendar.DATA_END.isoformat(),
                "story_start": calendar.STORY_START.isoformat(),
            },
            "watermelon": [
                {
                    "service": cell[0],
                    "user_group": cell[1],
                    "tickets": numbers["watermelon", cell[0]],
                }
                for cell in plot.watermelons
            ],
            "ping_pong": [
                {"service": name, "tickets": numbers["ping_pong", name]} for name in plot.ping_pong
            ],
            "recurring": [
                {
                    "service": plot.recurring,
                    "topic": RECURRING_TOPIC,
                    "tickets": numbers["recurring", plot.recurring],
                }
            ],
            "silence": [{"user_group": plot.silent}],
            "decoys": self._decoys(),
        }

    def _decoys(self) -> list[dict[str, Any]]:
        plot = self._plot
        return [
            {
                "kind": "one_angry_person",
                "rule": "watermelon",
                "service": plot.angry[0],
                "user_group": plot.angry[1],
                "person": plot.angry_person,
                "why": "one person gave nearly all the bad answers; everybody else is content",
            },
            {
                "kind": "few_answers",
                "rule": "watermelon",
                "service": plot.few[0],
                "user_group": plot.few[1],
                "why": "three unhappy answers are too few to say anything",
            },
            {
                "kind": "sla_missed",
                "rule": "watermelon",
                "service": plot.missed,
                "why": "the resolution SLA is missed as well: the report is red already",
            },
            {
                "kind": "triage_return",
                "rule": "ping_pong",
                "service": plot.triage,
                "why": "first line, second line, first line for closure is the normal route",
            },
            {
                "kind": "automatic_routing",
                "rule": "ping_pong",
                "service": plot.routing,
                "why": "routing rules moved the tickets within seconds; nobody worked on them",
            },
        ]


def _came_back(ticket: Ticket) -> bool:
    """Whether a team had it again before the data ends; a later return nobody can see."""
    seen = [hop.team for hop in ticket.hops if hop.start <= calendar.DATA_END]
    return len(set(seen)) < len(seen)
