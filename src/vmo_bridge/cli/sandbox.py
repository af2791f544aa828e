"""Serve a local ServiceNow with a sample agency, to try things without an account."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import click


@click.command()
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/sandbox"),
    show_default=True,
    help="Where the agency is kept, writes included; it is served again later.",
)
@click.option("--seed", type=int, help="Which agency to make; fresh stories for each number.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="[default: the port of the last time, else a free one]",
)
def sandbox(folder: Path, seed: int | None, port: int | None) -> None:
    """Serve the sample agency until Ctrl-C."""
    from vmo_bridge.sandbox.server import serve

    def ready(url: str) -> None:
        remember_port(folder, url)
        click.echo(f"the sandbox serves {folder} at {url} (users: {folder / 'credentials.json'})")
        click.echo("Ctrl-C ends it")

    serve(folder, seed=seed, port=last_port(folder) if port is None else port, ready=ready)


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
