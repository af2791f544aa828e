"""The plan: what should stand over there, what does, and so what would be written and what not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from vmo_bridge.connectors.writing import Writer
from vmo_bridge.errors import AccessError, SourceError
from vmo_bridge.publish.notation import same
from vmo_bridge.publish.wishes import Wish
from vmo_bridge.store.contests import Contest

_STUBBORN = 3
"""After so many strikes a field is left alone until its time, whatever is to stand there."""

_UNREAD = "the target does not let us read {}; the log says why"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """What the plan says about one record."""

    action: Literal["create", "change", "unchanged", "refused", "held"]
    table: str
    label: str
    key: str | None
    match: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    """Only what differs."""
    before: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    still: Mapping[str, str] = field(default_factory=dict)
    """What fields of the record have to hold just before it is written to."""
    shared: frozenset[str] = frozenset()
    """Fields that are not ours by their name."""
    contested: bool = False
    """Held because somebody changed over there what we wrote, which nobody had noticed before."""

    @property
    def record(self) -> str:
        """What tells the record from others of its table, before it is there and after."""
        return next(iter(self.match.values()), self.key or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is known of earlier writes to one table."""

    written: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Record key to what we last wrote to its fields and saw stored there."""
    contests: Mapping[tuple[str, str], Contest] = field(default_factory=dict)
    """(record, field) to who is stronger there."""
    now: datetime
    retry: bool = False
    """Whether what was left alone for a while is tried at once."""
    take_over: bool = False
    """Whether fields of the admin's own may be written over whoever filled them."""


def make_plan(
    writer: Writer, wishes: Iterable[Wish], past_of: Callable[[str], Past]
) -> list[PlanRow]:
    """Compare each wish with what the target holds now; ``past_of`` gives a table's past."""
    pasts: dict[str, Past] = {}
    groups: dict[tuple[str, frozenset[str]], list[Wish]] = {}
    for wish in wishes:
        if wish.values:
            # What stands beside a record takes a call of its own: for those only that need it.
            groups.setdefault((wish.table, wish.apart), []).append(wish)
    rows: list[PlanRow] = []
    for (table, _), group in groups.items():
        if table not in pasts:
            pasts[table] = past_of(table)
        rows += _plan_table(writer, table, group, pasts[table])
    return rows


def _plan_table(
    writer: Writer, table: str, wishes: Sequence[Wish], past: Past
) -> Iterator[PlanRow]:
    match_field = wishes[0].match_field
    fields = tuple(dict.fromkeys(name for wish in wishes for name in (*wish.values, *wish.still)))
    keys = [wish.key for wish in wishes]
    try:
        current = writer.current(table, match_field or "sys_id", keys, fields)
    except (AccessError, SourceError) as error:
        yield from (_refused(wish, str(error)) for wish in wishes)
        return
    if match_field and any(match_field not in values for values in current.values()):
        yield from (_refused(wish, no_field(match_field)) for wish in wishes)
        return
    key_of = {values[match_field]: key for key, values in current.items()} if match_field else {}
    for wish in wishes:
        key = key_of.get(wish.key) if match_field else wish.key
        yield from _compare(wish, key, current.get(key or ""), past)


def _compare(
    wish: Wish, key: str | None, now: Mapping[str, str] | None, past: Past
) -> Iterator[PlanRow]:
    """The rows of one record: what is written, and what is not with its reason."""
    if now is None or key is None:
        yield _of_absent(wish, past)
        return
    absent = {name for name in wish.values if name not in now}
    if absent:
        is_beside = absent <= wish.apart
        names = ", ".join(sorted(absent))
        yield _refused(wish, _UNREAD.format(names) if is_beside else no_field(names), key)
        if not is_beside:
            return
    reason = unfit(wish.still, now)
    told = {name: text for name, text in wish.values.items() if name not in absent}
    changed = {name: text for name, text in told.items() if not same(now[name], text)}
    if changed and reason:
        yield _refused(wish, reason, key)
        return
    judged = {name: _judge(wish, key, name, now[name], past) for name in changed}
    for verdict in dict.fromkeys(each for each in judged.values() if each):
        yield _row(
            wish,
            verdict.action,
            key,
            {name: changed[name] for name, each in judged.items() if each == verdict},
            now,
            reason=verdict.reason,
            contested=verdict.contested,
        )
    free = {name: text for name, text in changed.items() if judged[name] is None}
    if free or (told and not changed):
        yield _row(wish, "change" if free else "unchanged", key, free, now)


