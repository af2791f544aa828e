"""From results, signals and tickets to wishes: which record should say what."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from vmo_bridge.publish import facts
from vmo_bridge.publish.beside import (
    Address,
    demand_links,
    nowhere,
    signal_comments,
    still_true,
)
from vmo_bridge.publish.columns import KEY
from vmo_bridge.publish.layout import OF_SERVICE, OF_USER_GROUP, Layout
from vmo_bridge.publish.notation import same
from vmo_bridge.records import KpiResult, Signal
from vmo_bridge.settings import Settings
from vmo_bridge.store import Store

if TYPE_CHECKING:
    import pyarrow as pa

_VIEWS = ("tickets", "sla_outcomes", "answers", "initiatives", "links")
"""What is asked of the store; the histories, by far the largest, say nothing here."""
_Rows = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A record that should say something."""

    table: str
    key: str
    """The record's own key; for records of ours, the value of ``match_field``."""
    label: str
    """What people call it."""
    values: Mapping[str, str]
    match_field: str = ""
    """For records that are ours to create: the field that holds our key."""
    create: bool = True
    """Whether to create it where it is not there; a value that is gone is only taken back."""
    shared: frozenset[str] = frozenset()
    """Fields that are not ours by their name: what somebody else put there stays."""
    still: Mapping[str, str] = field(default_factory=dict)
    """What fields of the record have to hold just before it is written to."""
    apart: frozenset[str] = frozenset()
    """Fields that stand beside the record: where they cannot be read, the others still can."""


