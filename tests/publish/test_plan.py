"""The plan says what would be written, and what not, and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.connectors.writing import Places
from vmo_bridge.errors import AccessError, RetryLater, SourceError
from vmo_bridge.publish.columns import KEY
from vmo_bridge.publish.facts import plain
from vmo_bridge.publish.layout import Layout
from vmo_bridge.publish.notation import same
from vmo_bridge.publish.plan import Past, PlanRow, make_plan
from vmo_bridge.publish.stage import PublishOutcome, writable
from vmo_bridge.publish.wishes import Wish
from vmo_bridge.settings.publish import PublishSection

NUMBERS = st.floats(allow_nan=False, allow_infinity=False, width=32)
NOTATIONS = st.text(max_size=4) | NUMBERS.map(str) | NUMBERS.map(plain)


@given(NOTATIONS)
def test_a_notation_says_the_same_as_itself(text: str) -> None:
    assert same(text, text)


@given(NOTATIONS, NOTATIONS)
def test_it_does_not_matter_which_side_is_asked(one: str, two: str) -> None:
    assert same(one, two) == same(two, one)


@given(NOTATIONS.filter(bool))
def test_empty_is_not_known_and_nothing_else_says_that(text: str) -> None:
    assert not same("", text)


@given(st.floats(-1e6, 1e6), st.integers(0, 3))
def test_zeros_behind_a_number_say_nothing(number: float, zeros: int) -> None:
    text = f"{number:.2f}"
    assert same(text + "0" * zeros, plain(number))


@pytest.mark.parametrize(
    ("one", "two", "verdict"),
    [
        ("1", "true", False),
        ("0.50", ".5", True),
        ("0", "", False),
        ("0", "false", False),
        ("87.5", "87.51", False),
        ("1e3", "1000", True),
        ("nan", "nan", True),
        ("nan", "NaN", False),
        ("met", "Met", False),
    ],
)
def test_notations_are_judged_by_what_they_say(one: str, two: str, verdict: bool) -> None:
    assert same(one, two) is verdict


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, ""), (0, "0"), (10, "10"), (100.0, "100"), (87.504, "87.5"), (0.126, "0.13")],
)
def test_a_number_is_written_without_needless_zeros(number: float | None, text: str) -> None:
    assert plain(number) == text


NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def planned(writer: Any, wishes: Iterable[Wish], **past: Any) -> list[PlanRow]:
    return make_plan(writer, wishes, lambda table: Past(**{"now": NOW, **past}))


def wish(key: str, table: str = "incident", **values: str) -> Wish:
    return Wish(table=table, key=key, label=f"INC{key}", values=values)


def ours(key: str, *, create: bool = True, **values: str) -> Wish:
    return Wish(
        table="kpi",
        key=key,
        label=key,
        values={KEY: key, **values},
        match_field=KEY,
        create=create,
    )


@pytest.fixture
def writer(fakes: SimpleNamespace, platform: Any) -> Any:
    platform.target = {
        "incident": {"1": {"a": "x", "b": "2.50"}, "2": {"a": "x"}},
        "kpi": {"k1": {KEY: "csat", "a": "x"}, "k2": {KEY: "sla", "a": "y"}},
    }
    return fakes.Writer(platform)


def test_only_what_differs_is_planned_with_what_stood_there(writer: Any) -> None:
    (row,) = planned(writer, [wish("1", a="y", b="2.5")])
    assert (row.action, row.key, row.match) == ("change", "1", {})
    assert (row.values, row.before) == ({"a": "y"}, {"a": "x"})


def test_what_stands_there_already_is_left_alone(writer: Any) -> None:
    (row,) = planned(writer, [wish("1", a="x", b="2.5")])
    assert (row.action, row.values) == ("unchanged", {})


def test_a_record_that_is_not_there_or_not_seen_is_refused(writer: Any) -> None:
    (row,) = planned(writer, [wish("9", a="x")])
    assert row.action == "refused"
    assert "not there, or our user may not see it" in row.reason


def test_a_field_that_is_not_there_is_refused_with_its_cure(writer: Any) -> None:
    good, bad = planned(writer, [wish("1", a="y", b="3"), wish("2", a="y", b="3")])
    assert good.action == "change"
    assert (bad.action, bad.values) == ("refused", {})
    assert bad.reason == "the target has no field b; run 'vmo-bridge provision'"


@pytest.mark.parametrize("failure", [AccessError("no right"), SourceError("invalid table")])
def test_a_table_that_cannot_be_read_refuses_its_own_wishes_only(
    writer: Any, platform: Any, failure: Exception
) -> None:
    platform.hidden_tables["kpi"] = failure
    refused, good = planned(writer, [ours("csat", a="x"), wish("1", a="y")])
    assert (refused.action, refused.reason) == ("refused", str(failure))
    assert good.action == "change"


def test_a_target_that_is_away_has_no_plan(writer: Any, platform: Any) -> None:
    platform.hidden_tables["kpi"] = RetryLater("away")
    with pytest.raises(RetryLater):
        planned(writer, [ours("csat", a="x")])


def test_a_record_of_ours_is_found_by_our_key_or_made(writer: Any) -> None:
    rows = planned(writer, [ours("csat", a="z"), ours("sla", a="y"), ours("new", a="1")])
    assert [(row.action, row.key, row.match) for row in rows] == [
        ("change", "k1", {KEY: "csat"}),
        ("unchanged", "k2", {KEY: "sla"}),
        ("create", None, {KEY: "new"}),
    ]
    assert rows[2].values == {KEY: "new", "a": "1"}


def test_a_record_of_ours_is_not_made_only_to_say_nothing(writer: Any) -> None:
    there, gone = planned(writer, [ours("csat", create=False), ours("new", create=False, a="")])
    assert (there.action, there.key) == ("unchanged", "k1")
    assert (gone.action, gone.values) == ("unchanged", {})


def test_a_table_without_our_key_is_refused_with_its_cure(writer: Any, platform: Any) -> None:
    """An instance that does not know the column of a query answers with every row."""
    writer.current = lambda *_: {"k1": {"a": "x"}, "k2": {"a": "y"}}
    rows = planned(writer, [ours("csat", a="x"), ours("new", a="x")])
    assert {(row.action, row.reason) for row in rows} == {
        ("refused", f"the target has no field {KEY}; run 'vmo-bridge provision'")
    }


def test_no_wishes_make_no_plan(writer: Any) -> None:
    assert planned(writer, []) == []
    assert PublishOutcome(target="desk").counts() == {
        "create": 0,
        "change": 0,
        "unchanged": 0,
        "refused": 0,
        "held": 0,
    }


def test_a_source_that_cannot_be_written_to_has_no_writer(
    fakes: SimpleNamespace, platform: Any, writer: Any
) -> None:
    assert writable(fakes.Connector(platform)) is None
    assert writable(writer) is writer


# The layout.


def layout(**places: Any) -> Layout:
    section = PublishSection(prefix="x_1_", table="x_1_result")
    return Layout(section, Places(**{"tickets": ("incident", "request"), **places}))


def test_the_layout_has_a_table_of_ours_and_fields_on_theirs() -> None:
    full = layout(
        services="svc",
        user_groups="grp",
        service_path="s",
        user_group_paths={"incident": "caller.dept"},
    )
    tables = {each.table: each for each in full.tables()}
    assert list(tables) == ["x_1_result", "u_vmo_signal", "svc", "grp", "incident", "request"]
    assert [name for name, each in tables.items() if each.create] == ["x_1_result", "u_vmo_signal"]
    assert KEY in [column.name for column in tables["x_1_result"].columns]
    names = ("x_1_watermelon", "x_1_lost_time", "x_1_open_signals")
    assert full.fields_of("incident") == names
    assert tables["incident"].show[:3] == names
    assert "s.x_1_csat" in tables["incident"].show
    assert "caller.dept.x_1_kpi_status" in tables["incident"].show
    assert full.fields_of("svc") == full.fields_of("grp") == tables["svc"].show
    assert len({column.label for column in tables["svc"].columns}) == 5


def test_a_target_without_services_and_groups_gets_none_of_their_fields() -> None:
    bare = layout()
    assert [each.table for each in bare.tables()] == [
        "x_1_result",
        "u_vmo_signal",
        "incident",
        "request",
    ]
    assert bare.tables()[2].show == bare.fields_of("incident")
