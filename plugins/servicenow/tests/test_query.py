"""Encoded queries: nothing gets in that would mean something else over there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.sandbox.servicenow.query import parse
from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.lookup import parts
from vmo_bridge_servicenow.reader import table_filter
from vmo_bridge_servicenow.tables import TABLES

VALUES = st.text().filter(query.is_value)
KEYS = st.from_regex(query._KEY, fullmatch=True)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    "text", ["a^ORactive=true", "a^NQ", "^", "a\nb", "", "javascript:gs.now()", " JavaScript:x"]
)
def test_what_has_a_meaning_there_is_refused_as_a_value(text: str) -> None:
    assert not query.is_value(text)
    with pytest.raises(ValueError, match="cannot stand in a query"):
        query.value(text)


@pytest.mark.parametrize("name", ["", "A", "a b", "a=b", "a^b", "1a", "sys_id>", "ä"])
def test_what_is_no_column_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a column name"):
        query.column(name)


def test_a_list_without_values_is_refused_because_it_would_be_ignored() -> None:
    with pytest.raises(ValueError, match="no values for sys_id"):
        query.any_of("sys_id", [])


@given(st.lists(VALUES, min_size=1, max_size=8))
def test_a_list_asks_for_its_values_and_nothing_else(values: list[str]) -> None:
    read = parse(query.any_of("u_key", values))
    ((group,),) = read.sets
    assert read.invalid == []
    if len(group) == 1 and group[0].operator == "IN":
        assert group[0].value.split(",") == values
    else:
        assert [(each.path, each.operator, each.value) for each in group] == [
            ("u_key", "=", value) for value in values
        ]


@given(MOMENTS, KEYS, st.sampled_from(sorted(TABLES)))
def test_a_keyset_is_two_sets_that_both_hold_the_filter(
    moment: datetime, sys_id: str, table: str
) -> None:
    filter_ = table_filter(TABLES[table])
    read = parse(query.keyset("sys_updated_on", filter_, None, (query.literal(moment), sys_id)))
    assert read.invalid == []
    assert read.order == [("sys_updated_on", False), ("sys_id", False)]
    wanted = parse(filter_).sets[0]
    later, same = read.sets
    assert later[: len(wanted)] == wanted == same[: len(wanted)]
    assert [each[0].operator for each in later[len(wanted) :]] == [">"]
    assert [(each[0].operator, each[0].value) for each in same[len(wanted) :]] == [
        ("=", query.literal(moment)),
        (">", sys_id),
    ]


def test_a_first_page_has_no_half_condition() -> None:
    order = "^ORDERBYsys_updated_on^ORDERBYsys_id"
    assert query.keyset("sys_updated_on", "", None, None) == order
    assert query.keyset("sys_updated_on", "a=1", "2026-01-01 00:00:00", None) == (
        f"a=1^sys_updated_on>=2026-01-01 00:00:00{order}"
    )


@given(MOMENTS, st.integers(-12, 14))
def test_moments_are_literal_utc_and_come_back_to_the_second(moment: datetime, hours: int) -> None:
    there = moment.astimezone(timezone(timedelta(hours=hours)))
    text = query.literal(there)
    assert "javascript" not in text
    assert query.moment(text) == moment.replace(microsecond=0)


@given(st.lists(VALUES.filter(lambda text: len(text) < 60), max_size=200))
def test_lists_stay_within_an_address(keys: list[str]) -> None:
    found = list(parts("u_key", keys))
    assert [key for part in found for key in part] == keys
    assert all(part for part in found)
    for part in found:
        assert len(quote(query.any_of("u_key", part), safe="")) < 2_000


def test_sys_ids_are_asked_for_by_the_dozen() -> None:
    found = list(parts("sys_id", ["f" * 32] * 100))
    assert [len(part) for part in found] == [42, 42, 16]
