"""Rule 'watermelon': it finds where SLAs are green and people unhappy.

A cell is a service x user group. It is raised when all of this holds in the window:

- *green*: of its resolved tickets whose resolution SLA is known, at least ``sla_floor`` are met,
  and so many misses are not significantly too many for a true share of ``sla_met`` (exact
  binomial test at ``sla_noise``): 57 of 60 is green for 95 %, 51 of 60 is a missed SLA;
- *unhappy*: people (not answers) satisfied are significantly and by ``min_gap`` below the target
  of the KPI ``csat`` (exact binomial test) or below the people of all other cells (Fisher's exact
  test). The smaller of the two p-values counts doubled (Bonferroni), and Benjamini-Hochberg over
  all green cells with enough people keeps the share of false discoveries;
- *enough voices*: ``min_people`` different people. Each counts once, as satisfied when the mean of
  their answers is in the top two boxes of the scale. An answer without a person is evidence,
  never a vote.

Reads: tickets (resolved_at, service, user_group, made_sla), sla_outcomes (target, stage, breached),
answers (metric csat, lost_time, comment; value, scale, person).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from pydantic import Field

from vmo_bridge.analysis.expressions import ANSWER_IS_RATED, RATING_MARGIN, RESOLUTION_SLA
from vmo_bridge.hooks.extensions import Row, Rule, RuleParameters, RuleRun
from vmo_bridge.records import Finding
from vmo_bridge.signals.making import in_order, keywords, slugs, strength, worth
from vmo_bridge.signals.statistics import benjamini_hochberg, binomial_at_most, fisher_fewer

DEFAULT_TARGET = 0.80
"""Share of satisfied people where no target of ``csat`` is agreed (a suggestion, docs/kpis)."""
FULL_GAP = 0.5
"""A gap of half of all people is as large as the strength can tell."""

Cell = tuple[str, str]
"""Refs of service and user group."""


class WatermelonParameters(RuleParameters, frozen=True):
    """What counts as green, as unhappy, and as enough voices."""

    sla_met: float = Field(0.95, gt=0, lt=1, description="Share of SLAs met that counts as green.")
    sla_floor: float = Field(
        0.92, ge=0, le=1, description="Observed share below which noise is no excuse."
    )
    sla_noise: float = Field(
        0.05, gt=0, lt=1, description="Chance of so few met below which the SLA counts as missed."
    )
    min_tickets: int = Field(5, ge=1, description="Tickets with a known SLA that a cell needs.")
    min_people: int = Field(5, ge=5, description="Different people; never under 5 (privacy).")
    min_gap: float = Field(
        0.10, ge=0, le=1, description="Least distance of satisfaction that matters in practice."
    )
    false_discoveries: float = Field(
        0.05, gt=0, lt=1, description="Share of false findings accepted over all cells tested."
    )


_SLA = f"""
select service_ref, max(service) as service, user_group_ref, max(user_group) as user_group,
    count(*) filter (where met) as met, count(*) as known
from ({RESOLUTION_SLA}) r
where resolved_at >= $start and resolved_at < $end
    and service_ref is not null and user_group_ref is not null
group by service_ref, user_group_ref
order by service_ref, user_group_ref"""

_RATED = f"""
    select a.service_ref, a.user_group_ref, a.person_ref, a.feedback_ref, a.ticket_ref,
        a.answered_at, {RATING_MARGIN} as margin
    from answers a
    where a.metric = 'csat' and {ANSWER_IS_RATED}
        and a.answered_at >= $start and a.answered_at < $end
        and a.service_ref is not null and a.user_group_ref is not null"""

# A mean of thresholds exactly met may come out a rounding error below zero.
_PEOPLE = f"""
select service_ref, user_group_ref, count(*) as people,
    count(*) filter (where mean_margin > -1e-9) as satisfied, sum(answers) as answers
