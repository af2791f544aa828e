"""Rule 'stalled-hand-off': it finds accepted demands that do not move in development.

A *hand-off* is an accepted demand (approved or in progress) and an epic that one of the two names:
by a field, a link, or the number in its text. It is raised when

- neither the epic nor one of the stories below it changed its status for ``still_days``; edits of
  labels or text are not movement, and a quiet epic whose stories move is fine; or
- the epic was closed (done or rejected) ``closed_days`` ago, the demand is still open, and no other
  epic of the demand is.

No hand-off stands still for longer than its demand is there, and where nothing is known of an
epic's history (or of when it was closed) nothing is claimed.

It then says who waits: the people whose comments on the service speak of the demand (two of the
words that tell their matter are in the demand, the epic or its stories), where there are at least
five, and whether any ticket asks for it.

Reads: initiatives (demands and epics), links, tickets below epics (parent), spans (field state),
answers (metric comment).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import Field

from vmo_bridge.hooks.extensions import Row, Rule, RuleParameters, RuleRun
from vmo_bridge.records import Finding
from vmo_bridge.signals.making import in_order, slugs, worth
from vmo_bridge.signals.topics import Matter, is_like, speaks_of
from vmo_bridge.signals.voices import COMMENTS, heard, lost_minutes, spelt
from vmo_bridge.signals.words import folded, stems

_DAY = 86_400
_CLOSED = frozenset({"done", "rejected"})
_FULL_STILLNESS = 365
"""A year without movement is as strong as it gets."""


class StalledHandOffParameters(RuleParameters, frozen=True):
    """How long is too long."""

    still_days: int = Field(60, ge=1, description="Days without a change of status.")
    closed_days: int = Field(
        14, ge=0, description="Days a demand may stay open after its epic was closed."
    )
    people_asking: int = Field(
        5, ge=5, description="People who ask for it, from which they are named; never under 5."
    )


_FAMILY = """
    select e.ref as epic_ref, e.ref as member_ref from initiatives e where e.type = 'epic'
    union all
    select t.parent_ref as epic_ref, t.ref as member_ref from tickets t
    join initiatives e on e.ref = t.parent_ref
    union all
    select s.parent_ref as epic_ref, t.ref as member_ref from tickets t
    join tickets s on s.ref = t.parent_ref
    join initiatives e on e.ref = s.parent_ref"""
"""An epic, its stories, and what is below these."""

_HAND_OFFS = f"""
select d.ref as demand_ref, d.number as demand, d.title as demand_title,
    d.description as demand_text, d.state, d.service_ref, d.service, d.opened_at,
    e.ref as epic_ref, e.number as epic, e.title as epic_title, e.description as epic_text,
    e.state as epic_state, e.opened_at as epic_opened_at, m.steps, m.moved_at, m.edited_at,
    coalesce(e.closed_at, m.closed_at) as epic_closed_at
from (
    select demand_ref, epic_ref
    from (
        select from_ref as demand_ref, to_ref as epic_ref from links
        union all
        select to_ref as demand_ref, from_ref as epic_ref from links
    ) ways
    where demand_ref is not null and epic_ref is not null
    group by demand_ref, epic_ref
) pairs
join initiatives d on d.ref = pairs.demand_ref and d.type = 'demand'
join initiatives e on e.ref = pairs.epic_ref and e.type = 'epic'
left join (
    select f.epic_ref, max(s.moved_at) as moved_at, max(u.updated_at) as edited_at,
        max(case when f.epic_ref = f.member_ref then s.moved_at end) as closed_at,
        max(case when f.epic_ref = f.member_ref then s.steps end) as steps
    from ({_FAMILY}) f
    left join (
        select ticket_ref, max(place) as steps,
            max(case when place > 1 then started_at end) as moved_at
        from (
            select ticket_ref, started_at,
                row_number() over (partition by ticket_ref order by started_at, ref) as place
            from spans where field = 'state' and started_at is not null
        ) placed
        group by ticket_ref
    ) s on s.ticket_ref = f.member_ref
    left join (
        select ref, updated_at from tickets union all select ref, updated_at from initiatives
    ) u on u.ref = f.member_ref
    group by f.epic_ref
) m on m.epic_ref = e.ref
where d.state in ('approved', 'in_progress')
order by d.number, d.ref, e.number, e.ref"""

_MEMBERS = f"""
select f.epic_ref, f.member_ref, t.title, t.parent_ref
from ({_FAMILY}) f
left join tickets t on t.ref = f.member_ref
order by f.epic_ref, f.member_ref"""

_TICKETS = """
select t.service_ref, t.title, t.description
from tickets t
where t.type in ('incident', 'request') and t.service_ref is not null
    and t.opened_at >= $start and t.service_ref in (
        select service_ref from initiatives
        where type = 'demand' and state in ('approved', 'in_progress'))
