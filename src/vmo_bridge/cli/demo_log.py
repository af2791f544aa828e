"""The demo on a replayed log: its configuration and its story, of what a log knows and no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmo_bridge.cli import demo_parts, show
from vmo_bridge.cli.look import measured

if TYPE_CHECKING:
    from vmo_bridge.pipeline import CycleOutcome
    from vmo_bridge.records import KpiResult
    from vmo_bridge.sandbox.replay.log import EventLog
    from vmo_bridge.sandbox.server import SandboxServer

_MARK = "log "
_SHOWN = ("sla_attainment", "reopen_rate")


def mark(log: EventLog) -> str:
    """What the demo's folder is marked with; a log with a fault is refused before there is one."""
    _ = log.history
    return f"{_MARK}{log.sha256}"


def told(folder: Path, log: EventLog | None) -> str | None:
    """What is being made or served; None where it is no log."""
    if log is not None:
        return f"replaying {log.name} ({len(log.history.incidents):,} incidents) as a ServiceNow"
    marked = (folder / "demo.seed").read_text(encoding="utf-8")
    return "serving the log that was replayed here" if marked.startswith(_MARK) else None


def replayed(server: SandboxServer) -> dict[str, Any] | None:
    """What the sandbox says of the log it replays; None where it is an agency."""
    found: dict[str, Any] | None = server.truth().get("log")
    return found


def write_config(folder: Path, server: SandboxServer, log: dict[str, Any]) -> Path:
    """A real configuration for the replay, as of just after the last moment of the log."""
    from vmo_bridge.cli.demo import keep_secret

    user, password = server.auth("vmo.bridge")
    keep_secret(folder / "secrets" / "helpdesk-password", password)
    config = folder / "vmo-bridge.toml"
    as_of = datetime.fromisoformat(log["end"]) + timedelta(minutes=1)
    config.write_text(
        _CONFIG.format(url=server.url, user=user, as_of=show.iso(as_of), states=_states(server)),
        encoding="utf-8",
    )
    return config


def _states(server: SandboxServer) -> str:
    """Each "Awaiting …" of the log is on hold; the numbers are the instance's own."""
    rows = server.rows("sys_choice", "name=incident^element=state")
    held = sorted(int(row["value"]) for row in rows if row["label"].startswith("Awaiting "))
    return "".join(f'{value} = "on_hold"\n' for value in held)


_CONFIG = """\
# Written by 'vmo-bridge demo'. 'vmo-bridge init' writes one for your own instance.

[bridge]
store = "vmo-bridge.db"
as_of = {as_of}   # just after the last moment of the log, whose times are taken as UTC

[connectors.helpdesk]
plugin = "servicenow"
url = "{url}"

[connectors.helpdesk.auth]
method = "basic"
user = "{user}"
password = {{ file = "secrets/helpdesk-password" }}

[connectors.helpdesk.states.incident]   # each "Awaiting …" of the log
{states}
[publish]
mode = "apply"
closed_tickets = true   # every incident of a log may be closed; on your instance: false

[schedule]
every_minutes = 1
"""


def story(
    outcome: CycleOutcome, server: SandboxServer, config: Path, records: dict[str, int]
) -> str:
    """What was found, and where to look."""
    counts = ", ".join(f"{number:,} {kind}" for kind, number in records.items() if number)
    click.echo(f"\n1  sync     {counts}")
    click.echo(
        "            the log knows no services, user groups, texts or surveys: none are here"
    )
    _tell_signals(outcome)
    _tell_months(outcome.measure.results)
    return "\n".join(
        (
            *demo_parts.published(outcome.publish),
            *_where(outcome.seconds, server.url, config, outcome),
        )
    )


def _tell_signals(outcome: CycleOutcome) -> None:
    found = [each for each in outcome.detect.signals if each.state != "ended"]
    click.echo(f"2  detect   {len(found)} signals at the end of the log")
    for rule, why in outcome.detect.not_known.items():
        click.echo(f"            rule {rule}: {why}")
    if found:
        show.table(
            ["signal", "evidence", "why"],
            [(each.finding.id, len(each.finding.evidence), each.finding.why) for each in found],
        )


def _tell_months(results: Sequence[KpiResult]) -> None:
    click.echo("3  measure  what a log can tell, month by month:")
    shown = [each for each in results if each.kpi in _SHOWN and _in_all(each) and each.n]
    show.table(
        ["KPI", "window", "value", "target", "status", "n"],
        [
            (
                each.kpi,
                each.window,
                measured(each.value, each.unit),
                measured(each.target, each.unit),
                each.status,
                each.n,
            )
            for each in shown
        ],
    )


def _where(
    seconds: dict[str, float], url: str, config: Path, outcome: CycleOutcome
) -> Iterator[str]:
    yield f"            {demo_parts.stages(seconds)}"
    yield from ("", "look:")
    vmo_bridge = demo_parts.command()
    busiest = max(
        (each for each in outcome.measure.results if each.window[:1].isdigit() and _in_all(each)),
        key=lambda each: each.n,
        default=None,
    )
    if busiest is not None:
        moment = show.iso(busiest.end)
        yield f"  {vmo_bridge} --config {config} signals --as-of {moment}   after its busiest month"
    yield f"  {vmo_bridge} --config {config} kpis --service all"
    yield demo_parts.pages(url, config)


def _in_all(result: KpiResult) -> bool:
    return result.service is None and result.user_group is None
