"""Rule 'recurring': it finds what comes back without anyone owning the cause.

Incidents of one service are *like* where the words of their titles overlap (likeness.py); a
category the desk has chosen counts as one more word. Where there are no titles, or titles that say
nothing, the subcategory alone tells the topic; it is coarse, so more incidents have to come
together. A topic is raised when

- ``min_alike`` of its incidents were opened within ``burst_days``;
- it is still alive: one was opened in the last ``alive_days``;
- at least ``min_people`` different people called (where callers are known): what one person or one
  machine reports again and again is not a topic, nor what was opened all within one day;
- nobody owns it: less than ``covered_share`` of them are linked to one and the same problem (what
  it covers, it covers for those without the link as well), and no problem that is open or was
  opened in the window, no change under way and no demand speaks of it (those of no known service
  may be of any). A service that is retired is left out.

Reads: tickets (incidents, problems, changes: title, category, problem, opened_at, state),
initiatives (demands), services (active).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from vmo_bridge.hooks.extensions import Row, Rule, RuleParameters, RuleRun
from vmo_bridge.records import Finding
from vmo_bridge.signals.likeness import alike
from vmo_bridge.signals.making import in_order, slug, slugs, worth
from vmo_bridge.signals.topics import common_stems, connected, speaks_of
from vmo_bridge.signals.voices import named, spelt
from vmo_bridge.signals.words import Stems, folded, stems

_DAY = 86_400
_FULL = 50
"""So many like incidents are as strong as it gets."""
_TELLING = 4
"""So many of the most used words tell a topic."""
_SAID_BY_MANY = 0.3
"""A word in more of a service's titles than this tells nothing apart."""


class RecurringParameters(RuleParameters, frozen=True):
    """What makes a topic, and what covers it."""

    min_alike: int = Field(5, ge=2, description="Like incidents that have to come together.")
    min_without_text: int = Field(
        25, ge=2, description="The same where only a category tells the topic."
    )
    burst_days: int = Field(30, ge=1, description="Days within which they come together.")
    alive_days: int = Field(90, ge=1, description="Days since the last one at most.")
    min_people: int = Field(3, ge=1, description="Different callers, where they are known.")
    similarity: float = Field(
        0.5, gt=0, le=1, description="Overlap (cosine) from which two titles are about the same."
    )
    covered_share: float = Field(
        0.25, gt=0, le=1, description="Share linked to one problem from which all are covered."
    )


_INCIDENTS = """
select t.ref, t.service_ref, t.service, t.category, t.subcategory, t.title, t.requester_ref,
    t.problem_ref, t.opened_at
from tickets t
left join services s on s.ref = t.service_ref
where t.type = 'incident' and t.opened_at >= $start and t.opened_at < $end
    and coalesce(s.active, true) and (t.title is not null or t.subcategory is not null)
order by t.service_ref, t.opened_at, t.ref"""

_OWNERS = """
select t.service_ref, t.title, t.description
from tickets t
where t.title is not null and (
    (t.type = 'problem' and (t.opened_at >= $start
        or t.state not in ('resolved', 'closed', 'canceled')))
    or (t.type = 'change' and t.state in ('new', 'in_progress', 'on_hold')))
union all
select i.service_ref, i.title, i.description
from initiatives i
where i.type = 'demand' and i.title is not null and i.state not in ('done', 'rejected')"""

