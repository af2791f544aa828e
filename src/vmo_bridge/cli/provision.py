"""Prepare the targets: show what they lack, make it, write it as an Update Set, compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vmo_bridge.cli import show
from vmo_bridge.cli.opening import load
from vmo_bridge.cli.options import list_format_option

if TYPE_CHECKING:
    from vmo_bridge.hooks.loader import Plugins
    from vmo_bridge.settings import Settings


@click.command()
@click.option("--apply", is_flag=True, help="Make what REST allows (needs an admin).")
@click.option(
    "--update-set",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write all of it as an Update Set XML for an admin to preview and import.",
)
@click.option("--target", metavar="NAME", help="Whose Update Set, where several take one.")
@click.option(
    "--check", "compare", is_flag=True, help="Compare target and plan; 1 if they are not alike."
)
@list_format_option
@click.pass_obj
def provision(
    config: Path, apply: bool, file: Path | None, target: str | None, compare: bool, form: str
) -> None:
    """Show what the target lacks (tables, fields, form sections, roles, access rules)."""
    if apply + compare + (file is not None) > 1:
        raise click.UsageError("--apply, --update-set and --check are three things; take one")
    if target is not None and file is None:
        raise click.UsageError("--target goes with --update-set")
    settings, plugins = load(config)
    if file is not None:
        _write(settings, plugins, file, target)
    elif compare:
        _compare(settings, plugins, form)
    else:
        _plan(settings, plugins, form, apply=apply)


def _plan(settings: Settings, plugins: Plugins, form: str, *, apply: bool) -> None:
    from vmo_bridge.cli.progress import watching
    from vmo_bridge.publish.provisioning import make_missing

    with watching() as watch:
        steps = make_missing(settings, plugins, apply=apply, watch=watch)
    if form != "table":
        rows = [
            {"what": each.what, "table": each.table, "values": each.values, "rest": each.over_rest}
            for each in steps
        ]
        show.as_rows(rows, form)
        return
    possible = [step for step in steps if step.over_rest]
    for step in possible:
        click.echo(f"+ {step.what}")
    left = [step for step in steps if not step.over_rest]
    for step in left:
        click.echo(f"! {step.what}")
    verb = "made" if apply else "missing (provision --apply makes them)"
    if possible:
        click.echo(f"{len(possible)} {verb}")
    if left:
        click.echo(
            f"{len(left)} missing, made only by the Update Set (provision --update-set FILE)"
        )
    if not steps:
        click.echo("nothing is missing")


def _write(settings: Settings, plugins: Plugins, file: Path, target: str | None) -> None:
    from vmo_bridge.publish.provisioning import packed

    package = packed(settings, plugins, target)
    file.write_bytes(package.content)
    click.echo(f"wrote {file} ({len(package.content):,} bytes)")
    click.echo(
        "next: an admin takes it in under 'Retrieved Update Sets', previews it and commits it "
        "(docs/provisioning.md)"
    )


def _compare(settings: Settings, plugins: Plugins, form: str) -> None:
    from vmo_bridge.publish.provisioning import all_differences

    found = all_differences(settings, plugins)
    rows = [
        {
            "target": each.target,
            "state": each.difference.state,
            "what": each.difference.what,
            "detail": each.difference.detail,
        }
        for each in found
    ]
    if form != "table":
        show.as_rows(rows, form)
    elif rows:
        show.table([*rows[0]], [tuple(row.values()) for row in rows])
    else:
        click.echo("all there")
    if any(row["state"] != "unknown" for row in rows):
        raise click.exceptions.Exit(1)
