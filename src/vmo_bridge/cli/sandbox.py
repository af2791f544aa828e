"""Serve a local ServiceNow with a sample agency or a log, to try things without an account."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

if TYPE_CHECKING:
    from vmo_bridge.sandbox.replay.log import EventLog

log_option = click.option(
    "--servicenow-log",
    "log_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Replay this audit log (.csv or .csv.gz) instead of an agency; its times are UTC.",
)


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/sandbox"),
    show_default=True,
    help="Where the instance is kept, writes included; it is served again later.",
)
@click.option("--seed", type=int, help="Which agency to make; fresh stories for each number.")
@log_option
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="[default: the port of the last time, else a free one]",
)
@click.option(
    "--tls",
    "files",
    nargs=2,
    metavar="CERT KEY",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Serve https with this certificate and its key (PEM files).",
)
def sandbox(
    folder: Path,
    seed: int | None,
    log_file: Path | None,
    port: int | None,
    files: tuple[Path, Path] | None,
) -> None:
    """Serve the sample agency, or a log, until Ctrl-C."""
    from vmo_bridge.sandbox.server import Tls, serve

    def ready(url: str) -> None:
        remember_port(folder, url)
        click.echo(f"the sandbox serves {folder} at {url} (users: {folder / 'credentials.json'})")
        click.echo("Ctrl-C ends it")

    log = open_log(log_file, seed)
    chosen = last_port(folder) if port is None else port
    tls = Tls(*files) if files else None
    serve(folder, seed=seed, log=log, port=chosen, tls=tls, ready=ready)


def open_log(file: Path | None, seed: int | None) -> EventLog | None:
    """The log that was asked for, if one was; a seed has no say in it."""
    from vmo_bridge.sandbox.replay.log import EventLog

    if file is None:
        return None
    if seed is not None:
        raise click.UsageError("--seed makes an agency, --servicenow-log replays a log: name one")
    return EventLog(file)


def remember_port(folder: Path, url: str) -> None:
    """Keep the port, so that a configuration that names it works the next time."""
    (folder / "port").write_text(f"{urlsplit(url).port}\n", encoding="utf-8")


def last_port(folder: Path) -> int:
    """The port this folder was served on last; 0 (any) if it never was."""
    try:
        port = int((folder / "port").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 0
    return port if port in range(65536) else 0
