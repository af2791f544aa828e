"""Problems behind the topics that come back, and the year's changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from random import Random

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.model import Ticket
from vmo_bridge.sandbox.agency.organisation import IT_DEPARTMENT, Organisation
from vmo_bridge.sandbox.agency.stories import RECURRING_TOPIC

PROBLEMS, CHANGES = 120, 280
_LINKED = 0.85
_REVIEWS = ("Review of monitoring gaps", "Capacity forecast", "Single point of failure")
_CHANGES = (
    "New release", "Certificate renewal", "Security update", "Configuration change",
    "Storage extension", "Move to another host", "Library update", "Rule change in the firewall",
)  # fmt: skip
_TYPES = ("standard", "normal", "emergency")


class BackOffice:
    """Opens problems and changes in the name of the support staff."""

    def __init__(self, random: Random, organisation: Organisation) -> None:
        self._random = random
        self._services = organisation.services
        self._agents = organisation.staff[IT_DEPARTMENT]

    def problems(self, incidents: Sequence[Ticket]) -> Iterator[Ticket]:
        """A problem for every topic that recurs, linked to most of its incidents."""
        topics: dict[tuple[str, str], list[Ticket]] = defaultdict(list)
        for ticket in sorted(incidents, key=lambda each: each.opened):
            if ticket.kind == "incident" and ticket.topic != RECURRING_TOPIC:
                topics[ticket.service, ticket.topic].append(ticket)
        made = 0
        for (service, topic), tickets in sorted(topics.items()):
            if made < PROBLEMS and _recurs(tickets):
                made += 1
                number = f"PRB{40000 + made:07d}"
                opened = tickets[2].opened + timedelta(days=self._random.uniform(1, 6))
                title = f"{service}: cause of '{topic}'"
                problem = self._work("problem", service, topic, title, opened, days=(60, 200))
                problem.number = number
                for ticket in tickets:
                    ticket.problem = number if self._random.random() < _LINKED else ""
                yield problem
        for extra in range(made, PROBLEMS):
            service = self._random.choice(self._services).name
            title = f"{service}: {self._random.choice(_REVIEWS)}"
            problem = self._work(
                "problem", service, "review", title, self._any_time(), days=(30, 90)
            )
            problem.number = f"PRB{40001 + extra:07d}"
            yield problem

    def changes(self) -> Iterator[Ticket]:
        """Changes spread over services and the year."""
        for _ in range(CHANGES):
            service = self._random.choice(self._services).name
            matter = self._random.choice(_CHANGES)
            title = f"{matter} for {service}"
            change = self._work("change", service, matter, title, self._any_time(), days=(3, 25))
            change.change_type = self._random.choices(_TYPES, (45, 48, 7))[0]
            yield change

    def _any_time(self) -> datetime:
        return calendar.moment(self._random, calendar.DATA_START, calendar.DATA_END)

    def _work(
        self,
        kind: str,
        service: str,
        topic: str,
        title: str,
        opened: datetime,
        *,
        days: tuple[int, int],
    ) -> Ticket:
        resolved = opened + timedelta(days=self._random.uniform(*days))
        return Ticket(
            kind, service, self._random.choice(self._agents), topic, title, f"{title}.",
            self._random.choice((3, 3, 4)), opened, timedelta(days=days[1]), timedelta(days=2),
            opened + timedelta(hours=self._random.uniform(1, 20)), resolved,
            resolved + timedelta(days=5), channel="direct",
        )  # fmt: skip


def _recurs(tickets: Sequence[Ticket]) -> bool:
    """Five within thirty days."""
    return any(
        later.opened - first.opened <= timedelta(days=30)
        for first, later in zip(tickets, tickets[4:], strict=False)
    )
