"""What the agency is made of, in words no ticket system owns; times are aware UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from vmo_bridge.sandbox.agency.works import Demand, Issue, Voice


@dataclass(frozen=True, slots=True)
class Department:
    """A user group. ``headcount`` is the number of its active people."""

    name: str
    code: str
    headcount: int


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the agency; ``user_name`` is unique."""

    user_name: str
    first: str
    last: str
    department: str
    title: str
    active: bool = True
    vip: bool = False

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first} {self.last}"


@dataclass(frozen=True, slots=True)
class Team:
    """A support team; ``kind`` is desk, second or vendor; ``members`` are user names."""

    name: str
    kind: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """One matter people call about: ways to put it, told by ``key`` within a service."""

    key: str
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service:
    """An IT service with the teams behind it: second line, and who else may be asked."""

    name: str
    category: str
    criticality: str
    team: str
    partner: str
    incidents: tuple[Topic, ...]
    requests: tuple[Topic, ...]


@dataclass(slots=True)
class Hop:
    """A ticket's stay with one team; ``end`` is None while it is still there."""

    team: str
    start: datetime
    end: datetime | None


@dataclass(slots=True)
class Answer:
    """One person's answer: rating 1 (worst) to 5, lost working time in minutes, a comment."""

    taken: datetime
    rating: int
    lost_minutes: int
    comment: str


@dataclass(slots=True)
class Survey:
    """One survey sent to the caller of a ticket; ``answer`` is None while there is none."""

    sent: datetime
    due: datetime
    answer: Answer | None = None


@dataclass(slots=True)
class Ticket:
    """A piece of work. ``kind`` is incident, request, problem or change.

    ``target`` and ``response`` are the agreed times to resolve and to respond; ``resolved`` and
    ``closed`` are None while that has not happened. ``problem`` is the number of a linked problem.
    """

    kind: str
    service: str
    caller: str
    topic: str
    title: str
    text: str
    priority: int
    opened: datetime
    target: timedelta
    response: timedelta
    responded: datetime
    resolved: datetime | None = None
    closed: datetime | None = None
    number: str = ""
    channel: str = "phone"
    hops: list[Hop] = field(default_factory=list)
    held: tuple[datetime, datetime] | None = None
    reopened: datetime | None = None
    first_resolved: datetime | None = None
    problem: str = ""
    change_type: str = ""
    survey: Survey | None = None
    story: str = ""

    @property
    def met(self) -> bool:
        """Whether the resolution kept its target; False while open is not decided here."""
        return self.resolved is not None and self.resolved - self.opened <= self.target


@dataclass(slots=True)
class Agency:
    """Everything the sandbox serves, and ``truth``: what was planted where."""

    seed: int
    departments: tuple[Department, ...]
    people: tuple[Person, ...]
    teams: tuple[Team, ...]
    services: tuple[Service, ...]
    tickets: list[Ticket]
    truth: dict[str, Any]
    issues: list[Issue] = field(default_factory=list)
    demands: list[Demand] = field(default_factory=list)
    voices: list[Voice] = field(default_factory=list)
