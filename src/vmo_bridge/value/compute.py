"""Compute one KPI: every window and every scope in one query, and the items behind a result."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from vmo_bridge.errors import PluginError
from vmo_bridge.hooks.extensions import Kpi, Row
from vmo_bridge.records import KpiResult
from vmo_bridge.value.targets import Target, target_for
from vmo_bridge.value.windows import Window

if TYPE_CHECKING:
    from vmo_bridge.analysis.engine import Analysis

_ITEMS = """
    select i.ref, i.moment, i.service_ref, i.user_group_ref,
        cast(i.amount as double) as amount
    from ({items}
    ) i
    where i.moment is not null and i.amount is not null"""

# grouping() tells "all user groups" from "an unknown user group": both are NULL in the row.
_RESULTS = """
select place, service_ref, user_group_ref, all_services, all_groups, value, numerator,
    denominator, n
from (
    select w.place, service_ref, user_group_ref,
        grouping(service_ref) as all_services, grouping(user_group_ref) as all_groups,
        {value} as value, {numerator} as numerator, {denominator} as denominator, count(*) as n
    from ({items}) items
    join (values {windows}) as w(place, starts, ends)
        on items.moment >= w.starts and items.moment < w.ends
    group by grouping sets (
        (w.place, service_ref, user_group_ref), (w.place, service_ref),
        (w.place, user_group_ref), (w.place))
) scopes
where (all_services = 1 or service_ref is not null)
    and (all_groups = 1 or user_group_ref is not null)
order by place, service_ref nulls first, user_group_ref nulls first"""

_LIST = """
select ref, moment, service_ref, user_group_ref, amount
from ({items}) items
where moment >= $start and moment < $end
    and (cast($service_ref as string) is null or service_ref = $service_ref)
    and (cast($user_group_ref as string) is null or user_group_ref = $user_group_ref)
order by moment, ref"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """What every result of one computation shares."""

    kpi: Kpi
    as_of: datetime
    targets: Sequence[Target]
    completeness: float | None
    names: Mapping[str, str]


def compute(
    kpi: Kpi,
    analysis: Analysis,
    windows: Sequence[Window],
    *,
    as_of: datetime,
    targets: Iterable[Target] = (),
    completeness: float | None = None,
    names: Mapping[str, str] | None = None,
) -> list[KpiResult]:
    """Measure ``kpi`` in every window: all together, by service, by user group, and by both.

    An item without a service or user group counts in the totals and has no line of its own.
    A scope without an item has no line either, save all together, which is then ``not-known``.
    Under ``kpi.min_n`` items, ``n`` is told and nothing else (status ``too-few``). ``names`` gives
    the names of services and user groups by ref (the ref itself where it has none).
    ``completeness`` is the share (0 to 1) held of the records the KPI reads.

    Windows in the order given, in each all together first. Raises PluginError, naming the KPI.
    """
    judge = _Judge(
        kpi=kpi,
        as_of=as_of,
        targets=tuple(targets),
        completeness=completeness,
        names=names or {},
    )
    rows: dict[int, list[Row]] = {place: [] for place in range(len(windows))}
    for row in _run(kpi, analysis, _sql(kpi, windows), {}) if windows else ():
        rows[row["place"]].append(row)
    return [
        _result(judge, window, row)
        for place, window in enumerate(windows)
        for row in rows[place] or [_NOTHING]
    ]


def items(
    kpi: Kpi,
    analysis: Analysis,
    window: Window,
    *,
    service_ref: str | None = None,
    user_group_ref: str | None = None,
) -> list[dict[str, Any]]:
    """The items behind one result (None: all): ref, moment, service_ref, user_group_ref, amount.

    In order of time. It does not ask how many there are: who shows them to people has to.
    """
    parameters = {
        "start": _seconds(window.start),
        "end": _seconds(window.end),
        "service_ref": service_ref,
        "user_group_ref": user_group_ref,
    }
    return _run(kpi, analysis, _LIST.format(items=_ITEMS.format(items=kpi.items)), parameters)


_NOTHING: Row = {
    "service_ref": None,
    "user_group_ref": None,
    "value": None,
    "numerator": None,
    "denominator": None,
    "n": 0,
}


def _sql(kpi: Kpi, windows: Sequence[Window]) -> str:
    bounds = (
        f"({place}, {_seconds(window.start)}, {_seconds(window.end)})"
        for place, window in enumerate(windows)
    )
    return _RESULTS.format(
        items=_ITEMS.format(items=kpi.items),
        value=kpi.value,
        numerator=kpi.numerator,
        denominator=kpi.denominator,
        windows=", ".join(bounds),
    )


def _run(
    kpi: Kpi, analysis: Analysis, sql: str, parameters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    try:
        return analysis.query(sql, parameters)
    except PluginError as err:
        raise PluginError(f"KPI {kpi.name!r}: {err}") from err


def _seconds(moment: datetime) -> int:
    """Epoch seconds, upwards: an item in the second that ``moment`` cuts is before it."""
    return math.ceil(moment.timestamp())


def _result(judge: _Judge, window: Window, row: Row) -> KpiResult:
    kpi, n = judge.kpi, row["n"]
    service = _name(judge, row["service_ref"])
    group = _name(judge, row["user_group_ref"])
    target = _target(judge, window, service, group)
    shown = n >= kpi.min_n
    value = _number(row["value"]) if shown else None
    return KpiResult(
        kpi=kpi.name,
        version=kpi.version,
        window=window.name,
        start=window.start,
        end=window.end,
        service=service,
        user_group=group,
        service_ref=row["service_ref"],
        user_group_ref=row["user_group_ref"],
        value=value,
        unit=kpi.unit,
        numerator=_number(row["numerator"]) if shown else None,
        denominator=_number(row["denominator"]) if shown else None,
        n=n,
        target=target,
        status=_status(kpi, n, value, target),
        completeness=judge.completeness,
        data_as_of=judge.as_of,
    )


def _name(judge: _Judge, ref: str | None) -> str | None:
    return None if ref is None else judge.names.get(ref) or ref


def _number(value: Any) -> float | None:
    """A finite double, or None: a sum may come as a decimal, and a broken value is not known."""
    number = None if value is None else float(value)
    return number if number is not None and math.isfinite(number) else None


def _target(judge: _Judge, window: Window, service: str | None, group: str | None) -> float | None:
    agreed = target_for(
        judge.targets,
        judge.kpi.name,
        service=service,
        user_group=group,
        until=(window.end - timedelta(microseconds=1)).date(),  # the last day within
    )
    return judge.kpi.target if agreed is None else agreed.value


def _status(kpi: Kpi, n: int, value: float | None, target: float | None) -> str:
    if 0 < n < kpi.min_n:
        return "too-few"
    if value is None:
        return "not-known"
    if target is None:
        return "no-target"
    met = value >= target if kpi.better == "higher" else value <= target
    return "met" if met else "missed"
