"""Rule 'ping-pong': it finds work that is thrown back and forth between teams.

A ticket *bounced* when its path of teams returns to one that had given it away (A-B-A, also
A-B-C-A). The path is made from the team history: stretches shorter than ``routing_seconds`` are
automatic routing and dropped, then equal neighbours are one. Not a bounce is the normal triage
return: the path starts with the first line, and its only return is its last hop, to that team.

The first line is named by ``first_line``, or learned: each team with which at least
``first_line_share`` of all tickets of the window start.

A service is raised when significantly more of its tickets bounced than of all others (Fisher's
exact test, one-sided; Benjamini-Hochberg over all services), at least ``min_ratio`` times the
share of the others, and at least ``min_bounced`` tickets. Then the same is asked of categories,
over the tickets whose service was not raised. Only tickets opened in the window whose team
history is known are counted.

Reads: tickets (opened_at, service, category), spans (field team), answers (metric lost_time).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from pydantic import Field

from vmo_bridge.hooks.extensions import Row, Rule, RuleParameters, RuleRun
from vmo_bridge.records import Finding
from vmo_bridge.signals.making import in_order, most_used, slugs, strength, worth
from vmo_bridge.signals.statistics import benjamini_hochberg, fisher_more


class PingPongParameters(RuleParameters, frozen=True):
    """What is a hand-over, who is the first line, and how much is too much."""

    routing_seconds: int = Field(
        120, ge=0, description="A team that held a ticket for less only routed it."
    )
    first_line: tuple[str, ...] = Field(
        (), description="Names of the first-line teams; empty: learned from where tickets start."
    )
    first_line_share: float = Field(
        0.25, gt=0, le=1, description="Share of tickets that start with a team that is first line."
    )
    min_bounced: int = Field(5, ge=1, description="Bounced tickets that a subject needs.")
    min_ratio: float = Field(2.0, ge=1, description="Times the share of the others.")
    false_discoveries: float = Field(
        0.01, gt=0, lt=1, description="Share of false findings accepted over all subjects tested."
    )


_HELD = """
    select t.ref as ticket_ref, t.opened_at, t.service_ref, t.service, t.category,
        coalesce(s.value_ref, s.value) as team_ref, s.value, s.started_at, s.ref as span_ref,
        row_number() over (partition by t.ref order by s.started_at, s.ref) as place,
        count(*) over (partition by t.ref) as places
    from tickets t
    join spans s on s.ticket_ref = t.ref
    where s.field = 'team' and coalesce(s.value_ref, s.value) is not null
        and t.opened_at >= $start and t.opened_at < $end
        and (s.ended_at is null or s.ended_at - s.started_at >= $routing_seconds)"""

_SUBJECTS = f"""
select service_ref, max(service) as service, category, count(*) as tickets
from ({_HELD}) held
where place = 1
group by service_ref, category
order by service_ref, category"""

_STARTS = f"""
select held.team_ref, max(coalesce(teams.name, held.value)) as team, count(*) as tickets
from ({_HELD}) held
left join teams on teams.ref = held.team_ref
where place = 1
group by held.team_ref
order by held.team_ref"""

# A path that returns has three stretches at least; all others never leave the engine.
_PATHS = f"""
select held.ticket_ref, held.service_ref, held.category, held.team_ref,
    coalesce(teams.name, held.value) as team
