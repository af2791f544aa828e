"""Undo a run: put back what stood there before it, unless somebody has changed it since."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from vmo_bridge.connectors.writing import Removing, Writer
from vmo_bridge.errors import AccessError, SourceError, WriteRefused
from vmo_bridge.publish.deliver import Courier, Delivery
from vmo_bridge.publish.look import by_place, sought
from vmo_bridge.publish.notation import same
from vmo_bridge.publish.switch import KillSwitch
from vmo_bridge.settings import Settings
from vmo_bridge.store import Store
from vmo_bridge.store.outbox import Ending, OutboxItem
from vmo_bridge.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoRow:
    """What undoing says about one record."""

    action: Literal["restore", "remove", "kept", "gone", "nothing"]
    """restore fields, remove a record of ours, or leave it: changed since, deleted, or as before.
    """
    item: OutboxItem
    """What the run wrote, with the record's key."""
    values: Mapping[str, str] = field(default_factory=dict)
    """What is put back."""
    now: Mapping[str, str] = field(default_factory=dict)
    """What stands there now, of those fields."""
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class UndoOutcome:
    """What undoing would do to one target, and what became of it if it was done."""

    target: str
    plan: list[UndoRow]
    delivery: Delivery | None = None
    removed: int = 0
    refused: list[tuple[OutboxItem, str]] = field(default_factory=list)
    """Records of ours that could not be removed, each with the reason."""

    def counts(self) -> dict[str, int]:
        """How many rows there are of each action."""
        counts = dict.fromkeys(("restore", "remove", "kept", "gone", "nothing"), 0)
        for row in self.plan:
            counts[row.action] += 1
        return counts