order by t.service_ref, t.ref"""

_NEEDS = """
select (select count(*) from initiatives where type = 'demand') as demands,
    (select count(*) from initiatives where type = 'epic') as epics,
    (select count(*) from links l
        join initiatives a on a.ref = l.from_ref
        join initiatives b on b.ref = l.to_ref
        where (a.type = 'demand' and b.type = 'epic') or (a.type = 'epic' and b.type = 'demand')
        ) as links_between_demands_and_epics,
    (select count(*) from spans s join initiatives i on i.ref = s.ticket_ref
        where s.field = 'state' and i.type = 'epic') as status_history_of_epics"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Still:
    """A hand-off that does not move."""

    row: Row
    days: int
    closed: bool
    members: tuple[str, ...]
    stories: int
    """So many of the members stand right below the epic."""
    words: str
    """Everything that is written about it."""

    @property
    def demand(self) -> str:
        """What people call the demand."""
        return str(self.row["demand"] or self.row["demand_ref"])

    @property
    def epic(self) -> str:
        """What people call the epic."""
        return str(self.row["epic"] or self.row["epic_ref"])


def decide(run: RuleRun) -> Sequence[Finding]:
    """Raise the hand-offs that stand still or were dropped."""
    members: dict[str, list[Row]] = defaultdict(list)
    for row in run.rows["members"]:
        members[row["epic_ref"]].append(row)
    rows = run.rows["hand_offs"]
    in_work = {row["demand_ref"] for row in rows if row["epic_state"] not in _CLOSED}
    still = [
        found
        for row in rows
        for found in [_judge(run, row, members[row["epic_ref"]])]
        if found is not None and not (found.closed and row["demand_ref"] in in_work)
    ]
    asked = heard(run.rows["comments"], people=run.parameters.people_asking) if still else []
    comments = {row["ref"]: row for row in run.rows["comments"]}
    ids = _ids(rows)
    return [
        _finding(run, each, _asking(each, asked), comments, name=ids[_pair(each.row)])
        for each in still
    ]


def _pair(row: Row) -> tuple[str, str]:
    return row["demand_ref"], row["epic_ref"]


def _ids(rows: Sequence[Row]) -> dict[tuple[str, str], str]:
    """A name for each hand-off; two sources may use one number."""
    demands = slugs({row["demand_ref"]: row["demand"] for row in rows})
    epics = slugs({row["epic_ref"]: row["epic"] for row in rows})
    return {
        _pair(row): f"{RULE.name}:{demands[row['demand_ref']]}:{epics[row['epic_ref']]}"
        for row in rows
    }


def _judge(run: RuleRun, row: Row, members: Sequence[Row]) -> _Still | None:
    now = int(run.end.timestamp())
    closed = row["epic_state"] in _CLOSED
    limit = run.parameters.closed_days if closed else run.parameters.still_days
    since = row["epic_closed_at"] if closed else row["moved_at"] or row["epic_opened_at"]
    if since is None or (not closed and row["steps"] is None):
        return None  # not known
    days = (now - max(since, row["opened_at"] or since)) // _DAY
    if days < limit:
        return None
    texts = [row[name] for name in ("demand_title", "demand_text", "epic_title", "epic_text")]
    return _Still(
        row=row,
        days=days,
        closed=closed,
        members=tuple(each["member_ref"] for each in members),
        stories=sum(each["parent_ref"] == row["epic_ref"] for each in members),
        words=" ".join(filter(None, [*texts, *(each["title"] for each in members)])),
    )


