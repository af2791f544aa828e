"""Short texts that are alike: laws that hold whatever they say, and where the limit lies."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.signals import likeness
from vmo_bridge.signals.likeness import alike
from vmo_bridge.signals.words import stems

WORDS = ("phone", "tablet", "slow", "copy", "entry", "print", "loud", "cold", "door", "mail")
TEXTS = st.lists(st.frozensets(st.sampled_from(WORDS), max_size=4), max_size=30)
SIMILARITIES = st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9, 1.0])


def told(texts: list[frozenset[str]], similarity: float) -> list[list[list[str]]]:
    """The groups as what their texts say, in an order of their own."""
    groups = alike(texts, similarity=similarity)
    return sorted(sorted(sorted(texts[at]) for at in group) for group in groups)


@given(TEXTS, SIMILARITIES)
def test_every_text_with_words_is_in_one_group_and_equal_ones_in_the_same(
    texts: list[frozenset[str]], similarity: float
) -> None:
    groups = alike(texts, similarity=similarity)
    assert sorted(at for group in groups for at in group) == [
        at for at, text in enumerate(texts) if text
    ]
    homes = {(texts[at], number) for number, group in enumerate(groups) for at in group}
    assert len(homes) == len({text for text, _ in homes})


@given(TEXTS)
def test_at_full_similarity_only_equal_sets_of_words_join(texts: list[frozenset[str]]) -> None:
    for group in alike(texts, similarity=1.0):
        assert len({texts[at] for at in group}) == 1


@given(TEXTS, SIMILARITIES, st.randoms())
def test_the_order_of_texts_changes_nothing(
    texts: list[frozenset[str]], similarity: float, dice: random.Random
) -> None:
    assert told(dice.sample(texts, len(texts)), similarity) == told(texts, similarity)


@given(TEXTS, SIMILARITIES)
def test_texts_without_a_word_in_common_never_meet(
    texts: list[frozenset[str]], similarity: float
) -> None:
    strange = [frozenset(word.upper() for word in text) for text in texts]
    for group in alike([*texts, *strange], similarity=similarity):
        assert len({at < len(texts) for at in group}) == 1


@given(TEXTS, SIMILARITIES)
def test_the_groups_of_most_texts_come_first_and_positions_rise(
    texts: list[frozenset[str]], similarity: float
) -> None:
    groups = alike(texts, similarity=similarity)
    assert [len(group) for group in groups] == sorted(map(len, groups), reverse=True)
    assert all(group == sorted(group) for group in groups)


@given(TEXTS, st.integers(2, 4))
def test_every_text_said_more_often_changes_no_group(
    texts: list[frozenset[str]], times: int
) -> None:
    def sets(given_: list[frozenset[str]]) -> set[frozenset[frozenset[str]]]:
        return {frozenset(given_[at] for at in group) for group in alike(given_, similarity=0.5)}

    assert sets(texts * times) == sets(texts)


def test_no_texts_and_texts_without_words_make_no_group() -> None:
    assert alike([], similarity=0.5) == alike([frozenset()] * 3, similarity=0.5) == []


def test_the_limit_itself_is_similar_enough() -> None:
    # Two of four words of equal weight: a cosine of exactly one half, whatever rounding makes it.
    one, other = frozenset("abcd"), frozenset("cdef")
    fillers = [frozenset({letter, f"x{letter}"}) for letter in "abef"]
    weight = {stem: math.log(1 + 6 / 2) for stem in "abcdef"}
    shared = sum(weight[stem] ** 2 for stem in one & other)
    assert shared / sum(weight[stem] ** 2 for stem in one) == pytest.approx(0.5)
    texts = [one, other, *fillers]
    assert any({0, 1} <= set(group) for group in alike(texts, similarity=0.5))
    assert not any({0, 1} <= set(group) for group in alike(texts, similarity=0.51))


def test_a_rare_word_weighs_more_than_a_frequent_one() -> None:
    everyday = [stems(f"error {word}") for word in ("alpha", "bravo", "carrot", "delta")] * 6
    texts = [*everyday, stems("error zebra stripes"), stems("warning zebra stripes")]
    groups = alike(texts, similarity=0.5)
    assert [24, 25] in groups


def test_groups_that_grow_alike_are_joined_afterwards() -> None:
    texts = [stems(text) for text in (
        ["session ends entries lost"] * 3 + ["thrown out nothing kept"] * 3
        + ["session ends thrown out"] * 2 + ["entries lost nothing kept"] * 2
    )]  # fmt: skip
    assert len(alike(texts, similarity=0.45)) < len({*texts})


def test_a_word_in_very_many_groups_does_not_part_what_rarer_words_join(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(likeness, "_LOOKED_AT", 10)
    everyday = [stems(f"error word{chr(97 + at // 26)}{chr(97 + at % 26)}") for at in range(200)]
    texts = [*everyday, stems("error zebra stripes"), stems("error zebra stripes door")]
    assert [200, 201] in alike(texts, similarity=0.5)
