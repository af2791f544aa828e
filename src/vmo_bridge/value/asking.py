"""What the store knows of survey questions, and of names in answers that lead nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any, Final

from vmo_bridge.hooks.extensions import FEWEST_PEOPLE, Row
from vmo_bridge.settings.model import FeedbackSection
from vmo_bridge.store import Store
from vmo_bridge.value.questions import Asked, Proposal, Scale, propose

if TYPE_CHECKING:
    import pyarrow as pa

_ANSWERS = """
select question_ref, count(*) as answers, count(value) as numbers,
    min(value) as lowest, max(value) as highest,
    count(distinct person_ref) filter (where value is not null)
        + count(*) filter (where value is not null and person_ref is null) as people,
    min(scale_min) as scale_min, max(scale_max) as scale_max,
    min(scale_min) = max(scale_min) and min(scale_max) = max(scale_max) as one_scale
from answers
group by question_ref"""

_LOOSE = """
select {name} as name, count(*) as number
from feedback
where {name} is not null and {ref} is null
group by {name}"""

_NAMED: Final[Mapping[str, tuple[str, str]]] = {
    "service": ("service_name", "service_ref"),
    "user group": ("user_group_name", "user_group_ref"),
    "ticket": ("ticket_number", "ticket_ref"),
}
_KNOWN: Final[Mapping[str, str]] = {"service": "services", "user group": "user_groups"}

_AN_ADDRESS: Final = "(an e-mail address)"
_ALIKE: Final = 0.7
"""From 0 to 1: a name less like the known ones is not taken for one of them."""
_AHEAD: Final = 0.03
"""So much nearer than the next one it has to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionRow:
    """One question of one survey."""

    source: str
    survey: str | None
    id: str
    text: str
    answers: int
    scale: Scale | None
    metric: str | None
    """What the configuration says that it measures."""
    proposal: Proposal | None
    """Only where the configuration says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LooseName:
    """What answers name as their service, user group or ticket, and nothing is called so."""

    what: str
    """``service``, ``user group`` or ``ticket``."""
    name: str
    answers: int
    nearest: str | None = None
    """The known name that may be meant."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Both of them: questions by source and survey, names by how many answers have them."""

    questions: list[QuestionRow]
    loose: list[LooseName]


def asking(store: Store, feedback: FeedbackSection, *, as_of: datetime) -> Asking:
    """Look at questions, numbers and names; what an answer says in words is not read."""
    from vmo_bridge.analysis.engine import Analysis  # noqa: PLC0415 - duckdb is slow to import

    tables = store.tables(as_of=as_of, feedback=feedback)
    with Analysis(tables) as analysis:
        answers = {row["question_ref"]: row for row in analysis.query(_ANSWERS)}
        loose = [
            found
            for what, (name, ref) in _NAMED.items()
            for found in _loose(what, analysis.query(_LOOSE.format(name=name, ref=ref)), tables)
        ]
    metrics = {
        each.question: metric
        for metric, questions in feedback.questions.items()
        for each in questions
    }
    rows = [
        _question(question, answers.get(question["ref"], _NO_ANSWERS), metrics)
        for question in store.versions.all("question")
    ]
    # A stable sort: within a survey the order of the source's keys stays.
    return Asking(sorted(rows, key=lambda row: (row.source, row.survey or "")), loose)


_NO_ANSWERS: Row = {"answers": 0, "numbers": 0, "people": 0, "one_scale": None}


def _question(question: Mapping[str, Any], row: Row, metrics: Mapping[str, str]) -> QuestionRow:
    metric = metrics.get(question["id"]) or metrics.get(question["text"])
    scale = _scale(question["scale_min"], question["scale_max"])
    if row["one_scale"]:
        scale = _scale(row["scale_min"], row["scale_max"])
    enough = row["people"] >= FEWEST_PEOPLE
    asked = Asked(
        text=question["text"],
        datatype=question["datatype"],
        scale=scale,
        answers=row["answers"],
        numbers=row["numbers"],
        observed=_scale(row["lowest"], row["highest"]) if enough else None,
    )
    return QuestionRow(
        source=question["source"],
        survey=question["survey"] or question["survey_ref"],
        id=question["id"],
        text=question["text"],
        answers=row["answers"],
        scale=scale,
        metric=metric,
        proposal=None if metric else propose(asked),
    )


def _scale(low: float | None, high: float | None) -> Scale | None:
    return (low, high) if low is not None and high is not None and low < high else None


def _loose(what: str, rows: Iterable[Row], tables: Mapping[str, pa.Table]) -> Iterator[LooseName]:
    """The names of one kind, those of most answers first; an address is nobody's name."""
    numbers: Counter[str] = Counter()
    for row in rows:
        numbers[_AN_ADDRESS if "@" in row["name"] else row["name"]] += row["number"]
    known = tables[_KNOWN[what]]["name"].to_pylist() if what in _KNOWN else []
    for name, number in sorted(numbers.items(), key=lambda item: (-item[1], item[0])):
        meant = None if name == _AN_ADDRESS else nearest(name, known)
        yield LooseName(what=what, name=name, answers=number, nearest=meant)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` may be a slip of; None where none is clearly nearest."""
    matcher = SequenceMatcher(autojunk=False, b=_plain(name))
    alike = []
    for each in dict.fromkeys(known):
        matcher.set_seq1(_plain(each))
        alike.append((matcher.ratio(), each))
    alike.sort(key=lambda item: (-item[0], item[1]))
    if not alike or alike[0][0] < _ALIKE:
        return None
    if len(alike) > 1 and alike[0][0] - alike[1][0] < _AHEAD:
        return None
    return alike[0][1]


def _plain(name: str) -> str:
    """Letters and digits alone, so that 'Pay-Roll (HR)' and 'payroll hr' are near."""
    return "".join(each for each in name.casefold() if each.isalnum())
