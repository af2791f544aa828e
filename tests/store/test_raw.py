"""Raw payloads: kept once, found again from every record, and set apart when they are broken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.store import Store
from vmo_bridge.store.marks import StreamMark
from vmo_bridge.store.raw import raw_row

SEEN = datetime(2026, 1, 1, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@pytest.fixture
def stream(store: Store) -> StreamMark:
    return store.marks.stream("desk", "tickets", ["ticket"])


def shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key]) for key in reversed(value)}
    return [shuffled(each) for each in value] if isinstance(value, list) else value


@given(st.dictionaries(st.text(max_size=5), JSON))
def test_content_counts_not_the_order_of_its_keys(content: dict[str, Any]) -> None:
    assert raw_row("1", content).hash == raw_row("1", shuffled(content)).hash


def test_unchanged_content_is_not_stored_again(store: Store, stream: StreamMark) -> None:
    first = raw_row("1", {"a": 1, "b": {"c": 2, "d": 3}})
    same = raw_row("1", {"b": {"d": 3, "c": 2}, "a": 1})
    other = raw_row("1", {"a": 1, "b": {"c": 2, "d": 4}})
    assert store.raw.changed(stream.id, [first])[0] == [first]
    store.raw.keep(stream.id, 1, SEEN, [first])
    assert store.raw.changed(stream.id, [same])[0] == []
    assert store.raw.changed(stream.id, [other])[0] == [other]
    neighbour = store.marks.stream("desk", "people", ["person"])
    assert store.raw.changed(neighbour.id, [same])[0] == [same], "each stream for itself"


def test_a_key_twice_on_a_page_is_kept_once_as_it_came_last(
    store: Store, stream: StreamMark
) -> None:
    rows = [raw_row("1", {"v": 1}), raw_row("2", {"v": 1}), raw_row("1", {"v": 2})]
    changed, _ = store.raw.changed(stream.id, rows)
    assert [(row.key, row.content["v"]) for row in changed] == [("1", 2), ("2", 1)]


@pytest.mark.parametrize("key", ["", " ", "a'b", 'a"b', "ä", "1", "1.0", "null", "[]", "\\"])
def test_any_key_is_recognised_again(store: Store, stream: StreamMark, key: str) -> None:
    row = raw_row(key, {"v": 1})
    store.raw.keep(stream.id, 1, SEEN, [row])
    assert store.raw.changed(stream.id, [row])[0] == []
    assert store.ledger.held(stream.id) == 1


def test_a_page_gives_back_what_was_put_in(store: Store, stream: StreamMark) -> None:
    contents = [{"key": str(number), "deep": {"x": [1, None, "ü"]}} for number in range(5)]
    rows = [raw_row(each["key"], each) for each in contents]  # type: ignore[arg-type]
    page = store.raw.keep(stream.id, 1, SEEN, rows)
    assert [store.raw.payload(page, at) for at in range(5)] == contents
    assert store.raw.origin(page) == ("desk", "tickets", SEEN)


def test_what_is_quarantined_gets_out_when_it_is_mended(store: Store, stream: StreamMark) -> None:
    rows = [raw_row("b", {"v": 1}), raw_row("a", {"v": 1})]
    page = store.raw.keep(stream.id, 1, SEEN, rows)
    store.raw.quarantine(stream.id, page, [(0, "b", "why b"), (1, "a", "why a")], [], SEEN)
    assert [(each.stream, each.key, each.reason) for each in store.raw.quarantined()] == [
        ("tickets", "a", "why a"),
        ("tickets", "b", "why b"),
    ]
    assert store.ledger.held(stream.id) == 2, "held all the same"
    store.raw.quarantine(stream.id, page, [(1, "a", "worse")], ["b", "c"], SEEN)
    (left,) = store.raw.quarantined()
    assert (left.source, left.key, left.reason) == ("desk", "a", "worse")
    assert left.seen_at == SEEN.timestamp()


def test_only_old_pages_that_nothing_current_comes_from_are_removed(store: Store) -> None:
    old, young = SEEN, SEEN + timedelta(days=90)
    month = SEEN + timedelta(days=30)
    stream = store.marks.stream("desk", "tickets", ["ticket"]).id
    with store.transaction():
        first = store.raw.keep(stream, 1, old, [raw_row("a", {"v": 1}), raw_row("b", {"v": 1})])
        second = store.raw.keep(stream, 1, old, [raw_row("a", {"v": 2})])
        third = store.raw.keep(stream, 2, young, [raw_row("a", {"v": 3})])
        assert store.raw.age_out(month) == 1
    left = {page for (page,) in store._db.execute("select id from raw_page")}
    assert left == {first, third}, f"{second} held nothing but a former version"
    with store.transaction():
        store.raw.keep(stream, 2, young, [raw_row("b", {"v": 2})])
        assert store.raw.age_out(month) == 1
        assert store.raw.age_out(month) == 0
