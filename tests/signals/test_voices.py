"""Comments: what is praise and what is none, the matters several speak of, and their words."""

from __future__ import annotations

from typing import Any

import pytest

from vmo_bridge.signals.voices import heard, is_praise, lost_minutes, named, spelt


@pytest.mark.parametrize(
    "text",
    [
        "Works well for me.", "Reliable, keep it up.", "I like it.", "No complaints.",
        "Friendly people behind it.", "Better than two years ago.", "Thank you!", "GREAT!!!",
        "new landing page = much clearer, thanks", "No problems, simple and fast.", "“Excellent”",
        "The new page is so much better", "It gets better every month", "clear/simple",
        "no fuss, just works", "No issues, it works.",
    ],
)  # fmt: skip
def test_this_only_praises(text: str) -> None:
    assert is_praise(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "Slow.", "👍", "mobile version", "Great, but slow", "Nice if it worked offline?",
        "I'd like a mobile version", "I\u2019d like a mobile version", "We'd love a copy button",
        "The start page is nice. It doesn't load on the phone",
        "The start page is nice, it doesn\u2019t load", "it is nice and dont load",
        "There is no app that works on my tablet", "We want better search", "Please make it simple",
        "Good tool; can't print", "Useful, could be faster", "Let us work offline, thanks",
        "None of it works", "Happy to help you add a button", "thanks for nothing", "Better search",
        "better parking and signs",
    ],
)  # fmt: skip
def test_this_asks_or_complains_or_says_nothing_good(text: str) -> None:
    assert not is_praise(text)


def comment(
    who: str, text: str, place: str = "vpn", satisfied: int | None = 0, **more: Any
) -> dict[str, Any]:
    row = {
        "ref": f"c/{place}-{who}-{text}", "feedback_ref": f"f/{place}-{who}-{text}", "person": who,
        "service_ref": place, "service": None, "text": text, "satisfied": satisfied,
        "lost_minutes": None,
    }  # fmt: skip
    return row | more


ELSEWHERE = [
    comment(f"m{at}", text, "mail")
    for at, text in enumerate(["inbox is full", "arrives late", "search finds nothing"] * 8)
]
ASKED = ["phone please", "my phone shows half", "phones are not supported", "moblie phone"]


def test_what_several_people_say_of_one_service_is_heard() -> None:
    rows = [comment(f"p{at}", text) for at, text in enumerate(ASKED)]
    (matter,) = heard([*rows, *ELSEWHERE], people=3)
    assert (matter.place, matter.people, matter.core[0]) == ("vpn", 4, "phone")
    assert [each.ref for each in matter.texts] == [row["ref"] for row in rows]


@pytest.mark.parametrize("satisfied", [None, 0])
def test_unrated_and_unhappy_comments_are_heard(satisfied: int | None) -> None:
    rows = [comment(f"p{at}", text, satisfied=satisfied) for at, text in enumerate(ASKED)]
    assert len(heard([*rows, *ELSEWHERE], people=3)) == 1


def test_satisfied_people_are_not_heard_whatever_they_write() -> None:
    rows = [comment(f"p{at}", text, satisfied=1) for at, text in enumerate(ASKED)]
    assert heard([*rows, *ELSEWHERE], people=3) == []


def test_praise_is_not_heard_though_nobody_rated_it() -> None:
    rows = [comment(f"p{at}", f"the phone page is great {at}", satisfied=None) for at in range(6)]
    assert heard([*rows, *ELSEWHERE], people=3) == []


def test_nothing_said_is_nothing_heard() -> None:
    assert heard([], people=3) == []
    assert (
        heard([comment(f"p{at}", text) for at, text in enumerate(["", "👍", "!?"])], people=1) == []
    )


def test_two_comments_of_one_survey_are_two_texts_of_one_person() -> None:
    rows = [comment(f"p{at}", text) for at, text in enumerate(ASKED[:3])]
    rows.append(comment("p0", "and the phone again") | {"feedback_ref": rows[0]["feedback_ref"]})
    (matter,) = heard([*rows, *ELSEWHERE], people=3)
    assert (matter.people, len(matter.texts)) == (3, 4)


def test_lost_time_of_a_survey_counts_once() -> None:
    rows = [
        comment("a", "x", lost_minutes=30), comment("a", "y", lost_minutes=30),
        comment("b", "z", lost_minutes=None), comment("c", "z", lost_minutes=15),
    ]  # fmt: skip
    rows[1]["feedback_ref"] = rows[0]["feedback_ref"]
    assert lost_minutes(rows) == 45
    assert lost_minutes([]) == 0


def test_words_are_spelt_as_most_do_ties_by_the_alphabet_and_at_most_so_many() -> None:
    texts = ["Connected, connection!", "connection", "tablets tablet"]
    assert spelt(("connect", "tablet"), texts, at_most=2) == ("connection", "tablet")
    assert spelt(("connect", "tablet"), texts, at_most=1) == ("connection",)


def test_a_stem_that_nobody_wrote_so_is_spelt_as_itself() -> None:
    assert spelt(("mobil",), ["moblie"], at_most=3) == ("mobil",)


def test_a_name_is_the_shortest_word_however_often_others_are_used() -> None:
    texts = ["connections connections", "connection, connected"]
    assert named("connect", texts) == "connected"
    assert named("connect", texts * 9) == "connected"
    assert named("mobil", ["moblie"]) == "mobil"
    assert named("offlin", ["off-line"]) == "off-line"


def test_words_in_one_breath_name_none_of_them() -> None:
    assert named("phone", ["phone/tablet"]) == "phone"
    assert named("tablet", ["tablet.phone phones"]) == "tablet"
