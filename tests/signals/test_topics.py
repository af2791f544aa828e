"""Texts that belong together, and laws that hold whatever they say."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.signals.likeness import alike
from vmo_bridge.signals.topics import Matter, Said, common_stems, connected, matters, speaks_of
from vmo_bridge.signals.voices import heard, is_praise, spelt
from vmo_bridge.signals.words import stems

WORDS = ("phone", "tablet", "slow", "copy", "entry", "print", "loud", "cold")
TEXTS = st.lists(st.frozensets(st.sampled_from(WORDS), max_size=4), max_size=25)


@given(TEXTS)
def test_a_text_is_in_one_group_at_most_and_equal_ones_in_the_same(
    texts: list[frozenset[str]],
) -> None:
    groups = alike(texts, similarity=0.5)
    places = [at for group in groups for at in group]
    assert sorted(places) == [at for at, text in enumerate(texts) if text]
    group_of = {at: number for number, group in enumerate(groups) for at in group}
    for one, number in group_of.items():
        same = {at for at in group_of if texts[at] == texts[one]}
        assert {group_of[at] for at in same} == {number}


@given(TEXTS)
def test_at_full_similarity_only_texts_of_the_same_words_are_alike(
    texts: list[frozenset[str]],
) -> None:
    for group in alike(texts, similarity=1.0 - 1e-12):
        assert len({texts[at] for at in group}) == 1


@given(TEXTS, st.randoms())
def test_the_order_of_texts_does_not_matter_to_what_is_alike(
    texts: list[frozenset[str]], dice: random.Random
) -> None:
    def told(given_: list[frozenset[str]]) -> list[list[list[str]]]:
        return sorted(
            sorted(sorted(given_[at]) for at in group) for group in alike(given_, similarity=0.5)
        )

    once = told(texts)
    shuffled = dice.sample(texts, len(texts))
    assert told(shuffled) == once


@given(st.lists(st.frozensets(st.integers(0, 30), max_size=4), max_size=25))
def test_connected_groups_share_nothing_with_each_other(items: list[frozenset[int]]) -> None:
    groups = connected(items)
    assert sorted(at for group in groups for at in group) == list(range(len(items)))
    unions = [frozenset().union(*(items[at] for at in group)) for group in groups]
    for number, union in enumerate(unions):
        assert not any(union & other for other in unions[number + 1 :])


def said(place: str, who: str, text: str) -> Said:
    return Said(f"{place}/{who}/{text}", who, place, stems(text))


ELSEWHERE = [
    said("mail", f"m{at}", text)
    for at, text in enumerate(["inbox is full", "mail arrives late", "search finds nothing"] * 12)
]


def test_a_matter_is_what_several_people_of_a_place_speak_of_and_others_do_not() -> None:
    asked = [
        said("portal", "a", "cannot be used on my phone"),
        said("portal", "b", "when will it fit a tablet"),
        said("portal", "c", "phone and tablet please"),
        said("portal", "d", "colours are ugly"),
        said("portal", "e", "phones, at last"),
    ]
    (found,) = matters([*asked, *ELSEWHERE], people=3, false_discoveries=0.05)
    assert {each.who for each in found.texts} == {"a", "b", "c", "e"}
    assert set(found.core) == {"phone", "tablet"}
    assert matters([*asked, *ELSEWHERE], people=5, false_discoveries=0.05) == []


def test_one_who_says_it_again_and_again_is_one() -> None:
    again = [said("portal", "a", f"phone {at} please") for at in range(6)]
    assert matters([*again, *ELSEWHERE], people=2, false_discoveries=0.05) == []


def test_what_everybody_everywhere_says_is_no_matter_of_a_place() -> None:
    everywhere = [said(place, f"{place}{at}", "slow on mondays")
                  for place in ("a", "b", "c", "d") for at in range(4)]  # fmt: skip
    assert matters(everywhere, people=3, false_discoveries=0.05) == []


def test_a_text_speaks_of_a_matter_by_two_of_its_words() -> None:
    assert speaks_of(stems("phone and tablet"), ("phone", "tablet", "touch"))
    assert not speaks_of(stems("the phone rings"), ("phone", "tablet", "touch"))
    assert speaks_of(stems("the phone rings"), ("phone",)), "where there is only one"
    assert not speaks_of(stems("phone and tablet"), ("phone", "tablet"), common=("phone", "tablet"))


def test_common_stems_are_those_of_a_great_share() -> None:
    texts = [stems("screen black"), stems("screen blue"), stems("no sound")]
    assert common_stems(texts, share=0.5) == {"screen"}


@pytest.mark.parametrize(
    ("text", "praise"),
    [
        ("Works well for me.", True), ("Friendly people!", True), ("Thank you", True),
        ("Great, but it should remember me", False), ("Nice if it worked on a phone?", False),
        ("Useful. Please add a copy button", False), ("Slow.", False), ("", False),
        ("I like it; it can't print though", False),
    ],
)  # fmt: skip
def test_praise_asks_for_nothing(text: str, praise: bool) -> None:
    assert is_praise(text) is praise


def test_the_words_of_a_matter_are_spelt_as_most_people_do() -> None:
    texts = ["Phones, please", "my phone", "a PHONE", "phones"]
    assert spelt(("phone",), texts, at_most=3) == ("phone",)
    assert spelt(("gone",), [], at_most=3) == ("gone",)


def test_a_service_s_own_name_is_no_word_of_a_matter() -> None:
    rows = [
        {"ref": f"c{at}", "feedback_ref": f"f{at}", "person": f"p{at}", "service_ref": "s",
         "satisfied": None, "service": "Staff Portal", "text": f"staff portal {word}"}
        for at, word in enumerate(("ugly", "loud", "cold"))
    ]  # fmt: skip
    assert heard(rows, people=3) == []


@st.composite
def talks(draw: st.DrawFn) -> list[Said]:
    """Comments on three services, of so few words that some are said by several."""
    texts = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["mail", "vpn", "door"]),
                st.integers(0, 25),
                st.frozensets(st.sampled_from([*WORDS, *"abcdefgh"]), max_size=3),
            ),
            max_size=60,
        )
    )
    return [Said(f"c{at}", who, place, words) for at, (place, who, words) in enumerate(texts)]


def told(found: list[Matter]) -> set[tuple[object, tuple[str, ...], frozenset[str], float]]:
    return {
        (each.place, each.core, frozenset(text.ref for text in each.texts), each.chance)
        for each in found
    }


def few(said: list[Said]) -> list[Matter]:
    """With a false discovery rate so lax that chance makes matters to look at."""
    return matters(said, people=2, false_discoveries=0.9)


@given(talks(), st.randoms())
def test_the_order_of_comments_does_not_change_the_matters(
    said: list[Said], dice: random.Random
) -> None:
    assert told(few(dice.sample(said, len(said)))) == told(few(said))


@given(talks())
def test_equal_comments_of_a_place_are_in_the_same_matters(said: list[Said]) -> None:
    for matter in few(said):
        inside = {each.ref for each in matter.texts}
        same = {each.stems for each in matter.texts}
        for each in said:
            if each.place == matter.place and each.stems in same:
                assert each.ref in inside


@given(talks())
def test_a_matter_is_of_one_place_of_people_enough_and_told_by_words_they_use(
    said: list[Said],
) -> None:
    for matter in few(said):
        assert {each.place for each in matter.texts} == {matter.place}
        assert matter.people == len({each.who for each in matter.texts}) >= 2
        assert all(each.stems & set(matter.core) for each in matter.texts)
        assert 0 <= matter.chance <= 1


@given(talks())
def test_no_comment_is_in_two_matters_and_no_word_tells_two_of_a_place(said: list[Said]) -> None:
    found = few(said)
    refs = [text.ref for matter in found for text in matter.texts]
    assert len(refs) == len(set(refs))
    first = [(matter.place, matter.core[0]) for matter in found]
    assert len(first) == len(set(first))


def test_what_stands_beside_two_matters_brings_nobody_to_either() -> None:
    phone = [said("vpn", f"p{at}", "phone hardly" if at else "phone crash") for at in range(6)]
    copy = [said("vpn", f"c{at}", "copy hardly" if at else "copy crash") for at in range(6)]
    both = said("vpn", "p0", "crash")
    everything = matters([*phone, *copy, both, *ELSEWHERE], people=3, false_discoveries=0.05)
    found = [matter for matter in everything if matter.place == "vpn"]
    assert sorted(matter.core for matter in found) == [("copi",), ("phone",)]
    assert all(both not in matter.texts for matter in found)


TOPICS = ("phone tablet screen", "copy entry again", "loud printer room", "login badge card")


def crowd(dice: random.Random, people: int) -> list[Said]:
    """Many people of one place, most with one thing to say, some with two."""
    found = []
    for at in range(people):
        matter = TOPICS[at % 4].split()
        words = dice.sample(matter, 2)
        if at % 6 == 0:
            words.append(dice.choice(TOPICS[(at + 1) % 4].split()))
        found.append(said("vpn", f"v{at}", " ".join(words)))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_those_who_speak_of_two_things_do_not_make_one_of_everything(seed: int) -> None:
    others = [said("mail", f"o{at}", f"word{chr(97 + at % 26)} again") for at in range(200)]
    everything = matters(
        [*crowd(random.Random(seed), 120), *others], people=3, false_discoveries=0.05
    )
    found = [set(matter.core) for matter in everything if matter.place == "vpn"]
    assert [len(matter.texts) for matter in everything if matter.place == "vpn"] == [30] * 4
    assert sorted(map(sorted, found)) == sorted(sorted(stems(topic)) for topic in TOPICS)


def test_in_a_small_place_one_matter_may_be_that_of_most() -> None:
    asked = [said("vpn", f"v{at}", "phone tablet" if at % 2 else "phone screen") for at in range(9)]
    found = matters([*asked, *ELSEWHERE], people=3, false_discoveries=0.05)
    assert [len(each.texts) for each in found if each.place == "vpn"] == [9]
