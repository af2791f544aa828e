"""The demo: a sample agency, a real configuration, one turn of the loop, and where to look."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vmo_bridge.cli.opening import load, log_to
from vmo_bridge.cli.progress import watching
from vmo_bridge.cli.sandbox import last_port, log_option, open_log, remember_port
from vmo_bridge.errors import ConfigError

if TYPE_CHECKING:
    from vmo_bridge.sandbox.replay.log import EventLog
    from vmo_bridge.sandbox.server import SandboxServer

_OURS = ("sandbox", "logs", "secrets", "vmo-bridge.toml", "people.key")
_STORE = "vmo-bridge.db"


@click.command()
@click.option("--once", is_flag=True, help="End after one turn of the loop.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/demo"),
    show_default=True,
    help="Where sandbox, configuration, store and logs are kept.",
)
@click.option("--seed", type=int, help="Which agency; another number has other stories.")
@log_option
def demo(once: bool, folder: Path, seed: int | None, log_file: Path | None) -> None:
    """Show the whole loop on a sample agency, or on a log."""
    from vmo_bridge.cli import demo_agency, demo_log
    from vmo_bridge.pipeline import Bridge
    from vmo_bridge.publish.provisioning import make_missing

    log = open_log(log_file, seed)
    _make_room(folder, demo_log.mark(log) if log else seed)
    what = demo_log.told(folder, log) or "making the agency Meridian (fictional) and its ServiceNow"
    click.echo(f"{what} …")
    with _served(folder / "sandbox", seed, log) as server:
        remember_port(folder / "sandbox", server.url)
        replayed = demo_log.replayed(server)
        config = (
            demo_log.write_config(folder, server, replayed)
            if replayed
            else demo_agency.write_config(folder, server)
        )
        settings, plugins = load(config)
        (folder / "logs").mkdir(exist_ok=True)
        log_to(logging.INFO, folder / "logs" / "vmo-bridge.log")
        with watching() as watch:
            make_missing(settings, plugins, apply=True, watch=watch)
            with Bridge(settings, plugins, owner="vmo-bridge demo", watch=watch) as bridge:
                outcome = bridge.cycle()
                records = bridge.store.versions.counts()
                told = (
                    demo_log.story(outcome, server, config, records)
                    if replayed
                    else demo_agency.story(bridge, outcome, server, config)
                )
        click.echo(told)
        if not once:
            from vmo_bridge.daemon import Daemon

            click.echo("the daemon and the sandbox stay up; Ctrl-C ends both")
            Daemon(settings, plugins).run()


def _make_room(folder: Path, seed: int | str | None) -> None:
    """Another seed (or log) is another agency: what an earlier demo left goes, nothing else."""
    marker = folder / "demo.seed"
    if folder.exists() and any(folder.iterdir()):
        if not marker.exists():
            raise ConfigError(f"demo --dir {folder}: is not empty and not of a demo; name another")
        if seed is None or marker.read_text(encoding="utf-8").strip() == str(seed):
            return
        for name in _OURS:
            path = folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        for path in folder.glob(f"{_STORE}*"):
            path.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    marker.write_text("default" if seed is None else str(seed), encoding="utf-8")


def _served(folder: Path, seed: int | None, log: EventLog | None) -> SandboxServer:
    """The agency on its last port, so that links stay good; on any other if that is taken."""
    from vmo_bridge.sandbox.server import SandboxServer

    try:
        return SandboxServer(folder, seed, port=last_port(folder), log=log)
    except ConfigError:
        return SandboxServer(folder, seed, log=log)


def keep_secret(file: Path, text: str) -> None:
    """Write a secret into a file that only its owner reads."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as target:
        target.write(text)
