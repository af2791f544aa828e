"""The command publish: plan first, as infrastructure tools do, and the kill switch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vmo_bridge.cli import show
from vmo_bridge.cli.opening import bridge, load
from vmo_bridge.cli.options import list_format_option
from vmo_bridge.cli.sync import end_badly_if

if TYPE_CHECKING:
    from vmo_bridge.publish.plan import PlanRow
    from vmo_bridge.publish.stage import PublishOutcome

_SIGNS = {"create": "+", "change": "~", "held": "!", "refused": "x"}
_SHOWN = 20


@click.command()
@click.option("--apply", is_flag=True, help="Write, read back and keep receipts.")
@click.option("--retry", is_flag=True, help="With --apply: also what is left alone for a while.")
@click.option("--stop", metavar="WHY", help="Throw the kill switch: nothing is written any more.")
@click.option("--resume", is_flag=True, help="Release the kill switch.")
@list_format_option
@click.pass_obj
def publish(
    config: Path, apply: bool, retry: bool, stop: str | None, resume: bool, form: str
) -> None:
    """Show what would be written back; write it with --apply."""
    if retry and not apply:
        raise click.UsageError("--retry writes: it goes with --apply")
    if stop is not None or resume:
        _switch(config, stop, resume)
        if not apply:
            return
    with bridge(config, "publish") as it:
        outcomes = it.publish(apply=apply, retry=retry)
    _show(outcomes, form)
    end_badly_if(publish_troubled(outcomes))


def _switch(config: Path, stop: str | None, resume: bool) -> None:
    """Throw or release the kill switch: without the lock, for it must work during a publish."""
    from vmo_bridge.publish.switch import KillSwitch

    if stop is not None and resume:
        raise click.UsageError("--stop and --resume contradict each other")
    settings, _ = load(config)
    switch = KillSwitch(settings)
    if stop is not None:
        switch.stop(stop)
        click.echo(f"stopped: {switch.reason()}; 'vmo-bridge publish --resume' goes on")
        return
    click.echo("values may be written again" if switch.resume() else "nothing was stopped here")
    reason = switch.reason()
    if reason:
        click.echo(f"still stopped: {reason}")


def _show(outcomes: Sequence[PublishOutcome], form: str) -> None:
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
                    "result": results.get((row.table, row.record)),
                }
                for outcome, results in ((each, _results(each)) for each in outcomes)
                for row in outcome.plan
                if row.action != "unchanged"
            ],
            form,
        )
        return
    for outcome in outcomes:
        for row in outcome.plan:
            if row.action in ("create", "change"):
                click.echo(f"{_SIGNS[row.action]} {row.table} {row.label}  {_changes(row)}")
    show_publish_counts(outcomes)


def _results(outcome: PublishOutcome) -> dict[tuple[str, str], str]:
    """By table and record, how the writes ended; empty where only a plan was made."""
    delivery = outcome.delivery
    if delivery is None:
        return {}
    return {
        (item.table, item.record): told
        for ended, told in (
            (delivery.arrived, "stored"),
            ([item for item, _ in delivery.moved], "moved"),
            ([item for item, _ in delivery.troubled], "not stored"),
        )
        for item in ended
    }


def _changes(row: PlanRow) -> str:
    """What would be written: old → new, or what a new record would hold."""
    return ", ".join(
        f"{name}: {row.before.get(name, '')!r} → {value!r}"
        if row.action == "change"
        else f"{name}={value}"
        for name, value in row.values.items()
        if row.action == "change" or value
    )


def show_publish_counts(outcomes: Sequence[PublishOutcome]) -> None:
    """How many records would be, or were, written, and which were not, and why."""
    if not outcomes:
        click.echo("there is no source that values can be written back to")
    for outcome in outcomes:
        _show_counts_of(outcome)


def _show_counts_of(outcome: PublishOutcome) -> None:
    counts = outcome.counts()
    held = f", {counts['held']} left alone" if counts["held"] else ""
    click.echo(
        f"{outcome.target}: {counts['create']} to create, {counts['change']} to change, "
        f"{counts['unchanged']} unchanged, {counts['refused']} refused{held}"
    )
    _show_reasons(outcome)
    for reason in outcome.blocked:
        click.echo(f"  nothing is written: {reason}")
    delivery = outcome.delivery
    if delivery is None:
        if counts["create"] + counts["change"] and not outcome.blocked:
            click.echo("  only a plan: nothing was written (publish --apply writes)")
        return
    click.echo(f"  {delivery.stored} written and read back, {len(delivery.troubled)} not stored")
    for item, reason in delivery.troubled[:_SHOWN]:
        click.echo(f"  not stored: {item.table} {item.key or dict(item.match)}: {reason}")
    for item, reason in delivery.moved[:_SHOWN]:
        click.echo(f"  not written: {item.table} {item.key or dict(item.match)}: {reason}")
    for rest in (len(delivery.troubled) - _SHOWN, len(delivery.moved) - _SHOWN):
        if rest > 0:
            click.echo(f"  … and {rest} more")
    if delivery.waiting:
        click.echo(f"  the rest waits: {delivery.waiting}")


def _show_reasons(outcome: PublishOutcome) -> None:
    """Why records are refused or left alone; each of the first ones by its name."""
    for action, told in (("refused", "refused"), ("held", "left alone")):
        rows = [row for row in outcome.plan if row.action == action]
        reasons = Counter((row.table, row.reason) for row in rows)
        first = {(row.table, row.reason): row.label for row in reversed(rows)}
        for (table, reason), number in reasons.most_common(_SHOWN):
            which = first[table, reason] if number == 1 else f"{number} of"
            named = f"{table} {which}" if number == 1 else f"{which} {table}"
            click.echo(f"  {told}: {named}: {reason}")
        if len(reasons) > _SHOWN:
            click.echo(f"  … and {len(reasons) - _SHOWN} more reasons (--format json has all)")


def publish_troubled(outcomes: Sequence[PublishOutcome]) -> bool:
    """Whether something was to be written and does not stand there."""
    return any(
        bool(each.blocked)
        or (
            each.delivery is not None
            and bool(each.delivery.troubled or each.delivery.waiting or each.counts()["refused"])
        )
        for each in outcomes
    )
