"""Texts as sets of word stems in which typing errors are folded into the word that was meant. Pure.

A stem is what the Snowball stemmer (English) leaves of a word, accents taken away. Words that say
nothing of the matter (articles, pleasantries, contractions, numbers) are left out, and so is what
is not written in Latin letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

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
    went were what when where whether which while who whole whom why will with within without work
    working works would year years yesterday yet you your yours
    aint arent cant couldnt didnt doesnt dont hadnt hasnt havent im isnt ive mustnt shouldnt thats
    theres wasnt werent whats wont wouldnt youre
"""
_EMPTY: frozenset[str] = frozenset(_EMPTY_WORDS.split())
_WORD = re.compile(r"[a-z]+")
_SHORTENED = re.compile(r"(?<=[a-z])'(?:d|ll|m|re|s|ve)\b")
"""What is shortened to its end: ``I'd``, ``that's``; what is left is a word like any other."""
_INSIDE = re.compile(r"(?<=[a-z])['-](?=[a-z])")
_SIGNS = {0x2019: "'", 0x2BC: "'", 0x2010: "-", 0x2011: "-", 0xAD: None}
"""Apostrophes and hyphens of typesetters; a soft hyphen is none."""
_SHORTEST, _SHORTEST_MISTYPED, _SHORTEST_CHANGED = 3, 5, 7
_RARE = 20
"""So many times rarer than the word that was meant is a mistyped one."""
_stemmer = snowballstemmer.stemmer("english")


def stems(text: str) -> Stems:
    """The stems of a text."""
    return frozenset(_stem(word) for word in _words(text) if word not in _EMPTY)


def _words(text: str) -> Iterator[str]:
    plain = text.lower() if text.isascii() else _plain(text)
    # "can't" is one word without a sense of its own, "re-use" and "off-line" are one with it.
    joined = _INSIDE.sub("", _SHORTENED.sub("", plain))
    return (word for word in _WORD.findall(joined) if len(word) >= _SHORTEST)


def _plain(text: str) -> str:
    """Lower-case ASCII: accents are taken away, and other signs part words (``slow - very``)."""
    spelt = unicodedata.normalize("NFKD", text.casefold()).translate(_SIGNS)
    return "".join(
        each if each.isascii() else "" if unicodedata.category(each)[0] in "LM" else " "
        for each in spelt
    )


@lru_cache(maxsize=200_000)
def _stem(word: str) -> str:
    stem: str = _stemmer.stemWord(word)
    return stem


def folded(texts: Sequence[Stems]) -> list[Stems]:
    """The same texts with mistyped stems replaced by the stem that was meant.

    A rare stem of five letters and more that is one letter left out, added or swapped away from a
    more frequent one is taken for it; with one changed letter it needs seven, for ``point`` is no
    mistyped ``print``. Of stems that are used once each the first of the alphabet is meant. A
    compound that ends in a stem of five letters and more (``smartphone``) that is used more than
    once also says that stem.
    """
    meant = _meant(spread(texts))
    return [frozenset(each for stem in text for each in meant.get(stem, (stem,))) for text in texts]


def _meant(often: Mapping[str, int]) -> dict[str, tuple[str, ...]]:
    """What each odd stem stands for."""
    slips = _slips(often)
    endings = {
        _bare(stem): slips.get(stem, stem)
        for stem, n in sorted(often.items(), key=lambda each: (each[1], each[0]))
        if n > 1 and len(stem) >= _SHORTEST_MISTYPED
    }
    meant: dict[str, tuple[str, ...]] = {}
    for stem in often:
        whole = slips.get(stem, stem)
        parts = (_bare(whole[at:]) for at in range(2, len(whole) - _SHORTEST_MISTYPED + 2))
        end = next((endings[part] for part in parts if part in endings), whole)
        if end != stem:
            meant[stem] = (whole, end)
    return meant


def _bare(stem: str) -> str:
    """Without a closing e: the stemmer leaves it to ``phone`` and takes it from ``smartphone``."""
    return stem.removesuffix("e")


def _slips(often: Mapping[str, int]) -> dict[str, str]:
    """The mistyped stems and what was meant: the most frequent one, ties by the alphabet."""
    ranked = sorted(often, key=lambda stem: (-often[stem], stem))
    by_shape: dict[str, list[int]] = defaultdict(list)
    slips = {}
    for rank, stem in enumerate(ranked):
        if len(stem) < _SHORTEST_MISTYPED:
            continue
        shapes = _shapes(stem)
        near = {at for shape in shapes for at in by_shape.get(shape, ())}
        known = next((ranked[at] for at in sorted(near) if _one_slip(stem, ranked[at])), None)
        if known is not None and often[stem] <= max(1, often[known] // _RARE):
            slips[stem] = known
            continue
        for shape in shapes:
            by_shape[shape].append(rank)
    return slips


def _shapes(stem: str) -> frozenset[str]:
    """The stem and what is left of it without one letter: mistyped words share one of them."""
    return frozenset((stem, *(stem[:at] + stem[at + 1 :] for at in range(len(stem)))))


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
