"""The history of a log as rows of the instance: incidents, and all that they name.

What the log does not know stays empty, yes-or-no columns too: there is no service, department,
text or survey, and whether a user is still active nobody can say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

from vmo_bridge.sandbox.replay.history import NAMED, History, Incident
from vmo_bridge.sandbox.replay.words import NOT_IN_THE_LOG, NOTIFY, STATES, numbers
from vmo_bridge.sandbox.servicenow import catalogue
from vmo_bridge.sandbox.servicenow.dictionary import Row

#: Columns of the incident that a fresh instance does not have.
CUSTOM = (
    "u_symptom string(100) Symptom",
    "u_priority_confirmation boolean Priority confirmation",
    "vendor string(100) Vendor",
)
_AS_THEY_ARE = (
    "opened_at", "resolved_at", "closed_at", "sys_created_by", "sys_updated_by", "sys_mod_count",
    "active", "made_sla", "knowledge", "u_priority_confirmation", "reassignment_count",
    "reopen_count", "impact", "urgency", "priority", "category", "subcategory", "u_symptom",
    "vendor",
)  # fmt: skip
_NAMES = {
    "sys_user": ("caller_id", "opened_by", "assigned_to", "resolved_by"),
    "sys_user_group": ("assignment_group",),
    "cmn_location": ("location",),
    "cmdb_ci": ("cmdb_ci",),
}
_REFERENCES = {column: table for table, columns in _NAMES.items() for column in columns} | NAMED
_STATE_COLUMNS = ("state", "incident_state")


def sys_id(table: str, name: str) -> str:
    """The id of the row that stands for ``name``: the same in every replay of every log."""
    return catalogue.sys_id("replay", table, name)


class Rows:
    """Makes the rows of one history."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._states = numbers(history.values("incident_state"), STATES)
        self._notify = numbers(history.values("notify"), NOTIFY)

    def all(self) -> Iterator[tuple[str, Iterable[Row]]]:
        """(table, rows) of everything the log tells."""
        yield from self._named_only()
        yield "incident", (self._incident(each) for each in self._history.incidents)

    @property
    def states(self) -> dict[str, str]:
        """Label of an incident's state to its number."""
        return self._states

    def _named_only(self) -> Iterator[tuple[str, list[Row]]]:
        for table, columns in _NAMES.items():
            yield table, [_named(table, name) for name in self._history.values(*columns)]
        for table in sorted(set(NAMED.values())):
            yield (
                table,
                [
                    self._mentioned(table, name, *span)
                    for (of, name), span in self._history.named.items()
                    if of == table
                ],
            )

    def _mentioned(self, table: str, name: str, first: str, last: str) -> Row:
        """A problem or change: it was there when the log first named it, and no more is known."""
        return blank(table) | {
            "sys_id": sys_id(table, name),
            "sys_class_name": table,
            "number": name,
            "task_effective_number": name,
            "state": NOT_IN_THE_LOG[0],
            "sys_created_on": first,
            "sys_updated_on": last,
        }

    def _incident(self, incident: Incident) -> Row:
        last = incident.last
        row = {column: last[column] for column in _AS_THEY_ARE}
        row |= {
            column: sys_id(table, last[column]) if last[column] else ""
            for column, table in _REFERENCES.items()
        }
        row |= dict.fromkeys(_STATE_COLUMNS, self._states[last["incident_state"]])
        return row | {
            "sys_id": sys_id("incident", incident.number),
            "sys_class_name": "incident",
            "number": incident.number,
            "task_effective_number": incident.number,
            "contact_type": channel(last["contact_type"]),
            "notify": self._notify.get(last["notify"], ""),
            "close_code": last["closed_code"],
            "sys_created_on": last["sys_created_at"],
            "sys_updated_on": last["sys_updated_at"],
        }

    def choices(self) -> list[Row]:
        """Rows of sys_choice: the log's own labels of what it stores as a number or a word."""
        words = self._history.words
        state = {number: label for label, number in self._states.items()}
        shown = {
            ("incident", "state"): state,
            ("incident", "incident_state"): state,
            ("incident", "notify"): {number: label for label, number in self._notify.items()},
            ("incident", "contact_type"): {
                channel(text): text for text in words["contact_type"].values() if text
            },
        }
        for column in ("category", "closed_code"):
            element = "close_code" if column == "closed_code" else column
            shown["incident", element] = {text: text for text in self._history.values(column)}
        for column in ("impact", "urgency", "priority"):
            shown["incident", column] = {
                value: cell.strip() for cell, value in sorted(words[column].items()) if value
            }
        for table in sorted(set(NAMED.values())):
            shown[table, "state"] = dict([NOT_IN_THE_LOG])
        return [
            _choice(table, element, place, value, label)
            for (table, element), labels in shown.items()
            for place, (value, label) in enumerate(sorted(labels.items(), key=_by_number))
        ]


def channel(label: str) -> str:
    """The value of a contact type: ``self-service`` for "Self service"."""
    return "-".join(label.lower().split())


@cache
def _yes_or_no(table: str) -> tuple[str, ...]:
    parents = {name: (parent, lines) for name, parent, _, lines in catalogue.declared()}
    found: list[str] = []
    while table:
        table, lines = parents[table]
        found += [name for name, kind in catalogue.kinds(lines).items() if kind == "boolean"]
    return tuple(found)


def blank(table: str) -> Row:
    """Empty yes-or-no columns: left out they would say no."""
    return dict.fromkeys(_yes_or_no(table), "")


def _named(table: str, name: str) -> Row:
    row = blank(table) | {"sys_id": sys_id(table, name), "name": name}
    if table == "sys_user":
        row["user_name"] = name
    if table in {"sys_user", "cmdb_ci"}:
        row["sys_class_name"] = table
    return row


def _choice(table: str, element: str, place: int, value: str, label: str) -> Row:
    return {
        "sys_id": sys_id("sys_choice", f"{table}.{element}.{value}"),
        "name": table,
        "element": element,
        "value": value,
        "label": label,
        "language": "en",
        "sequence": str(place),
        "inactive": "false",
    }


def _by_number(entry: tuple[str, str]) -> tuple[bool, int, str]:
    value = entry[0]
    number = value.removeprefix("-").isdecimal()
    return (not number, int(value) if number else 0, value)
