"""What people write in surveys, and the matters several of them speak of. Pure.

Shared by the rules that listen to comments: the SQL that gives the comments, what of them is
praise, and the matters of each service.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from vmo_bridge.analysis.expressions import ANSWER_IS_RATED, SATISFIED
from vmo_bridge.hooks.extensions import Row
from vmo_bridge.signals.topics import Matter, Said, matters
from vmo_bridge.signals.words import folded, stems

COMMENTS: Final = f"""
select c.ref, c.feedback_ref, coalesce(c.person_ref, c.feedback_ref) as person, c.service_ref,
    c.service, c.user_group_ref, c.user_group, c.answered_at, c.text, r.satisfied, r.lost_minutes
from answers c
left join (
    select a.feedback_ref,
        max(case when a.metric in ('csat', 'nps') and {ANSWER_IS_RATED}
            then case when {SATISFIED} then 1 else 0 end end) as satisfied,
        sum(case when a.metric = 'lost_time' and a.value >= 0 then a.value end) as lost_minutes
    from answers a
    group by a.feedback_ref
) r on r.feedback_ref = c.feedback_ref
where c.metric = 'comment' and c.text is not null and c.service_ref is not null
    and c.ticket_ref is null and c.answered_at >= $start and c.answered_at < $end
order by c.service_ref, c.answered_at, c.ref"""
"""Comments of the window by service. What is said about a ticket has been told to the desk."""

FALSE_DISCOVERIES: Final = 0.05
"""The share of telling words that may tell nothing."""

_PRAISE_WORDS = """
    appreciate appreciated best brilliant clear clearer complaints convenient easy excellent
    fantastic fine friendly glad good great happy helpful improved kind like liked love loved nice
    perfect pleasant pleased polite quick reliable satisfied simple smooth super terrific thank
    thanks useful well wonderful works
"""
_ASKING_WORDS = """
    add but cannot cant could difficult doesnt dont expected hard hope however i'd id impossible
    instead lack lacking lacks least less let miss missing need needed needs never no no-one nobody
    none not nothing only please should slow terrible though too unable unclear unfortunately unless
    unusable until want wanted wants we'd when why wish without wont worse worst would
"""
_PRAISE = frozenset(_PRAISE_WORDS.split())
_ASKING = frozenset(_ASKING_WORDS.split())


_FINE = re.compile(
    r"\bno (?:complaints?|faults?|fuss|hassle|issues?|problems?|trouble|worries)\b"
    r"|\bbetter than\b|\b(?:is|are|got|getting|gets|feels?|works?) (?:\w+ ){0,2}better\b"
)
"""Praise in several words: ``better communication`` asks for it, ``is much better`` does not."""
_TOKEN = re.compile(r"\w+(?:['-]\w+)*")


def is_praise(text: str) -> bool:
    """Whether a text only praises: words of praise, and none that asks or complains."""
    plain = _FINE.sub("fine", text.lower().replace("’", "'"))  # noqa: RUF001 — it is typed so
    words = set(_TOKEN.findall(plain))
    asks = "?" in text or words & _ASKING or any(word.endswith("n't") for word in words)
    return bool(words & _PRAISE) and not asks


def heard(
    rows: Iterable[Row], *, people: int, false_discoveries: float = FALSE_DISCOVERIES
) -> list[Matter]:
    """The matters that at least ``people`` people of a service speak of; praise is none.

    Told by the comments' own refs, as one survey may ask for several.
    """
    kept = [row for row in rows if not row["satisfied"] and not is_praise(row["text"])]
    texts = folded([stems(row["text"]) - stems(row["service"] or "") for row in kept])
    return matters(
        [
            Said(row["ref"], row["person"], row["service_ref"], text)
            for row, text in zip(kept, texts, strict=True)
            if text
        ],
        people=people,
        false_discoveries=false_discoveries,
    )


def lost_minutes(said: Iterable[Row]) -> float:
    """The lost time reported with comments; one survey counts once, however much it says."""
    by_feedback = {row["feedback_ref"]: row["lost_minutes"] or 0 for row in said}
    return sum(by_feedback.values())


def spelt(core: Sequence[str], texts: Iterable[str], *, at_most: int) -> tuple[str, ...]:
    """The stems of a matter as people spell them: of each the most frequent word."""
    words: dict[str, Counter[str]] = {stem: Counter() for stem in core}
    for text in texts:
        for word in text.lower().split():
            for stem in stems(word) & words.keys():
                words[stem][word.strip(".,;:!?()[]\"'…")] += 1
    return tuple(
        min(words[stem].items(), key=lambda each: (-each[1], each[0]))[0] if words[stem] else stem
        for stem in core[:at_most]
    )


_PLAIN = re.compile(r"[a-z]+(?:-[a-z]+)*")


def named(stem: str, texts: Iterable[str]) -> str:
    """The shortest word in the texts that has a stem: a name for ids, unlike any of other stems.

    The most frequent word would change from day to day.
    """
    words = {word for text in texts for word in _PLAIN.findall(text.lower())}
    return min(
        (word for word in words if stems(word) == {stem}),
        key=lambda word: (len(word), word),
        default=stem,
    )
