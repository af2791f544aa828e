"""Many short texts that repeat themselves (titles of tickets): which of them are alike. Pure.

Texts belong together where their words overlap enough, a word weighing the more the fewer texts
have it (IDF, natural logarithm). The cost grows with the number of texts (measured: 40,000 titles
of which hardly two are alike take some seconds).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from vmo_bridge.signals.words import Stems, spread


def alike(texts: Sequence[Stems], *, similarity: float) -> list[list[int]]:
    """Groups of texts (by position) whose words overlap: cosine of IDF weights >= ``similarity``.

    Each distinct text is compared with the groups that share a word with it, the most frequent
    texts first, and joins the most similar; groups as similar to each other are then joined. A text
    without stems belongs to no group. Groups of most texts first. The order of the texts changes
    nothing but their positions.
    """
    positions: dict[Stems, list[int]] = defaultdict(list)
    for at, text in enumerate(texts):
        if text:
            positions[text].append(at)
    number = sum(map(len, positions.values()))
    weight = {stem: math.log(1 + number / n) for stem, n in spread(texts).items()}
    ordered = sorted(positions, key=lambda text: (-len(positions[text]), sorted(text)))
    groups = [
        # Sorted, as a sum of fractions must not depend on how a set happens to lie in memory.
        _Group(
            {stem: weight[stem] * len(positions[text]) for stem in sorted(text)}, positions[text]
        )
        for text in ordered
    ]
    for _ in range(2):
        groups = _Gathering(similarity).of(groups)
    return [
        sorted(group.positions) for group in sorted(groups, key=lambda each: -len(each.positions))
    ]


@dataclass(frozen=True, slots=True)
class _Group:
    """Texts that belong together, and the sum of their weights."""

    weights: dict[str, float]
    positions: list[int]


_LOOKED_AT = 2_000
"""So many groups that share a word are looked at, those of the rarest words first."""
_LIGHT = 0.7
"""Found by measuring: with more left over there is more to add up, with less more to look at."""
_ROUNDING = 1e-9
"""Weights that differ by less are the same."""


class _Gathering:
    """Joins each group with the most similar one before it, if that is similar enough."""

    def __init__(self, similarity: float) -> None:
        self._least = similarity - _ROUNDING
        self._kept: list[_Group] = []
        self._lengths: list[float] = []
        self._places: dict[str, dict[int, float]] = defaultdict(dict)
        """Of each stem the groups that have it, by their place, and its weight there."""

    def of(self, groups: Sequence[_Group]) -> list[_Group]:
        for group in groups:
            home = self._home(group)
            if home is None:
                home = len(self._kept)
                self._kept.append(_Group({}, []))
                self._lengths.append(0.0)
            self._take(home, group)
        return self._kept

    def _take(self, home: int, group: _Group) -> None:
        kept, square = self._kept[home], self._lengths[home] ** 2
        for stem, value in group.weights.items():
            before = kept.weights.get(stem, 0.0)
            kept.weights[stem] = self._places[stem][home] = before + value
            square += value * (2 * before + value)
        kept.positions.extend(group.positions)
        self._lengths[home] = math.sqrt(square)

    def _home(self, group: _Group) -> int | None:
        """The place of the most similar group, the first of several; None if none is enough."""
        length = math.hypot(*group.weights.values())
        products, left = self._products(group, self._least * length)
        tail = math.hypot(*(group.weights[stem] for stem in left))
        scored = [
            ((product + self._rest(group, left, at)) / (length * self._lengths[at]), -at)
            for at, product in products.items()
            if product + tail * self._lengths[at] >= self._least * length * self._lengths[at]
        ]
        best, place = max(scored, default=(0.0, 0))
        return -place if best >= self._least else None

    def _products(self, group: _Group, least: float) -> tuple[dict[int, float], list[str]]:
        """By place what the rarest stems have in common with a group, and the stems left over.

        Left over are those in most groups: far too light to make anything similar by themselves
        (alone they would need a length of ``least``), or in so many groups that looking at all of
        them would take too long.
        """
        spread_of = {stem: len(self._places.get(stem, ())) for stem in group.weights}
        stems = sorted(group.weights, key=lambda stem: (spread_of[stem], stem))
        left: list[str] = []
        square = group.weights[stems[-1]] ** 2
        many = sum(spread_of.values())
        while len(stems) > 1 and (many > _LOOKED_AT or math.sqrt(square) < _LIGHT * least):
            left.append(stems.pop())
            many -= spread_of[left[-1]]
            square += group.weights[stems[-1]] ** 2
        products: dict[int, float] = {}
        for stem in stems:
            value = group.weights[stem]
            for at, other in self._places.get(stem, {}).items():
                products[at] = products.get(at, 0.0) + value * other
        return products, left

    def _rest(self, group: _Group, left: Sequence[str], at: int) -> float:
        """What the stems left over have in common with the group of a place."""
        return sum(group.weights[stem] * self._places[stem].get(at, 0.0) for stem in left)
