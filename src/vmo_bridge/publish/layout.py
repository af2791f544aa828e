"""Which value stands in which field over there, and what the tables have to have for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vmo_bridge.connectors.writing import Column, Places, TargetTable
from vmo_bridge.settings.model import PublishSection

_TICKET_FACTS = (
    Column(
        name="watermelon",
        label="VMO watermelon",
        type="boolean",
        hint="The SLA of this record was met, and its user is unhappy with it.",
    ),
    Column(
        name="lost_time",
        label="VMO perceived lost time (min)",
        type="integer",
        hint="Working minutes that its user reports to have lost.",
    ),
    Column(
        name="open_signals",
        label="VMO open signals",
        type="integer",
        hint="Open demand signals for which this record is evidence.",
    ),
)
_SCOPE_VALUES = (
    Column(
        name="csat",
        label="VMO satisfaction (%)",
        type="decimal",
        hint="Answers in the two top boxes, last 90 days; empty under five answers.",
    ),
    Column(
        name="sla",
        label="VMO SLA attainment (%)",
        type="decimal",
        hint="Tickets resolved within their resolution SLA, last 90 days.",
    ),
    Column(
        name="lost_time",
        label="VMO perceived lost time (min per answer)",
        type="decimal",
        hint="Working minutes that users report to have lost, mean of the last 90 days.",
    ),
    Column(
        name="kpi_status",
        label="VMO KPI status",
        type="string",
        max_length=100,
        hint="How satisfaction and SLA stand against their targets.",
    ),
    Column(
        name="open_signals",
        label="VMO open signals",
        type="integer",
        hint="Open demand signals about it.",
    ),
)
_KPI_RESULT = (
    Column(name="u_key", label="Key", type="string", max_length=200),
    Column(name="u_kpi", label="KPI", type="string", max_length=60),
    Column(name="u_window", label="Window", type="string", max_length=40),
    Column(name="u_start", label="From", type="string", max_length=10),
    Column(name="u_end", label="To (exclusive)", type="string", max_length=10),
    Column(name="u_service", label="Service", type="string", max_length=200),
    Column(name="u_user_group", label="User group", type="string", max_length=200),
    Column(name="u_value", label="Value", type="decimal"),
    Column(name="u_unit", label="Unit", type="string", max_length=20),
    Column(name="u_numerator", label="Numerator", type="decimal"),
    Column(name="u_denominator", label="Denominator", type="decimal"),
    Column(name="u_n", label="n", type="integer"),
    Column(name="u_target", label="Target", type="decimal"),
    Column(name="u_status", label="Status", type="string", max_length=20),
    Column(name="u_completeness", label="Completeness", type="decimal"),
    Column(name="u_version", label="Formula version", type="string", max_length=20),
    Column(name="u_data_as_of", label="Data as of", type="string", max_length=10),
)

KEY = "u_key"
"""The field of a KPI result that holds our own key."""


class Layout:
    """The fields of one target."""

    def __init__(self, settings: PublishSection, places: Places) -> None:
        self._prefix = settings.prefix if places.field_prefix is None else places.field_prefix
        self.kpi_table = settings.table if places.kpi_results else None
        self.places = places

    def field(self, fact: str) -> str:
        """The column of a fact on one of the target's own tables."""
        return f"{self._prefix}{fact}"

    def values(self, said: Mapping[str, str]) -> dict[str, str]:
        """What is said, by the field that holds it: ours, and the admin's own if there is one."""
        values = {self.field(fact): text for fact, text in said.items()}
        further = self.places.further_fields
        return values | {further[fact]: text for fact, text in said.items() if fact in further}

    @property
    def ticket_tables(self) -> tuple[str, ...]:
        """The tables that tickets stand in."""
        one = self.places.all_tickets
        return (one,) if one else self.places.tickets

    def tables(self) -> list[TargetTable]:
        """Everything the target has to have."""
        places = self.places
        values = self._columns(_SCOPE_VALUES)
        scopes = (places.services, places.user_groups, places.initiatives)
        found = [
            TargetTable(table=table, columns=values, show=_names(values))
            for table in scopes
            if table
        ]
        found += [
            TargetTable(table=table, columns=self._columns(_TICKET_FACTS), show=self._shown())
            for table in self.ticket_tables
        ]
        if self.kpi_table is None:
            return found
        ours = TargetTable(
            table=self.kpi_table, label="VMO KPI result", columns=_KPI_RESULT, create=True
        )
        return [ours, *found]

    def fields_of(self, table: str) -> tuple[str, ...]:
        """The columns that are ours on a table."""
        (found,) = (each for each in self.tables() if each.table == table)
        return _names(found.columns)

    def _columns(self, facts: Sequence[Column]) -> tuple[Column, ...]:
        return tuple(
            Column(
                name=self.field(each.name),
                label=each.label,
                type=each.type,
                hint=each.hint,
                max_length=each.max_length,
            )
            for each in facts
        )

    def _shown(self) -> tuple[str, ...]:
        """A ticket's form: its own facts, then those of its service and of its user's group."""
        paths = [path for path in (self.places.service_path, self.places.user_group_path) if path]
        values = _names(self._columns(_SCOPE_VALUES))
        return (
            *_names(self._columns(_TICKET_FACTS)),
            *(f"{path}.{name}" for path in paths for name in values),
        )


def _names(columns: Sequence[Column]) -> tuple[str, ...]:
    return tuple(each.name for each in columns)
