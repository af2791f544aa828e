"""The plan: what should stand over there, what does, and so what would be written and what not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from vmo_bridge.connectors.writing import Writer
from vmo_bridge.errors import AccessError, SourceError


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """What the plan says about one record."""

    action: Literal["create", "change", "unchanged", "refused"]
    table: str
    label: str
    key: str | None
    match: Mapping[str, str]
    values: Mapping[str, str]
    """Only what differs."""
    before: Mapping[str, str]
    reason: str = ""


def make_plan(writer: Writer, wishes: Iterable[Wish]) -> list[PlanRow]:
    """Compare each wish with what the target holds now."""
    by_table: dict[str, list[Wish]] = {}
    for wish in wishes:
        by_table.setdefault(wish.table, []).append(wish)
    return [row for table, group in by_table.items() for row in _plan_table(writer, table, group)]


def _plan_table(writer: Writer, table: str, wishes: Sequence[Wish]) -> Iterable[PlanRow]:
    match_field = wishes[0].match_field
    fields = tuple(dict.fromkeys(name for wish in wishes for name in wish.values))
    try:
        current = writer.current(
            table, match_field or "sys_id", [wish.key for wish in wishes], fields
        )
    except (AccessError, SourceError) as error:
        return [_refused(wish, str(error)) for wish in wishes]
    if not match_field:
        return [_compare(wish, wish.key, current.get(wish.key)) for wish in wishes]
    if any(match_field not in values for values in current.values()):
        return [_refused(wish, _no_field(match_field)) for wish in wishes]
    by_match = {values[match_field]: key for key, values in current.items()}
    return [
        _compare(wish, by_match.get(wish.key), current.get(by_match.get(wish.key, "")))
        for wish in wishes
    ]


def _compare(wish: Wish, key: str | None, now: Mapping[str, str] | None) -> PlanRow:
    match = {wish.match_field: wish.key} if wish.match_field else {}
    if now is None:
        if not wish.match_field:
            return _refused(wish, "the record is not there, or our user may not see it")
        return PlanRow(
            action="create" if wish.create else "unchanged",
            table=wish.table,
            label=wish.label,
            key=None,
            match=match,
            values=wish.values if wish.create else {},
            before={},
        )
    absent = [name for name in wish.values if name not in now]
    if absent:
        return _refused(wish, _no_field(", ".join(absent)))
    changed = {name: text for name, text in wish.values.items() if not same(now[name], text)}
    return PlanRow(
        action="change" if changed else "unchanged",
        table=wish.table,
        label=wish.label,
        key=key,
        match=match,
        values=changed,
        before={name: now[name] for name in changed},
    )


def _refused(wish: Wish, reason: str) -> PlanRow:
    return PlanRow(
        action="refused",
        table=wish.table,
        label=wish.label,
        key=wish.key,
        match={},
        values={},
        before={},
        reason=reason,
    )


def _no_field(names: str) -> str:
    return f"the target has no field {names}; run 'vmo-bridge provision'"


def same(stored: str, wished: str) -> bool:
    """Whether two notations say the same: ``1`` and ``true`` differ, ``0.50`` and ``.5`` do not.

    A number that is zero by default on a record nobody wrote to reads as ``0``, or as empty; the
    two are different: empty is *not known*.
    """
    if stored == wished:
        return True
    try:
        return bool(stored and wished) and abs(float(stored) - float(wished)) < 1e-9
    except ValueError:
        return False
