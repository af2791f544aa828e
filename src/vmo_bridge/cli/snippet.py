"""The lines of a configuration that map questions and tie names, ready to be pasted."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vmo_bridge.value.asking import LooseName, QuestionRow
    from vmo_bridge.value.questions import Proposal, Scale


def question_lines(rows: Iterable[QuestionRow], there: Collection[str]) -> list[str]:
    """``[feedback.questions]`` of what is proposed; ``there`` are the metrics that have a list."""
    entries: dict[str, list[str]] = {}
    for name, proposal in _named_once(rows):
        if proposal.metric:
            entries.setdefault(proposal.metric, []).append(_entry(name, proposal))
    if not entries:
        return []
    lines = (
        ["# [feedback.questions] is there already: put these lines below it."]
        if there
        else ["[feedback.questions]"]
    )
    for metric, some in entries.items():
        if metric in there:
            lines.append(f"# {metric} is there already: put these into its list.")
        lines += [f"{metric} = [", *(f"  {each}" for each in some), "]"]
    return lines


def tie_lines(names: Iterable[LooseName]) -> list[str]:
    """A ``[[feedback.ties]]`` of each name that is near a known one."""
    lines: list[str] = []
    for each in names:
        if each.nearest is not None:
            key = each.what.replace(" ", "_")
            lines += [
                "[[feedback.ties]]",
                f"named = {quoted(each.name)}",
                f"{key} = {quoted(each.nearest)}",
            ]
    return lines


def _named_once(rows: Iterable[QuestionRow]) -> Iterator[tuple[str, Proposal]]:
    """Each question by its text; by its id where one text is asked in several ways."""
    by_text: dict[str, list[QuestionRow]] = {}
    for row in rows:
        if row.proposal is not None:
            by_text.setdefault(row.text, []).append(row)
    for text, same in by_text.items():
        yield from _of_text(text, same)


def _of_text(text: str, same: Sequence[QuestionRow]) -> Iterator[tuple[str, Proposal]]:
    proposals = [row.proposal for row in same if row.proposal is not None]
    first = proposals[0]
    if len({(each.metric, each.scale, each.best) for each in proposals}) == 1:
        yield text, first
        return
    for row, proposal in zip(same, proposals, strict=True):
        yield row.id, proposal


def _entry(name: str, proposal: Proposal) -> str:
    parts = [f"question = {quoted(name)}"]
    if proposal.scale is not None:
        parts.append(f"scale = {scale_text(proposal.scale)}")
    if proposal.best == "low":
        parts.append('best = "low"')
    entry = quoted(name) if len(parts) == 1 else f"{{ {', '.join(parts)} }}"
    return f"{entry},  # {proposal.why}"


def scale_text(scale: Scale) -> str:
    """A scale as TOML has it: ``[1, 5]``."""
    return f"[{scale[0]:.10g}, {scale[1]:.10g}]"


def quoted(text: str) -> str:
    """A TOML basic string: JSON escapes what TOML wants escaped, save the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
