"""Texts as stems: slips of the keyboard are folded, other words are not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.signals.words import folded, stems


def same(*texts: str) -> bool:
    """Whether the texts end in one and the same word."""
    first, *rest = folded([stems(text) for text in texts])
    return bool(first) and all(first & each for each in rest)


@pytest.mark.parametrize(
    ("meant", "written"),
    [
        ("mobile", "moblie"), ("tablet", "tablett"), ("session", "sesion"), ("offline", "off-line"),
        ("reuse", "re-use"), ("connection", "conection"), ("phone", "smartphone"), ("entry",
        "entries"), ("café", "cafe"), ("Copying", "copies"),
    ],
)  # fmt: skip
def test_one_word_in_other_letters_is_one_word(meant: str, written: str) -> None:
    assert same(*[meant] * 5, written)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("print", "point"), ("form", "from"), ("mail", "main"), ("access", "excess"),
        ("server", "service"), ("screen", "scream"), ("port", "report"),
    ],
)  # fmt: skip
def test_another_word_stays_another_word(one: str, other: str) -> None:
    assert not same(*[one] * 30, *[other])
    assert not same(*[one] * 5, *[other] * 5)


def test_what_says_nothing_is_no_word() -> None:
    assert stems("Please, thank you! It is the 3rd of them; I can't.") == frozenset()
    assert stems("") == stems("💥 日本語 12") == frozenset()


@given(st.lists(st.text("abcdefgh", min_size=5, max_size=7), max_size=20), st.randoms())
def test_the_order_of_texts_does_not_matter(words: list[str], dice: random.Random) -> None:
    texts = [frozenset({word}) for word in words]
    once = dict(zip(texts, folded(texts), strict=True))
    dice.shuffle(texts)
    assert dict(zip(texts, folded(texts), strict=True)) == once


@given(st.lists(st.text(max_size=40), max_size=10))
def test_any_text_is_read_and_folding_keeps_the_number_of_texts(texts: list[str]) -> None:
    assert len(folded([stems(each) for each in texts])) == len(texts)
