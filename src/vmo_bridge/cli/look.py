"""Look at what was found: signals and KPIs, as they are or as of a past moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmo_bridge.cli import show
from vmo_bridge.cli.opening import load
from vmo_bridge.cli.options import as_of_option, list_format_option

if TYPE_CHECKING:
    from vmo_bridge.records import KpiResult, Signal


@click.command()
@as_of_option
@click.option("--rule", help="Only those of this rule.")
@click.option("--all", "ended_too", is_flag=True, help="Also those that have ended.")
@list_format_option
@click.pass_obj
def signals(
    config: Path, as_of: datetime | None, rule: str | None, ended_too: bool, form: str
) -> None:
    """List the demand signals."""
    from vmo_bridge.signals.detect import find
    from vmo_bridge.signals.life import follow
    from vmo_bridge.store import Store
    from vmo_bridge.watch import Watch

    settings, plugins = load(config)
    with Store(settings.store_path) as store:
        found = store.findings.signals()
        _one_of("--rule", rule, {*plugins.rules, *(each.finding.rule for each in found)})
        if as_of is not None:
            then, not_known = find(store, settings, plugins.rules, as_of=as_of, watch=Watch())
            found = follow([], then, as_of)
            for name, why in not_known.items():
                # Beside the output, which is JSON for a machine; an empty list alone would lie.
                click.echo(f"rule {name}: {why}", err=True)
        chosen = [
            each
            for each in found
            if (ended_too or each.state != "ended") and rule in (None, each.finding.rule)
        ]
        labels = store.versions.labels(
            list(dict.fromkeys(ref for each in chosen for ref in each.finding.evidence))
        )
    if form != "table":
        show.as_rows([signal_json(each, labels) for each in chosen], form)
        return
    show.table(
        [
            "id",
            "state",
            "strength",
            "evidence",
            "hours/year",
            f"{settings.value.currency}/year",
            "why",
        ],
        [
            (
                each.finding.id,
                each.state,
                each.finding.strength,
                len(each.finding.evidence),
                round(each.finding.worth.hours_per_year),
                round(each.finding.worth.cost_per_year),
                each.finding.why,
            )
            for each in chosen
        ],
    )


def signal_json(signal: Signal, labels: dict[str, str]) -> dict[str, Any]:
    """A signal for machines; ``evidence`` are the source's numbers or ids."""
    finding = signal.finding
    return {
        "id": finding.id,
        "rule": finding.rule,
        "title": finding.title,
        "why": finding.why,
        "service": finding.service,
        "user_group": finding.user_group,
        "keywords": list(finding.keywords),
        "window": [show.iso(finding.start), show.iso(finding.end)],
        "strength": round(finding.strength, 4),
        "worth": {
            "hours_per_year": round(finding.worth.hours_per_year, 1),
            "cost_per_year": round(finding.worth.cost_per_year, 2),
        },
        "state": signal.state,
        "evidence": [labels.get(ref, ref) for ref in finding.evidence],
    }


