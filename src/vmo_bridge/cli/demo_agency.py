"""The demo on the sample agency: its three sources, and the story that only they together tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vmo_bridge.cli import demo_parts, show
from vmo_bridge.cli.look import measured

if TYPE_CHECKING:
    from vmo_bridge.pipeline import Bridge, CycleOutcome
    from vmo_bridge.records import Finding
    from vmo_bridge.sandbox.server import SandboxServer

_END = "2026-11-01T00:00:00Z"
_SHOWN = ("number", "name")


def write_config(folder: Path, server: SandboxServer) -> Path:
    """A real configuration for the sandbox, its secrets in files of their own."""
    from vmo_bridge.cli.demo import keep_secret

    user, password = server.auth("vmo.bridge")
    email, token = server.jira.auth("vmo.bridge")
    secrets = {
        "helpdesk-password": password,
        "development-token": token,
        "voices-token": server.surveymonkey.token,
    }
    for name, secret in secrets.items():
        keep_secret(folder / "secrets" / name, secret)
    config = folder / "vmo-bridge.toml"
    config.write_text(
        _CONFIG.format(
            url=server.url,
            user=user,
            jira=server.jira.url,
            email=email,
            surveys=server.surveymonkey.url,
            end=_END,
        ),
        encoding="utf-8",
    )
    return config


_CONFIG = """\
# Written by 'vmo-bridge demo'. 'vmo-bridge init' writes one for your own instance.

[bridge]
store = "vmo-bridge.db"
as_of = {end}   # the end of the sample agency's data: the demo is the same every day

[connectors.helpdesk]
plugin = "servicenow"
url = "{url}"

[connectors.helpdesk.auth]
method = "basic"
user = "{user}"
password = {{ file = "secrets/helpdesk-password" }}

[connectors.development]
plugin = "jira"
url = "{jira}"
projects = ["STAFF", "FIN", "CASE", "DATA", "WEB", "HELP"]
service_field = "Affected service"
demand_field = "ServiceNow demand"

[connectors.development.auth]
method = "token"
email = "{email}"
token = {{ file = "secrets/development-token" }}

[connectors.development.value_fields]
open_signals = "VMO Value"

[connectors.voices]
plugin = "surveymonkey"
url = "{surveys}"
token = {{ file = "secrets/voices-token" }}

[connectors.voices.variables]
ticket = "ticket"
service = "service"
user_group = "department"

[feedback.questions]
csat = [
  "How satisfied are you with the way this was handled?",
  "How satisfied were you with the service?",
]
nps = ["How likely are you to recommend this service to a colleague?"]
ces = ["How easy is it to get your work done with this service?"]
lost_time = ["How many minutes of work did this cost you?"]
comment = ["What should we know?", "What should we change or keep?"]

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


def story(bridge: Bridge, outcome: CycleOutcome, server: SandboxServer, config: Path) -> str:
    """What was found, and where to look."""
    records = bridge.store.versions.counts()
    told = ", ".join(f"{number:,} {kind}" for kind, number in records.items() if number)
    click.echo(f"\n1  sync     {told}")
    grades = Counter(each.certificate.grade for each in outcome.sync if each.certificate)
    proved = ", ".join(f"{number} of grade {grade}" for grade, number in sorted(grades.items()))
    click.echo(f"            certificates of completeness: {proved} ('vmo-bridge certificate')")
    found = [each.finding for each in outcome.detect.signals if each.state != "ended"]
    click.echo(f"2  detect   {len(found)} signals that no ticket shows:")
    show.table(
        ["signal", "evidence", "hours a year", "why"],
        [
            (each.id, len(each.evidence), round(each.worth.hours_per_year), each.why)
            for each in found
        ],
    )
    for line in _together(bridge, found):
        click.echo(line)
    _tell_kpis(outcome)
    return "\n".join((*_published(bridge, outcome, server), *_where(outcome, server, config)))


def _together(bridge: Bridge, found: Sequence[Finding]) -> Iterator[str]:
    """The finding whose evidence comes from most sources, source by source."""
    told = {each.id: _by_source(bridge, each) for each in found}
    most = max(found, key=lambda each: len(told[each.id]), default=None)
    if most is None or len(told[most.id]) < 3:
        return
    yield f"   {len(told[most.id])} sources together tell one of them, and none alone does:"
    for source, names in told[most.id].items():
        shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
        yield f"     {source:12} {shown}"
    yield f"     → {most.why}\n"


def _by_source(bridge: Bridge, finding: Finding) -> dict[str, list[str]]:
    """The records that make the case, by the source they come from."""
    found: dict[str, list[str]] = {}
    for row in bridge.store.versions.by_refs(finding.evidence):
        name = next((str(row[column]) for column in _SHOWN if row.get(column)), row["ref"])
        found.setdefault(row["source"], []).append(f"{row.get('type') or row['kind']} {name}")
    return found


def _tell_kpis(outcome: CycleOutcome) -> None:
    results = outcome.measure.results
    click.echo(f"3  measure  {len(results):,} KPI results; the last 90 days in all:")
    overall = [
        each
        for each in results
        if each.window == "last-90-days" and each.service is None and each.user_group is None
    ]
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
            for each in overall
            if each.status != "not-known"
        ],
    )
    unknown = [each.kpi for each in overall if each.status == "not-known"]
    if unknown:
        click.echo(f"   not known, for nobody asks: {', '.join(unknown)}")


def _published(bridge: Bridge, outcome: CycleOutcome, server: SandboxServer) -> Iterator[str]:
    yield from demo_parts.published(outcome.publish)
    shown = bridge.settings.publish.prefix + "watermelon"
    for row in (row for each in outcome.publish for row in each.plan):
        if row.values.get(shown) == "true":
            yield f"            such as {server.url}/incident.do?number={row.label}"
            break


def _where(outcome: CycleOutcome, server: SandboxServer, config: Path) -> Iterator[str]:
    signal = next((each.finding.id for each in outcome.detect.signals), "<signal>")
    vmo_bridge = demo_parts.command()
    yield f"            {demo_parts.stages(outcome.seconds)}"
    yield from ("", "look:")
    yield f"  {vmo_bridge} --config {config} signals"
    yield f"  {vmo_bridge} --config {config} explain {signal}"
    yield f"  {vmo_bridge} --config {config} kpis --service all"
    yield f"  {vmo_bridge} --config {config} questions"
    yield f"  {vmo_bridge} --config {config} certificate"
    yield demo_parts.pages(server.url, config)
