"""What survey questions measure or may measure, and what answers name that leads nowhere."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vmo_bridge.cli import show
from vmo_bridge.cli.opening import load
from vmo_bridge.cli.options import list_format_option
from vmo_bridge.cli.snippet import question_lines, scale_text, tie_lines

if TYPE_CHECKING:
    from vmo_bridge.settings import Settings
    from vmo_bridge.store import Store
    from vmo_bridge.value.asking import LooseName, QuestionRow

_FEW = 5
"""Fewer answers are told as 'fewer than 5' and not by their number."""
_MOST_NAMES = 20


@click.command()
@list_format_option
@click.pass_obj
def questions(config: Path, form: str) -> None:
    """List survey questions, what they may measure, and names that lead nowhere."""
    from vmo_bridge.store import Store

    settings, _ = load(config)
    with Store(settings.store_path) as store:
        content = _content(store, settings)
    if form == "json":
        show.as_json(content)
    elif form == "csv":
        show.as_rows(content["questions"], form)
    else:
        _show(content)


def _content(store: Store, settings: Settings) -> dict[str, Any]:
    from vmo_bridge.value.asking import asking

    as_of = settings.bridge.as_of or datetime.now(tz=UTC)
    found = asking(store, settings.feedback, as_of=as_of)
    kinds = dict.fromkeys(each.what for each in found.loose)
    shown = [
        each
        for what in kinds
        for each in [name for name in found.loose if name.what == what][:_MOST_NAMES]
    ]
    lines = [*question_lines(found.questions, settings.feedback.questions), *tie_lines(shown)]
    return {
        "questions": [_question(row) for row in found.questions],
        "names": [_name(each) for each in shown],
        "names_not_shown": len(found.loose) - len(shown),
        "snippet": "\n".join(lines),
    }


def _question(row: QuestionRow) -> dict[str, Any]:
    proposal = row.proposal
    return {
        "source": row.source,
        "survey": row.survey,
        "id": row.id,
        "question": row.text,
        "answers": _told(row.answers),
        "scale": list(row.scale) if row.scale else None,
        "metric": row.metric,
        "proposed": None
        if proposal is None
        else {
            "metric": proposal.metric,
            "scale": list(proposal.scale) if proposal.scale else None,
            "best": proposal.best,
            "why": proposal.why,
        },
    }


def _name(each: LooseName) -> dict[str, Any]:
    return {
        "what": each.what,
        "name": each.name,
        "answers": _told(each.answers),
        "nearest": each.nearest,
    }


def _told(number: int) -> int | str:
    return f"<{_FEW}" if 0 < number < _FEW else number


def _show(content: dict[str, Any]) -> None:
    if not content["questions"]:
        click.echo("no survey question is known yet; 'vmo-bridge sync' reads them")
    else:
        _show_questions(content["questions"])
    if content["names"]:
        show.table(
            ["named as", "name", "answers", "nearest known name"],
            [
                (each["what"], each["name"], each["answers"], each["nearest"] or "none")
                for each in content["names"]
            ],
            title="names in answers that lead nowhere",
        )
    if content["names_not_shown"]:
        click.echo(f"… and {content['names_not_shown']} more")
    if content["snippet"]:
        click.echo("what is proposed, for the configuration (look at each line before):\n")
        click.echo(content["snippet"])


def _show_questions(rows: list[dict[str, Any]]) -> None:
    show.table(
        ["source", "survey", "question", "answers", "scale", "measures", "proposed", "why"],
        [
            (
                row["source"],
                row["survey"],
                row["question"],
                row["answers"],
                scale_text(tuple(row["scale"])) if row["scale"] else "",
                row["metric"],
                *_proposed(row["proposed"]),
            )
            for row in rows
        ],
    )


def _proposed(proposal: dict[str, Any] | None) -> tuple[str, str]:
    if proposal is None:
        return "", ""
    return proposal["metric"] or "no proposal", proposal["why"]
