"""Deliver the outbox: write one record, read it back, judge what was stored, keep the receipt."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from vmo_bridge.connectors.writing import Change, Receipt, Writer
from vmo_bridge.errors import AccessError, RetryLater, SignInError, SourceError, WriteRefused
from vmo_bridge.publish.plan import same
from vmo_bridge.store import Store
from vmo_bridge.store.outbox import OutboxItem, StoredReceipt
from vmo_bridge.watch import Watch

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Delivery:
    """How the deliveries went."""

    stored: int = 0
    troubled: list[tuple[OutboxItem, str]] = field(default_factory=list)
    """Items that did not end as planned, each with the reason."""
    waiting: str = ""
    """Why the rest still waits; empty if nothing does."""


def deliver(
    store: Store,
    target: str,
    writer: Writer,
    watch: Watch,
    stored: Callable[[OutboxItem, str], None],
) -> Delivery:
    """Deliver what waits for a target, in order; ``stored`` hears each that arrived, with its key.

    A target that is away leaves the rest waiting; an item that it refuses is parked with the
    reason, and the rest goes on.
    """
    delivery = Delivery()
    items = store.outbox.waiting(target)
    watch.begin(f"writing to {target}", len(items))
    try:
        for item in items:
            watch.stop_here()
            _deliver_one(store, writer, item, delivery, stored)
            watch.advance()
    except (RetryLater, SignInError) as error:
        delivery.waiting = str(error)
        log.warning("writing to %s stops, the rest waits: %s", target, error)
    finally:
        watch.end(f"{delivery.stored} stored, {len(delivery.troubled)} not")
    return delivery


def _deliver_one(
    store: Store,
    writer: Writer,
    item: OutboxItem,
    delivery: Delivery,
    stored: Callable[[OutboxItem, str], None],
) -> None:
    change = Change(
        table=item.table, key=item.key, match=item.match, values=item.values, before=item.before
    )
    try:
        key = writer.write(change)
        receipt = writer.read_back(change, key)
    except (WriteRefused, AccessError, SourceError) as error:
        store.outbox.end(item, "refused", str(error))
        delivery.troubled.append((item, str(error)))
        return
    state, reason = verdict(change, receipt)
    store.outbox.end(item, state, reason, _kept(item, receipt, state))
    if state == "stored":
        delivery.stored += 1
        stored(item, key)
    else:
        delivery.troubled.append((item, reason))


def verdict(change: Change, receipt: Receipt) -> tuple[str, str]:
    """What became of a change, by what the record holds now: (state, reason).

    ``not-stored``: a field is missing in the answer or still holds what it held (an access rule or
    an unknown field dropped it). ``reverted``: it holds something third (a business rule).
    """
    wished = {**change.match, **change.values}
    for name, text in wished.items():
        if name not in receipt.stored:
            return "not-stored", f"{name} is not stored: the field is unknown or hidden there"
        now = receipt.stored[name]
        if same(now, text):
            continue
        if same(now, change.before.get(name, "")):
            return "not-stored", f"{name} still holds {now!r:.60}: an access rule may guard it"
        return "reverted", f"{name} holds {now!r:.60} instead of {text!r:.60}: reverted over there"
    return "stored", ""


def _kept(item: OutboxItem, receipt: Receipt, state: str) -> StoredReceipt:
    return StoredReceipt(
        target=item.target,
        table=item.table,
        key=receipt.key,
        stored=receipt.stored,
        verdict=state,
        seen_at=receipt.seen_at,
    )
