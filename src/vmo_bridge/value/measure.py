"""The stage: load the tables, compute every KPI in every window and scope, save."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from vmo_bridge.errors import ConfigError, PluginError
from vmo_bridge.hooks.extensions import FEWEST_PEOPLE, Kpi
from vmo_bridge.records import KpiResult
from vmo_bridge.settings import Settings
from vmo_bridge.settings.model import KpiEntry
from vmo_bridge.store import Store
from vmo_bridge.value.compute import compute, items
from vmo_bridge.value.targets import Target
from vmo_bridge.value.windows import Window, windows
from vmo_bridge.watch import Watch

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class MeasureOutcome:
    """All results, and which KPIs could not be computed."""

    results: list[KpiResult]
    failed: dict[str, str] = field(default_factory=dict)
    saved: bool = True


def chosen_kpis(settings: Settings, kpis: Mapping[str, Kpi]) -> list[Kpi]:
    """The KPIs that are switched on, as the configuration changes them; raises ``ConfigError``."""
    named = {f"kpis.{name}": name for name in settings.kpis}
    named |= {f"targets[{at}].kpi": each.kpi for at, each in enumerate(settings.targets)}
    for key, name in named.items():
        if name not in kpis:
            raise ConfigError(
                f"{settings.file}: {key}: there is no KPI {name!r}; "
                f"there are: {', '.join(sorted(kpis))}"
            )
    for at, target in enumerate(settings.targets):
        if kpis[target.kpi].unit == "share" and not 0 <= target.value <= 1:
            raise ConfigError(
                f"{settings.file}: targets[{at}].value: {target.value} is not a share of 0 to 1; "
                f"write 80 % as 0.8"
            )
    return [
        _changed(kpi, settings.kpis.get(name), settings)
        for name, kpi in kpis.items()
        if name not in settings.kpis or settings.kpis[name].enabled
    ]


def _changed(kpi: Kpi, entry: KpiEntry | None, settings: Settings) -> Kpi:
    """The KPI as its entry changes it; nobody may ask it to show what a few people say."""
    if entry is None or entry.min_n is None:
        return kpi
    if kpi.private and entry.min_n < FEWEST_PEOPLE:
        raise ConfigError(
            f"{settings.file}: kpis.{kpi.name}.min_n: {entry.min_n} would show what single people "
            f"say; write {FEWEST_PEOPLE} or more, or take the line away"
        )
    return replace(kpi, min_n=entry.min_n)


def compute_all(
    store: Store, settings: Settings, kpis: Mapping[str, Kpi], *, as_of: datetime, watch: Watch
) -> MeasureOutcome:
    """Every KPI as of a moment: closed months and the last 90 days, by service and user group."""
    from vmo_bridge.analysis.engine import Analysis  # noqa: PLC0415 - duckdb is slow to import

    chosen = chosen_kpis(settings, kpis)
    targets = [Target(**each.model_dump()) for each in settings.targets]
    tables = store.tables(as_of=as_of, feedback=settings.feedback)
    names = _names(tables)
    spans = windows(as_of, since=_begin(tables))
    outcome = MeasureOutcome(results=[])
    watch.begin("KPIs", len(chosen))
    with Analysis(tables) as analysis:
        for kpi in chosen:
            held = completeness(store, kpi.reads)
            try:
                results = compute(
                    kpi,
                    analysis,
                    spans,
                    as_of=as_of,
                    targets=targets,
                    completeness=held.share,
                    names=names,
                )
            except PluginError as error:
                outcome.failed[kpi.name] = str(error)
                log.error("KPI %s: %s", kpi.name, error)
            else:
                cut_off = min(as_of, held.complete_at or as_of)
                outcome.results += [
                    msgspec.structs.replace(each, data_as_of=cut_off, grade=held.grade)
                    for each in results
                ]
            watch.advance()
            watch.stop_here()
    watch.end(f"{len(outcome.results)} results")
    return outcome


def measure(
    store: Store,
    settings: Settings,
    kpis: Mapping[str, Kpi],
    *,
    as_of: datetime,
    run_id: int,
    save: bool,
    watch: Watch,
) -> MeasureOutcome:
    """Compute and save; with ``save`` off it is a look from another moment, and is not saved."""
    outcome = compute_all(store, settings, kpis, as_of=as_of, watch=watch)
    outcome.saved = save
    if save:
        off = {name for name, entry in settings.kpis.items() if not entry.enabled}
        measured = {kpi.name for kpi in chosen_kpis(settings, kpis)} - outcome.failed.keys()
        before = {each.kpi for each in store.findings.kpis()}
        # Neither a failure nor a plugin that did not load takes back what was shown.
        store.findings.save_kpis(run_id, outcome.results, keep=before - measured - off)
    return outcome


def items_behind(
    store: Store, settings: Settings, kpi: Kpi, result: KpiResult, *, as_of: datetime
) -> Sequence[Mapping[str, Any]]:
    """The items that a result was computed from, in order of time."""
    from vmo_bridge.analysis.engine import Analysis  # noqa: PLC0415 - duckdb is slow to import

    tables = store.tables(as_of=as_of, feedback=settings.feedback)
    with Analysis(tables) as analysis:
        return items(
            kpi,
            analysis,
            Window(result.window, result.start, result.end),
            service_ref=result.service_ref,
            user_group_ref=result.user_group_ref,
        )


@dataclass(frozen=True, slots=True)
class Held:
    """How much of what the sources have we hold."""

    share: float | None
    """0 to 1, of the least complete stream; None where one was not read whole last time."""
    complete_at: datetime | None
    """When the stream that was read whole longest ago was."""
    grade: str | None
    """The worst grade of their certificates; None where there is none yet."""


def completeness(store: Store, kinds: Sequence[str]) -> Held:
    """The completeness of the streams that give these kinds of record, and their worst grade.

    Held and not in quarantine / what the source said it had when it was last read whole. A stream
    that is not configured any more still counts: its records are still in the tables.
    """
    grades = {(each.source, each.stream): each.grade for each in store.certificates.latest()}
    found: list[str] = []
    shares: list[float | None] = []
    moments: list[datetime] = []
    for mark in store.marks.streams():
        if not set(mark.kinds) & set(kinds):
            continue
        found += [grades[mark.source, mark.name]] if (mark.source, mark.name) in grades else []
        good = store.ledger.held(mark.id) - store.raw.in_quarantine(mark.id)
        # A stream that could not be read this time may have grown since.
        whole = mark.complete_at is not None and mark.problem is None
        shares.append(_share(good, mark.expected) if whole else None)
        if mark.complete_at:
            moments.append(mark.complete_at)
    known = [share for share in shares if share is not None]
    share = min(known) if known and len(known) == len(shares) else None
    return Held(share, min(moments, default=None), max(found, default=None))


def _share(good: int, expected: int | None) -> float | None:
    if expected is None:
        return None
    return 1.0 if expected == 0 else min(1.0, good / expected)


def _names(tables: Mapping[str, pa.Table]) -> dict[str, str]:
    names: dict[str, str] = {}
    for view in ("services", "user_groups"):
        table = tables[view]
        names.update(zip(table["ref"].to_pylist(), table["name"].to_pylist(), strict=True))
    return names


def _begin(tables: Mapping[str, pa.Table]) -> datetime | None:
    """The day on which the data begins: a month that began before it is not complete.

    Where only a weekend lies between the first of the month and the first ticket, it is the first.
    """
    opened = [moment for moment in tables["tickets"]["opened_at"].to_pylist() if moment is not None]
    if not opened:
        return None
    first = datetime.fromtimestamp(min(opened), tz=UTC)
    first = first.replace(hour=0, minute=0, second=0)
    days_before = [first - timedelta(days=back) for back in range(1, first.day)]
    weekend_only = all(day.weekday() >= 5 for day in days_before)
    return first.replace(day=1) if weekend_only else first
