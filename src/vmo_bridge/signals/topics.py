"""The same matter in other words: texts that belong together, and the words that tell it. Pure.

For few, long, very different texts of one place (survey comments): a matter is told by the words
that people there use and people elsewhere do not; texts that share such a word belong together.
Many short texts that repeat themselves (tickets) are likeness.py's.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass

from vmo_bridge.signals.statistics import benjamini_hochberg, fisher_more
from vmo_bridge.signals.words import Stems, spread


@dataclass(frozen=True, slots=True)
class Said:
    """A text with who said it and where."""

    ref: str
    who: Hashable
    place: Hashable
    stems: Stems


@dataclass(frozen=True, slots=True)
class Matter:
    """What several people of one place speak of."""

    place: Hashable
    core: tuple[str, ...]
    """The stems that tell it, the most used first."""
    texts: tuple[Said, ...]

    chance: float
    """Of so many people who use the word that tells it best, were there no matter."""

    @property
    def people(self) -> int:
        """How many different people speak of it."""
        return len({each.who for each in self.texts})


_COMMON = 0.5
"""A word in more than half of the texts of a place is how people speak there, not a matter."""
_MANY = 12
"""With fewer texts than this, a single matter may well be in more than half of them."""
_LARGEST = 1 / 3
"""A matter of more of the people of a large place is likely to be several."""
_BONDS = (0.0, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8)
_TELLERS = 3
"""A word that fewer people use tells nothing by itself."""
_COMPANY = 0.1
"""A word that one of ten words would reach by chance may stand beside the words that tell."""


def matters(said: Sequence[Said], *, people: int, false_discoveries: float) -> list[Matter]:
    """What at least ``people`` different people of a place speak of, and others do not.

    A word *tells* where so many people of the place use it that it is no chance beside those
    elsewhere (Fisher's exact test, Benjamini-Hochberg over all words of all places). Texts that
    share a telling word, directly or through others, are a matter; where that would be a third of a
    large place, words that are not often used together part it. Further texts join it by a word
    that stands beside a telling one of this matter alone, is hardly used elsewhere, and that two
    people use; they bring no others. Places in their order of appearance, in each the matter of
    most people first.
    """
    places: dict[Hashable, list[Said]] = defaultdict(list)
    for each in said:
        places[each.place].append(each)
    chances = _chances(places)
    tested = [key for key, (n, _) in chances.items() if n >= min(people, _TELLERS)]
    adjusted = benjamini_hochberg([chances[key][1] for key in tested])
    telling: dict[Hashable, set[str]] = defaultdict(set)
    for (place, stem), p in zip(tested, adjusted, strict=True):
        if p <= false_discoveries:
            telling[place].add(stem)
    company: dict[Hashable, set[str]] = defaultdict(set)
    for (place, stem), (_, p) in chances.items():
        if p <= _COMPANY:
            company[place].add(stem)
    found = []
    for place, texts in places.items():
        groups = _joined(texts, frozenset(telling[place]))
        for group, core, beside in _joining(texts, groups, company[place] - telling[place]):
            matter = _matter(place, group, core, beside, chances)
            if matter.people >= people:
                found.append(matter)
    order = {place: at for at, place in enumerate(places)}
    return sorted(found, key=lambda each: (order[each.place], -each.people, each.core))


Chances = Mapping[tuple[Hashable, str], tuple[int, float]]
"""(place, stem) to the people who use it there, and the chance of so many."""


def _chances(
    places: Mapping[Hashable, Sequence[Said]],
) -> dict[tuple[Hashable, str], tuple[int, float]]:
    """Of every stem that two people of a place use; the usual words of a large place are none."""
    whole = _users([each for texts in places.values() for each in texts])
    everybody = len({each.who for texts in places.values() for each in texts})
    found = {}
    for place, texts in places.items():
        here = len({each.who for each in texts})
        for stem, users in _users(texts).items():
            n = len(users)
            if n < 2 or (here >= _MANY and n > here * _COMMON):
                continue
            elsewhere = everybody - here
            others = min(len(whole[stem] - users), elsewhere)
            found[place, stem] = n, fisher_more(n, here, others, elsewhere)
    return found


def _users(texts: Sequence[Said]) -> dict[str, set[Hashable]]:
    """Who uses each stem."""
    users: dict[str, set[Hashable]] = defaultdict(set)
    for each in texts:
        for stem in each.stems:
            users[stem].add(each.who)
    return users


_Group = tuple[list[Said], frozenset[str]]
"""Texts and the telling words that hold them together."""


def _joining(
    texts: Sequence[Said], groups: Sequence[_Group], company: set[str]
) -> list[tuple[list[Said], frozenset[str], frozenset[str]]]:
    """The groups of a place with the texts that join them, their words, and those they join by.

    What stands beside the telling words of two groups joins nobody, nor does a text join two.
    """
    besides = [{stem for each in group for stem in each.stems} & company for group, _ in groups]
    often = Counter(stem for beside in besides for stem in beside)
    own = {stem: at for at, beside in enumerate(besides) for stem in beside if often[stem] == 1}
    home = {each.ref: at for at, (group, _) in enumerate(groups) for each in group}
    members: list[list[Said]] = [[] for _ in groups]
    for each in texts:
        if each.ref in home:
            members[home[each.ref]].append(each)
        elif len(near := {own[stem] for stem in each.stems if stem in own}) == 1:
            members[near.pop()].append(each)
    return [
        (group, words, frozenset(stem for stem in beside if often[stem] == 1))
        for group, (_, words), beside in zip(members, groups, besides, strict=True)
    ]


def _matter(
    place: Hashable,
    group: Sequence[Said],
    core: frozenset[str],
    beside: frozenset[str],
    chances: Chances,
) -> Matter:
    """A group with the words that tell it, those that tell it by themselves and most used first."""
    users = _users(group)
    words = sorted(core | beside, key=lambda stem: (stem not in core, -len(users[stem]), stem))
    chance = min(chances[place, stem][1] for stem in core)
    return Matter(place, tuple(words), tuple(group), chance)


def _joined(texts: Sequence[Said], telling: frozenset[str]) -> list[_Group]:
    """Texts connected by telling stems, directly or through other texts."""
    tellers = [each for each in texts if each.stems & telling]
    most = max(_MANY, _LARGEST * len({each.who for each in texts}))
    found = []
    for places in connected([each.stems & telling for each in tellers]):
        group = [tellers[at] for at in places]
        words = telling & {stem for each in group for stem in each.stems}
        found += _parted(group, words, most=most, bonds=_BONDS)
    return found


def _parted(
    group: list[Said], words: frozenset[str], *, most: float, bonds: Sequence[float]
) -> list[_Group]:
    """A group as it is, or, with more than ``most`` people, in parts of words often used together.

    Long texts speak of several matters and would tie everything to everything. Words stay together
    where two people, and so large a share of those who use the rarer one, use both; the share rises
    until the parts are small enough. A text goes where most of its words are, then the rarest.
    """
    if not bonds or len({each.who for each in group}) <= most:
        return [(group, words)]
    users = _users(group)
    ranked = sorted(words)
    tied: list[set[Hashable]] = [{stem} for stem in ranked]
    for at, one in enumerate(ranked):
        for other in ranked[at + 1 :]:
            both = len(users[one] & users[other])
            if both >= 2 and both >= bonds[0] * min(len(users[one]), len(users[other])):
                tied[at].add(other)
    parts = [frozenset(ranked[at] for at in part) for part in connected(tied)]
    members: list[list[Said]] = [[] for _ in parts]
    for each in group:
        told = [(part & each.stems, at) for at, part in enumerate(parts) if part & each.stems]
        _, _, home = min(
            (-len(shared), min(len(users[stem]) for stem in shared), at) for shared, at in told
        )
        members[home].append(each)
    return [
        found
        for texts, part in zip(members, parts, strict=True)
        if texts
        for found in _parted(texts, part, most=most, bonds=bonds[1:])
    ]


def connected(items: Sequence[Collection[Hashable]]) -> list[list[int]]:
    """Groups of items (by position) that share an element, directly or through others.

    In the order of their first item.
    """
    parent = list(range(len(items)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    first: dict[Hashable, int] = {}
    for at, elements in enumerate(items):
        for element in elements:
            one, other = sorted((root(at), root(first.setdefault(element, at))))
            parent[other] = one
    groups: dict[int, list[int]] = defaultdict(list)
    for at in range(len(items)):
        groups[root(at)].append(at)
    return list(groups.values())


def speaks_of(stems: Stems, core: Sequence[str], *, common: Collection[str] = ()) -> bool:
    """Whether a text speaks of a matter: two of its telling stems, or the one there is.

    ``common`` are stems that say nothing there (those in a great share of the texts compared).
    """
    telling = frozenset(core) - frozenset(common)
    return len(stems & telling) >= min(2, len(telling)) > 0


def is_like(stems: Stems, matter: Matter, *, common: Collection[str] = ()) -> bool:
    """Whether a text says what one of a matter's texts says: two of its telling stems together.

    Where the matter has only one, that one. ``common`` as above; whoever says all that tells one of
    the texts speaks of it, however common.
    """
    core = frozenset(matter.core)
    telling = core - frozenset(common)
    alone = telling if len(telling) == 1 else core if len(core) == 1 else frozenset()
    if stems & alone:
        return True
    told = (each.stems & core for each in matter.texts)
    return any(
        len(words & stems & telling) >= 2 or (len(words) >= 2 and words <= stems) for words in told
    )


def common_stems(texts: Sequence[Stems], *, share: float) -> frozenset[str]:
    """The stems that more than ``share`` of the texts have."""
    return frozenset(stem for stem, n in spread(texts).items() if n > share * len(texts))
