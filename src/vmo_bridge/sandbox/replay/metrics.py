"""Rows of metric_instance from the spans of the log: which state and which group, and when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from vmo_bridge.sandbox.replay.history import Incident, Span
from vmo_bridge.sandbox.replay.rows import sys_id
from vmo_bridge.sandbox.servicenow import moments
from vmo_bridge.sandbox.servicenow.dictionary import Row

_DEFINITIONS = {
    "incident_state": "Incident state",
    "assignment_group": "Incident assignment group",
}


def definition_rows() -> list[Row]:
    """Rows of metric_definition."""
    return [
        {
            "sys_id": sys_id("metric_definition", field),
            "name": name,
            "table": "incident",
            "field": field,
            "type": "Field value duration",
            "active": "true",
        }
        for field, name in _DEFINITIONS.items()
    ]


def metric_rows(incidents: Iterable[Incident], states: Mapping[str, str]) -> Iterator[Row]:
    """The spans of all incidents; ``states`` gives the number of a state's label."""
    for incident in incidents:
        for place, span in enumerate(incident.states):
            yield _row(incident.number, "incident_state", place, span, states[span.value])
        for place, span in enumerate(incident.groups):
            group = sys_id("sys_user_group", span.value)
            yield _row(incident.number, "assignment_group", place, span, group)


def _row(number: str, field: str, place: int, span: Span, value: str) -> Row:
    row = {
        "sys_id": span_id(number, field, place),
        "definition": sys_id("metric_definition", field),
        "id": sys_id("incident", number),
        "table": "incident",
        "field": field,
        "field_value": value,
        "value": span.value,
        "start": span.start,
        "end": span.end,
        "duration": "",
        "calculation_complete": "true" if span.end else "false",
        "sys_created_on": span.start,
        "sys_updated_on": span.end or span.start,
    }
    if span.end:
        held = datetime.fromisoformat(span.end) - datetime.fromisoformat(span.start)
        row["duration"] = moments.duration(held.total_seconds())
    return row


def span_id(number: str, field: str, place: int) -> str:
    """The id of a span: those of one incident count up, as many begin in the same minute."""
    return f"{sys_id('metric_instance', f'{number}.{field}')[:24]}{place:08x}"
