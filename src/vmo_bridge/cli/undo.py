"""The command undo: which runs wrote what, and taking one of them back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmo_bridge.cli import show
from vmo_bridge.cli.opening import bridge, load
from vmo_bridge.cli.options import list_format_option
from vmo_bridge.cli.sync import end_badly_if

if TYPE_CHECKING:
    from vmo_bridge.publish.undo import UndoOutcome, UndoRow

_SIGNS = {"restore": "~", "remove": "-", "kept": "!", "gone": "!"}


@click.command()
@click.argument("run", type=int, required=False)
@click.option("--apply", is_flag=True, help="Put back; then nothing is published until --resume.")
@list_format_option
@click.pass_obj
def undo(config: Path, run: int | None, apply: bool, form: str) -> None:
    """Show what taking back a publish RUN would change; without RUN, list the runs."""
    if run is None:
        if apply:
            raise click.UsageError("which run? 'vmo-bridge undo' lists those that wrote")
        _list(config, form)
        return
    with bridge(config, "undo") as it:
        outcomes = it.undo(run, apply=apply)
    _show(outcomes, form, applied=apply)
    end_badly_if(
        any(
            each.refused or (each.delivery and (each.delivery.troubled or each.delivery.waiting))
            for each in outcomes
        )
    )


def _list(config: Path, form: str) -> None:
    from vmo_bridge.store import Store

    settings, _ = load(config)
    with Store(settings.store_path) as store:
        rows: list[dict[str, Any]] = [
            {
                "run": each.run_id,
                "target": each.target,
                "began": show.iso(each.began_at),
                "stored": each.stored,
                "other": each.other,
            }
            for each in store.outbox.writing_runs()
        ]
    if form != "table":
        show.as_rows(rows, form)
        return
    show.table(
        ["run", "target", "began", "stored", "not stored"],
        [(each["run"], each["target"], each["began"], each["stored"], each["other"])
         for each in rows],
    )  # fmt: skip


def _show(outcomes: Sequence[UndoOutcome], form: str, *, applied: bool) -> None:
    if form != "table":
        show.as_rows(
            [
                {
                    "target": outcome.target,
                    "action": row.action,
                    "table": row.item.table,
                    "record": row.item.key,
                    "values": dict(row.values),
                    "now": dict(row.now),
                    "reason": row.reason or None,
                }
                for outcome in outcomes
                for row in outcome.plan
            ],
            form,
        )
        return
    for outcome in outcomes:
        for row in outcome.plan:
            if row.action in _SIGNS:
                click.echo(f"{_SIGNS[row.action]} {row.item.table} {row.item.key}  {_told(row)}")
        _show_counts(outcome, applied=applied)
    if applied:
        click.echo("nothing is published from now on; 'vmo-bridge publish --resume' goes on")


def _told(row: UndoRow) -> str:
    if row.action == "remove":
        return "we made it: remove"
    back = ", ".join(f"{name}: {row.now[name]!r} → {text!r}" for name, text in row.values.items())
    return "; ".join(part for part in (back, row.reason) if part)


def _show_counts(outcome: UndoOutcome, *, applied: bool) -> None:
    counts = outcome.counts()
    click.echo(
        f"{outcome.target}: {counts['restore']} to restore, {counts['remove']} to remove, "
        f"{counts['kept']} changed since and kept, {counts['gone']} gone, "
        f"{counts['nothing']} as before already"
    )
    if not applied or outcome.delivery is None:
        click.echo("  only a plan: nothing was changed (undo RUN --apply does it)")
        return
    click.echo(f"  {outcome.delivery.stored} restored and read back, {outcome.removed} removed")
    for item, reason in [*outcome.delivery.troubled, *outcome.delivery.moved, *outcome.refused]:
        click.echo(f"  not undone: {item.table} {item.key}: {reason}")
    if outcome.delivery.waiting:
        click.echo(f"  the rest waits: {outcome.delivery.waiting}")
