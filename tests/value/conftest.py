"""A KPI said a second time, in plain Python: what it should give for every window and scope."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from vmo_bridge.analysis.engine import Analysis
from vmo_bridge.analysis.schema import tables_from
from vmo_bridge.hooks.extensions import Kpi
from vmo_bridge.records import KpiResult
from vmo_bridge.value.builtin import vmo_kpis
from vmo_bridge.value.compute import compute, items
from vmo_bridge.value.windows import Window, windows

AS_OF = datetime(2026, 11, 17, 8, 30, tzinfo=UTC)
WINDOWS = windows(AS_OF, since=datetime(2026, 8, 1, tzinfo=UTC))
EDGES = sorted({int(at.timestamp()) for window in WINDOWS for at in (window.start, window.end)})

Rows = Mapping[str, Sequence[Mapping[str, Any]]]
Item = tuple[Mapping[str, Any], float]
"""A row of a view, and what it amounts to."""
Listed = Callable[[Window], Iterable[Item]]
Formula = Callable[[Sequence[float]], float]


def mean(amounts: Sequence[float]) -> float:
    return math.fsum(amounts) / len(amounts)


def quantile(q: float) -> Formula:
    def value(amounts: Sequence[float]) -> float:
        ordered = sorted(amounts)
        place = q * (len(ordered) - 1)
        low = math.floor(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (place - low) * (ordered[high] - ordered[low])

    return value


def measured(kpi: Kpi, rows: Rows, wanted: Sequence[Window] = WINDOWS) -> list[KpiResult]:
    with Analysis(tables_from(rows), threads=1) as analysis:
        return compute(kpi, analysis, wanted, as_of=AS_OF)


def listed(kpi: Kpi, rows: Rows, window: Window, **scope: str) -> dict[str, float]:
    """Ref to amount of the items that are listed behind a result."""
    with Analysis(tables_from(rows), threads=1) as analysis:
        found = items(kpi, analysis, window, **scope)
    assert len({each["ref"] for each in found}) == len(found)
    return {each["ref"]: each["amount"] for each in found}


def within(moment: str) -> Callable[[Iterable[Item]], Listed]:
    """Of a flow: the items whose ``moment`` lies in the window."""

    def of(some: Iterable[Item]) -> Listed:
        held = list(some)

        def in_window(window: Window) -> Iterable[Item]:
            start, end = window.start.timestamp(), window.end.timestamp()
            return [
                (row, amount)
                for row, amount in held
                if row[moment] is not None and start <= row[moment] < end
            ]

        return in_window

    return of


def by_scope(found: Iterable[Item]) -> dict[tuple[Any, Any], list[Item]]:
    scopes: dict[tuple[Any, Any], list[Item]] = defaultdict(list)
    for row, amount in found:
        service, group = row.get("service_ref"), row.get("user_group_ref")
        # An unknown service or group falls together with "all": such a row has no line there.
        for scope in {(None, None), (service, None), (None, group), (service, group)}:
            scopes[scope].append((row, amount))
    return scopes


def people_in(found: Sequence[Item]) -> int:
    known = {row["person_ref"] for row, _ in found if row.get("person_ref") is not None}
    return len(known) + sum(row.get("person_ref") is None for row, _ in found)


def check(
    kpi: Kpi, rows: Rows, counted: Listed, value: Formula, numerator: Formula = math.fsum
) -> list[KpiResult]:
    """Hold every result, and the items behind it, to what plain Python makes of the same rows."""
    results = measured(kpi, rows)
    for window in WINDOWS:
        found = {
            (each.service_ref, each.user_group_ref): each
            for each in results
            if each.window == window.name and (each.n or each.status != "not-known")
        }
        expected = by_scope(counted(window))
        assert {scope for scope, each in found.items() if each.n} == expected.keys()
        for scope, behind in expected.items():
            amounts = [amount for _, amount in behind]
            result = found[scope]
            assert result.n == len(behind)
            few = len(behind) < kpi.min_n or (kpi.private and people_in(behind) < 5)
            assert (result.status == "too-few") == few
            if few:
                assert (result.value, result.numerator, result.denominator) == (None, None, None)
            else:
                assert result.value == pytest.approx(value(amounts), rel=1e-9, abs=1e-9)
                assert result.numerator == pytest.approx(numerator(amounts), rel=1e-9, abs=1e-9)
        behind = listed(kpi, rows, window)
        assert behind == pytest.approx(
            {row["ref"]: amount for row, amount in expected.get((None, None), [])}
        )
    return results


class Again(SimpleNamespace):
    """All of this; short to look at where a failing example is shown."""

    def __repr__(self) -> str:
        return "again"


@pytest.fixture(scope="session")
def again() -> Again:
    return Again(
        kpis={kpi.name: kpi for kpi in vmo_kpis()},
        as_of=AS_OF,
        windows=WINDOWS,
        edges=EDGES,
        check=check,
        measured=measured,
        listed=listed,
        within=within,
        mean=mean,
        quantile=quantile,
    )
