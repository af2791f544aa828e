"""What all rules share when they make a finding: strength, worth, subject ids, keywords."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping
from typing import TypeVar

from vmo_bridge.hooks.extensions import RuleRun
from vmo_bridge.records import Worth

Key = TypeVar("Key", bound=Hashable)

_DAYS_A_YEAR = 365.25

_COMMON = """
    about after again against also although always another around back because been before being
    between both came cannot come could days does doing done down each even ever every from gets
    getting give given gone have having hello here hers however into just know last like made make
    many maybe mine more most much must near need needed never next none once only other ours over
    please quite rather really said same says seem seems several shall should since some soon still
    such take taken than thank thanks that their them then there these they thing things this those
    though through time times today told took under until upon used very want wants week weeks well
    went were what when where which while whole will with within without would years yesterday
    your yours
"""
_STOP_WORDS = frozenset(_COMMON.split())


def strength(adjusted_p: float, effect: float) -> float:
    """0 to 1: the geometric mean of how surprising and how large (our definition, not a standard).

    Surprise is -log10 of the adjusted p-value over 10, so that 1e-10 and less counts as 1 and a
    barely significant 0.05 as 0.13. ``effect`` is the rule's own size of the matter, 0 to 1.
    """
    surprise = min(1.0, -math.log10(max(adjusted_p, 1e-10)) / 10)
    return math.sqrt(surprise * min(1.0, max(0.0, effect)))


def worth(run: RuleRun, items: int, lost_minutes: float) -> Worth:
    """Planning number: (items a year x hours per item + reported lost hours a year) x hourly rate.

    ``items`` and ``lost_minutes`` are of the rule's window and are scaled to 365.25 days.
    """
    a_year = _DAYS_A_YEAR / ((run.end - run.start).total_seconds() / 86400)
    hours = (items * run.parameters.hours_per_item + lost_minutes / 60) * a_year
    return Worth(hours_per_year=hours, cost_per_year=hours * run.hourly_rate)


def slug(text: str) -> str:
    """Lower-case ASCII letters and digits joined by ``-``; ``unnamed`` where none is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "unnamed"


def slugs(names: Mapping[Key, str | None]) -> dict[Key, str]:
    """A slug for each key (a ref), from its name or the key itself: readable, and all different.

    Where several names give one slug, each gets a suffix made from its key, so that an id does not
    depend on which of them is judged first.
    """
    plain = {key: slug(name or str(key)) for key, name in names.items()}
    often = Counter(plain.values())
    return {
        key: text if often[text] == 1 else f"{text}-{_mark(key)}" for key, text in plain.items()
    }


def _mark(key: Hashable) -> str:
    return hashlib.sha256(str(key).encode()).hexdigest()[:8]


def in_order(refs: Iterable[str | None]) -> tuple[str, ...]:
    """Each ref once, None left out, in the order of their first appearance."""
    return tuple(dict.fromkeys(ref for ref in refs if ref is not None))


def keywords(
    comments: Iterable[tuple[Hashable, str]], *, at_most: int = 5, people: int = 2
) -> tuple[str, ...]:
    """The words most people used: content words of four letters and more.

    ``comments`` are pairs of who and text. A word counts once a person and needs ``people`` of
    them, so that one voice sets no keyword. Only tokens written in lower-case letters alone count:
    e-mail addresses, numbers and names (which are capitalised) never become keywords.
    """
    users: dict[str, set[Hashable]] = {}
    for person, text in comments:
        for word in _words(text):
            users.setdefault(word, set()).add(person)
    return most_used({word: len(who) for word, who in users.items()}, at_most, people)


def _words(text: str) -> set[str]:
    tokens = (token.strip(".,;:!?()[]\"'…–-") for token in text.split())  # noqa: RUF001
    return {
        token
        for token in tokens
        if len(token) >= 4 and token.isalpha() and token.islower() and token not in _STOP_WORDS
    }


def most_used(counts: Mapping[str, int], at_most: int, at_least: int = 1) -> tuple[str, ...]:
    """The keys with the largest counts, ties in alphabetical order."""
    kept: Collection[str] = [key for key, count in counts.items() if count >= at_least]
    return tuple(sorted(kept, key=lambda key: (-counts[key], key))[:at_most])
