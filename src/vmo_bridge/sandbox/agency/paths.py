"""How tickets travel from team to team, the planted to and fro included."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.model import Hop, Service, Ticket
from vmo_bridge.sandbox.agency.organisation import DESK
from vmo_bridge.sandbox.agency.plot import Plot

_PING_PONG = 0.52
_TRIAGE = 0.6
_ROUTING = 0.5


def travel(random: Random, plot: Plot, service: Service, ticket: Ticket) -> None:
    """Give the ticket its hops; they end with its resolution."""
    second, partner = service.team, service.partner
    if ticket.kind in {"problem", "change"}:
        ticket.hops = [Hop(second, ticket.opened, ticket.resolved)]
        return
    chance = random.random()
    in_window = ticket.opened >= calendar.STORY_START
    if service.name in plot.ping_pong and in_window and chance < _PING_PONG:
        _ping_pong(random, ticket, second, partner)
    elif service.name == plot.triage and chance < _TRIAGE:
        _spread(random, ticket, [DESK, second, DESK])
    elif service.name == plot.routing and chance < _ROUTING:
        _bounce(random, ticket, second)
    else:
        _spread(random, ticket, _usual(random, second, partner))


def _usual(random: Random, second: str, partner: str) -> list[str]:
    chance = random.random()
    if chance < 0.44:
        return [DESK]
    if chance < 0.91:
        return [DESK, second]
    if chance < 0.993:
        return [DESK, second, partner]
    return [DESK, second, partner, second]


def _ping_pong(random: Random, ticket: Ticket, second: str, partner: str) -> None:
    """Second line and partner hand the ticket to each other for hours; its SLA is still kept."""
    if ticket.resolved is None:
        return
    share = random.uniform(0.45, 0.9)
    if ticket.target < timedelta(hours=40):
        ticket.priority = 3
        ticket.target, ticket.response = timedelta(hours=48), timedelta(hours=4)
    ticket.resolved = ticket.opened + ticket.target * share
    ticket.closed = ticket.resolved + timedelta(days=5)
    ticket.held = ticket.reopened = ticket.first_resolved = None
    ticket.story = "ping_pong"
    teams = [DESK, second, partner, second]
    if random.random() < 0.5:
        teams.append(partner)
    _spread(random, ticket, teams)


def _bounce(random: Random, ticket: Ticket, second: str) -> None:
    """A routing rule moves the ticket to and fro within seconds before anybody looks at it."""
    moment = ticket.opened
    ticket.story = "routing"
    ticket.hops = []
    for team in (DESK, second, DESK):
        after = moment + timedelta(seconds=random.randint(3, 20))
        ticket.hops.append(Hop(team, moment, after))
        moment = after
    ticket.hops.append(Hop(second, moment, ticket.resolved))


def _spread(random: Random, ticket: Ticket, teams: list[str]) -> None:
    """Divide the time until the resolution among the teams; the desk is quick."""
    if ticket.resolved is None:
        return
    weights = [
        random.uniform(0.05, 0.2) if team == DESK else random.uniform(0.6, 1.4) for team in teams
    ]
    span = (ticket.resolved - ticket.opened) / sum(weights)
    moment = ticket.opened
    ticket.hops = []
    for team, weight in zip(teams, weights, strict=True):
        after = moment + span * weight
        ticket.hops.append(Hop(team, moment, after))
        moment = after
    ticket.hops[-1].end = ticket.resolved
