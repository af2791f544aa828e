"""Rule 'feedback-without-ticket': it finds what people tell surveys but not the desk.

A *matter* is told by the words that several people use of one service and people of other services
do not (topics.py). It is raised when in the window

- at least ``min_people`` different people speak of it: one who answers again and again is one;
- they do not only praise: answers in the top two boxes of satisfaction or recommendation do not
  count, nor texts of praise without a word that asks;
- so many people are no chance: those elsewhere who use the word are significantly fewer (Fisher's
  exact test, Benjamini-Hochberg over all words);
- no ticket of that service speaks of it from ``ticket_days`` before the first answer to as many
  after the last: at most ``max_tickets`` share two of the words that tell the matter with one of
  the answers (words that more than ``common_words`` of all tickets have say nothing).

With comments on one service only there is nothing to compare, and the rule says so.

What is said about a ticket has been told to the desk, and does not count. Where no ticket of the
service was opened in that time its desk is not known, and nothing is claimed. The user group is
named where at least five people speak, most of them of one group.

Reads: answers (metric comment, csat, nps, lost_time; text, person, service, user group), tickets
(title, description, service, opened_at).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from pydantic import Field

from vmo_bridge.hooks.extensions import Row, Rule, RuleParameters, RuleRun
from vmo_bridge.records import Finding
from vmo_bridge.signals.making import in_order, slugs, strength, worth
from vmo_bridge.signals.topics import Matter, common_stems, is_like
from vmo_bridge.signals.voices import COMMENTS, heard, lost_minutes, named, spelt
from vmo_bridge.signals.words import Stems, folded, stems

_DAY = 86_400
_PRIVATE = 5
"""Smaller groups are not named."""
_MOST = 0.8
"""The share of the people that makes it a matter of their group."""
_SHOWN_WORDS = 5
_FEW_TICKETS = 5
"""So many tickets, and fewer, make no word a common one, whatever their share."""


class FeedbackWithoutTicketParameters(RuleParameters, frozen=True):
    """How many people make a matter, and what counts as a ticket about it."""

    min_people: int = Field(3, ge=3, description="Different people who speak of one matter.")
    ticket_days: int = Field(
        30, ge=0, description="Days before the first and after the last answer to look at tickets."
    )
    max_tickets: int = Field(0, ge=0, description="So many tickets about it are still none.")
    false_discoveries: float = Field(
        0.05,
        gt=0,
        lt=1,
        description="Share of words that may tell nothing, over all that are tested.",
    )
    common_words: float = Field(
        0.3, gt=0, le=1, description="Share of all tickets from which a word says nothing."
    )


_TICKETS = """
select t.service_ref, t.opened_at, t.title, t.description
from tickets t
where t.service_ref is not null and t.opened_at >= $start - $ticket_days * 86400
    and t.type in ('incident', 'request', 'problem')