from ({_HELD}) held
left join teams on teams.ref = held.team_ref
where held.places >= 3
order by held.opened_at, held.ticket_ref, held.place"""

_LOST_TIME = f"""
select a.ticket_ref, sum(a.value) as minutes
from answers a
join ({_HELD}) held on held.ticket_ref = a.ticket_ref and held.place = 1 and held.places >= 3
where a.metric = 'lost_time' and a.value >= 0
group by a.ticket_ref"""

_NEEDS = """
select count(*) as team_history_of_tickets
from spans
where field = 'team' and coalesce(value_ref, value) is not null"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bounce:
    """A ticket that came back."""

    ticket: Row
    """With ``ticket_ref``, ``service_ref`` and ``category``."""
    pairs: tuple[tuple[str, str], ...]
    """The two teams (names, in alphabetical order) of each hop back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """A service or a category, against all other tickets."""

    column: str
    key: str
    name: str
    bounces: Sequence[_Bounce]
    tickets: int
    other_bounced: int
    other_tickets: int

    @property
    def share(self) -> float:
        """Share of the subject's tickets that bounced."""
        return len(self.bounces) / self.tickets

    @property
    def other_share(self) -> float:
        """Share of all other tickets that bounced."""
        return self.other_bounced / self.other_tickets if self.other_tickets else 0.0


def returns(path: Sequence[str], first_line: Collection[str]) -> list[int]:
    """Places in a path of teams where it returns to a team that had given the work away.

    Equal neighbours must be one already. The triage return (see the module) gives none.
    """
    places = [i for i in range(2, len(path)) if path[i] in path[:i]]
    triage = places == [len(path) - 1] and path[-1] == path[0] and path[0] in first_line
    return [] if triage else places


def decide(run: RuleRun) -> Sequence[Finding]:
    """Raise services, then categories of the other services, that bounce far more than the rest."""
    bounces = list(_bounces(run))
    services = _raised(run, _subjects(run.rows["subjects"], bounces, "service_ref"))
    explained = {subject.key for subject, _ in services}
    rows = [row for row in run.rows["subjects"] if row["service_ref"] not in explained]
    unexplained = [item for item in bounces if item.ticket["service_ref"] not in explained]
    categories = _raised(run, _subjects(rows, unexplained, "category"))
    lost = {row["ticket_ref"]: row["minutes"] for row in run.rows["lost_time"]}
    ids = _ids(run.rows["subjects"])
    return [
        _finding(run, subject, adjusted, name=ids[subject.column, subject.key], lost=lost)
        for subject, adjusted in (*services, *categories)
    ]


def _bounces(run: RuleRun) -> Iterator[_Bounce]:
    first_line = _first_line(run)
    for _, held in groupby(run.rows["paths"], key=lambda row: row["ticket_ref"]):
        rows = [next(same) for _, same in groupby(held, key=lambda row: row["team_ref"])]
        places = returns([row["team_ref"] for row in rows], first_line)
        if places:
            names = [row["team"] or row["team_ref"] for row in rows]
            pairs = tuple(
                (min(pair), max(pair)) for pair in ((names[i - 1], names[i]) for i in places)
            )
            yield _Bounce(ticket=rows[0], pairs=pairs)


def _first_line(run: RuleRun) -> set[str]:
    starts = run.rows["starts"]
    named = {name.casefold() for name in run.parameters.first_line}
    if named:
        return {row["team_ref"] for row in starts if (row["team"] or "").casefold() in named}
    enough = run.parameters.first_line_share * sum(row["tickets"] for row in starts)
    return {row["team_ref"] for row in starts if row["tickets"] >= enough}


def _subjects(rows: Sequence[Row], bounces: Sequence[_Bounce], column: str) -> list[_Subject]:
    """Every value of ``column`` against all other tickets, those without a value among them."""
    tickets: Counter[str | None] = Counter()
    names: dict[str | None, str | None] = {}
    for row in rows:
        tickets[row[column]] += row["tickets"]
        names[row[column]] = row["service"] if column == "service_ref" else row[column]
    mine: dict[str | None, list[_Bounce]] = defaultdict(list)
    for bounce in bounces:
        mine[bounce.ticket[column]].append(bounce)
    return [
        _Subject(
            column=column,
            key=key,
            name=names[key] or key,
            bounces=mine[key],
            tickets=count,
            other_bounced=len(bounces) - len(mine[key]),
            other_tickets=tickets.total() - count,
        )
        for key, count in tickets.items()
        if key is not None
    ]


