"""Look again just before a write: whether it is still to be done, and may still be done."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from vmo_bridge.connectors.writing import Writer
from vmo_bridge.errors import AccessError, SourceError
from vmo_bridge.publish.notation import same
from vmo_bridge.publish.plan import no_field, unfit
from vmo_bridge.store.outbox import OutboxItem

_GONE = "the record was deleted since it was planned, or our user may not see it any more"


@dataclass(slots=True)
class Looked:
    """What a second look says of some items."""

    ready: list[OutboxItem] = field(default_factory=list)
    """To be written, with what stands there now as ``before``."""
    moved: list[tuple[OutboxItem, str]] = field(default_factory=list)
    """Not to be written any more, and why."""
    impossible: list[tuple[OutboxItem, str]] = field(default_factory=list)
    """To be written, and not possible any more."""
    keys: dict[int, str] = field(default_factory=dict)
    """Item id to the key of its record, where that is there."""


def look_again(writer: Writer, items: Sequence[OutboxItem], shared: frozenset[str]) -> Looked:
    """Compare items with what their records hold now.

    In fields that are ``shared`` with people, what somebody put there since the plan stays.
    """
    looked = Looked()
    for (table, field_, _), group in by_place(items, writer.places.apart).items():
        names = tuple(
            dict.fromkeys(
                name for each in group for name in (*each.match, *each.values, *each.still)
            )
        )
        wanted = [sought(each) for each in group]
        try:
            found = writer.current(table, field_, wanted, names)
        except (AccessError, SourceError) as error:
            looked.impossible += [(each, str(error)) for each in group]
            continue
        key_of = {
            key if field_ == "sys_id" else held.get(field_, ""): key for key, held in found.items()
        }
        for item, each in zip(group, wanted, strict=True):
            key = key_of.get(each)
            if key is not None:
                looked.keys[item.id] = key
            _judge(item, key, found.get(key or ""), shared, looked)
    return looked


def by_place(
    items: Sequence[OutboxItem], apart: frozenset[str]
) -> Mapping[tuple[str, str, frozenset[str]], list[OutboxItem]]:
    """By table, by the field that tells their records, and by what stands ``apart`` from them.

    So only those records are asked for what takes a call of its own that were written to there.
    """
    groups: dict[tuple[str, str, frozenset[str]], list[OutboxItem]] = defaultdict(list)
    for item in items:
        field_ = "sys_id" if item.key else next(iter(item.match), "sys_id")
        groups[item.table, field_, apart.intersection(item.values)].append(item)
    return groups


def sought(item: OutboxItem) -> str:
    """By what the item's record is looked for."""
    return item.key or next(iter(item.match.values()), "")


def _judge(
    item: OutboxItem,
    key: str | None,
    now: Mapping[str, str] | None,
    shared: frozenset[str],
    looked: Looked,
) -> None:
    if key is None or now is None:
        if item.key is None:
            looked.ready.append(item)
        else:
            looked.impossible.append((item, _GONE))
        return
    absent = [name for name in item.values if name not in now]
    if absent:
        looked.impossible.append((item, no_field(", ".join(absent))))
        return
    reason = unfit(item.still, now)
    left = {name: text for name, text in item.values.items() if not same(now[name], text)}
    taken = [
        name for name in left if name in shared and not same(now[name], item.before.get(name, ""))
    ]
    for name in taken:
        del left[name]
    if reason:
        looked.moved.append((item, reason))
    elif left:
        before = {name: now[name] for name in left}
        looked.ready.append(replace(item, key=key, values=left, before=before))
    elif taken:
        looked.moved.append((item, f"{', '.join(taken)}: changed by somebody since it was planned"))
    else:
        looked.moved.append((item, "holds it already"))
