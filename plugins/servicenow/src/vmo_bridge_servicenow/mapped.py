"""Records of a table whose columns are mapped by name: further tables, and columns of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vmo_bridge.plugin import (
    Idea,
    Initiative,
    Record,
    RecordError,
    Service,
    Team,
    Ticket,
    UserGroup,
)
from vmo_bridge_servicenow.row import Row
from vmo_bridge_servicenow.words import Words

KINDS: dict[str, type[Record]] = {
    "ticket": Ticket,
    "initiative": Initiative,
    "idea": Idea,
    "service": Service,
    "team": Team,
    "user_group": UserGroup,
}
"""What a further table can hold."""

_TASK = {
    "number": "number",
    "title": "short_description",
    "description": "description",
    "state": "state",
    "opened_at": "opened_at",
    "closed_at": "closed_at",
}
DEFAULTS: dict[str, dict[str, str]] = {
    "ticket": {
        **_TASK,
        "priority": "priority",
        "team_ref": "assignment_group",
        "requester_ref": "opened_by",
        "parent_ref": "parent",
        "channel": "contact_type",
        "close_notes": "close_notes",
    },
    "initiative": {**_TASK, "parent_ref": "parent"},
    "idea": {
        "number": "number",
        "title": "short_description",
        "state": "state",
        "opened_at": "sys_created_on",
    },
    "service": {"name": "name"},
    "team": {"name": "name"},
    "user_group": {"name": "name", "parent_ref": "parent"},
}
"""Our field to the column it usually comes from: those of task and of the usual lists."""

_OURS_ALONE = {"ref", "id", "source", "updated_at", "type", "original_type", "original_state"}
"""Fields that no column gives."""


def fields_of(kind: str) -> set[str]:
    """Our fields of a kind that a column can be named for."""
    return {*KINDS[kind].__struct_fields__} - _OURS_ALONE - {"original_priority"}


def record(kind: str, type_: str, columns: Mapping[str, str], row: Row, words: Words) -> Record:
    """The record of one row; ``RecordError`` names the column and what is wrong with it."""
    values = {name: value(kind, name, column, row) for name, column in columns.items()}
    label = values.get("number") or values.get("name")
    if not label:
        column = columns.get("number") or columns.get("name")
        raise RecordError(f"{column} is empty or not readable")
    common: dict[str, Any] = row.base(str(label) if "number" in columns else None)
    if "state" in KINDS[kind].__struct_fields__:
        theirs = row.need(columns["state"])
        common |= {"original_state": theirs}
        values["state"] = words.state(row.table, theirs)
    if "type" in KINDS[kind].__struct_fields__:
        common |= {"type": type_}
    if kind == "ticket":
        common |= {"original_type": row.table, "original_priority": row.text(columns["priority"])}
        values["priority"] = words.priority(row.text(columns["priority"]))
        if values.get("opened_at") is None:
            values["opened_at"] = row.time("sys_created_on")
        if values["opened_at"] is None:
            raise RecordError(f"{columns['opened_at']} is empty: no moment it began")
    return KINDS[kind](**common, **values)


def value(kind: str, name: str, column: str, row: Row) -> Any:
    """What a column says of one of our fields, read as the field's type wants it."""
    if name.endswith("_ref"):
        return row.ref(column)
    if name.endswith("_at"):
        return row.time(column)
    hint = str(KINDS[kind].__annotations__.get(name, "str"))
    if "bool" in hint:
        return row.flag(column)
    return row.integer(column) if "int" in hint else row.text(column)


def overridden(kind: str, columns: Mapping[str, str], row: Row) -> dict[str, Any]:
    """Our fields that an admin's own columns give instead of the usual ones."""
    return {name: value(kind, name, column, row) for name, column in columns.items()}
