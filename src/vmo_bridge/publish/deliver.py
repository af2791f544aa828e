"""Deliver the outbox: look again, write, read back, judge what was stored, keep the receipt.

The target cannot be told "only if it is still so": between the look and the write some
milliseconds remain in which somebody else may write. What was overwritten then is told by nobody;
docs/publish.md says so.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from vmo_bridge.connectors.writing import BulkWriter, Change, Receipt, Writer, Written
from vmo_bridge.errors import AccessError, RetryLater, SignInError, SourceError, WriteRefused
from vmo_bridge.publish.look import Looked, look_again
from vmo_bridge.publish.verdict import Verdict, verdict
from vmo_bridge.store import Store
from vmo_bridge.store.contests import Strike
from vmo_bridge.store.outbox import Ending, OutboxItem, StoredReceipt
from vmo_bridge.watch import Watch

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Delivery:
    """How the deliveries went."""

    arrived: list[OutboxItem] = field(default_factory=list)
    """Items that were read back as they were written."""
    troubled: list[tuple[OutboxItem, str]] = field(default_factory=list)
    """Items that did not end as planned, each with the reason."""
    moved: list[tuple[OutboxItem, str]] = field(default_factory=list)
    """Items whose record had changed since it was planned: the next publish plans them anew."""
    waiting: str = ""
    """Why the rest still waits; empty if nothing does."""

    @property
    def stored(self) -> int:
        """How many arrived."""
        return len(self.arrived)


def _unheard(item: OutboxItem, key: str) -> None:
    """Nobody listens."""


@dataclass(slots=True, kw_only=True)
class Courier:
    """Delivers to one target."""

    store: Store
    target: str
    writer: Writer
    watch: Watch
    stopped: Callable[[], str]
    """Why nothing is to be written (the kill switch); looked at before each call."""
    shared: frozenset[str] = frozenset()
    """Fields that are not ours by their name: what somebody else put there meanwhile stays."""
    stored: Callable[[OutboxItem, str], None] = _unheard
    """Hears of each item that arrived, with its record's key."""

    def deliver(self, limit: int) -> Delivery:
        """Deliver what waits, in its order, ``limit`` records at most.

        A target that is away leaves the rest waiting; an item that it refuses is parked with the
        reason, and the rest goes on.
        """
        delivery = Delivery()
        items = self.store.outbox.waiting(self.target)
        self.watch.begin(f"writing to {self.target}", min(limit, len(items)))
        try:
            for part in self._parts(items[:limit]):
                self.watch.stop_here()
                delivery.waiting = self.stopped()
                if delivery.waiting:
                    break
                self._deliver_part(part, delivery)
                self.watch.advance(len(part))
            else:
                delivery.waiting = _over(limit, len(items))
        except (RetryLater, SignInError) as error:
            delivery.waiting = str(error)
            log.warning("writing to %s stops, the rest waits: %s", self.target, error)
        finally:
            self.watch.end(f"{delivery.stored} stored, {len(delivery.troubled)} not")
        return delivery

    def settle(self) -> int:
        """Give those that a run cut short had sent the receipt they lack; returns how many."""
        sent = [each for each in self.store.outbox.waiting(self.target) if each.sent_at]
        arrived = 0
        for part in self._parts(sent):
            looked = look_again(self.writer, part, frozenset())
            keyed = [
                replace(each, key=looked.keys[each.id]) for each in part if each.id in looked.keys
            ]
            for item, receipt in zip(keyed, self._receipts(keyed), strict=True):
                if receipt and verdict(_change(item), receipt.stored).state == "stored":
                    self._end([(item, receipt, Verdict("stored"))], Delivery())
                    arrived += 1
        return arrived

    def _parts(self, items: Sequence[OutboxItem]) -> Iterator[Sequence[OutboxItem]]:
        size = self.writer.batch if isinstance(self.writer, BulkWriter) else 1
        for start in range(0, len(items), size):
            yield items[start : start + size]

    def _deliver_part(self, part: Sequence[OutboxItem], delivery: Delivery) -> None:
        looked = look_again(self.writer, part, self.shared)
        self._drop(looked, delivery)
        if not looked.ready:
            return
        self.store.outbox.send(looked.ready)
        written = self._write(looked.ready)
        arrived = []
        refused = []
        for item, each in zip(looked.ready, written, strict=True):
            if each.key is None:
                refused.append((item, each.refused))
            else:
                arrived.append(replace(item, key=each.key))
        self._park(refused, delivery)
        judged = []
        unseen = []
        for item, receipt in zip(arrived, self._receipts(arrived), strict=True):
            if receipt is None:
                unseen.append((item, _UNSEEN.format(item.table, item.key)))
            else:
                judged.append((item, receipt, verdict(_change(item), receipt.stored)))
        # It may have arrived: so it is kept true, and can be undone.
        self._park(unseen, delivery, "not-stored")
        self._end(judged, delivery)

    def _write(self, items: Sequence[OutboxItem]) -> list[Written]:
        changes = [_change(each) for each in items]
        if isinstance(self.writer, BulkWriter) and len(changes) > 1:
            try:
                return self.writer.write_many(changes)
            except (WriteRefused, AccessError, SourceError) as error:
                # Whichever it lies in: one by one, it holds up no other.
                log.warning("%s: %d changes at once: %s", self.target, len(changes), error)
        return [self._write_one(each) for each in changes]

    def _write_one(self, change: Change) -> Written:
        try:
            return Written(key=self.writer.write(change))
        except (WriteRefused, AccessError, SourceError) as error:
            return Written(refused=str(error))

    def _receipts(self, items: Sequence[OutboxItem]) -> list[Receipt | None]:
        changes = [_change(each) for each in items]
        keys = [each.key or "" for each in items]
        if isinstance(self.writer, BulkWriter) and len(changes) > 1:
            try:
                return self.writer.read_back_many(changes, keys)
            except (WriteRefused, AccessError, SourceError) as error:
                log.warning("%s: %d records read at once: %s", self.target, len(keys), error)
        return [self._receipt(*each) for each in zip(changes, keys, strict=True)]

    def _receipt(self, change: Change, key: str) -> Receipt | None:
        try:
            return self.writer.read_back(change, key)
        except (WriteRefused, AccessError, SourceError) as error:
            log.warning("%s: %s/%s: %s", self.target, change.table, key, error)
            return None

    # -- how items end -----------------------------------------------------------------------

    def _drop(self, looked: Looked, delivery: Delivery) -> None:
        """What needs no write any more, and what can have none."""
        self.store.outbox.end(
            [Ending(item=item, state="moved", reason=why) for item, why in looked.moved]
        )
        delivery.moved += looked.moved
        self._park(looked.impossible, delivery)

    def _park(
        self,
        refused: Sequence[tuple[OutboxItem, str]],
        delivery: Delivery,
        state: Literal["refused", "not-stored"] = "refused",
    ) -> None:
        with self.store.transaction():
            self.store.outbox.end(
                [Ending(item=item, state=state, reason=why) for item, why in refused]
            )
            self._strike([(item, tuple(item.values), why) for item, why in refused])
        delivery.troubled += refused

    def _end(
        self, judged: Sequence[tuple[OutboxItem, Receipt, Verdict]], delivery: Delivery
    ) -> None:
        with self.store.transaction():
            self.store.outbox.end(
                [
                    Ending(
                        item=item, state=it.state, reason=it.reason,
                        receipt=_kept(item, receipt, it.state),
                    )
                    for item, receipt, it in judged
                ]
            )  # fmt: skip
            self._strike([(item, it.fields, it.reason) for item, _, it in judged if it.fields])
            for item, _, it in judged:
                if it.state == "stored":
                    self.store.contests.stood(self.target, item.table, item.record, item.values)
        for item, receipt, it in judged:
            if it.state == "stored":
                delivery.arrived.append(item)
                self.stored(item, receipt.key)
            else:
                delivery.troubled.append((item, it.reason))

    def _strike(self, troubled: Sequence[tuple[OutboxItem, Sequence[str], str]]) -> None:
        by_table: dict[str, list[Strike]] = defaultdict(list)
        for item, fields, why in troubled:
            # A record that could not be made is contested by the field that holds our key.
            wished = {**item.values, **item.match}
            names = [*item.match] if item.key is None else fields
            by_table[item.table] += [
                Strike(record=item.record, field=name, wished=wished[name], reason=why)
                for name in names
            ]
        for table, strikes in by_table.items():
            self.store.contests.strike(self.target, table, strikes)


_UNSEEN = (
    "{}/{} cannot be seen after the write; it was deleted meanwhile, or the user may not read it"
)


def _over(limit: int, waiting: int) -> str:
    if waiting <= limit:
        return ""
    return (
        f"{waiting - limit} more: no more than publish.max_writes_per_run and "
        "publish.max_writes_per_hour allow; the next publish goes on"
    )


def _change(item: OutboxItem) -> Change:
    return Change(
        table=item.table, key=item.key, match=item.match, values=item.values, before=item.before
    )


def _kept(item: OutboxItem, receipt: Receipt, state: str) -> StoredReceipt:
    return StoredReceipt(
        target=item.target,
        table=item.table,
        key=receipt.key,
        stored=receipt.stored,
        verdict=state,
        seen_at=receipt.seen_at,
        changed_at=receipt.changed_at,
    )
