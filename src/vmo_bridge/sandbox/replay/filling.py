"""Fills an instance from a log, and says what it was filled with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from vmo_bridge.sandbox.replay.log import EventLog
from vmo_bridge.sandbox.replay.metrics import definition_rows, metric_rows
from vmo_bridge.sandbox.replay.rows import CUSTOM, Rows
from vmo_bridge.sandbox.servicenow import catalogue
from vmo_bridge.sandbox.servicenow.dictionary import Row
from vmo_bridge.sandbox.servicenow.instance import Instance
from vmo_bridge.sandbox.servicenow.seed import account_rows, stamped
from vmo_bridge.sandbox.servicenow.seed_choices import choice_rows, section_rows

_SEED = "replay"


def fill(instance: Instance, log: EventLog) -> dict[str, Any]:
    """Put the log into fresh tables; returns what truth.json says of it."""
    history = log.history
    for column, kind in catalogue.kinds(CUSTOM).items():
        instance.add_column("task", column, kind)
    rows = Rows(history)
    for table, described in _describing(rows):
        instance.put(table, stamped(described, history.begin))
    for table, content in _content(log, rows):
        instance.load(table, stamped(content, history.begin))
    return {
        "log": {
            "name": log.name,
            "sha256": log.sha256,
            "incidents": len(history.incidents),
            "events": history.events,
            "begin": f"{history.begin.replace(' ', 'T')}Z",
            "end": f"{history.end.replace(' ', 'T')}Z",
            "zone": "UTC: the log names none",
        }
    }


def _describing(rows: Rows) -> Iterator[tuple[str, Iterable[Row]]]:
    yield "sys_db_object", catalogue.table_rows(_SEED)
    yield "sys_dictionary", catalogue.column_rows(_SEED)
    yield "sys_dictionary", [catalogue.column_row(_SEED, "incident", line) for line in CUSTOM]
    own = rows.choices()
    told = {(row["name"], row["element"]) for row in own if row["name"] == "incident"}
    # What the log tells takes the place of a fresh instance's choices, never half of them.
    fresh = [row for row in choice_rows(_SEED) if (row["name"], row["element"]) not in told]
    yield "sys_choice", fresh + own


def _content(log: EventLog, rows: Rows) -> Iterator[tuple[str, Iterable[Row]]]:
    sections, elements = section_rows(_SEED)
    yield "sys_ui_section", sections
    yield "sys_ui_element", elements
    yield "sys_user", account_rows(_SEED)
    yield from rows.all()
    yield "metric_definition", definition_rows()
    yield "metric_instance", metric_rows(log.history.incidents, rows.states)