def _asking(still: _Still, asked: Sequence[Matter]) -> Matter | None:
    """What people say of the demand's service that is the demand's matter."""
    plain = stems(still.words)
    # A slip is also taken for what was meant, which people may say in surveys only.
    meant, *_ = folded([plain, *(said.stems for each in asked for said in each.texts)])
    said = plain | meant
    return next(
        (
            each
            for each in asked
            if each.place == still.row["service_ref"] and speaks_of(said, each.core)
        ),
        None,
    )


def _finding(
    run: RuleRun, still: _Still, asking: Matter | None, comments: Mapping[str, Row], *, name: str
) -> Finding:
    row = still.row
    said = [comments[each.ref] for each in asking.texts] if asking else []
    words = spelt(asking.core, (each["text"] for each in said), at_most=5) if asking else ()
    lost = lost_minutes(said)
    people = asking.people if asking else 0
    tickets = _tickets(run, row["service_ref"], asking) if asking else 0
    return Finding(
        id=name,
        rule=RULE.name,
        title=f"{still.demand} is accepted, and {still.epic} does not move",
        why=_why(run, still, words, people, tickets),
        service=row["service"],
        service_ref=row["service_ref"],
        keywords=words,
        start=run.start,
        end=run.end,
        strength=min(1.0, still.days / _FULL_STILLNESS),
        worth=worth(run, max(people, 1), lost),
        evidence=in_order(
            [row["demand_ref"], row["epic_ref"], *still.members]
            + [each["feedback_ref"] for each in said]
        ),
        numbers={
            "days_without_movement": still.days,
            "stories": still.stories,
            "people_asking": people,
            "tickets_asking": tickets,
            "lost_minutes": lost,
        },
    )


def _tickets(run: RuleRun, service_ref: str, asking: Matter) -> int:
    """How many tickets of the service speak of the matter as well."""
    return sum(
        is_like(stems(f"{row['title'] or ''} {row['description'] or ''}"), asking)
        for row in run.rows["tickets"]
        if row["service_ref"] == service_ref
    )


def _why(run: RuleRun, still: _Still, words: Sequence[str], people: int, tickets: int) -> str:
    row = still.row
    called = f" “{row['demand_title']}”" if row["demand_title"] else ""
    title = f"{still.demand}{called} is {row['state'].replace('_', ' ')}"
    if still.closed:
        text = f"{title}, but its epic {still.epic} was closed {still.days} days ago"
    else:
        text = (
            f"{title}, but neither its epic {still.epic} nor its {still.stories} stories changed "
            f"status for {still.days} days"
        )
        edited = row["edited_at"]
        if edited and run.end.timestamp() - edited < still.days * _DAY - _DAY:
            text += f" (only edited, last on {datetime.fromtimestamp(edited, tz=UTC):%Y-%m-%d})"
    if people:
        desk = "no ticket does" if not tickets else f"{tickets} tickets do"
        text += f"; {people} people ask for it in surveys ({', '.join(words)}), {desk}"
    return f"{text}."


RULE = Rule(
    name="stalled-hand-off",
    version="1",
    title="Stalled hand-off",
    question="Which accepted demand does not move?",
    parameters=StalledHandOffParameters,
    window_days=90,
    reads=("initiative", "link", "span"),
    fields=(
        "initiatives.type",
        "initiatives.state",
        "initiatives.service_ref",
        "links.from_ref",
        "links.to_ref",
        "tickets.parent_ref",
        "spans.started_at",
        "answers.text",
    ),
    queries={
        "needs": _NEEDS,
        "hand_offs": _HAND_OFFS,
        "members": _MEMBERS,
        "comments": COMMENTS,
        "tickets": _TICKETS,
    },
    decide=decide,
)