class Wishes:
    """What one target should say."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        target: str,
        layout: Layout,
        *,
        as_of: datetime,
        address: Address = nowhere,
    ) -> None:
        self._address = address
        self._store = store
        self._settings = settings
        self._target = target
        self._layout = layout
        self._as_of = as_of

    def all(self) -> Iterator[Wish]:
        """KPI results and signals, then services and groups, then what people work on."""
        results = {
            key: facts.as_told(result, self._settings.publish)
            for key, result in self._store.findings.kpis_by_id().items()
        }
        signals = self._store.findings.signals()
        yield from self._kpis(results)
        yield from self._signals(signals)
        yield from self._scopes([*results.values()], signals)
        tables = self._store.tables(
            as_of=self._as_of, feedback=self._settings.feedback, only=_VIEWS
        )
        yield from self._initiatives(tables, [*results.values()], signals)
        yield from self._tickets(facts.ticket_facts(tables, signals))

    # -- records of ours ---------------------------------------------------------------------

    def _kpis(self, results: Mapping[str, KpiResult]) -> Iterator[Wish]:
        chosen = {key: each for key, each in results.items() if each.window == facts.WINDOW}
        left = {key for key, each in chosen.items() if each.status == facts.LEFT}
        said = {
            key: {
                **facts.kpi_record(key, result),
                **self._pointing(key, result.service_ref, result.user_group_ref),
            }
            for key, result in chosen.items()
        }
        worth = {
            key for key, each in chosen.items() if facts.is_worth(each, self._settings.publish)
        }
        yield from self._own(self._layout.kpi_table, said, worth, facts.NO_KPI_VALUE, left)

    def _signals(self, signals: Sequence[Signal]) -> Iterator[Wish]:
        refs = list(dict.fromkeys(ref for each in signals for ref in each.finding.evidence))
        labels = self._store.versions.labels(refs)
        said = {
            each.finding.id: {
                **facts.signal_record(each, labels),
                **self._pointing(
                    each.finding.id, each.finding.service_ref, each.finding.user_group_ref
                ),
            }
            for each in signals
        }
        worth = {each.finding.id for each in facts.open_signals(signals)}
        yield from self._own(self._layout.signal_table, said, worth, facts.NO_SIGNAL)

    def _own(
        self,
        table: str | None,
        said: facts.Facts,
        worth: Collection[str],
        gone: Mapping[str, str],
        left: Collection[str] = (),
    ) -> Iterator[Wish]:
        """Records that are worth showing; those that were shown before are kept true.

        Of those that are ``left`` nothing is said: they stay as they are.
        """
        if table is None:
            return
        records = {key: self._layout.record(table, values) for key, values in said.items()}
        by_field = {values[KEY]: key for key, values in records.items()}
        shown = self._store.outbox.written_matches(self._target, table, KEY)
        for held in [*by_field, *sorted(shown - by_field.keys())]:
            key = by_field.get(held, held)
            if key not in left and (key in worth or held in shown):
                yield Wish(
                    table=table,
                    key=held,
                    label=key,
                    values=records.get(key, {KEY: held, **gone}),
                    match_field=KEY,
                    create=key in worth,
                )

    def _pointing(self, id_: str, service: str | None, user_group: str | None) -> dict[str, str]:
        """Where a record of ours leads to: the target's own records, and more about it."""
        link = self._settings.publish.link.replace("{id}", quote(id_, safe=""))
        return {
            OF_SERVICE: self._own_key(service),
            OF_USER_GROUP: self._own_key(user_group),
            "u_link": link,
        }

    def _own_key(self, ref: str | None) -> str:
        """The target's key of a record, if it is one of the target's."""
        source, _, key = (ref or "").partition("/")
        return key if source == self._target else ""

    # -- records of the target's own ---------------------------------------------------------

    def _scopes(self, results: Sequence[KpiResult], signals: Sequence[Signal]) -> Iterator[Wish]:
        places = self._layout.places
        for table, scope, kind in (
            (places.services, "service_ref", "service"),
            (places.user_groups, "user_group_ref", "user_group"),
        ):
            if table and self._layout.writes(table):
                records = self._records(kind)
                said = facts.scope_facts(results, signals, records, scope)
                yield from self._record_wishes(table, said, records)

    def _initiatives(
        self,
        tables: Mapping[str, pa.Table],
        results: Sequence[KpiResult],
        signals: Sequence[Signal],
    ) -> Iterator[Wish]:
        """What the customers of their service say: development has it before its eyes."""
        table = self._layout.places.initiatives
        if not table or not self._layout.writes(table):
            return
        over = () if self._settings.publish.closed_tickets else ("done", "rejected")
        records = {
            ref: row for ref, row in self._records("initiative").items() if row["state"] not in over
        }
        said = facts.initiative_facts(tables, results, signals, records)
        before = self._store.outbox.written_keys(self._target, table)
        spoken_of = {
            ref: values
            for ref, values in said.items()
            if any(values.values()) or _key(ref) in before
        }
        beside = self._beside(tables, signals, records)
        said_of = {ref: spoken_of.get(ref, {}) for ref in {**spoken_of, **beside}}
        yield from self._record_wishes(table, said_of, records, beside=beside)

    def _beside(
        self, tables: Mapping[str, pa.Table], signals: Sequence[Signal], records: _Rows
    ) -> facts.Facts:
        """Links and comments of the initiatives that have, should have or had one of ours."""
        layout = self._layout
        wanted: dict[str, Mapping[str, str | None]] = {}
        if layout.demand_field:
            wanted[layout.demand_field] = demand_links(tables, self._target, self._address)
        if layout.comment_field:
            wanted[layout.comment_field] = signal_comments(signals, records)
        if not wanted:
            return {}
        written = self._store.outbox.written(self._target, layout.places.initiatives or "", same)
        before = {ref: written.get(_key(ref), {}) for ref in records}
        found: facts.Facts = {}
        for name, texts in wanted.items():
            for ref, text in still_true(texts, name, records, before).items():
                found.setdefault(ref, {})[name] = text
        return found

    def _tickets(self, said: facts.Facts) -> Iterator[Wish]:
        places = self._layout.places
        closed_too = self._settings.publish.closed_tickets
        tickets = {
            ref: row
            for ref, row in self._records("ticket").items()
            if closed_too or row["state"] not in ("closed", "canceled")
        }
        for table in self._layout.ticket_tables:
            of_table = {
                ref: row
                for ref, row in tickets.items()
                if places.all_tickets or row["original_type"] == table
            }
            before = self._store.outbox.written_keys(self._target, table)
            spoken_of = {
                ref: said.get(ref, facts.NO_TICKET_FACTS)
                for ref in of_table
                if ref in said or _key(ref) in before
            }
            still = {} if closed_too else places.still_open
            yield from self._record_wishes(table, spoken_of, of_table, still)

    def _record_wishes(
        self,
        table: str,
        said: facts.Facts,
        records: _Rows,
        still: Mapping[str, str] | None = None,
        beside: facts.Facts | None = None,
    ) -> Iterator[Wish]:
        for ref, facts_ in said.items():
            apart = (beside or {}).get(ref, {})
            values = self._layout.values(table, facts_) | apart
            yield Wish(
                table=table,
                key=_key(ref),
                label=records[ref].get("number") or records[ref].get("name") or ref,
                values=values,
                shared=frozenset(name for name in values if not self._layout.is_ours(name)),
                still=still or {},
                apart=frozenset(apart),
            )

    def _records(self, kind: str) -> dict[str, Mapping[str, str]]:
        """The current records of a kind that come from the target, by ref."""
        return {
            row["ref"]: row
            for row in self._store.versions.all(kind)
            if row["source"] == self._target
        }


def _key(ref: str) -> str:
    """The source's own key of a record."""
    return ref.partition("/")[2]
