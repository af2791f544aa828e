"""Compute one KPI: every window and every scope in one query, and the items behind a result."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from vmo_bridge.errors import PluginError
from vmo_bridge.hooks.extensions import FEWEST_PEOPLE, Kpi, Row
from vmo_bridge.records import KpiResult
from vmo_bridge.value import statements
from vmo_bridge.value.targets import Target, target_for
from vmo_bridge.value.windows import Window

if TYPE_CHECKING:
    from vmo_bridge.analysis.engine import Analysis


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
    A scope without an item has no line either, save all together, which is then ``not-known``; but
    of a stock that can be empty (a count), every scope that ever had an item has its line, with 0.
    Under ``kpi.min_n`` items, or under five people where the KPI is private, ``n`` is told and
    nothing else (status ``too-few``). ``names`` gives the names of services and user groups by ref
    (the ref itself where it has none).
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
    for row in _rows(kpi, analysis, windows) if windows else ():
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

    In order of time; of a stock those that are there as the window ends. It does not ask how many
    there are: who shows them to people has to.
    """
    parameters = {"service_ref": service_ref, "user_group_ref": user_group_ref}
    return _run(kpi, analysis, statements.listed(kpi, window), parameters)


_NOTHING: Row = {
    "service_ref": None,
    "user_group_ref": None,
    "value": None,
    "numerator": None,
    "denominator": None,
    "n": 0,
    "people": 0,
}


def _rows(kpi: Kpi, analysis: Analysis, windows: Sequence[Window]) -> list[Row]:
    """The rows of all windows and scopes, those of an empty stock included."""
    rows: list[Row] = [*_run(kpi, analysis, statements.results(kpi, windows), {})]
    if kpi.counts == "flow":
        return rows
    (empty,) = _run(kpi, analysis, statements.of_nothing(kpi, windows), {})
    if empty["value"] is None:
        return rows
    filled = {_scope(row) for row in rows}
    rows += [
        {**row, **empty, "n": 0, "people": 0}
        for row in _run(kpi, analysis, statements.scopes_before(kpi, windows), {})
        if _scope(row) not in filled
    ]
    return sorted(rows, key=lambda row: [each or "" for each in _scope(row)[1:]])


def _scope(row: Row) -> tuple[int, str | None, str | None]:
    return row["place"], row["service_ref"], row["user_group_ref"]


def _run(
    kpi: Kpi, analysis: Analysis, sql: str, parameters: Mapping[str, Any]
) -> list[dict[str, Any]]:
    try:
        return analysis.query(sql, parameters)
    except PluginError as err:
        raise PluginError(f"KPI {kpi.name!r}: {err}") from err


def _result(judge: _Judge, window: Window, row: Row) -> KpiResult:
    kpi, n = judge.kpi, row["n"]
    service = _name(judge, row["service_ref"])
    group = _name(judge, row["user_group_ref"])
    target = _target(judge, window, service, group)
    few = 0 < n < kpi.min_n or (kpi.private and 0 < row["people"] < FEWEST_PEOPLE)
    value = None if few else _number(row["value"])
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
        numerator=None if few else _number(row["numerator"]),
        denominator=None if few else _number(row["denominator"]),
        n=n,
        target=target,
        status="too-few" if few else _status(judge, window, value, target),
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


def _status(judge: _Judge, window: Window, value: float | None, target: float | None) -> str:
    kpi = judge.kpi
    if value is None:
        return "not-known"
    if kpi.young_days and window.end + timedelta(days=kpi.young_days) > judge.as_of:
        return "young"
    if target is None:
        return "no-target"
    met = value >= target if kpi.better == "higher" else value <= target
    return "met" if met else "missed"