class Undo:
    """Undoes what one run wrote to one target."""

    def __init__(self, store: Store, settings: Settings, name: str, writer: Writer) -> None:
        self._store = store
        self._name = name
        self._writer = writer
        self._switch = KillSwitch(settings)

    def plan(self, run_id: int) -> UndoOutcome:
        """Look at each record that the run wrote to, or may have; writes nothing over there."""
        self._courier(Watch()).settle()
        items = [each for each in self._store.outbox.of_run(run_id, self._name) if each.sent_at]
        items = [each for each in items if each.state not in ("refused", "moved")]
        rows = [
            row
            for (table, field_, _), group in by_place(items, self._writer.places.apart).items()
            for row in self._rows(table, field_, group)
        ]
        return UndoOutcome(target=self._name, plan=rows)

    def apply(self, run_id: int, own_run: int, watch: Watch) -> UndoOutcome:
        """Plan, put back, read back; from then on nothing is published until a person resumes it.

        Otherwise the next publish would write it all again.
        """
        self._switch.stop(f"run {run_id} was undone; 'vmo-bridge publish --resume' goes on")
        outcome = self.plan(run_id)
        restored = [
            replace(row.item, id=0, state="waiting", values=row.values, before=row.now, still={})
            for row in outcome.plan
            if row.action == "restore"
        ]
        self._store.outbox.queue(own_run, self._name, restored)
        courier = self._courier(watch)
        # What somebody changes between our look and the write stays, also in fields of ours.
        courier.shared = frozenset(name for each in restored for name in each.values)
        outcome.delivery = courier.deliver(len(restored))
        if not outcome.delivery.waiting:
            # What was sent and not noted stays in the outbox until it is known whether it arrived.
            self._remove([row for row in outcome.plan if row.action == "remove"], own_run, outcome)
        return outcome

    def _courier(self, watch: Watch) -> Courier:
        return Courier(
            store=self._store,
            target=self._name,
            writer=self._writer,
            watch=watch,
            stopped=lambda: "",
        )

    def _rows(self, table: str, field_: str, items: Sequence[OutboxItem]) -> Iterator[UndoRow]:
        names = tuple(dict.fromkeys(name for each in items for name in (*each.match, *each.values)))
        keys = [sought(each) for each in items]
        try:
            found = self._writer.current(table, field_, keys, names)
        except (AccessError, SourceError) as error:
            yield from (UndoRow(action="kept", item=each, reason=str(error)) for each in items)
            return
        written = self._store.outbox.written(self._name, table, same, restored_too=True)
        key_of = {
            key if field_ == "sys_id" else held.get(field_, ""): key for key, held in found.items()
        }
        for item, wanted in zip(items, keys, strict=True):
            key = key_of.get(wanted)
            if key is None:
                yield UndoRow(action="gone", item=item, reason="the record is not there any more")
                continue
            ours = {**item.match, **item.values, **written.get(key, {})}
            if item.state in ("waiting", "superseded"):
                # It arrived in part, or nobody saw whether it did: what it wrote is ours, too.
                ours |= {
                    name: text
                    for name, text in item.values.items()
                    if same(found[key].get(name, ""), text)
                }
            yield _judge(replace(item, key=key), found[key], ours)

    def _remove(self, rows: Sequence[UndoRow], own_run: int, outcome: UndoOutcome) -> None:
        """Take away what we made; noted before, so that a kill leaves no removal unaccounted."""
        items = [replace(row.item, id=0, values={}, before=row.now, still={}) for row in rows]
        self._store.outbox.queue(own_run, self._name, items)
        for item in self._store.outbox.waiting(self._name):
            self._store.outbox.send([item])
            reason = self._removed(item)
            state = "refused" if reason else "removed"
            self._store.outbox.end([Ending(item=item, state=state, reason=reason)])
            if reason:
                outcome.refused.append((item, reason))
            else:
                outcome.removed += 1

    def _removed(self, item: OutboxItem) -> str:
        """Remove a record; returns why it is still there, or nothing."""
        if not isinstance(self._writer, Removing) or item.key is None:
            return "the target lets nobody take a record away from here; delete it over there"
        try:
            now = self._writer.current(item.table, "sys_id", [item.key], [*item.before])
            held = now.get(item.key)
            if held is None:
                return ""
            moved = [
                name
                for name, text in item.before.items()
                if name in held and not same(held[name], text)
            ]
            if moved:
                return _told(held, moved)
            self._writer.remove(item.table, item.key)
            left = self._writer.current(item.table, "sys_id", [item.key], ("sys_id",))
        except (WriteRefused, AccessError, SourceError) as error:
            return str(error)
        return "it is still there, although the target said yes" if left else ""


def _judge(item: OutboxItem, now: Mapping[str, str], ours: Mapping[str, str]) -> UndoRow:
    """What is done with a record: ``ours`` is what we last wrote to its fields."""
    names = [name for name in (*item.match, *item.values) if name in now]
    moved = [name for name in names if not same(now[name], ours.get(name, ""))]
    if item.match and not item.before:
        if moved:
            return _kept(item, now, moved)
        return UndoRow(action="remove", item=item, now={name: now[name] for name in names})
    back = {
        name: text
        for name, text in item.before.items()
        if name in now and now[name] != text and name not in moved
    }
    if back:
        return UndoRow(
            action="restore",
            item=item,
            values=back,
            now={name: now[name] for name in back},
            reason=_told(now, [name for name in moved if name in item.before]),
        )
    changed = [name for name in moved if now[name] != item.before.get(name)]
    return _kept(item, now, changed) if changed else UndoRow(action="nothing", item=item)


def _kept(item: OutboxItem, now: Mapping[str, str], names: Sequence[str]) -> UndoRow:
    return UndoRow(action="kept", item=item, now=dict(now), reason=_told(now, names))


def _told(now: Mapping[str, str], names: Sequence[str]) -> str:
    """What is said of fields that are left as they are; empty if there are none."""
    if not names:
        return ""
    held = ", ".join(f"{name} holds {now[name]!r:.60}" for name in names)
    return f"changed by somebody since: {held}"
