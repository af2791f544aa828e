"""Makes the whole agency from a seed; the same seed gives the same agency to the byte."""

from __future__ import annotations

from collections import defaultdict
from random import Random

from vmo_bridge.sandbox.agency import calendar, paths, plot, surveys
from vmo_bridge.sandbox.agency.causes import BackOffice
from vmo_bridge.sandbox.agency.model import Agency, Ticket
from vmo_bridge.sandbox.agency.organisation import organise
from vmo_bridge.sandbox.agency.sequel import extend
from vmo_bridge.sandbox.agency.stories import Stories
from vmo_bridge.sandbox.agency.tickets import Desk, at_end

_NUMBERS = {"incident": "INC", "request": "RITM", "change": "CHG"}


def make_agency(seed: int) -> Agency:
    """Twelve months: about 2,400 people, 6,000 tickets, 900 answers, and the stories."""
    random = Random(seed)  # noqa: S311 — repeatable on purpose, nothing secret comes of it
    organisation = organise(random)
    places = plot.draw(random, organisation)
    department = {person.user_name: person.department for person in organisation.people}
    desk = Desk(random, organisation, places)
    questioner = surveys.Questioner(random, places, department)
    stories = Stories(random, organisation, places, desk, questioner)
    tickets = [*desk.background(), *stories.extra()]
    tickets.sort(key=lambda ticket: ticket.opened)
    stories.shape(tickets)
    office = BackOffice(random, organisation)
    tickets += [*office.problems(tickets), *office.changes()]
    tickets = [ticket for ticket in tickets if ticket.opened <= calendar.DATA_END]
    services = {service.name: service for service in organisation.services}
    for ticket in tickets:
        paths.travel(random, places, services[ticket.service], ticket)
        if ticket.kind in {"incident", "request"} and not _of_cell(ticket):
            questioner.everyday(ticket)
    stories.ask(tickets)
    surveys.calm_accidents(random, places, tickets, department)
    for ticket in tickets:
        at_end(ticket)
    tickets.sort(key=lambda ticket: ticket.opened)
    _number(tickets)
    agency = Agency(
        seed,
        organisation.departments,
        organisation.people,
        organisation.teams,
        organisation.services,
        tickets,
        stories.truth(tickets),
    )
    extend(agency, organisation, places)
    return agency


def _of_cell(ticket: Ticket) -> bool:
    return ticket.story in {"watermelon", "angry", "angry_person", "few"}


def _number(tickets: list[Ticket]) -> None:
    """Numbers by the time of opening; problems have theirs already, incidents point to them."""
    used: dict[str, int] = defaultdict(lambda: 10_000)
    for ticket in tickets:
        if ticket.kind in _NUMBERS:
            used[ticket.kind] += 1
            ticket.number = f"{_NUMBERS[ticket.kind]}{used[ticket.kind]:07d}"
