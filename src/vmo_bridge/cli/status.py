"""How the bridge stands: runs, streams, what is quarantined, what waits to be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmo_bridge.cli import show
from vmo_bridge.cli.opening import load
from vmo_bridge.cli.options import format_option

if TYPE_CHECKING:
    from vmo_bridge.records.certificate import Certificate
    from vmo_bridge.settings import Settings
    from vmo_bridge.store import Store

_STAGES = ("sync", "detect", "measure", "publish")


@click.command()
@format_option
@click.pass_obj
def status(config: Path, form: str) -> None:
    """Show how it all stands."""
    from vmo_bridge.store import Store

    settings, _ = load(config)
    with Store(settings.store_path) as store:
        content = _content(store, settings)
    if form == "json":
        show.as_json(content)
    else:
        _show(content)


def _content(store: Store, settings: Settings) -> dict[str, Any]:
    from vmo_bridge.publish.switch import KillSwitch

    quarantined = store.raw.quarantined()
    certificates = {(each.source, each.stream): each for each in store.certificates.latest()}
    return {
        "store": str(store.path),
        "bytes": store.path.stat().st_size,
        "mode": settings.publish.mode,
        "runs": [_run(store, stage) for stage in _STAGES],
        "streams": [
            {
                "stream": f"{mark.source}:{mark.name}",
                "held": store.ledger.held(mark.id),
                "expected": mark.expected,
                "read_whole_at": show.iso(mark.complete_at),
                "watermark": show.iso(mark.watermark),
                "quarantined": sum(
                    (each.source, each.stream) == (mark.source, mark.name) for each in quarantined
                ),
                "unfinished": bool(store.marks.slices(mark.id)),
                "problem": mark.problem,
                **_certified(certificates.get((mark.source, mark.name))),
            }
            for mark in store.marks.streams()
        ],
        "alarms": store.certificates.alarms(),
        "budgets": _budgets(store, settings),
        "records": {kind: number for kind, number in store.versions.counts().items() if number},
        "quarantine": [
            {"record": f"{each.source}:{each.stream}:{each.key}", "reason": each.reason}
            for each in quarantined
        ],
        "unmapped_questions": _unmapped(store, settings),
        "signals": _signals(store),
        "outbox": store.outbox.counts(),
        "contested": store.contests.counts(),
        "stopped": KillSwitch(settings).reason() or None,
    }


def _budgets(store: Store, settings: Settings) -> dict[str, Any]:
    """The calls each source was asked in its last hour, where it is counted."""
    from vmo_bridge.sync.source import BUDGET

    told = {name: store.runs.fact(f"{BUDGET}{name}") for name in settings.connectors}
    return {name: json.loads(text) for name, text in told.items() if text}


def _certified(certificate: Certificate | None) -> dict[str, Any]:
    if certificate is None:
        return {"grade": None, "why": [], "gone": 0, "swept_at": None}
    return {
        "grade": certificate.grade,
        "why": list(certificate.reasons),
        "gone": certificate.gone,
        "swept_at": show.iso(certificate.swept_at),
    }


def _run(store: Store, stage: str) -> dict[str, Any]:
    run = store.runs.last(stage)
    if run is None:
        return {"stage": stage, "state": "never", "started_at": None, "detail": {}}
    return {
        "stage": stage,
        "state": run.state,
        "started_at": show.iso(run.started_at),
        "detail": dict(run.detail),
    }


def _unmapped(store: Store, settings: Settings) -> list[str]:
    """Questions that no metric is tied to: their answers count nowhere."""
    mapped = {each.question for asked in settings.feedback.questions.values() for each in asked}
    return sorted(
        {
            row["text"]
            for row in store.versions.all("question")
            if not {row["text"], row["id"]} & mapped
        }
    )


def _signals(store: Store) -> dict[str, int]:
    counts: dict[str, int] = {}
    for signal in store.findings.signals():
        counts[signal.state] = counts.get(signal.state, 0) + 1
    return counts


def _show(content: dict[str, Any]) -> None:
    click.echo(
        f"store {content['store']}, {content['bytes'] / 1e6:.1f} MB; publish mode {content['mode']}"
    )
    show.table(
        ["stage", "last run", "started", "detail"],
        [
            (
                run["stage"],
                run["state"],
                run["started_at"],
                ", ".join(f"{name} {value}" for name, value in run["detail"].items() if value),
            )
            for run in content["runs"]
        ],
    )
    _show_streams(content["streams"])
    for name, budget in content["budgets"].items():
        limit = f" of {budget['allowed']:,}" if budget["allowed"] else ""
        left = f", {budget['left']:,} left by its own word" if budget["left"] is not None else ""
        click.echo(
            f"{name}: {budget['spent']:,} calls{limit} in the hour to {budget['renewed_at']}{left}"
        )
    for alarm in content["alarms"]:
        click.echo(f"alarm, nothing is published: {alarm}")
    _show_publishing(content)
    for each in content["quarantine"][:20]:
        click.echo(f"quarantined: {each['record']}: {each['reason']}")
    if len(content["quarantine"]) > 20:
        click.echo(f"… and {len(content['quarantine']) - 20} more (--format json has all)")
    for question in content["unmapped_questions"]:
        click.echo(f"question not mapped under [feedback.questions]: {question!r}")
    for name in ("signals", "outbox"):
        told = ", ".join(f"{number} {state}" for state, number in content[name].items())
        click.echo(f"{name}: {told or 'none'}")


def _show_streams(streams: list[dict[str, Any]]) -> None:
    show.table(
        [
            "stream",
            "grade",
            "held",
            "source has",
            "gone",
            "read whole",
            "newest change",
            "quarantined",
            "problem",
        ],
        [
            (
                each["stream"],
                each["grade"],
                each["held"],
                each["expected"],
                each["gone"] or None,
                each["read_whole_at"] or "never",
                each["watermark"],
                each["quarantined"] or None,
                each["problem"] or ("unfinished" if each["unfinished"] else ""),
            )
            for each in streams
        ],
    )


def _show_publishing(content: dict[str, Any]) -> None:
    """What stands in the way of values: the kill switch, and targets that do not keep them."""
    if content["stopped"]:
        click.echo(f"nothing is published: {content['stopped']}")
    for name, number in content["contested"].items():
        click.echo(f"{name}: {number} fields did not keep what was written ('publish' tells why)")
