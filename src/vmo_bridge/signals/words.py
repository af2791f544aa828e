"""Texts as sets of word stems in which typing errors are folded into the word that was meant. Pure.

A stem is what the Snowball stemmer (English) leaves of a word, accents taken away. Words that say
nothing of the matter (articles, pleasantries, numbers) are left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache

import snowballstemmer

Stems = frozenset[str]

_EMPTY_WORDS = """
    a about after again all also always am an and any anybody anything are around as at away back be
    because been before being between both but by came can cannot come could day days did do does
    doing done down each even ever every everybody everything few for from get gets getting give
    given go goes going gone good great had hardly has have having he hello help her here hi his how
    however i if in instead into is it its just know last let like lot made make makes many may
    maybe me might mine more most much must my myself near need needed needs never new next no
    nobody none nor not nothing now of off often on once one only or other our out over own per
    please quite rather really same say says see seem seems several shall she should since so some
    somebody something soon still such sure take taken than thank thanks that the their them then
    there these they thing things this those though through time times to today told too took
    under until up upon urgent us use used uses using very want wants was way we week weeks well
    went were what when where whether which while who whole whom why will with within without won
    work working works would year years yesterday yet you your yours
    arent cant couldnt didnt doesnt dont hadnt hasnt havent im isnt ive shouldnt thats theres wasnt
    werent whats wont wouldnt youre
"""
_EMPTY: frozenset[str] = frozenset(_EMPTY_WORDS.split())
_WORD = re.compile(r"[a-z]+")
_SHORTEST, _SHORTEST_MISTYPED, _SHORTEST_CHANGED = 3, 5, 7
_RARE = 20
"""So many times rarer than the word that was meant is a mistyped one."""
_stemmer = snowballstemmer.stemmer("english")


def stems(text: str) -> Stems:
    """The stems of a text."""
    return frozenset(_stem(word) for word in _words(text) if word not in _EMPTY)


def _words(text: str) -> Iterator[str]:
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    # "can't" is one word without a sense of its own, "re-use" and "off-line" are one with it.
    joined = re.sub(r"(?<=[a-z])['-](?=[a-z])", "", plain)
    return (word for word in _WORD.findall(joined) if len(word) >= _SHORTEST)


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    stem: str = _stemmer.stemWord(word)
    return stem


def folded(texts: Sequence[Stems]) -> list[Stems]:
    """The same texts with mistyped stems replaced by the stem that was meant.

    A rare stem of five letters and more that is one letter left out, added or swapped away from a
    frequent one is taken for it; with one changed letter it needs seven, for ``point`` is no
    mistyped ``print``. A compound that ends in a frequent stem of five
    letters and more (``smartphone``) also says that stem.
    """
    often = Counter(stem for text in texts for stem in text)
    meant = _meant(often)
    return [frozenset(each for stem in text for each in meant.get(stem, (stem,))) for text in texts]


def _meant(often: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """What each odd stem stands for; the more frequent one wins, ties by the alphabet."""
    ranked = sorted(often, key=lambda stem: (-often[stem], stem))
    by_shape: dict[str, str] = {}
    endings: dict[str, str] = {}
    meant: dict[str, tuple[str, ...]] = {}
    for stem in ranked:
        if len(stem) >= _SHORTEST_MISTYPED:
            known = next((by_shape[each] for each in _shapes(stem) if each in by_shape), None)
            rare = known is not None and often[stem] <= max(1, often[known] // _RARE)
            if known is not None and rare and _one_slip(stem, known):
                meant[stem] = (known,)
                continue
            for shape in _shapes(stem):
                by_shape.setdefault(shape, stem)
        parts = (_bare(stem[at:]) for at in range(2, len(stem) - 3))
        ends = next((endings[part] for part in parts if part in endings), None)
        if ends is not None:
            meant[stem] = (stem, ends)
        if often[stem] > 1 and len(stem) >= _SHORTEST_MISTYPED:
            endings[_bare(stem)] = stem
    return meant


def _bare(stem: str) -> str:
    """Without a closing e: the stemmer leaves it to ``phone`` and takes it from ``smartphone``."""
    return stem.removesuffix("e")


@cache
def _shapes(stem: str) -> tuple[str, ...]:
    """The stem and what is left of it without one letter: mistyped words share one of them."""
    return (stem, *(stem[:at] + stem[at + 1 :] for at in range(len(stem))))


def _one_slip(one: str, other: str) -> bool:
    """Whether one letter left out, added, changed or swapped with its neighbour tells them apart.

    Not where the first letters differ (``bill`` and ``kill`` are two words).
    """
    if one[0] != other[0] or abs(len(one) - len(other)) > 1:
        return False
    if len(one) != len(other):
        short, long = sorted((one, other), key=len)
        return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
    odd = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(odd) == 1:
        return len(one) >= _SHORTEST_CHANGED
    return (
        len(odd) == 2
        and odd[1] == odd[0] + 1
        and one[odd[0]] == other[odd[1]]
        and one[odd[1]] == other[odd[0]]
    )


def spread(texts: Iterable[Stems]) -> dict[str, int]:
    """How many texts each stem is in."""
    counts: dict[str, int] = defaultdict(int)
    for text in texts:
        for stem in text:
            counts[stem] += 1
    return counts
