"""Requests to the development teams' own desk in Jira, some of them rated by who asked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.development import PROJECTS
from vmo_bridge.sandbox.agency.organisation import Organisation
from vmo_bridge.sandbox.agency.plot import Plot
from vmo_bridge.sandbox.agency.works import Issue

PROJECT = ("HELP", "Software Help")
COUNT = 160
#: Agreed time to resolve a request.
TARGET = timedelta(days=5)
_RATED = 0.45
_RATINGS = (1, 3, 8, 36, 52)
_SILENCE = 0.1
_SAID = (
    "Thanks!",
    "Quick help.",
    "It took a while.",
    "Good work.",
    "Please explain more next time.",
)


def requests(
    random: Random, organisation: Organisation, plot: Plot, avoided: frozenset[str]
) -> Iterator[Issue]:
    """The year's requests in the order of time, with their keys; none about ``avoided``."""
    names = [
        each for each in organisation.services if each.team in PROJECTS and each.name not in avoided
    ]
    groups = list(organisation.departments)
    weights = [each.headcount * (_SILENCE if each.name == plot.silent else 1) for each in groups]
    members = {team.name: team.members for team in organisation.teams}
    first, last = calendar.DATA_START, calendar.DATA_END - timedelta(hours=6)
    moments = sorted(calendar.moment(random, first, last) for _ in range(COUNT))
    for number, created in enumerate(moments, start=1):
        service = random.choice(names)
        phrase = random.choice(random.choice(service.requests).phrases)
        reporter = random.choice(organisation.staff[random.choices(groups, weights)[0].name])
        agent = random.choice(members[service.team])
        issue = Issue(
            "Service Request", PROJECT[0], service.name, f"{phrase[0].upper()}{phrase[1:]}",
            f"Please: {phrase}, for {service.name}.", reporter, agent, created,
            status="Waiting for support", key=f"{PROJECT[0]}-{number}",
        )  # fmt: skip
        _course(random, issue, agent)
        yield issue


def _course(random: Random, issue: Issue, agent: str) -> None:
    span = TARGET * random.choice((0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.4))
    for share, status in ((0.2, "In Progress"), (1.0, "Resolved")):
        at = (issue.created + span * share).replace(microsecond=0)
        if at > calendar.DATA_END:
            return
        issue.edit(at, agent, "status", status)
    if random.random() < _RATED:
        issue.rating = random.choices((1, 2, 3, 4, 5), _RATINGS)[0]
        issue.comment = random.choice(_SAID) if random.random() < 0.4 else ""