order by t.service_ref, t.opened_at, t.ref"""

_NEEDS = """
select (select count(*) from answers where metric = 'comment' and text is not null)
        as answers_to_a_question_mapped_to_comment,
    (select count(*) from answers where metric = 'comment' and service_ref is not null)
        as comments_tied_to_a_service,
    (select case when count(distinct service_ref) = 1 then 0 else 1 end from answers
        where metric = 'comment') as comments_on_more_than_one_service,
    (select count(*) from tickets where service_ref is not null and title is not null)
        as tickets_with_service_and_text"""


def decide(run: RuleRun) -> Sequence[Finding]:
    """Raise the matters of which no ticket speaks."""
    found = heard(
        run.rows["comments"],
        people=run.parameters.min_people,
        false_discoveries=run.parameters.false_discoveries,
    )
    comments = {row["ref"]: row for row in run.rows["comments"]}
    desk = _Desk(run.rows["tickets"], found, run.parameters)
    ids = _ids(found, comments)
    talking = Counter(_service(row) for row in _one_each(run.rows["comments"]))
    return [
        _finding(
            run,
            matter,
            [comments[each.ref] for each in matter.texts],
            name=name,
            talking=talking,
            like=like,
            looked=looked,
        )
        for matter, name in zip(found, ids, strict=True)
        for like, looked in [desk.about(matter, comments)]
        if like <= run.parameters.max_tickets and looked
    ]


class _Desk:
    """What the tickets of each service say."""

    def __init__(
        self,
        rows: Sequence[Row],
        found: Sequence[Matter],
        parameters: FeedbackWithoutTicketParameters,
    ) -> None:
        self._span = parameters.ticket_days * _DAY
        self._tickets: dict[str, list[tuple[int, Stems]]] = defaultdict(list)
        texts = [stems(f"{row['title'] or ''} {row['description'] or ''}") for row in rows]
        said = [each.stems for matter in found for each in matter.texts]
        # A slip in a ticket is also taken for what was meant, which people may say in surveys only.
        for row, text, meant in zip(rows, texts, folded([*texts, *said]), strict=False):
            self._tickets[row["service_ref"]].append((row["opened_at"], text | meant))
        few = _FEW_TICKETS / max(len(texts), 1)
        self._common = common_stems(texts, share=max(parameters.common_words, few))

    def about(self, matter: Matter, comments: Mapping[str, Row]) -> tuple[int, int]:
        """How many tickets speak of a matter, and how many there were to look at."""
        moments = [comments[each.ref]["answered_at"] for each in matter.texts]
        first, last = min(moments) - self._span, max(moments) + self._span
        service = str(matter.place)
        near = [text for opened, text in self._tickets[service] if first <= opened <= last]
        return sum(is_like(text, matter, common=self._common) for text in near), len(near)


def _finding(
    run: RuleRun,
    matter: Matter,
    said: Sequence[Row],
    *,
    name: str,
    talking: Mapping[str, int],
    like: int,
    looked: int,
) -> Finding:
    lost = lost_minutes(said)
    evidence = in_order(row["feedback_ref"] for row in said)
    words = spelt(matter.core, (row["text"] for row in said), at_most=_SHOWN_WORDS)
    service = said[0]["service"] or said[0]["service_ref"]
    few = "hardly a ticket" if like else "no ticket"
    does = "do" if like > 1 else "does"
    group_ref, group = _group(matter, said)
    here = talking[said[0]["service_ref"]]
    return Finding(
        id=name,
        rule=RULE.name,
        title=f"{service}: people ask for it in surveys, and {few} does ({', '.join(words)})",
        why=(
            f"{matter.people} people tell surveys about {service}: {', '.join(words)}; "
            f"{like or 'none'} of its {looked} tickets of that time {does}."
        ),
        service=said[0]["service"],
        service_ref=said[0]["service_ref"],
        user_group=group,
        user_group_ref=group_ref,
        keywords=words,
        start=run.start,
        end=run.end,
        strength=strength(matter.chance, matter.people / max(here, 1)),
        worth=worth(run, matter.people, lost),
        evidence=evidence,
        numbers={
            "people": matter.people,
            "answers": len(evidence),
            "people_who_comment_on_the_service": here,
            "tickets_looked_at": looked,
            "tickets_about_it": like,
            "lost_minutes": lost,
        },
    )


def _group(matter: Matter, said: Sequence[Row]) -> tuple[str | None, str | None]:
    """The group that most of the people are of, if it is large enough to be named."""
    groups = {row["user_group_ref"]: row["user_group"] for row in said}
    people = {row["person"]: row["user_group_ref"] for row in said}
    (ref, n), *_ = Counter(people.values()).most_common(1)
    if ref is None or n < _PRIVATE or n < _MOST * matter.people:
        return None, None
    return ref, groups[ref]


def _ids(found: Sequence[Matter], comments: Mapping[str, Row]) -> list[str]:
    """A name for each matter: its service and the word that tells it, which tells no other."""
    services = slugs({row["service_ref"]: row["service"] for row in comments.values()})
    return [
        f"{RULE.name}:{services[str(each.place)]}:"
        + named(each.core[0], (comments[said.ref]["text"] for said in each.texts))
        for each in found
    ]


def _one_each(rows: Sequence[Row]) -> list[Row]:
    """One row a person and service."""
    return list({(row["service_ref"], row["person"]): row for row in rows}.values())


def _service(row: Row) -> str:
    return str(row["service_ref"])


RULE = Rule(
    name="feedback-without-ticket",
    version="1",
    title="Feedback without a ticket",
    question="What do people tell surveys but not the desk?",
    parameters=FeedbackWithoutTicketParameters,
    window_days=90,
    reads=("ticket", "feedback", "answer"),
    fields=(
        "answers.metric",
        "answers.text",
        "answers.value",
        "answers.person_ref",
        "answers.service_ref",
        "answers.user_group_ref",
        "answers.ticket_ref",
        "tickets.title",
        "tickets.description",
        "tickets.service_ref",
        "tickets.opened_at",
    ),
    queries={"needs": _NEEDS, "comments": COMMENTS, "tickets": _TICKETS},
    decide=decide,
)
