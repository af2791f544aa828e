"""The tables of one source: those we know, as the configuration changes them, and its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from vmo_bridge_servicenow.settings import FurtherTable, ServiceNowSettings
from vmo_bridge_servicenow.tables import JOURNALS, TABLES, Table

_PERSONS = ("requester_ref", "owner_ref", "submitter_ref")


def catalogue(settings: ServiceNowSettings) -> dict[str, Table]:
    """Name to table, in the order in which they are read."""
    known = {name: replace(TABLES[name], name=name) for name in settings.tables}
    own = {name: _further(name, each) for name, each in settings.further_tables.items()}
    tables = {**known, **own}
    if settings.journals:
        tables |= _journals(tables)
    return {name: _changed(table, settings) for name, table in tables.items()}


def _journals(tables: Mapping[str, Table]) -> dict[str, Table]:
    """The journals of the tickets that are read, and the labels of the columns they fill."""
    tickets = tuple(name for name, table in tables.items() if "ticket" in table.kinds)
    found = {
        name: replace(table, name=name, only={**table.only, "name": tickets})
        for name, table in JOURNALS.items()
    }
    if (labels := tables.get("sys_dictionary")) is not None:
        asked = {"name": ("task",), "element": JOURNALS["sys_journal_field"].only["element"]}
        only = {column: _once([*labels.only[column], *asked[column]]) for column in asked}
        found["sys_dictionary"] = replace(labels, only=only)
    return found


def _further(name: str, given: FurtherTable) -> Table:
    columns = given.columns()
    return Table(
        name=name,
        kinds=(given.kind,),
        fields=_once([*columns.values(), "sys_created_on"]),
        people=_people(given.people, columns),
        private=tuple(given.private),
        type=given.type,
        columns=columns,
    )


def _changed(table: Table, settings: ServiceNowSettings) -> Table:
    """With its filter, and with an admin's own columns for some of our fields."""
    filters = {
        column: tuple(values) for column, values in settings.filters.get(table.name, {}).items()
    }
    own = settings.fields.get(table.name, {})
    service = settings.service_field if "business_service" in table.fields else None
    wanted = [*table.fields, *filters, *own.values(), *([service] if service else [])]
    return replace(
        table,
        fields=_once(wanted),
        people=_people(table.people, own),
        only={**table.only, **filters},
        columns={**table.columns, **own},
    )


def _people(named: Iterable[str], columns: Mapping[str, str]) -> tuple[str, ...]:
    """The columns that name a person: those declared, and those of our fields that do."""
    ours = [columns[name] for name in _PERSONS if name in columns]
    return tuple(dict.fromkeys([*named, *ours]))


def _once(columns: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(columns))
