"""The demo: a sample agency, a real configuration, one turn of the loop, and where to look."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vmo_bridge.cli import show
from vmo_bridge.cli.look import measured
from vmo_bridge.cli.opening import load, log_to
from vmo_bridge.cli.progress import watching
from vmo_bridge.cli.sandbox import last_port, log_option, open_log, remember_port
from vmo_bridge.cli.setup import make_missing
from vmo_bridge.errors import ConfigError

if TYPE_CHECKING:
    from vmo_bridge.pipeline import Bridge, CycleOutcome
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
    from vmo_bridge.cli import demo_log
    from vmo_bridge.pipeline import Bridge

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
            else _write_config(folder, server)
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
                    else _story(bridge, outcome, server, config, records)
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


def _write_config(folder: Path, server: SandboxServer) -> Path:
    """A real configuration for the sandbox, its secret in a file of its own."""
    user, password = server.auth("vmo.bridge")
    keep_secret(folder / "secrets" / "helpdesk-password", password)
    config = folder / "vmo-bridge.toml"
    config.write_text(
        _CONFIG.format(url=server.url, user=user, store=_STORE, end=_END), encoding="utf-8"
    )
    return config


def keep_secret(file: Path, text: str) -> None:
    """Write a secret into a file that only its owner reads."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as target:
        target.write(text)


_END = "2026-11-01T00:00:00Z"

_CONFIG = """\
# Written by 'vmo-bridge demo'. 'vmo-bridge init' writes one for your own instance.

[bridge]
store = "{store}"
as_of = {end}   # the end of the sample agency's data: the demo is the same every day

[connectors.helpdesk]
plugin = "servicenow"
url = "{url}"

[connectors.helpdesk.auth]
method = "basic"
user = "{user}"
password = {{ file = "secrets/helpdesk-password" }}

[feedback.questions]
csat = ["How satisfied are you with the way this was handled?"]
lost_time = ["How many minutes of work did this cost you?"]
comment = ["What should we know?"]

[[targets]]
kpi = "sla_attainment"
value = 0.95
agreed_with = "the bureaus' IT council"
agreed_on = 2025-10-15

[[targets]]
kpi = "csat"
value = 0.80
agreed_with = "the bureaus' IT council"
agreed_on = 2025-10-15

[[targets]]
kpi = "reopen_rate"
value = 0.05
agreed_with = "the bureaus' IT council"
agreed_on = 2025-10-15

[publish]
mode = "apply"
closed_tickets = true   # most rated tickets are closed; on your instance the default is false

[schedule]
every_minutes = 1
"""


def _story(
    bridge: Bridge,
    outcome: CycleOutcome,
    server: SandboxServer,
    config: Path,
    records: dict[str, int],
) -> str:
    """What was found, and where to look."""
    told = ", ".join(f"{number:,} {kind}" for kind, number in records.items() if number)
    click.echo(f"\n1  sync     {told}")
    click.echo(f"2  detect   {len(outcome.detect.signals)} signals that no ticket shows:")
    show.table(
        ["signal", "evidence", "hours a year", "why"],
        [
            (
                each.finding.id,
                len(each.finding.evidence),
                round(each.finding.worth.hours_per_year),
                each.finding.why,
            )
            for each in outcome.detect.signals
            if each.state != "ended"
        ],
    )
    click.echo(
        f"3  measure  {len(outcome.measure.results):,} KPI results; the last 90 days in all:"
    )
    show.table(
        ["KPI", "value", "target", "status", "n"],
        [
            (
                each.kpi,
                measured(each.value, each.unit),
                measured(each.target, each.unit),
                each.status,
                each.n,
            )
            for each in outcome.measure.results
            if each.window == "last-90-days" and each.service is None and each.user_group is None
        ],
    )
    return "\n".join((*_published(bridge, outcome, server), *_where(outcome, server, config)))


def _published(bridge: Bridge, outcome: CycleOutcome, server: SandboxServer) -> list[str]:
    lines = ["4  publish"]
    for published in outcome.publish:
        if published.delivery is None:
            continue
        counts = published.counts()
        stored, not_stored = published.delivery.stored, len(published.delivery.troubled)
        told = f"{stored} records written and read back, {counts['unchanged']} unchanged"
        lines.append(f"            {published.target}: {told}, {not_stored} not stored")
    shown = bridge.settings.publish.prefix + "watermelon"
    for row in (row for published in outcome.publish for row in published.plan):
        if row.values.get(shown) == "true":
            lines.append(f"            such as {server.url}/incident.do?number={row.label}")
            break
    return lines


def _where(outcome: CycleOutcome, server: SandboxServer, config: Path) -> list[str]:
    seconds = ", ".join(f"{stage} {taken:.1f} s" for stage, taken in outcome.seconds.items())
    signal = next((each.finding.id for each in outcome.detect.signals), "<signal>")
    command = Path(sys.argv[0])
    vmo_bridge = str(command) if command.name == "vmo-bridge" else "vmo-bridge"
    again = f"{vmo_bridge} sandbox --dir {config.parent / 'sandbox'}"
    return [
        f"            {seconds}",
        "",
        "look:",
        f"  {vmo_bridge} --config {config} signals",
        f"  {vmo_bridge} --config {config} explain {signal}",
        f"  {vmo_bridge} --config {config} kpis --service all",
        f"  {server.url}/   the sandbox's own pages (later: {again})",
    ]