@click.command()
@as_of_option
@click.option("--kpi", help="Only this KPI.")
@click.option("--window", help="Only this window: 2026-10, or last-90-days.")
@click.option("--service", help="Only this service, by name ('all': the totals).")
@click.option("--user-group", help="Only this user group, by name ('all': the totals).")
@list_format_option
@click.pass_obj
def kpis(
    config: Path,
    as_of: datetime | None,
    kpi: str | None,
    window: str | None,
    service: str | None,
    user_group: str | None,
    form: str,
) -> None:
    """List KPI results; a table without filters shows the totals of the last 90 days."""
    from vmo_bridge.store import Store
    from vmo_bridge.store.findings import kpi_ids
    from vmo_bridge.value.measure import compute_all
    from vmo_bridge.watch import Watch

    settings, plugins = load(config)
    with Store(settings.store_path) as store:
        if as_of is None:
            results = store.findings.kpis_by_id()
        else:
            outcome = compute_all(store, settings, plugins.kpis, as_of=as_of, watch=Watch())
            results = dict(zip(kpi_ids(outcome.results), outcome.results, strict=True))
            for name, why in outcome.failed.items():
                click.echo(f"KPI {name}: {why}", err=True)
    _one_of("--kpi", kpi, {*plugins.kpis, *(each.kpi for each in results.values())})
    if form == "table" and not any((kpi, window, service, user_group)):
        window, service, user_group = "last-90-days", "all", "all"
        click.echo(
            f"{len(results)} results, here the totals of the last 90 days; "
            "see others by --kpi, --window, --service, --user-group or --format json"
        )
    chosen = {
        name: each
        for name, each in results.items()
        if kpi in (None, each.kpi)
        and window in (None, each.window)
        and _names(service, each.service)
        and _names(user_group, each.user_group)
    }
    if not chosen:
        click.echo(_no_results(list(results.values()), window, service, user_group), err=True)
    if form != "table":
        show.as_rows([{**kpi_json(each), "id": name} for name, each in chosen.items()], form)
        return
    show.table(*_kpi_table(list(chosen.values())))


def kpi_json(result: KpiResult) -> dict[str, Any]:
    """A KPI result for machines; ``null`` is not known, for a scope it means all."""
    return {
        "kpi": result.kpi,
        "version": result.version,
        "start": show.iso(result.start),
        "end": show.iso(result.end),
        "service": result.service,
        "user_group": result.user_group,
        "value": result.value,
        "unit": result.unit,
        "numerator": result.numerator,
        "denominator": result.denominator,
        "n": result.n,
        "target": result.target,
        "status": result.status,
        "completeness": result.completeness,
        "grade": result.grade,
        "data_as_of": show.iso(result.data_as_of),
    }


def _kpi_table(results: Sequence[KpiResult]) -> tuple[list[str], list[tuple[object, ...]]]:
    columns = [
        "KPI",
        "window",
        "service",
        "user group",
        "value",
        "target",
        "status",
        "n",
        "complete",
        "grade",
    ]
    return columns, [
        (
            each.kpi,
            each.window,
            each.service or "all",
            each.user_group or "all",
            measured(each.value, each.unit),
            measured(each.target, each.unit),
            each.status,
            each.n,
            measured(each.completeness, "share") or "not known",
            each.grade,
        )
        for each in results
    ]


def measured(value: float | None, unit: str) -> str:
    """A value with its unit: ``94.2 %``, ``12.5 hours``, ``3.5 days``; a count has none."""
    if value is None:
        return ""
    if unit == "share":
        return f"{value * 100:.1f} %"
    return show.text(value) if unit == "count" else f"{show.text(value)} {unit}"


def _names(asked: str | None, name: str | None) -> bool:
    if asked is None:
        return True
    return name is None if asked == "all" else (name or "").casefold() == asked.casefold()


def _one_of(option: str, asked: str | None, known: set[str]) -> None:
    """A name that nobody knows is a slip of the pen, not an empty answer."""
    if asked is not None and asked not in known:
        raise click.BadParameter(
            f"there is no {asked!r}; there are: {', '.join(sorted(known)) or 'none'}",
            param_hint=f"'{option}'",
        )


def _no_results(
    results: Sequence[KpiResult], window: str | None, service: str | None, user_group: str | None
) -> str:
    """Why nothing is listed: which of the asked names no result has."""
    if not results:
        return "no KPI results yet; 'vmo-bridge measure' makes them"
    asked = (
        ("--window", window, any(each.window == window for each in results)),
        ("--service", service, any(_names(service, each.service) for each in results)),
        ("--user-group", user_group, any(_names(user_group, each.user_group) for each in results)),
    )
    unknown = [f"{option} {name!r}" for option, name, known in asked if name and not known]
    if unknown:
        return f"no result has {' or '.join(unknown)}; '--format json' lists the names"
    return "no result has all of these together"