from (
    select service_ref, user_group_ref, person_ref, avg(margin) as mean_margin,
        count(*) as answers
    from ({_RATED}) rated
    where person_ref is not null
    group by service_ref, user_group_ref, person_ref
) person
group by service_ref, user_group_ref
order by service_ref, user_group_ref"""

_UNHAPPY = f"""
    select service_ref, user_group_ref, feedback_ref, max(person_ref) as person_ref,
        max(ticket_ref) as ticket_ref, min(answered_at) as answered_at
    from ({_RATED}) rated
    group by service_ref, user_group_ref, feedback_ref
    having avg(margin) <= -1e-9"""

_EVIDENCE = f"""
select u.service_ref, u.user_group_ref, u.feedback_ref, u.ticket_ref, l.lost_minutes
from ({_UNHAPPY}) u
left join (
    select feedback_ref, sum(value) as lost_minutes
    from answers
    where metric = 'lost_time' and value >= 0
    group by feedback_ref
) l on l.feedback_ref = u.feedback_ref
order by u.service_ref, u.user_group_ref, u.answered_at, u.feedback_ref"""

_COMMENTS = f"""
select u.service_ref, u.user_group_ref, coalesce(u.person_ref, u.feedback_ref) as person, c.text
from ({_UNHAPPY}) u
join answers c on c.feedback_ref = u.feedback_ref and c.metric = 'comment' and c.text is not null
order by u.service_ref, u.user_group_ref"""

_NEEDS = """
select (select count(*) from answers where metric = 'csat' and person_ref is not null
        and scale_max > scale_min and value is not null)
        as answers_of_known_people_to_a_csat_question_with_a_known_scale,
    (select count(*) from tickets where made_sla is not null)
        + (select count(*) from sla_outcomes where target = 'resolution' and breached is not null)
        as resolution_slas_of_tickets,
    (select count(*) from tickets where service_ref is not null and user_group_ref is not null)
        as tickets_with_service_and_user_group"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A green cell with enough people, and how its satisfaction compares."""

    cell: Cell
    sla: Row
    people: int
    satisfied: int
    gap: float
    """The larger of the distances (as shares) to the target and to the rest, where significant."""
    p_value: float
    rest_share: float | None

    @property
    def share(self) -> float:
        """Share of people who are satisfied."""
        return self.satisfied / self.people


def decide(run: RuleRun) -> Sequence[Finding]:
    """Raise the green cells whose people are clearly unhappy; see the module for the tests."""
    judged = _judge(run)
    adjusted = benjamini_hochberg([each.p_value for each in judged])
    ids = _ids(run.rows["sla"])
    evidence, comments = _by_cell(run.rows["evidence"]), _by_cell(run.rows["comments"])
    return [
        _finding(
            run,
            each,
            p,
            name=ids[each.cell],
            unhappy=evidence.get(each.cell, ()),
            comments=comments.get(each.cell, ()),
        )
        for each, p in zip(judged, adjusted, strict=True)
        if p <= run.parameters.false_discoveries and each.gap >= run.parameters.min_gap
    ]


def _judge(run: RuleRun) -> list[_Judged]:
    sla = {_cell(row): row for row in run.rows["sla"]}
    people = sum(row["people"] for row in run.rows["people"])
    satisfied = sum(row["satisfied"] for row in run.rows["people"])
    return [
        _compare(run, row, sla[_cell(row)], people, satisfied)
        for row in run.rows["people"]
        if row["people"] >= run.parameters.min_people
        and _cell(row) in sla
        and _is_green(sla[_cell(row)], run.parameters)
    ]


def _is_green(sla: Row, parameters: WatermelonParameters) -> bool:
    met, known = sla["met"], sla["known"]
    return (
        known >= parameters.min_tickets
        and met / known >= parameters.sla_floor
        and binomial_at_most(met, known, parameters.sla_met) > parameters.sla_noise
    )


def _compare(run: RuleRun, row: Row, sla: Row, all_people: int, all_satisfied: int) -> _Judged:
    people, satisfied = row["people"], row["satisfied"]
    rest, rest_satisfied = all_people - people, all_satisfied - satisfied
    target = _target(run)
    # A rest of too few people is nobody to compare with, and nobody to tell about.
    rest_share = rest_satisfied / rest if rest >= run.parameters.min_people else None
    tests = [(binomial_at_most(satisfied, people, target), target)]
    if rest_share is not None:
        tests.append((fisher_fewer(satisfied, people, rest_satisfied, rest), rest_share))
    significant = run.parameters.false_discoveries / len(tests)
    gaps = [level - satisfied / people for p_value, level in tests if p_value <= significant]
    return _Judged(
        cell=_cell(row),
        sla=sla,
        people=people,
        satisfied=satisfied,
        gap=max(gaps, default=0.0),
        p_value=min(1.0, len(tests) * min(tests)[0]),
        rest_share=rest_share,
    )


