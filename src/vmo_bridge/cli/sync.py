"""Stage 1 as a command, and the rebuilding of records from what was read before."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmo_bridge.cli import show
from vmo_bridge.cli.opening import bridge
from vmo_bridge.cli.options import list_format_option, since_option, until_option

if TYPE_CHECKING:
    from vmo_bridge.sync import StreamOutcome


_streams_option = click.option(
    "--stream",
    "streams",
    multiple=True,
    metavar="SOURCE[:STREAM]",
    help="Only this source or stream; may be given several times.",
)


@click.command()
@_streams_option
@since_option("Read what changed from this moment on (a backfill); a day means its beginning.")
@until_option("Read what changed before this moment (a backfill); a day means its end.")
@click.option("--full", is_flag=True, help="Read everything anew; what is held stays till then.")
@click.option("--sweep", is_flag=True, help="Ask for the names of all records, to find deletions.")
@list_format_option
@click.pass_obj
def sync(
    config: Path,
    streams: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    full: bool,
    sweep: bool,
    form: str,
) -> None:
    """Read what changed in every source.

    A window (--since, --until) is read beside that, and moves no watermark. Whatever is
    interrupted goes on where it was when the same is asked for again.
    """
    from vmo_bridge.sync import Scope

    if (since or until) and (full or sweep):
        raise click.UsageError("a window is read as it is: give --since/--until, or --full/--sweep")
    if since and until and since >= until:
        raise click.UsageError(f"--since {since} is not before --until {until}")
    scope = Scope(streams=streams, since=since, until=until, full=full, sweep=sweep)
    with bridge(config, "sync") as it:
        outcomes = it.sync(scope)
    show_sync(outcomes, form)
    end_badly_if(any(each.problem for each in outcomes))


@click.command()
@_streams_option
@list_format_option
@click.pass_obj
def renormalise(config: Path, streams: tuple[str, ...], form: str) -> None:
    """Rebuild records from the raw pages that are held, without asking any source.

    After a change of the mapping in the configuration: states, fields, questions' scales.
    """
    from vmo_bridge.sync import Scope

    with bridge(config, "renormalise") as it:
        rebuilt = it.renormalise(Scope(streams=streams))
    rows: list[dict[str, Any]] = [
        {
            "stream": f"{each.source}:{each.stream}",
            "raw": each.raw,
            "changed": each.changed,
            "quarantined": each.quarantined,
        }
        for each in rebuilt
    ]
    if form != "table":
        show.as_rows(rows, form)
        return
    show.table(
        ["stream", "raw records", "records changed", "quarantined"],
        [(r["stream"], r["raw"], r["changed"], r["quarantined"] or None) for r in rows],
    )


def show_sync(outcomes: list[StreamOutcome], form: str) -> None:
    """What a sync did, stream by stream."""
    if form != "table":
        show.as_rows(
            [
                {
                    "source": each.source,
                    "stream": each.stream,
                    "read": each.read,
                    "changed": each.changed,
                    "quarantined": each.quarantined,
                    "gone": each.gone,
                    "grade": each.certificate.grade if each.certificate else None,
                    "problem": each.problem or None,
                    "notes": each.notes,
                }
                for each in outcomes
            ],
            form,
        )
        return
    show.table(
        ["stream", "read", "new or changed", "gone", "quarantined", "grade", "problem"],
        [
            (
                f"{each.source}:{each.stream}",
                each.read,
                each.changed,
                each.gone or None,
                each.quarantined or None,
                each.certificate.grade if each.certificate else None,
                each.problem,
            )
            for each in outcomes
        ],
    )
    for each in outcomes:
        for note in each.notes:
            click.echo(f"note: {each.source}:{each.stream}: {note}")


def end_badly_if(troubled: bool) -> None:
    """A script has to notice: something is not as it should be, though the rest was done."""
    if troubled:
        raise click.exceptions.Exit(1)
