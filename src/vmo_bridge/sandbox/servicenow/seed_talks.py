"""Rows of talks: interactions before tickets and without one, and the journals of incidents."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.model import Agency, Ticket
from vmo_bridge.sandbox.servicenow import moments
from vmo_bridge.sandbox.servicenow.catalogue import sys_id
from vmo_bridge.sandbox.servicenow.dictionary import Row
from vmo_bridge.sandbox.servicenow.seed_work import TABLES, ticket_id

_EVERY = 8
"""Of so many phoned or chatted tickets one was written down as an interaction, too."""
_NO_TICKET = 120
"""Talks that ended without a ticket."""
_NOTED = 12
"""Of so many incidents one has a journal."""


class TalkRows:
    """Makes the rows; drawn by itself, so that it moves nothing else."""

    def __init__(self, agency: Agency, seed: str) -> None:
        self._agency = agency
        self._seed = seed
        self._random = Random(f"{seed} talks")  # noqa: S311 — repeatable, nothing secret
        self._desk = agency.teams[0]
        self._members = {team.name: team.members for team in agency.teams}

    def all(self) -> Iterator[tuple[str, list[Row]]]:
        """(table, rows) of interactions, the tickets they led to, and journals."""
        called = [each for each in self._agency.tickets if each.channel in {"phone", "chat"}]
        led = [(each.opened, each) for each in called[::_EVERY]]
        begin, end = calendar.DATA_START, calendar.DATA_END - timedelta(hours=2)
        alone = [(calendar.moment(self._random, begin, end), None) for _ in range(_NO_TICKET)]
        talks = sorted([*led, *alone], key=lambda each: each[0])
        named = [(f"IMS{number:07d}", *each) for number, each in enumerate(talks, start=10_001)]
        yield "interaction", [self._talk(*each) for each in named]
        yield (
            "interaction_related_record",
            [self._related(name, ticket) for name, _, ticket in named if ticket],
        )
        incidents = [each for each in self._agency.tickets if each.kind == "incident"]
        yield (
            "sys_journal_field",
            [row for each in incidents[::_NOTED] for row in self._journal(each)],
        )

    def _talk(self, number: str, at: datetime, ticket: Ticket | None) -> Row:
        people = self._agency.people
        caller = ticket.caller if ticket else self._random.choice(people).user_name
        service = ticket.service if ticket else self._random.choice(self._agency.services).name
        given_up = ticket is None and self._random.random() < 0.2
        opened, minutes = at - timedelta(minutes=4), self._random.randint(3, 25)
        closed = opened + timedelta(minutes=minutes)
        agent = self._random.choice(self._desk.members)
        return {
            "sys_id": sys_id(self._seed, "interaction", number),
            "number": number,
            "channel": ticket.channel if ticket else self._random.choice(("phone", "chat")),
            "type": "interaction",
            "direction": "inbound",
            "state": "closed_abandoned" if given_up else "closed_complete",
            "short_description": ticket.title if ticket else f"Question about {service}",
            "opened_for": sys_id(self._seed, "sys_user", caller),
            "opened_at": moments.text(opened),
            "closed_at": moments.text(closed),
            "assigned_to": sys_id(self._seed, "sys_user", agent),
            "assignment_group": sys_id(self._seed, "sys_user_group", self._desk.name),
            "transferred": "false",
            "sys_created_on": moments.text(opened),
            "sys_updated_on": moments.text(min(closed, calendar.DATA_END)),
        }

    def _related(self, number: str, ticket: Ticket) -> Row:
        task = ticket_id(self._seed, ticket)
        return {
            "sys_id": sys_id(self._seed, "interaction_related_record", number),
            "interaction": sys_id(self._seed, "interaction", number),
            "document_table": TABLES[ticket.kind],
            "document_id": task,
            "task": task,
            "sys_created_on": moments.text(ticket.opened),
        }

    def _journal(self, ticket: Ticket) -> Iterator[Row]:
        """What the caller adds, what each hand-over is noted with, and the answer at the end."""
        agent = self._members[ticket.hops[-1].team][0]
        asked = ticket.opened + timedelta(minutes=30)
        if asked < (ticket.resolved or calendar.DATA_END):
            yield self._entry(ticket, "comments", asked, ticket.caller, "Still the same here.")
        for before, hop in zip(ticket.hops, ticket.hops[1:], strict=False):
            author = self._members[before.team][0]
            yield self._entry(ticket, "work_notes", hop.start, author, f"Passed on to {hop.team}.")
        if ticket.resolved:
            yield self._entry(ticket, "comments", ticket.resolved, agent, "Solved, please check.")

    def _entry(self, ticket: Ticket, element: str, at: datetime, author: str, text: str) -> Row:
        key = ticket_id(self._seed, ticket)
        at = min(at, calendar.DATA_END)
        return {
            "sys_id": sys_id(self._seed, "sys_journal_field", key, moments.text(at), text),
            "name": TABLES[ticket.kind],
            "element": element,
            "element_id": key,
            "value": text,
            "sys_created_on": moments.text(at),
            "sys_created_by": author,
        }
