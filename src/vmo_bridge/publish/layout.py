"""Which value stands in which field over there, and what the tables have to have for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from vmo_bridge.connectors.writing import Column, Places, TargetTable
from vmo_bridge.errors import ConfigError
from vmo_bridge.publish.columns import KEY, KPI_RESULT, SCOPE_VALUES, SIGNAL, TICKET_FACTS
from vmo_bridge.publish.texts import fitting_key, neutral
from vmo_bridge.settings.publish import PublishSection

OF_SERVICE, OF_USER_GROUP = "u_service_record", "u_user_group_record"
"""The fields of a record of ours that lead to the target's own record it is about."""


class Layout:
    """The fields of one target: ours by their prefix, or those of the admin's map."""

    def __init__(self, settings: PublishSection, places: Places, target: str = "") -> None:
        self._prefix = settings.prefix if places.field_prefix is None else places.field_prefix
        self._map = settings.map.get(target)
        self.kpi_table = settings.table if places.own_records else None
        self.signal_table = settings.signal_table if places.own_records else None
        self.places = places
        self._check(target)
        # Once: every record that is planned asks for it.
        self._tables = {each.table: each for each in self._needed()}

    @property
    def ticket_tables(self) -> tuple[str, ...]:
        """The tables that facts of tickets are written to."""
        one = self.places.all_tickets
        return tuple(each for each in ((one,) if one else self.places.tickets) if self.writes(each))

    @property
    def demand_field(self) -> str | None:
        """Where an epic's link to its demand stands; nowhere if a map says what is written."""
        return self.places.demand_field if self._map is None else None

    @property
    def comment_field(self) -> str | None:
        """Where the comment on an epic's signals stands; nowhere as above."""
        return self.places.comment_field if self._map is None else None

    def writes(self, table: str | None) -> bool:
        """Whether anything is written to a table of the target's own."""
        return bool(table) and (self._map is None or bool(self._map.get(table or "")))

    def fields(self, table: str, fact: str) -> tuple[str, ...]:
        """Where a fact stands on a table of the target's own: nowhere, or in these fields."""
        if self._map is not None:
            named = self._map.get(table, {}).get(fact)
            return (named,) if named else ()
        further = self.places.further_fields.get(fact)
        return (self._own(fact), *((further,) if further else ()))

    def values(self, table: str, said: Mapping[str, str]) -> dict[str, str]:
        """What is said of one of the target's records, by the field that holds it."""
        longest = {each.name: each.max_length for each in self._facts(table)}
        return {
            name: neutral(text, longest.get(fact))
            for fact, text in said.items()
            for name in self.fields(table, fact)
        }

    def is_ours(self, field: str) -> bool:
        """Whether a field of the target's own tables is ours alone, by its name."""
        return field.startswith(self._prefix) or field in self.places.apart

    def record(self, table: str, values: Mapping[str, str]) -> dict[str, str]:
        """The values of a record of ours, as its columns can hold them."""
        columns = {each.name: each for each in self._tables[table].columns}
        return {
            name: _held(columns[name], text) for name, text in values.items() if name in columns
        }

    def tables(self) -> list[TargetTable]:
        """Everything the target has to have."""
        return list(self._tables.values())

    def fields_of(self, table: str) -> tuple[str, ...]:
        """The columns that are ours on a table."""
        return tuple(each.name for each in self._tables[table].columns)

    def _needed(self) -> list[TargetTable]:
        places = self.places
        found = self._own_tables()
        for table, column in (
            (places.services, OF_SERVICE),
            (places.user_groups, OF_USER_GROUP),
            (places.initiatives, ""),
        ):
            if table and self.writes(table):
                related = tuple((each.table, column) for each in found if column and each.create)
                shown = self._shown(table, SCOPE_VALUES)
                columns = self._columns(table)
                found.append(TargetTable(table=table, columns=columns, show=shown, related=related))
        return found + [
            TargetTable(table=table, columns=self._columns(table), show=self._on_form(table))
            for table in self.ticket_tables
        ]

    def admins_own(self) -> list[TargetTable]:
        """The fields of the admin's own that hold values: to be there, and not ours to make."""
        places = self.places
        scopes = (places.services, places.user_groups, places.initiatives)
        found = []
        for table in (*self.ticket_tables, *(each for each in scopes if each)):
            columns = tuple(
                replace(each, name=name)
                for each in self._facts(table)
                for name in self.fields(table, each.name)
                if not self.is_ours(name)
            )
            if columns:
                found.append(TargetTable(table=table, columns=columns))
        return found

    def _own_tables(self) -> list[TargetTable]:
        if self.kpi_table is None or self.signal_table is None:
            return []
        leads_to = {OF_SERVICE: self.places.services, OF_USER_GROUP: self.places.user_groups}

        def known(columns: Sequence[Column]) -> tuple[Column, ...]:
            return tuple(
                replace(each, reference=leads_to.get(each.name) or "")
                for each in columns
                if each.type != "reference" or leads_to.get(each.name)
            )

        return [
            TargetTable(table=table, label=label, columns=known(columns), create=True)
            for table, label, columns in (
                (self.kpi_table, "VMO KPI result", KPI_RESULT),
                (self.signal_table, "VMO signal", SIGNAL),
            )
        ]

    def _facts(self, table: str) -> tuple[Column, ...]:
        return TICKET_FACTS if table in self.ticket_tables else SCOPE_VALUES

    def _columns(self, table: str) -> tuple[Column, ...]:
        """The fields that we add to a table; those of the admin's own are there already."""
        return tuple(
            replace(each, name=name)
            for each in self._facts(table)
            for name in self.fields(table, each.name)
            if self.is_ours(name)
        )

    def _shown(self, table: str, facts: Sequence[Column], path: str = "") -> tuple[str, ...]:
        """The first field of each fact, reached over ``path`` (``business_service.``)."""
        return tuple(
            f"{path}{name}" for each in facts for name in self.fields(table, each.name)[:1]
        )

    def _on_form(self, table: str) -> tuple[str, ...]:
        """A ticket's form: its own facts, then those of its service and of its user's group."""
        places = self.places
        shown = self._shown(table, TICKET_FACTS)
        for path, scope in (
            (places.service_path, places.services),
            (places.user_group_paths.get(table, ""), places.user_groups),
        ):
            if path and scope and self.writes(scope):
                shown += self._shown(scope, SCOPE_VALUES, f"{path}.")
        return shown

    def _own(self, fact: str) -> str:
        return f"{self._prefix}{fact}"

    def _check(self, target: str) -> None:
        """Refuse a map that names what is not there: nothing would be written, in silence."""
        places = self.places
        one = (places.all_tickets,) if places.all_tickets else places.tickets
        scopes = [
            each for each in (places.services, places.user_groups, places.initiatives) if each
        ]
        known = [*one, *scopes]
        for table, fields in (self._map or {}).items():
            where = f"publish.map.{target}.{table}"
            if table not in known:
                raise ConfigError(f"{where}: no values go there; places are {', '.join(known)}")
            facts = [each.name for each in (TICKET_FACTS if table in one else SCOPE_VALUES)]
            for fact in fields:
                if fact not in facts:
                    raise ConfigError(f"{where}.{fact}: is no value; there are {', '.join(facts)}")


def _held(column: Column, text: str) -> str:
    if column.name == KEY:
        return fitting_key(text, column.max_length or 0)
    return neutral(text, column.max_length) if column.type == "string" else text
