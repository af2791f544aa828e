"""The stages as commands: detect, measure, publish, all at once, and the daemon."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmo_bridge.cli import show
from vmo_bridge.cli.opening import bridge, load, log_to
from vmo_bridge.cli.options import as_of_option, list_format_option
from vmo_bridge.cli.sync import end_badly_if, show_sync

if TYPE_CHECKING:
    from vmo_bridge.publish.plan import PlanRow
    from vmo_bridge.publish.stage import PublishOutcome
    from vmo_bridge.signals.detect import DetectOutcome
    from vmo_bridge.value.measure import MeasureOutcome


@click.command()
@as_of_option
@click.pass_obj
def detect(config: Path, as_of: datetime | None) -> None:
    """Let the rules spot the demand that tickets miss."""
    with bridge(config, "detect") as it:
        outcome = it.detect(as_of)
    _show_detect(outcome)


@click.command()
@as_of_option
@click.pass_obj
def measure(config: Path, as_of: datetime | None) -> None:
    """Compute every KPI."""
    with bridge(config, "measure") as it:
        outcome = it.measure(as_of)
    _show_measure(outcome)
    end_badly_if(bool(outcome.failed))


@click.command()
@click.option("--apply", is_flag=True, help="Write, read back and keep receipts.")
@list_format_option
@click.pass_obj
def publish(config: Path, apply: bool, form: str) -> None:
    """Show what would be written back; write it with --apply."""
    with bridge(config, "publish") as it:
        outcomes = it.publish(apply=apply)
    _show_publish(outcomes, form)
    end_badly_if(_troubled(outcomes))


@click.command()
@click.pass_obj
def cycle(config: Path) -> None:
    """Do all four stages once; [publish] mode says whether values are written."""
    with bridge(config, "cycle") as it:
        outcome = it.cycle(_show_stage)
    told = ", ".join(f"{stage} {taken:.1f} s" for stage, taken in outcome.seconds.items())
    click.echo(told)
    end_badly_if(
        any(each.problem for each in outcome.sync)
        or bool(outcome.measure.failed)
        or _troubled(outcome.publish)
    )


@click.command()
@click.pass_obj
def run(config: Path) -> None:
    """Be the daemon: a cycle when it is due, until SIGTERM."""
    from vmo_bridge.daemon import Daemon

    settings, plugins = load(config)
    log_to(logging.getLevelNamesMapping()[settings.bridge.log_level])
    Daemon(settings, plugins).run()


def _show_stage(stage: str, outcome: Any) -> None:
    """What a stage of a cycle did, as it ends: a later stage may fail."""
    if stage == "sync":
        show_sync(outcome, "table")
    elif stage == "detect":
        _show_detect(outcome)
    elif stage == "measure":
        _show_measure(outcome)
    else:
        _show_publish_counts(outcome)


def _show_detect(outcome: DetectOutcome) -> None:
    click.echo(f"signals: {_counted(Counter(each.state for each in outcome.signals))}")
    for rule, why in outcome.not_known.items():
        click.echo(f"rule {rule}: {why}")
    if not outcome.saved:
        click.echo("a look from another moment: nothing was saved (see 'signals --as-of')")


def _show_measure(outcome: MeasureOutcome) -> None:
    click.echo(f"KPI results: {_counted(Counter(each.status for each in outcome.results))}")
    for kpi, why in outcome.failed.items():
        click.echo(f"KPI {kpi}: {why}")
    if not outcome.saved:
        click.echo("a look from another moment: nothing was saved (see 'kpis --as-of')")


def _show_publish(outcomes: Sequence[PublishOutcome], form: str) -> None:
    if form != "table":
        show.as_rows(
            [
                {
                    "target": outcome.target,
                    "action": row.action,
                    "table": row.table,
                    "record": row.label,
                    "values": dict(row.values),
                    "before": dict(row.before),
                    "reason": row.reason or None,
                }
                for outcome in outcomes
                for row in outcome.plan
                if row.action != "unchanged"
            ],
            form,
        )
        return
    signs = {"create": "+", "change": "~"}
    for outcome in outcomes:
        for row in outcome.plan:
            if row.action in signs:
                click.echo(f"{signs[row.action]} {row.table} {row.label}  {_changes(row)}")
    _show_publish_counts(outcomes)


def _changes(row: PlanRow) -> str:
    """What would be written: old → new, or what a new record would hold."""
    return ", ".join(
        f"{name}: {row.before.get(name, '')!r} → {value!r}"
        if row.action == "change"
        else f"{name}={value}"
        for name, value in row.values.items()
        if row.action == "change" or value
    )


def _show_publish_counts(outcomes: Sequence[PublishOutcome]) -> None:
    if not outcomes:
        click.echo("there is no source that values can be written back to")
    for outcome in outcomes:
        _show_counts_of(outcome)


def _show_counts_of(outcome: PublishOutcome) -> None:
    counts = outcome.counts()
    click.echo(
        f"{outcome.target}: {counts['create']} to create, {counts['change']} to change, "
        f"{counts['unchanged']} unchanged, {counts['refused']} refused"
    )
    reasons = Counter((row.table, row.reason) for row in outcome.plan if row.action == "refused")
    for (table, reason), number in reasons.items():
        click.echo(f"  refused: {number} of {table}: {reason}")
    for alarm in outcome.blocked:
        click.echo(f"  nothing is written: {alarm}")
    delivery = outcome.delivery
    if delivery is None:
        if counts["create"] + counts["change"]:
            click.echo("  only a plan: nothing was written (publish --apply writes)")
        return
    click.echo(f"  {delivery.stored} written and read back, {len(delivery.troubled)} not stored")
    for item, reason in delivery.troubled[:20]:
        click.echo(f"  not stored: {item.table} {item.key or dict(item.match)}: {reason}")
    if delivery.waiting:
        click.echo(f"  the rest waits: {delivery.waiting}")


def _troubled(outcomes: Sequence[PublishOutcome]) -> bool:
    """Whether something was to be written and does not stand there."""
    return any(
        bool(each.blocked)
        or (
            each.delivery is not None
            and bool(each.delivery.troubled or each.delivery.waiting or each.counts()["refused"])
        )
        for each in outcomes
    )


def _counted(states: Counter[str]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items())) or "none"
