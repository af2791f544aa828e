"""What all rules share: strength, slugs, keywords."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.signals.making import in_order, keywords, slug, slugs, strength


@given(st.floats(0, 1), st.floats(0, 2))
def test_strength_is_between_0_and_1(adjusted_p, effect):
    assert 0 <= strength(adjusted_p, effect) <= 1


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_strength_grows_with_surprise_and_with_size(one, other, effect):
    low, high = sorted((one, other))
    assert strength(low, effect) >= strength(high, effect)
    assert strength(effect, low) <= strength(effect, high)


def test_strength_at_its_ends():
    assert strength(1e-30, 1) == 1
    assert strength(1, 1) == 0
    assert strength(0, 0) == 0


@given(st.text())
def test_a_slug_is_plain_ascii(text):
    assert set(slug(text)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert slug(text) == slug(slug(text))


def test_slugs_of_names_people_use():
    assert slug("  Büro & Personal (HR) ") == "buro-personal-hr"
    assert slug("…") == "unnamed"


@given(st.dictionaries(st.text(min_size=1), st.none() | st.text(max_size=3), max_size=20))
def test_slugs_are_different_for_each_ref(names):
    assert len(set(slugs(names).values())) == len(names)


def test_a_slug_is_plain_where_no_other_name_shares_it():
    assert slugs({"x/1": "VPN", "x/2": None, "x/3": "Mail"}) == {
        "x/1": "vpn",
        "x/2": "x-2",
        "x/3": "mail",
    }


def test_refs_come_once_in_their_first_order():
    assert in_order(["b", None, "a", "b"]) == ("b", "a")


def test_keywords_need_two_people_and_are_most_used_first():
    comments = [(1, "slow printer queue"), (2, "queue, printer!"), (3, "queue"), (3, "tray tray")]
    assert keywords(comments) == ("queue", "printer")
    assert keywords(comments, at_most=1) == ("queue",)


@given(st.lists(st.tuples(st.integers(0, 3), st.text())))
def test_keywords_are_lower_case_words_and_nothing_else(comments):
    assert all(len(word) >= 4 and word.isalpha() and word.islower() for word in keywords(comments))


def test_addresses_numbers_names_and_stop_words_are_no_keywords():
    text = "Maria maria.lopez@agency.example AB1234 x5555 555-0100 https://a.example/path about"
    assert keywords([(1, text), (2, text)]) == ()