def _target(run: RuleRun) -> float:
    return run.targets.get("csat", DEFAULT_TARGET)


def _finding(
    run: RuleRun,
    judged: _Judged,
    adjusted_p: float,
    *,
    name: str,
    unhappy: Sequence[Row],
    comments: Sequence[Row],
) -> Finding:
    lost = [row["lost_minutes"] for row in unhappy if row["lost_minutes"] is not None]
    service = judged.sla["service"] or judged.cell[0]
    group = judged.sla["user_group"] or judged.cell[1]
    return Finding(
        id=name,
        rule=RULE.name,
        title=f"{service}: SLAs are green and {group} is unhappy",
        why=_why(run, judged, lost),
        service=judged.sla["service"],
        user_group=judged.sla["user_group"],
        service_ref=judged.cell[0],
        user_group_ref=judged.cell[1],
        keywords=keywords((row["person"], row["text"]) for row in comments),
        start=run.start,
        end=run.end,
        strength=strength(adjusted_p, judged.gap / FULL_GAP),
        worth=worth(run, len(unhappy), sum(lost)),
        evidence=in_order(row[ref] for row in unhappy for ref in ("feedback_ref", "ticket_ref")),
        numbers=_numbers(run, judged, adjusted_p, lost, len(unhappy)),
    )


def _why(run: RuleRun, judged: _Judged, lost: Sequence[float]) -> str:
    met, known = judged.sla["met"], judged.sla["known"]
    rest = "" if judged.rest_share is None else f", elsewhere {judged.rest_share:.0%}"
    text = (
        f"SLA met {met / known:.0%} of {known}, but only {judged.share:.0%} of {judged.people} "
        f"people satisfied (target {_target(run):.0%}{rest})"
    )
    if lost:
        text += f"; they report {sum(lost) / len(lost):.0f} minutes lost per ticket"
    return f"{text}."


def _numbers(
    run: RuleRun, judged: _Judged, adjusted_p: float, lost: Sequence[float], items: int
) -> dict[str, float]:
    numbers: dict[str, float] = {
        "sla_met": judged.sla["met"],
        "sla_known": judged.sla["known"],
        "people": judged.people,
        "people_satisfied": judged.satisfied,
        "target": _target(run),
        "gap": judged.gap,
        "adjusted_p": adjusted_p,
        "unhappy_answers": items,
        "lost_minutes": sum(lost),
        "lost_time_answers": len(lost),
    }
    if judged.rest_share is not None:
        numbers["rest_satisfied_share"] = judged.rest_share
    return numbers


def _ids(rows: Sequence[Row]) -> dict[Cell, str]:
    services = slugs({row["service_ref"]: row["service"] for row in rows})
    groups = slugs({row["user_group_ref"]: row["user_group"] for row in rows})
    return {
        _cell(row): f"{RULE.name}:{services[row['service_ref']]}:{groups[row['user_group_ref']]}"
        for row in rows
    }


def _cell(row: Row) -> Cell:
    return row["service_ref"], row["user_group_ref"]


def _by_cell(rows: Sequence[Row]) -> dict[Cell, list[Row]]:
    return {cell: list(group) for cell, group in groupby(rows, key=_cell)}


RULE = Rule(
    name="watermelon",
    version="1",
    title="Watermelon: green outside, red inside",
    question="Where are SLAs green and people unhappy?",
    parameters=WatermelonParameters,
    window_days=150,
    reads=("ticket", "feedback", "answer"),
    fields=(
        "tickets.resolved_at",
        "tickets.service",
        "tickets.user_group",
        "tickets.made_sla",
        "sla_outcomes.target",
        "sla_outcomes.stage",
        "sla_outcomes.breached",
        "answers.metric",
        "answers.value",
        "answers.person_ref",
    ),
    queries={
        "needs": _NEEDS,
        "sla": _SLA,
        "people": _PEOPLE,
        "evidence": _EVIDENCE,
        "comments": _COMMENTS,
    },
    decide=decide,
)
