"""A read that is cut off goes on where it was, and loses and doubles nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmo_bridge.plugin import Slice
from vmo_bridge.watch import Stopped


def numbers(store: Any) -> list[int]:
    return sorted(int(each["number"]) for each in store.versions.all("feedback"))


def test_a_stop_between_two_pages_costs_nothing(connect, drop, sync, store, patience) -> None:
    for month in (1, 2, 3):
        name = f"onboarding-{month}.csv"
        drop.csv(name, drop.rows(*range(month * 10, month * 10 + 5)), old=10_000 - month)
    small = {"page_size": 2}
    read = 0
    for _ in range(20):
        try:
            read += sync(connect(small), watch=patience(1))["onboarding"].read
        except Stopped:
            continue
        break
    assert numbers(store) == [10, 11, 12, 13, 14, 20, 21, 22, 23, 24, 30, 31, 32, 33, 34]
    assert sync(connect(small))["onboarding"].read == 0
    versions = store.versions.counts()["feedback"]
    assert versions == 15


def test_the_cursor_names_file_content_and_row(connect, drop) -> None:
    drop.csv("onboarding.csv", drop.rows(1, 2, 3))
    connector = connect({"page_size": 2})
    first, second = connector.read(Slice(stream="onboarding"))
    assert '"name":"onboarding.csv"' in (first.cursor or "")
    assert '"row":3' in (first.cursor or "")
    assert [each["key"] for each in second.records] == ["3"]


def test_a_file_that_was_renamed_meanwhile_is_gone_on_with(connect, drop) -> None:
    drop.csv("onboarding.csv", drop.rows(1, 2, 3))
    connector = connect({"page_size": 2})
    cursor = next(iter(connector.read(Slice(stream="onboarding")))).cursor
    (drop.path / "onboarding.csv").rename(drop.path / "onboarding-old.csv")
    (rest,) = connector.read(Slice(stream="onboarding", cursor=cursor))
    assert [each["key"] for each in rest.records] == ["3"]


def test_a_file_that_was_edited_meanwhile_is_read_from_its_start(connect, drop) -> None:
    drop.csv("onboarding.csv", drop.rows(1, 2, 3))
    connector = connect({"page_size": 2})
    cursor = next(iter(connector.read(Slice(stream="onboarding")))).cursor
    drop.csv("onboarding.csv", drop.rows(0, 1, 2, 3), old=60)
    pages = list(connector.read(Slice(stream="onboarding", cursor=cursor)))
    assert [each["key"] for page in pages for each in page.records] == ["0", "1", "2", "3"]


def test_a_file_that_arrived_meanwhile_with_an_older_date_is_read_too(
    connect, drop, sync, store, patience
) -> None:
    drop.csv("onboarding-2.csv", drop.rows(1, 2, 3))
    with pytest.raises(Stopped):
        sync(connect({"page_size": 2}), watch=patience(2))
    drop.csv("onboarding-1.csv", drop.rows(8, 9), old=90_000)
    sync(connect({"page_size": 2}))
    assert numbers(store) == [1, 2, 3, 8, 9]


def test_a_row_that_came_twice_is_still_noticed_after_an_interruption(connect, drop, seen) -> None:
    drop.csv("onboarding.csv", [*drop.rows(1, 2, 3), drop.row(1, comment="again")])
    connector = connect({"page_size": 3})
    first, second = connector.read(Slice(stream="onboarding"))
    (rest,) = connector.read(Slice(stream="onboarding", cursor=first.cursor))
    assert rest.records == second.records
    assert "the same as in line 2" in rest.records[0]["problem"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_after_any_files_and_interruptions_the_store_has_every_row(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory, lives: Any
) -> None:
    life = lives(tmp_path_factory.mktemp("life"))
    for _ in range(data.draw(st.integers(1, 6))):
        if data.draw(st.booleans()):
            life.export(data.draw(st.integers(0, 5)), old=data.draw(st.integers(100, 90_000)))
        life.sync(pages=data.draw(st.integers(1, 6)))
    life.sync(pages=1_000)
    life.sync(pages=1_000)
    assert life.held() == life.exported
