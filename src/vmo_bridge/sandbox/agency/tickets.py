"""Everyday incidents and requests: who calls when about what, and how long it takes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.model import Service, Ticket, Topic
from vmo_bridge.sandbox.agency.organisation import Organisation
from vmo_bridge.sandbox.agency.plot import Plot
from vmo_bridge.sandbox.agency.topics import DETAILS, PLACES, TAILS, WHEN

INCIDENTS, REQUESTS = 4_260, 1_200
#: Time to resolve and time to respond an incident by priority 1 (critical) to 5.
TARGETS = {
    1: (timedelta(hours=4), timedelta(minutes=15)),
    2: (timedelta(hours=12), timedelta(hours=1)),
    3: (timedelta(hours=48), timedelta(hours=4)),
    4: (timedelta(hours=96), timedelta(hours=8)),
    5: (timedelta(hours=168), timedelta(hours=24)),
}
REQUEST_TARGET = timedelta(days=7)
_SILENCE = 0.1
_MISSED = 0.045
_MAX_CALLS = 14


class Desk:
    """Takes calls: makes tickets with a caller, a matter, and a course of time."""

    def __init__(self, random: Random, organisation: Organisation, plot: Plot) -> None:
        self._random = random
        self._organisation = organisation
        self._plot = plot
        self._services = {service.name: service for service in organisation.services}
        self._calls: dict[str, int] = {}

    def background(self) -> Iterator[Ticket]:
        """All tickets of the year that belong to no story of their own."""
        random = self._random
        departments = [each.name for each in self._organisation.departments]
        weights = [
            each.headcount * (_SILENCE if each.name == self._plot.silent else 1.0)
            for each in self._organisation.departments
        ]
        for kind, count in (("incident", INCIDENTS), ("request", REQUESTS)):
            for _ in range(count):
                service = random.choice(self._organisation.services)
                department = random.choices(departments, weights)[0]
                opened = calendar.moment(random, calendar.DATA_START, calendar.DATA_END)
                yield self.ticket(kind, service.name, self.caller(department), opened)

    def caller(self, department: str) -> str:
        """Somebody of the department who has not called too often."""
        while True:
            found = self._random.choice(self._organisation.staff[department])
            if self._calls.get(found, 0) < _MAX_CALLS and found != self._plot.angry_person:
                self._calls[found] = self._calls.get(found, 0) + 1
                return found

    def callers(self, department: str, count: int) -> list[str]:
        """So many different people of the department."""
        staff = [
            name for name in self._organisation.staff[department] if name != self._plot.angry_person
        ]
        return self._random.sample(staff, count)

    def ticket(
        self,
        kind: str,
        service: str,
        caller: str,
        opened: datetime,
        *,
        calm: bool = False,
        topic: Topic | None = None,
    ) -> Ticket:
        """A ticket with its course. ``calm``: usual priority, resolved in time."""
        random = self._random
        found = self._services[service]
        chosen = topic or random.choice(found.incidents if kind == "incident" else found.requests)
        priority = self._priority(kind, calm=calm)
        target, response = TARGETS[priority]
        if kind == "request":
            target = REQUEST_TARGET
        title, text = self._words(kind, chosen, found)
        late_answer = not calm and random.random() < 0.03
        patience = random.uniform(1.05, 2) if late_answer else random.uniform(0.05, 0.7)
        ticket = Ticket(
            kind, service, caller, chosen.key, title, text, priority, opened, target, response,
            responded=opened + response * patience,
            channel=random.choices(("phone", "self-service", "email", "chat"), (38, 34, 20, 8))[0],
        )  # fmt: skip
        self.run(ticket, met=calm or random.random() >= _MISSED)
        if kind == "incident" and not calm:
            self._disturb(ticket)
        return ticket

    def run(self, ticket: Ticket, *, met: bool) -> None:
        """Decide when the ticket is resolved and closed."""
        share = self._random.betavariate(1.6, 2.6) * 0.88 + 0.06
        if not met:
            share = self._random.uniform(1.06, 2.2)
        ticket.resolved = ticket.opened + ticket.target * share
        ticket.responded = min(ticket.responded, ticket.opened + ticket.target * share * 0.9)
        ticket.closed = ticket.resolved + timedelta(days=5)

    def _disturb(self, ticket: Ticket) -> None:
        """Some tickets wait for the caller for a while, some come back after their resolution."""
        random = self._random
        if ticket.resolved is None:
            return
        span = ticket.resolved - ticket.opened
        if random.random() < 0.12:
            ticket.held = (
                ticket.opened + span * random.uniform(0.4, 0.45),
                ticket.opened + span * random.uniform(0.5, 0.65),
            )
        elif random.random() < 0.044 and span > timedelta(hours=6):
            ticket.first_resolved = ticket.opened + span * random.uniform(0.3, 0.5)
            ticket.reopened = ticket.first_resolved + span * random.uniform(0.1, 0.3)

    def _priority(self, kind: str, *, calm: bool) -> int:
        if kind == "request":
            return 4
        weights = (0, 0, 55, 45, 0) if calm else (1, 7, 42, 40, 10)
        return self._random.choices((1, 2, 3, 4, 5), weights)[0]

    def _words(self, kind: str, topic: Topic, service: Service) -> tuple[str, str]:
        random = self._random
        phrase = random.choice(topic.phrases).format(service=service.name)
        title = phrase[0].upper() + phrase[1:]
        if kind == "incident":
            title += random.choice(TAILS)
            detail = random.choice(DETAILS).format(
                when=random.choice(WHEN),
                place=random.choice(PLACES),
                code=random.randrange(1000, 9999),
            )
            return title, f"{phrase[0].upper()}{phrase[1:]} ({service.name}). {detail}"
        return (
            title,
            f"Please: {phrase}, for {service.name}. Wanted within {random.randint(5, 20)} days.",
        )


def at_end(ticket: Ticket) -> None:
    """Forget what would happen after the end of the data."""
    end = calendar.DATA_END
    if ticket.reopened and ticket.reopened > end:
        ticket.reopened = None
        if ticket.first_resolved and ticket.first_resolved > end:
            ticket.first_resolved = None
        else:
            ticket.resolved, ticket.first_resolved = ticket.first_resolved, None
            ticket.closed = None
    if ticket.resolved and ticket.resolved > end:
        ticket.resolved = None
    if ticket.closed and ticket.closed > end:
        ticket.closed = None
    if ticket.held and ticket.held[0] > end:
        ticket.held = None
    ticket.hops = [hop for hop in ticket.hops if hop.start <= end]
    last = ticket.hops[-1]
    if ticket.resolved is None and last.end and last.end > end:
        last.end = None
    if ticket.survey and ticket.survey.sent > end:
        ticket.survey = None
