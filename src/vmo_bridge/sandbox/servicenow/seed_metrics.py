"""Rows of metric_instance: which team had a ticket when, and which state an incident was in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.model import Ticket
from vmo_bridge.sandbox.servicenow import moments
from vmo_bridge.sandbox.servicenow.catalogue import sys_id
from vmo_bridge.sandbox.servicenow.dictionary import Row

_DEFINITIONS = (
    ("Incident assignment group", "incident", "assignment_group"),
    ("Incident state", "incident", "incident_state"),
    ("Requested item assignment group", "sc_req_item", "assignment_group"),
)
_STATES = {"1": "New", "2": "In Progress", "3": "On Hold", "6": "Resolved", "7": "Closed"}
_Span = tuple[str, datetime, datetime | None]


def definition_rows(seed: str) -> list[Row]:
    """Rows of metric_definition."""
    return [
        {
            "sys_id": sys_id(seed, "metric_definition", name),
            "name": name,
            "table": table,
            "field": field,
            "type": "Field value duration",
            "active": "true",
        }
        for name, table, field in _DEFINITIONS
    ]


def metric_rows(seed: str, ticket: Ticket) -> Iterator[Row]:
    """The spans of one ticket; problems and changes are not measured."""
    if ticket.kind == "incident":
        yield from _team_rows(seed, ticket, _DEFINITIONS[0])
        for number, (state, start, end) in enumerate(_states(ticket)):
            if start <= calendar.DATA_END:
                span = (state, start, end)
                yield _row(seed, ticket, _DEFINITIONS[1], number, span, shown=_STATES[state])
    elif ticket.kind == "request":
        yield from _team_rows(seed, ticket, _DEFINITIONS[2])


def _team_rows(seed: str, ticket: Ticket, definition: tuple[str, str, str]) -> Iterator[Row]:
    for number, hop in enumerate(ticket.hops):
        span = (sys_id(seed, "sys_user_group", hop.team), hop.start, hop.end)
        yield _row(seed, ticket, definition, number, span, shown=hop.team)


def _states(ticket: Ticket) -> list[_Span]:
    """(state, start, end) one after the other; the last one has no end."""
    marks: list[tuple[datetime, str]] = [(ticket.opened, "1"), (ticket.responded, "2")]
    if ticket.held:
        marks += [(max(ticket.held[0], ticket.responded), "3"), (ticket.held[1], "2")]
    if ticket.reopened and ticket.first_resolved:
        marks += [(ticket.first_resolved, "6"), (ticket.reopened, "2")]
    if ticket.resolved:
        marks.append((ticket.resolved, "6"))
    if ticket.closed:
        marks.append((ticket.closed, "7"))
    marks = [mark for mark in marks if mark[0] <= calendar.DATA_END]
    marks.sort(key=lambda mark: mark[0])
    ends = [moment for moment, _ in marks[1:]]
    return [(state, start, end) for (start, state), end in zip(marks, [*ends, None], strict=True)]


def _row(
    seed: str,
    ticket: Ticket,
    definition: tuple[str, str, str],
    number: int,
    span: _Span,
    *,
    shown: str,
) -> Row:
    name, table, field = definition
    value, start, end = span
    row = {
        "sys_id": sys_id(seed, "metric_instance", ticket.number, field, str(number)),
        "definition": sys_id(seed, "metric_definition", name),
        "id": sys_id(seed, table, ticket.number),
        "table": table,
        "field": field,
        "field_value": value,
        "value": shown,
        "start": moments.text(start),
        "calculation_complete": "false",
        "sys_created_on": moments.text(start),
        "sys_updated_on": moments.text(end or start),
    }
    if end is not None:
        row |= {
            "end": moments.text(end),
            "duration": moments.duration((end - start).total_seconds()),
            "business_duration": moments.duration(calendar.business_seconds(start, end)),
            "calculation_complete": "true",
        }
    return row
