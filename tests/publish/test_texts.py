"""Texts over there mention nobody, give no address away, run nothing and fit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vmo_bridge.publish.columns import KPI_RESULT, SIGNAL
from vmo_bridge.publish.texts import CUT, fitting_key, neutral
from vmo_bridge.records import KpiResult, Signal

JOINER = "\u2060"

# Pieces of what is dangerous, so that they meet each other; and anything else.
PIECES = st.sampled_from(
    ["@", "[~", "]", "[code]", "[/code]", "[CODE", "a", "b.c", "x@y.zz", ".", " ", "\n", "(", "<",
     "{", "\u200b", "\u202e", "\u061c", "\x00", "\x9b", JOINER, "é", "~", ":", "accountid:", "…"]
)  # fmt: skip
NASTY = st.lists(PIECES | st.text(max_size=3), max_size=12).map("".join)
LENGTHS = st.none() | st.integers(1, 30)

MENTION = re.compile(r"@[\w\[{(<]|\[~[^\]\s" + JOINER + r"][^\]]*\]")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
TAG = re.compile(r"\[/?code\b", re.IGNORECASE)


@given(NASTY, LENGTHS)
@example("[~bob]", 3)
@example("x@y@z.com", None)
def test_a_text_made_neutral_mentions_nobody_and_runs_nothing(
    text: str, longest: int | None
) -> None:
    found = neutral(text, longest)
    assert not MENTION.search(found)
    assert not ADDRESS.search(found)
    assert not TAG.search(found)


@given(NASTY, LENGTHS)
def test_making_it_neutral_again_changes_nothing(text: str, longest: int | None) -> None:
    """What we wrote would else differ from what is to stand there, in every run anew."""
    once = neutral(text, longest)
    assert neutral(once, longest) == once


@given(NASTY, st.integers(1, 30))
def test_it_fits_and_a_cut_can_be_seen(text: str, longest: int) -> None:
    found = neutral(text, longest)
    assert len(found) <= longest
    if len(neutral(text)) > longest:
        assert found.endswith(CUT)


@given(st.text("abc é.,:;-_/()\n\t1", max_size=40))
def test_a_text_of_no_danger_stays_as_it_is(text: str) -> None:
    assert neutral(text) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ""),
        ("write to ann.lee+x@mail.example.org.", "write to (e-mail address)"),
        ("Ann <ann@example.org>; bob@example.org", "Ann <(e-mail address)>; (e-mail address)"),
        ("mailto:ann@example.org", "mailto:(e-mail address)"),
        ("ask @bob", f"ask @{JOINER}bob"),
        ("ask @[Bob]", f"ask @{JOINER}[Bob]"),
        ("a @ b", "a @ b"),
        ("user@localhost", f"user@{JOINER}localhost"),
        ("[~bob] and [~accountid:1-2]", f"[~{JOINER}bob] and [~{JOINER}accountid:1-2]"),
        ("[~]", "[~]"),
        ("[code]<b>x</b>[/code]", f"[{JOINER}code]<b>x</b>[{JOINER}/code]"),
        ("[CoDe]", f"[{JOINER}CoDe]"),
        ("[co\u200bde]", f"[{JOINER}code]"),
        ("[codeine]", "[codeine]"),
        ("a\x00b\x1bc\x7fd", "abcd"),
        ("line\nline\ttab\r", "line\nline\ttab\r"),
        ("gnp.\u202eexe\u202c\u2066x\u2069", "gnp.exex"),
        ("a\u061cb", "ab"),
        ("a\x9b31mb", "a31mb"),
    ],
)
def test_what_becomes_of_each_kind_of_danger(text: str, told: str) -> None:
    assert neutral(text) == told


@pytest.mark.parametrize(
    ("longest", "told"), [(20, "one two three"), (13, "one two three"), (9, "one two…"), (1, "…")]
)
def test_what_does_not_fit_ends_in_dots_at_the_length_of_the_field(longest: int, told: str) -> None:
    assert neutral("one two three", longest) == told


@given(st.text(max_size=60), st.integers(18, 40))
def test_a_key_fits_its_field_and_stays_the_same_key(key: str, longest: int) -> None:
    fitting = fitting_key(key, longest)
    assert len(fitting) <= longest
    assert fitting_key(fitting, longest) == fitting
    assert fitting_key(key, longest) == fitting
    assert (fitting == key) == (len(key) <= longest)


@given(st.sets(st.text("ab", min_size=19, max_size=30), min_size=2, max_size=20))
def test_long_keys_that_begin_alike_stay_apart(ends: set[str]) -> None:
    keys = {"csat:last-90-days:" + "x" * 200 + each for each in ends}
    assert len({fitting_key(each, 200) for each in keys}) == len(keys)


def test_a_long_text_without_a_space_is_no_reason_to_wait() -> None:
    """Searched from each of its letters, it would take minutes."""
    text = "a" * 500_000
    assert neutral(f"{text} x@y.zz", 3) == f"aa{CUT}"


def test_a_key_of_a_field_without_a_length_is_not_touched() -> None:
    assert fitting_key("k" * 999, 0) == "k" * 999


def test_names_and_reasons_arrive_neutral_and_within_their_columns(
    desk: Any, result: Callable[..., KpiResult], signal: Callable[..., Signal]
) -> None:
    desk.kpis(result(service="@all ann@example.org", service_ref="desk/vpn"))
    made = signal("a", "desk/1", service="x" * 999)
    desk.store.findings.save_signals(1, desk.now, [made])
    assert desk.apply().delivery.troubled == []
    (row,) = desk.results().values()
    assert row["u_service"] == f"@{JOINER}all (e-mail address)"
    (told,) = desk.platform.target["u_vmo_signal"].values()
    assert told["u_service"] == "x" * 199 + CUT
    for columns, held in ((KPI_RESULT, row), (SIGNAL, told)):
        for column in columns:
            assert len(held.get(column.name, "")) <= (column.max_length or 9999)
    assert desk.plan().counts()["change"] == 0, "what was cut is what should stand there"


def test_a_signal_whose_key_is_too_long_is_made_once_and_kept_true(
    desk: Any, signal: Callable[..., Signal]
) -> None:
    def held() -> list[dict[str, str]]:
        desk.apply()
        return list(desk.platform.target["u_vmo_signal"].values())

    one, two = (signal("x" * 250 + end, "desk/1") for end in "ab")
    desk.store.findings.save_signals(1, desk.now, [one, two])
    assert [len(row["u_key"]) for row in held()] == [200, 200]
    ended = signal("x" * 250 + "a", "desk/1", state="ended")
    desk.store.findings.save_signals(2, desk.now, [ended, two])
    assert [row["u_state"] for row in held()] == ["ended", "open"]
    assert len(held()) == 2
