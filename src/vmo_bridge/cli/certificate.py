"""The completeness certificates: what each source has of a stream, against what is held of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmo_bridge.cli import show
from vmo_bridge.cli.opening import load
from vmo_bridge.cli.options import format_option

if TYPE_CHECKING:
    from vmo_bridge.records.certificate import Certificate


@click.command()
@click.argument("stream", required=False)
@click.option(
    "--accept",
    metavar="SOURCE:STREAM",
    help="Say that a fall is true: what is gone is taken away by the next sync.",
)
@format_option
@click.pass_obj
def certificate(config: Path, stream: str | None, accept: str | None, form: str) -> None:
    """Show how complete what is held is, stream by stream, and why.

    STREAM (source:stream) shows one with its counts window by window.
    """
    from vmo_bridge.store import Store

    settings, _ = load(config)
    if accept:
        _accept(settings.store_path, accept)
        return
    with Store(settings.store_path) as store:
        found = store.certificates.latest()
    chosen = [each for each in found if stream in (None, f"{each.source}:{each.stream}")]
    if stream and not chosen:
        raise click.ClickException(
            f"there is no certificate of {stream!r}; there are: {_names(found) or 'none yet'}"
        )
    if form == "json":
        show.as_json([content(each) for each in chosen])
    elif stream:
        _show_one(chosen[0])
    else:
        _show_all(chosen)


def content(it: Certificate) -> dict[str, Any]:
    """A certificate as plain values."""
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(it)
    return plain | {"unread": it.unread, "lacking": it.lacking, "surplus": it.surplus}


def _accept(path: Path, name: str) -> None:
    from vmo_bridge.store import Store

    with Store(path, owner="vmo-bridge certificate --accept") as store:
        marks = {f"{each.source}:{each.name}": each for each in store.marks.streams()}
        alarmed = {
            f"{each.source}:{each.stream}": each
            for each in store.certificates.latest()
            if each.alarm
        }
        if name not in alarmed:
            raise click.ClickException(
                f"{name!r} has no alarm; there are: {', '.join(alarmed) or 'none'}"
            )
        it = alarmed[name]
        # As many as the source had then: a further fall is another one.
        there = it.theirs if it.theirs is not None else 0
        if it.extra:
            there = min(there, it.ours - it.extra)
        store.certificates.accept(marks[name].id, there)
    click.echo(f"{name}: a fall to {there} records is accepted; the next sync takes them away")


def _names(found: list[Certificate]) -> str:
    return ", ".join(f"{each.source}:{each.stream}" for each in found)


def _show_all(found: list[Certificate]) -> None:
    show.table(
        ["stream", "grade", "held", "source has", "gone", "all named", "why"],
        [
            (
                f"{each.source}:{each.stream}",
                each.grade,
                each.ours,
                each.theirs,
                each.gone or None,
                f"{each.swept_at:%Y-%m-%d %H:%M}" if each.swept_at else "never",
                "; ".join(each.reasons),
            )
            for each in found
        ],
    )


def _show_one(it: Certificate) -> None:
    click.echo(f"{it.source}:{it.stream}: grade {it.grade}, taken {show.iso(it.taken_at)}")
    for reason in it.reasons:
        click.echo(f"  {reason}")
    show.table(
        ["window", "source has", "held", "source's newest", "newest held"],
        [
            (
                f"{_moment(each.since, 'the beginning')} to {_moment(each.until, 'now')}",
                each.theirs,
                each.ours,
                show.iso(each.their_newest),
                show.iso(each.our_newest),
            )
            for each in it.counts
        ],
    )
    unread = f"from {show.iso(it.oldest_unread)} on" if it.oldest_unread else "nothing known"
    click.echo(
        f"read whole {show.iso(it.complete_at) or 'never'}; "
        f"all named {show.iso(it.swept_at) or 'never'}: {it.missing} lacking, {it.extra} too many, "
        f"{it.hidden} hidden; {it.gone} gone; {it.quarantined} in quarantine; "
        f"unread: {unread}"
    )


def _moment(moment: Any, otherwise: str) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else otherwise
