"""The stages as commands: detect, measure, all at once, and the daemon."""

from __future__ import annotations

import logging
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmo_bridge.cli.opening import bridge, load, log_to
from vmo_bridge.cli.options import as_of_option
from vmo_bridge.cli.publish import publish_troubled, show_publish_counts
from vmo_bridge.cli.sync import end_badly_if, show_sync

if TYPE_CHECKING:
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
        or publish_troubled(outcome.publish)
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
        show_publish_counts(outcome)


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


def _counted(states: Counter[str]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(states.items())) or "none"