def _of_absent(wish: Wish, past: Past) -> PlanRow:
    """A record that is not there: ours to create, or a mistake."""
    if not wish.match_field:
        return _refused(wish, "the record is not there, or our user may not see it")
    if not wish.create:
        return _row(wish, "unchanged", None, {}, {})
    held = _held_back(past, wish.key, wish.match_field, wish.key)
    if held:
        return _row(wish, "held", None, wish.values, {}, reason=held)
    return _row(wish, "create", None, wish.values, {})


@dataclass(frozen=True, slots=True)
class _Verdict:
    """Why a field is not written."""

    action: Literal["refused", "held"]
    reason: str
    contested: bool = False


def _judge(wish: Wish, key: str, name: str, now: str, past: Past) -> _Verdict | None:
    """Whether a field that differs is left alone, and why; None: it is written."""
    text = wish.values[name]
    ours = past.written.get(key, {}).get(name)
    is_foreign = bool(now) and (ours is None or not same(now, ours))
    if name in wish.shared and is_foreign and not past.take_over:
        return _Verdict(
            "refused",
            f"{name} holds {now!r:.60}, which we did not write; empty it, or set publish.take_over",
        )
    record = wish.key if wish.match_field else key
    held = _held_back(past, record, name, text)
    if held:
        return _Verdict("held", held)
    contest = past.contests.get((record, name))
    is_due = past.retry or (contest is not None and contest.retry_at is not None)
    if ours is not None and same(ours, text) and not is_due:
        return _Verdict(
            "held",
            f"{name} holds {now!r:.60}: changed over there after we wrote {text!r:.60}",
            contested=True,
        )
    return None


def _held_back(past: Past, record: str, name: str, text: str) -> str:
    """Why a field is left alone until its time; empty if it is not."""
    contest = past.contests.get((record, name))
    if past.retry or contest is None or contest.retry_at is None or contest.retry_at <= past.now:
        return ""
    if not same(contest.wished, text) and contest.strikes < _STUBBORN:
        return ""
    return (
        f"{contest.reason}; left alone until {contest.retry_at:%Y-%m-%d %H:%M} UTC "
        "(publish --retry tries at once)"
    )


def unfit(still: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Why a record is not to be written to any more; empty if it is."""
    moved = [name for name, text in still.items() if name in now and not same(now[name], text)]
    if not moved:
        return ""
    return f"closed meanwhile ({moved[0]} is {now[moved[0]]!r:.40}); publish.closed_tickets is off"


def _row(
    wish: Wish,
    action: Literal["create", "change", "unchanged", "refused", "held"],
    key: str | None,
    values: Mapping[str, str],
    now: Mapping[str, str],
    *,
    reason: str = "",
    contested: bool = False,
) -> PlanRow:
    return PlanRow(
        action=action,
        table=wish.table,
        label=wish.label,
        key=key,
        match={wish.match_field: wish.key} if wish.match_field else {},
        values=values,
        before={name: now[name] for name in values if name in now},
        reason=reason,
        still=wish.still,
        shared=wish.shared & values.keys(),
        contested=contested,
    )


def _refused(wish: Wish, reason: str, key: str | None = None) -> PlanRow:
    return PlanRow(
        action="refused",
        table=wish.table,
        label=wish.label,
        key=key or (None if wish.match_field else wish.key),
        reason=reason,
    )


def no_field(names: str) -> str:
    """What is said of fields that the target does not show."""
    return f"the target has no field {names}; run 'vmo-bridge provision'"