def _raised(run: RuleRun, subjects: Sequence[_Subject]) -> list[tuple[_Subject, float]]:
    """Subjects that stand out, with the adjusted p-value."""
    # Too few tickets can never reach min_bounced: testing them would only cost power.
    tested = [subject for subject in subjects if subject.tickets >= run.parameters.min_bounced]
    adjusted = benjamini_hochberg([_p_value(subject) for subject in tested])
    return [
        (subject, p)
        for subject, p in zip(tested, adjusted, strict=True)
        if p <= run.parameters.false_discoveries
        and len(subject.bounces) >= run.parameters.min_bounced
        and subject.share >= run.parameters.min_ratio * subject.other_share
    ]


def _p_value(subject: _Subject) -> float:
    return fisher_more(
        len(subject.bounces), subject.tickets, subject.other_bounced, subject.other_tickets
    )


def _finding(
    run: RuleRun, subject: _Subject, adjusted_p: float, *, name: str, lost: Mapping[str, float]
) -> Finding:
    refs = in_order(bounce.ticket["ticket_ref"] for bounce in subject.bounces)
    is_service = subject.column == "service_ref"
    teams = _teams(subject)
    minutes = sum(lost.get(ref, 0.0) for ref in refs)
    categories = Counter(bounce.ticket["category"] for bounce in subject.bounces)
    del categories[None]
    return Finding(
        id=name,
        rule=RULE.name,
        title=f"{subject.name}: work is thrown back and forth",
        why=_why(subject, teams),
        service=subject.name if is_service else None,
        service_ref=subject.key if is_service else None,
        keywords=in_order((*teams, *most_used(categories, 1))),
        start=run.start,
        end=run.end,
        strength=strength(adjusted_p, subject.share - subject.other_share),
        worth=worth(run, len(refs), minutes),
        evidence=refs,
        numbers={
            "bounced": len(refs),
            "tickets": subject.tickets,
            "other_bounced": subject.other_bounced,
            "other_tickets": subject.other_tickets,
            "adjusted_p": adjusted_p,
            "lost_minutes": minutes,
        },
    )


def _teams(subject: _Subject) -> tuple[str, ...]:
    """The two teams between whom most of the tickets came back."""
    pairs = Counter(pair for bounce in subject.bounces for pair in set(bounce.pairs))
    return min(pairs, key=lambda pair: (-pairs[pair], pair))


def _why(subject: _Subject, teams: Sequence[str]) -> str:
    return (
        f"{len(subject.bounces)} of {subject.tickets} tickets ({subject.share:.0%}) came back to a "
        f"team that had given them away; elsewhere {subject.other_share:.1%} of "
        f"{subject.other_tickets}. Most often between {teams[0]} and {teams[1]}."
    )


def _ids(rows: Sequence[Row]) -> dict[tuple[str, str], str]:
    subjects: dict[tuple[str, str], str | None] = {
        ("service_ref", row["service_ref"]): row["service"] or row["service_ref"] for row in rows
    }
    # A service may itself be named "Category …": all subjects share one space of names.
    subjects |= {("category", row["category"]): f"category {row['category']}" for row in rows}
    return {key: f"{RULE.name}:{text}" for key, text in slugs(subjects).items()}


RULE = Rule(
    name="ping-pong",
    version="1",
    title="Ping-pong: work thrown back and forth",
    question="Which work is thrown back and forth?",
    parameters=PingPongParameters,
    window_days=150,
    reads=("ticket", "span"),
    fields=(
        "tickets.opened_at",
        "tickets.service",
        "tickets.category",
        "spans.value",
        "spans.started_at",
        "spans.ended_at",
        "answers.value",
    ),
    queries={
        "needs": _NEEDS,
        "subjects": _SUBJECTS,
        "starts": _STARTS,
        "paths": _PATHS,
        "lost_time": _LOST_TIME,
    },
    decide=decide,
)
