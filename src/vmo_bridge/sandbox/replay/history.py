"""From the events of the log to incidents: how each ended, and who and what it was when.

Events are put in order of their moment, then of their ``sys_mod_count``, then of their line: a
count that comes twice or begins anew (as it does in the real log) changes nothing. A moment is
the event's ``sys_updated_at``; everything else that a line says may be known from later, as the
log repeats the resolution and closing on all lines of an incident. So an incident is what its
last line says, and only state and group have a history.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from vmo_bridge.sandbox.replay.columns import COLUMNS, MOMENTS, PLACE
from vmo_bridge.sandbox.replay.reading import Line, Lines

_NUMBER, _UPDATED = PLACE["number"], PLACE["sys_updated_at"]
_COUNT = PLACE["sys_mod_count"]
NAMED = {"problem_id": "problem", "rfc": "change_request", "caused_by": "change_request"}
"""Columns that name a record of which the log says nothing else, and its table."""


@dataclass(frozen=True, slots=True)
class Span:
    """What a column held from ``start`` on; ``end`` is "" while nothing has followed."""

    value: str
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident; times are the platform's texts, in UTC."""

    number: str
    last: Mapping[str, str]
    """Column to what the last event says, "" where it says nothing."""
    states: tuple[Span, ...]
    """By label."""
    groups: tuple[Span, ...]
    """By name. Where the log hides the group, there is a gap: the reassignment count rises with
    each "?", so the work was given away, and nobody knows to whom."""


@dataclass(frozen=True, slots=True)
class History:
    """Everything that a log tells."""

    incidents: tuple[Incident, ...]
    """In the order in which the log comes to them."""
    events: int
    words: Mapping[str, Mapping[str, str]]
    """As in ``Lines``."""
    named: Mapping[tuple[str, str], tuple[str, str]]
    """(table, number) of problems and changes to the first and last moment that names them."""
    begin: str
    end: str
    """The first and the last moment in the log, of whatever column."""

    def values(self, *columns: str) -> list[str]:
        """The different values of columns, in order."""
        return sorted({text for name in columns for text in self.words[name].values() if text})


def tell(lines: Lines) -> History:
    """The history in the lines of a log."""
    by_number: dict[str, list[Line]] = {}
    for line in lines.events:
        by_number.setdefault(line.values[_NUMBER], []).append(line)
    moments = [text for name in MOMENTS for text in lines.words[name].values() if text]
    return History(
        tuple(_incident(number, found) for number, found in by_number.items()),
        len(lines.events),
        lines.words,
        _named(lines.events),
        min(moments),
        max(moments),
    )


def _incident(number: str, found: Iterable[Line]) -> Incident:
    events = sorted(found, key=_order)
    return Incident(
        number,
        dict(zip(COLUMNS, events[-1].values, strict=True)),
        tuple(_spans(events, PLACE["incident_state"])),
        tuple(_spans(events, PLACE["assignment_group"])),
    )


def _order(line: Line) -> tuple[str, int, int]:
    return line.values[_UPDATED], int(line.values[_COUNT]), line.number


def _spans(events: Sequence[Line], place: int) -> Iterator[Span]:
    value, start = "", ""
    for event in events:
        if event.values[place] != value:
            now = event.values[_UPDATED]
            if value:
                yield Span(value, start, now)
            value, start = event.values[place], now
    if value:
        yield Span(value, start, "")


def _named(events: Iterable[Line]) -> dict[tuple[str, str], tuple[str, str]]:
    found: dict[tuple[str, str], tuple[str, str]] = {}
    places = [(PLACE[column], table) for column, table in NAMED.items()]
    for event in events:
        for place, table in places:
            name, moment = event.values[place], event.values[_UPDATED]
            if name:
                first, last = found.get((table, name), (moment, moment))
                found[table, name] = min(first, moment), max(last, moment)
    return found
