"""The stage: from KPI results and signals to wishes, a plan, and (if told to) delivery."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from vmo_bridge.connectors.contract import Connector
from vmo_bridge.connectors.writing import Writer
from vmo_bridge.publish import facts
from vmo_bridge.publish.deliver import Delivery, deliver
from vmo_bridge.publish.layout import KEY, Layout
from vmo_bridge.publish.plan import PlanRow, Wish, make_plan
from vmo_bridge.records import KpiResult, Signal
from vmo_bridge.settings import Settings
from vmo_bridge.store import Store
from vmo_bridge.store.outbox import OutboxItem
from vmo_bridge.watch import Watch

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(slots=True, kw_only=True)
class PublishOutcome:
    """The plan, and what became of it if it was applied."""

    target: str
    plan: list[PlanRow] = field(default_factory=list)
    delivery: Delivery | None = None
    """None: only planned."""
    blocked: tuple[str, ...] = ()
    """Falls that nobody explained: as long as there are any, nothing is written."""

    def counts(self) -> dict[str, int]:
        """How many rows of the plan there are of each action."""
        counts = dict.fromkeys(("create", "change", "unchanged", "refused"), 0)
        for row in self.plan:
            counts[row.action] += 1
        return counts


class Publisher:
    """Publishes to one target."""

    def __init__(
        self, store: Store, settings: Settings, name: str, writer: Writer, *, as_of: datetime
    ) -> None:
        self._store = store
        self._settings = settings
        self._name = name
        self._writer = writer
        self._as_of = as_of
        self.layout = Layout(settings.publish, writer.places)

    def plan(self) -> PublishOutcome:
        """Compare what should stand over there with what does; writes nothing."""
        return PublishOutcome(target=self._name, plan=make_plan(self._writer, self._wishes()))

    def apply(
        self, run_id: int, watch: Watch, published: Callable[[KpiResult, str], None]
    ) -> PublishOutcome:
        """Plan, then deliver; ``published`` is told of each KPI result that was read back.

        Nothing is queued while an alarm stands: values from data that may be wiped are no values.
        """
        outcome = self.plan()
        outcome.blocked = tuple(self._store.certificates.alarms())
        if outcome.blocked:
            return outcome
        self._store.outbox.queue(run_id, self._name, map(self._item, _to_write(outcome.plan)))
        results = self._store.findings.kpis_by_id()

        def stored(item: OutboxItem, key: str) -> None:
            result = results.get(item.match.get(KEY, ""))
            if result is not None:
                published(result, key)

        outcome.delivery = deliver(self._store, self._name, self._writer, watch, stored)
        return outcome

    def _item(self, row: PlanRow) -> OutboxItem:
        return OutboxItem(
            target=self._name,
            table=row.table,
            key=row.key,
            match=row.match,
            values=row.values,
            before=row.before,
        )

    def _wishes(self) -> Iterator[Wish]:
        results = self._store.findings.kpis_by_id()
        signals = self._store.findings.signals()
        places = self.layout.places
        if self.layout.kpi_table is not None:
            yield from self._kpi_wishes(self.layout.kpi_table, results)
        for table, scope, kind in (
            (places.services, "service_ref", "service"),
            (places.user_groups, "user_group_ref", "user_group"),
        ):
            if table:
                records = self._records(kind)
                said = facts.scope_facts([*results.values()], signals, records, scope)
                yield from self._record_wishes(table, said, records)
        tables = self._store.tables(as_of=self._as_of, feedback=self._settings.feedback)
        if places.initiatives:
            yield from self._initiative_wishes(places.initiatives, tables, results, signals)
        yield from self._ticket_wishes(facts.ticket_facts(tables, signals))

    def _initiative_wishes(
        self,
        table: str,
        tables: Mapping[str, pa.Table],
        results: Mapping[str, KpiResult],
        signals: Sequence[Signal],
    ) -> Iterator[Wish]:
        """What the customers of their service say: development has it before its eyes."""
        before = self._store.outbox.written_keys(self._name, table)
        over = () if self._settings.publish.closed_tickets else ("done", "rejected")
        records = {
            ref: row for ref, row in self._records("initiative").items() if row["state"] not in over
        }
        said = facts.initiative_facts(tables, [*results.values()], signals, records)
        spoken_of = {
            ref: values
            for ref, values in said.items()
            if any(values.values()) or _key(ref) in before
        }
        yield from self._record_wishes(table, spoken_of, records)

    def _kpi_wishes(self, table: str, results: Mapping[str, KpiResult]) -> Iterator[Wish]:
        """Results that may be shown; those that were shown before are kept true."""
        said = {
            key: facts.kpi_record(key, result)
            for key, result in results.items()
            if result.window == facts.WINDOW
        }
        shown = self._store.outbox.written_matches(self._name, table, KEY)
        for key in [*said, *sorted(shown - said.keys())]:
            values = said.get(key, {KEY: key, **facts.NO_KPI_VALUE})
            known = bool(values["u_value"])
            if known or key in shown:
                yield Wish(
                    table=table,
                    key=key,
                    label=key,
                    values=values,
                    match_field=KEY,
                    create=known,
                )

    def _ticket_wishes(self, said: facts.Facts) -> Iterator[Wish]:
        closed_too = self._settings.publish.closed_tickets
        tickets = {
            ref: row
            for ref, row in self._records("ticket").items()
            if closed_too or row["state"] not in ("closed", "canceled")
        }
        one = self.layout.places.all_tickets
        for table in self.layout.ticket_tables:
            of_table = {
                ref: row for ref, row in tickets.items() if one or row["original_type"] == table
            }
            before = self._store.outbox.written_keys(self._name, table)
            spoken_of = {
                ref: said.get(ref, facts.NO_TICKET_FACTS)
                for ref in of_table
                if ref in said or _key(ref) in before
            }
            yield from self._record_wishes(table, spoken_of, of_table)

    def _record_wishes(
        self, table: str, said: facts.Facts, records: Mapping[str, Mapping[str, str]]
    ) -> Iterator[Wish]:
        for ref, values in said.items():
            yield Wish(
                table=table,
                key=_key(ref),
                label=records[ref].get("number") or records[ref].get("name") or ref,
                values=self.layout.values(values),
            )

    def _records(self, kind: str) -> dict[str, Mapping[str, str]]:
        """The current records of a kind that come from the target, by ref."""
        return {
            row["ref"]: row for row in self._store.versions.all(kind) if row["source"] == self._name
        }


def writable(connector: Connector) -> Writer | None:
    """The connector as one that can be written to, if it can."""
    return connector if isinstance(connector, Writer) else None


def _to_write(plan: Iterable[PlanRow]) -> Iterator[PlanRow]:
    return (row for row in plan if row.action in ("create", "change"))


def _key(ref: str) -> str:
    """The source's own key of a record."""
    return ref.partition("/")[2]
