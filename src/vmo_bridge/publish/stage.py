"""The stage: from wishes to a plan, and (if told to) delivery."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from vmo_bridge.connectors.contract import Connector
from vmo_bridge.connectors.writing import Writer
from vmo_bridge.publish.beside import Address, nowhere
from vmo_bridge.publish.columns import KEY
from vmo_bridge.publish.deliver import Courier, Delivery
from vmo_bridge.publish.facts import as_told
from vmo_bridge.publish.layout import Layout
from vmo_bridge.publish.notation import same
from vmo_bridge.publish.plan import Past, PlanRow, make_plan
from vmo_bridge.publish.switch import KillSwitch
from vmo_bridge.publish.wishes import Wishes
from vmo_bridge.records import KpiResult
from vmo_bridge.settings import Settings
from vmo_bridge.store import Store
from vmo_bridge.store.clock import now
from vmo_bridge.store.contests import Strike
from vmo_bridge.store.outbox import OutboxItem
from vmo_bridge.watch import Watch

_HOUR = timedelta(hours=1)


@dataclass(slots=True, kw_only=True)
class PublishOutcome:
    """The plan, and what became of it if it was applied."""

    target: str
    plan: list[PlanRow] = field(default_factory=list)
    delivery: Delivery | None = None
    """None: only planned."""
    blocked: tuple[str, ...] = ()
    """Falls that nobody explained, or the kill switch: nothing is written until that is over."""

    def counts(self) -> dict[str, int]:
        """How many rows of the plan there are of each action."""
        counts = dict.fromkeys(("create", "change", "unchanged", "refused", "held"), 0)
        for row in self.plan:
            counts[row.action] += 1
        return counts


class Publisher:
    """Publishes to one target."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        name: str,
        writer: Writer,
        *,
        as_of: datetime,
        retry: bool = False,
        address: Address = nowhere,
    ) -> None:
        """``retry``: what was left alone for a while is tried at once; ``address``: of a record."""
        self._address = address
        self._store = store
        self._settings = settings
        self._name = name
        self._writer = writer
        self._as_of = as_of
        self._retry = retry
        self._switch = KillSwitch(settings)
        self.layout = Layout(settings.publish, writer.places, name)

    def plan(self) -> PublishOutcome:
        """Compare what should stand over there with what does; writes nothing."""
        wishes = Wishes(
            self._store,
            self._settings,
            self._name,
            self.layout,
            as_of=self._as_of,
            address=self._address,
        )
        return PublishOutcome(
            target=self._name, plan=make_plan(self._writer, wishes.all(), self._past)
        )

    def apply(
        self, run_id: int, watch: Watch, published: Callable[[KpiResult, str], None]
    ) -> PublishOutcome:
        """Plan, then deliver; ``published`` is told of each KPI result that was read back, as told.

        Nothing is queued while an alarm stands: values from data that may be wiped are no values.
        """
        blocked = self._blocked()
        if blocked:
            outcome = self.plan()
            outcome.blocked = blocked
            return outcome
        results = {
            key: as_told(each, self._settings.publish)
            for key, each in self._store.findings.kpis_by_id().items()
        }

        def stored(item: OutboxItem, key: str) -> None:
            result = results.get(item.match.get(KEY, ""))
            if result is not None:
                published(result, key)

        courier = Courier(
            store=self._store,
            target=self._name,
            writer=self._writer,
            watch=watch,
            stopped=self._switch.reason,
            stored=stored,
        )
        courier.settle()
        if self._retry:
            self._store.contests.make_due(self._name)
        outcome = self.plan()
        courier.shared = frozenset(name for row in outcome.plan for name in row.shared)
        self._note(outcome.plan)
        self._store.outbox.queue(run_id, self._name, map(self._item, _to_write(outcome.plan)))
        outcome.delivery = courier.deliver(self._limit())
        return outcome

    def _blocked(self) -> tuple[str, ...]:
        stopped = self._switch.reason()
        return (*self._store.certificates.alarms(), *([stopped] if stopped else []))

    def _limit(self) -> int:
        """How many records may be written now."""
        publish = self._settings.publish
        sent = self._store.outbox.sent_since(self._name, now() - _HOUR)
        return max(0, min(publish.max_writes_per_run, publish.max_writes_per_hour - sent))

    def _past(self, table: str) -> Past:
        return Past(
            written=self._store.outbox.written(self._name, table, same),
            contests=self._store.contests.of(self._name, table),
            now=now(),
            retry=self._retry,
            take_over=self._settings.publish.take_over,
        )

    def _note(self, plan: Sequence[PlanRow]) -> None:
        """Strike what was changed over there; whatever stands as it should is contested no more."""
        strikes: dict[str, list[Strike]] = defaultdict(list)
        settled: dict[str, list[str]] = defaultdict(list)
        for row in plan:
            if row.contested:
                strikes[row.table] += [
                    Strike(record=row.record, field=name, wished=text, reason=row.reason)
                    for name, text in row.values.items()
                ]
            elif row.action == "unchanged":
                settled[row.table].append(row.record)
        with self._store.transaction():
            for table, each in strikes.items():
                self._store.contests.strike(self._name, table, each)
            for table, records in settled.items():
                self._store.contests.settle(self._name, table, records)

    def _item(self, row: PlanRow) -> OutboxItem:
        return OutboxItem(
            target=self._name,
            table=row.table,
            key=row.key,
            match=row.match,
            values=row.values,
            before=row.before,
            still=row.still,
        )


def writable(connector: Connector) -> Writer | None:
    """The connector as one that can be written to, if it can."""
    return connector if isinstance(connector, Writer) else None


def _to_write(plan: Iterable[PlanRow]) -> Iterator[PlanRow]:
    return (row for row in plan if row.action in ("create", "change"))