_NEEDS = """
select count(*) filter (where title is not null or subcategory is not null)
        as incidents_with_a_title_or_subcategory
from tickets where type = 'incident'"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Topic:
    """Like incidents of one service, in order of time."""

    rows: tuple[Row, ...]
    core: tuple[str, ...]
    """The stems that tell it; empty where only a category does."""
    owners: Sequence[Stems] = ()
    """What problems, changes and demands of its service say."""

    @property
    def linked(self) -> int:
        """How many have a problem."""
        return sum(row["problem_ref"] is not None for row in self.rows)


def decide(run: RuleRun) -> Sequence[Finding]:
    """Raise the topics that come back and that nobody owns."""
    services: dict[str | None, list[Row]] = defaultdict(list)
    for row in run.rows["incidents"]:
        services[row["service_ref"]].append(row)
    raised = [
        topic
        for service, rows in services.items()
        for topic in _topics(rows, _owners(run, service), run.parameters)
        if _comes_back(topic, run) and not _owned(topic, run.parameters)
    ]
    return [_finding(run, topic, name) for topic, name in zip(raised, _ids(raised), strict=True)]


def _owners(run: RuleRun, service: str | None) -> list[Stems]:
    """What problems, changes and demands of a service say; of no known service: may be of any."""
    return [
        stems(f"{row['title']} {row['description'] or ''}")
        for row in run.rows["owners"]
        if service is None or row["service_ref"] in {service, None}
    ]


def _topics(
    rows: Sequence[Row], owners: Sequence[Stems], parameters: RecurringParameters
) -> list[_Topic]:
    """The topics of one service, those of most incidents first."""
    own = stems(rows[0]["service"] or "")
    # Together, so that a slip is taken for the same word in what is asked and what is owned.
    plain = folded([stems(row["title"] or "") - own for row in rows] + list(owners))
    owners = plain[len(rows) :]
    told = [at for at in range(len(rows)) if plain[at]]
    texts = [plain[at] for at in told]
    titled = [rows[at] for at in told]
    marked = [text | _category(row) for text, row in zip(texts, titled, strict=True)]
    groups = _same_category(alike(marked, similarity=parameters.similarity), titled, texts)
    found = [
        _Topic(
            rows=tuple(titled[at] for at in sorted(group)),
            core=_core([texts[at] for at in group]),
            owners=owners,
        )
        for group in groups
    ]
    bare: dict[tuple[str | None, str], list[Row]] = defaultdict(list)
    for row, text in zip(rows, plain, strict=False):
        if not text and row["subcategory"]:
            bare[row["category"], row["subcategory"]].append(row)
    found += [_Topic(rows=tuple(group), core=()) for group in bare.values()]
    return sorted(found, key=lambda each: (-len(each.rows), each.core))


def _same_category(
    groups: Sequence[Sequence[int]], rows: Sequence[Row], texts: Sequence[Stems]
) -> list[list[int]]:
    """Groups that the desk filed under one subcategory and that share a telling word, as one."""
    said_by_many = common_stems(texts, share=_SAID_BY_MANY)

    def told_by(group: Sequence[int]) -> list[tuple[str, str]]:
        chosen = Counter(rows[at]["subcategory"] for at in group).most_common(1)[0][0]
        core = _core([texts[at] for at in group]) if chosen else ()
        return [(chosen, stem) for stem in core if stem not in said_by_many]

    merged = connected([told_by(group) for group in groups])
    return [[at for place in places for at in groups[place]] for places in merged]


def _category(row: Row) -> Stems:
    """What the desk chose, as two words more: it weighs the more the more special it is."""
    chosen = row["subcategory"]
    return frozenset((f"={chosen}", f"=={chosen}")) if chosen else frozenset()


def _core(texts: Sequence[Stems]) -> tuple[str, ...]:
    """The stems that most of the texts share, the most used first."""
    often: dict[str, int] = defaultdict(int)
    for text in texts:
        for stem in text:
            often[stem] += 1
    ranked = sorted(often, key=lambda stem: (-often[stem], stem))
    return tuple(stem for stem in ranked[:_TELLING] if often[stem] * 4 >= len(texts))


def _comes_back(topic: _Topic, run: RuleRun) -> bool:
    """Often enough at a time, by people enough, and lately."""
    moments = [row["opened_at"] for row in topic.rows]
    parameters = run.parameters
    enough = parameters.min_alike if topic.core else parameters.min_without_text
    burst = parameters.burst_days * _DAY
    known = {row["requester_ref"] for row in topic.rows} - {None}
    return (
        len(moments) >= enough
        and moments[-1] >= run.end.timestamp() - parameters.alive_days * _DAY
        and moments[-1] - moments[0] >= _DAY
        and (not known or len(known) >= parameters.min_people)
        and any(
            last - first <= burst
            for first, last in zip(moments, moments[enough - 1 :], strict=False)
        )
    )


def _owned(topic: _Topic, parameters: RecurringParameters) -> bool:
    problems = Counter(row["problem_ref"] for row in topic.rows if row["problem_ref"])
    if max(problems.values(), default=0) >= parameters.covered_share * len(topic.rows):
        return True
    return any(speaks_of(text, topic.core) for text in topic.owners)


def _finding(run: RuleRun, topic: _Topic, name: str) -> Finding:
    first = topic.rows[0]
    service = first["service"] or _place(topic)
    words = _words(topic)
    people = len({row["requester_ref"] for row in topic.rows} - {None})
    callers = f" of {people} people" if people else ""
    linked = f"{topic.linked} of them have a problem" if topic.linked else "none has a problem"
    return Finding(
        id=name,
        rule=RULE.name,
        title=f"{service}: it comes back, and nobody owns the cause ({', '.join(words)})",
        why=(
            f"{len(topic.rows)} like incidents{callers} in {(run.end - run.start).days} days "
            f"({', '.join(words)}); {linked}, and no problem, change or demand speaks of it."
        ),
        service=first["service"],
        service_ref=first["service_ref"],
        keywords=words,
        start=run.start,
        end=run.end,
        strength=min(1.0, len(topic.rows) / _FULL),
        worth=worth(run, len(topic.rows), 0),
        evidence=in_order(row["ref"] for row in topic.rows),
        numbers={
            "incidents": len(topic.rows),
            "people": people,
            "linked_to_a_problem": topic.linked,
        },
    )


def _words(topic: _Topic) -> tuple[str, ...]:
    if topic.core:
        return spelt(topic.core, (row["title"] for row in topic.rows), at_most=_TELLING)
    first = topic.rows[0]
    return tuple(filter(None, (first["category"], first["subcategory"])))


def _ids(raised: Sequence[_Topic]) -> list[str]:
    """A name for each topic: its service (or category) and the word most used.

    One, as the order of the others changes from day to day; a smaller topic that is told by the
    same word gets the next one as well.
    """
    services = slugs({_place(topic): topic.rows[0]["service"] for topic in raised})
    taken: dict[str, None] = {}
    for topic in raised:
        titles = [row["title"] for row in topic.rows if topic.core]
        words = [named(stem, titles) for stem in topic.core] or [" ".join(_words(topic))]
        names = [
            f"{RULE.name}:{services[_place(topic)]}:{slug(' '.join(words[:n]))}"
            for n in range(1, len(words) + 1)
        ]
        names.append(f"{names[-1]}-{slug(topic.rows[0]['ref'])}")
        taken[next(name for name in names if name not in taken)] = None
    return list(taken)


def _place(topic: _Topic) -> str:
    """What names the place of a topic: its service, or its category where that is not known."""
    first = topic.rows[0]
    return str(first["service_ref"] or first["category"] or "no service")


RULE = Rule(
    name="recurring",
    version="1",
    title="Recurring topic without a problem",
    question="What comes back without anyone owning the cause?",
    parameters=RecurringParameters,
    window_days=180,
    reads=("ticket",),
    fields=(
        "tickets.type",
        "tickets.title",
        "tickets.category",
        "tickets.subcategory",
        "tickets.service_ref",
        "tickets.requester_ref",
        "tickets.problem_ref",
        "tickets.opened_at",
        "tickets.state",
        "initiatives.title",
        "services.active",
    ),
    queries={"needs": _NEEDS, "incidents": _INCIDENTS, "owners": _OWNERS},
    decide=decide,
)
