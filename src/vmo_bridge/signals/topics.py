"""The same matter in other words: texts that belong together, and the words that tell it. Pure.

Two ways, for two kinds of text:

- ``matters``: few, long, very different texts of one place (survey comments). A matter is told by
  the words that people there use and people elsewhere do not; texts that share such a word belong
  together.
- ``alike``: many short texts that repeat themselves (tickets). Texts belong together where their
  words overlap enough, a word weighing the more the fewer texts have it (IDF, natural logarithm).

Cost of both grows with the number of texts and the words they share with others.
"""

from __future__ import annotations

import math
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
_TELLERS = 3
"""A word that fewer people use tells nothing by itself."""
_COMPANY = 0.1
"""A word that one of ten words would reach by chance may stand beside the words that tell."""


def matters(said: Sequence[Said], *, people: int, false_discoveries: float) -> list[Matter]:
    """What at least ``people`` different people of a place speak of, and others do not.

    A word *tells* where so many people of the place use it that it is no chance beside those
    elsewhere (Fisher's exact test, Benjamini-Hochberg over all words of all places). Texts that
    share a telling word, directly or through others, are a matter. Further texts join it by a word
    that stands beside a telling one, is hardly used elsewhere, and that two people use; they bring
    no others. Places in their order of appearance, in each the matter of most people first.
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
        for group in _joined(texts, frozenset(telling[place])):
            matter = _matter(
                place,
                texts,
                group,
                telling=telling[place],
                company=company[place],
                chances=chances,
            )
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


def _matter(
    place: Hashable,
    texts: Sequence[Said],
    group: Sequence[Said],
    *,
    telling: set[str],
    company: set[str],
    chances: Chances,
) -> Matter:
    """A group with the texts that join it, and the words that tell it, the most used first."""
    own = {stem for each in group for stem in each.stems}
    core = own & telling
    beside = own & company
    taken = {id(each) for each in group}
    joining = [
        each for each in texts
        if id(each) not in taken and each.stems & beside and not each.stems & telling
    ]  # fmt: skip
    members = [each for each in texts if id(each) in taken or each in joining]
    users = _users(members)
    words = sorted(core | beside, key=lambda stem: (stem not in core, -len(users[stem]), stem))
    chance = min(chances[place, stem][1] for stem in core)
    return Matter(place, tuple(words), tuple(members), chance)


def _joined(texts: Sequence[Said], telling: frozenset[str]) -> list[list[Said]]:
    """Texts connected by telling stems, directly or through other texts."""
    tellers = [each for each in texts if each.stems & telling]
    groups = connected([each.stems & telling for each in tellers])
    return [[tellers[at] for at in group] for group in groups]


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

    Where the matter has only one, that one. ``common`` as above.
    """
    telling = frozenset(matter.core) - frozenset(common)
    shared = stems & telling
    if len(shared) < min(2, len(telling)) or not telling:
        return False
    return len(telling) < 2 or any(len(shared & each.stems) >= 2 for each in matter.texts)


def common_stems(texts: Sequence[Stems], *, share: float) -> frozenset[str]:
    """The stems that more than ``share`` of the texts have."""
    return frozenset(stem for stem, n in spread(texts).items() if n > share * len(texts))


_TELLING_WORDS = 8
"""So many of the heaviest stems tell a group; the rest only makes comparing dear."""


def alike(texts: Sequence[Stems], *, similarity: float) -> list[list[int]]:
    """Groups of texts (by position) whose words overlap: cosine of IDF weights >= ``similarity``.

    Each distinct text is compared with the groups that share a word with it, the largest texts
    first, and joins the most similar; groups as similar to each other are then joined. A text
    without stems belongs to no group. Groups of most texts first.
    """
    positions: dict[Stems, list[int]] = defaultdict(list)
    for at, text in enumerate(texts):
        if text:
            positions[text].append(at)
    number = sum(map(len, positions.values()))
    weight = {stem: math.log(1 + number / n) for stem, n in spread(texts).items()}
    ordered = sorted(positions, key=lambda text: (-len(positions[text]), sorted(text)))
    groups = [_Group.of(text, positions[text], weight) for text in ordered]
    for _ in range(2):
        groups = _gathered(groups, similarity)
    return [
        sorted(group.positions) for group in sorted(groups, key=lambda each: -len(each.positions))
    ]


class _Group:
    """Texts that belong together, and the sum of their weights."""

    __slots__ = ("positions", "weights")

    def __init__(self, weights: Counter[str], positions: list[int]) -> None:
        self.weights = weights
        self.positions = positions

    @classmethod
    def of(cls, text: Stems, positions: Sequence[int], weight: Mapping[str, float]) -> _Group:
        weights = Counter({stem: weight[stem] * len(positions) for stem in text})
        return cls(weights, list(positions))

    @property
    def length(self) -> float:
        return math.sqrt(sum(value * value for value in self.weights.values()))

    def telling(self) -> list[str]:
        heaviest = sorted(self.weights, key=lambda stem: (-self.weights[stem], stem))
        return heaviest[:_TELLING_WORDS]

    def take(self, other: _Group) -> None:
        self.weights.update(other.weights)
        self.positions += other.positions


def _gathered(groups: Sequence[_Group], similarity: float) -> list[_Group]:
    """Each group joined with the most similar one before it, if that is similar enough."""
    kept: list[_Group] = []
    by_stem: dict[str, set[int]] = defaultdict(set)
    for group in groups:
        near = {at for stem in group.telling() for at in by_stem[stem]}
        scored = [(_cosine(group, kept[at]), -at) for at in near]
        best, place = max(scored, default=(0.0, 0))
        if best >= similarity:
            home = -place
            kept[home].take(group)
        else:
            home = len(kept)
            kept.append(group)
        for stem in kept[home].telling():
            by_stem[stem].add(home)
    return kept


def _cosine(one: _Group, other: _Group) -> float:
    small, large = sorted((one.weights, other.weights), key=len)
    dot = sum(value * large[stem] for stem, value in small.items() if stem in large)
    return dot / (one.length * other.length) if dot else 0.0
