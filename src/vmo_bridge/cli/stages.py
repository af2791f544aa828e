"""The stages as commands: sync, detect, measure, publish, the four at once, and the daemon."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vmo_bridge.cli import export, show
from vmo_bridge.cli.opening import bridge, load, log_to
from vmo_bridge.cli.options import as_of_option, format_option

if TYPE_CHECKING:
    from vmo_bridge.publish.stage import PublishOutcome
    from vmo_bridge.signals.detect import DetectOutcome
    from vmo_bridge.sync import StreamOutcome
    from vmo_bridge.value.measure import MeasureOutcome


@click.command()
@format_option
@click.pass_obj
def sync(config: Path, form: str) -> None:
    """Read what changed in every source."""
    with bridge(config, "sync") as it:
        outcomes = it.sync()
    _show_sync(outcomes, form)
    _end_badly_if(any(each.problem for each in outcomes))


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
    _end_badly_if(bool(outcome.failed))


@click.command()
@click.option("--apply", is_flag=True, help="Write, read back and keep receipts.")
@format_option
@click.pass_obj
def publish(config: Path, apply: bool, form: str) -> None:
    """Show what would be written back; write it with --apply."""
    with bridge(config, "publish") as it:
        outcome = it.publish(apply=apply)
    if outcome is None:
        click.echo("there is no source that values can be written back to")
        return
    _show_publish(outcome, form)
    _end_badly_if(_troubled(outcome))


@click.command()
@click.pass_obj
def cycle(config: Path) -> None:
    """Do all four stages once; [publish] mode says whether values are written."""
    with bridge(config, "cycle") as it:
        outcome = it.cycle(_show_stage)
    told = ", ".join(f"{stage} {taken:.1f} s" for stage, taken in outcome.seconds.items())
    click.echo(told)
    _end_badly_if(
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


def _show_stage(outcome: object) -> None:
    """What a stage of a cycle did, as it ends: a later stage may fail."""
    from vmo_bridge.publish.stage import PublishOutcome
    from vmo_bridge.signals.detect import DetectOutcome
    from vmo_bridge.value.measure import MeasureOutcome

    if isinstance(outcome, list):
        _show_sync(outcome, "table")
    elif isinstance(outcome, DetectOutcome):
        _show_detect(outcome)
    elif isinstance(outcome, MeasureOutcome):
        _show_measure(outcome)
    elif isinstance(outcome, PublishOutcome):
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


def _show_sync(outcomes: list[StreamOutcome], form: str) -> None:
    content = [
        {
            "source": each.source,
            "stream": each.stream,
            "read": each.read,
            "changed": each.changed,
            "quarantined": each.quarantined,
            "problem": each.problem or None,
            "notes": each.notes,
        }
        for each in outcomes
    ]
    if form == "json":
        show.as_json(content)
        return
    if form == "csv":
        columns = ["source", "stream", "read", "changed", "quarantined", "problem", "notes"]
        export.as_csv(columns, content)
        return
    show.table(
        ["stream", "read", "new or changed", "quarantined", "problem"],
        [
            (
                f"{each.source}:{each.stream}",
                each.read,
                each.changed,
                each.quarantined or None,
                each.problem,
            )
            for each in outcomes
        ],
    )
    for each in outcomes:
        for note in each.notes:
            click.echo(f"note: {each.source}:{each.stream}: {note}")


def _show_publish(outcome: PublishOutcome, form: str) -> None:
    content = [
        {
            "action": row.action,
            "table": row.table,
            "record": row.label,
            "values": dict(row.values),
            "before": dict(row.before),
            "reason": row.reason or None,
        }
        for row in outcome.plan
        if row.action != "unchanged"
    ]
    if form == "json":
        show.as_json(content)
        return
    if form == "csv":
        export.as_csv(["action", "table", "record", "values", "before", "reason"], content)
        return
    signs = {"create": "+", "change": "~"}
    for row in outcome.plan:
        if row.action in signs:
            changes = ", ".join(
                f"{name}: {row.before.get(name, '')!r} → {value!r}"
                if row.action == "change"
                else f"{name}={value}"
                for name, value in row.values.items()
                if row.action == "change" or value
            )
            click.echo(f"{signs[row.action]} {row.table} {row.label}  {changes}")
    _show_publish_counts(outcome)


def _show_publish_counts(outcome: PublishOutcome) -> None:
    counts = outcome.counts()
    click.echo(
        f"{outcome.target}: {counts['create']} to create, {counts['change']} to change, "
        f"{counts['unchanged']} unchanged, {counts['refused']} refused"
    )
    reasons = Counter((row.table, row.reason) for row in outcome.plan if row.action == "refused")
    for (table, reason), number in reasons.items():
        click.echo(f"  refused: {number} of {table}: {reason}")
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


def _troubled(outcome: PublishOutcome | None) -> bool:
    """Whether something was to be written and does not stand there."""
    if outcome is None or outcome.delivery is None:
        return False
    delivery = outcome.delivery
    return bool(delivery.troubled or delivery.waiting or outcome.counts()["refused"])


def _counted(states: Counter[str]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items())) or "none"


def _end_badly_if(troubled: bool) -> None:
    """A script has to notice: something is not as it should be, though the rest was done."""
    if troubled:
        raise click.exceptions.Exit(1)
