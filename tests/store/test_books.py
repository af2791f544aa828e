"""Marks, runs, findings and outbox: the store's books on what was done."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.records import Finding, KpiResult, Signal, Worth
from vmo_bridge.store import Store
from vmo_bridge.store.clock import from_epoch, now, to_epoch
from vmo_bridge.store.findings import kpi_ids
from vmo_bridge.store.outbox import Ending, OutboxItem, StoredReceipt


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


# Marks


def test_an_interrupted_read_is_found_again_at_its_cursor(store: Store) -> None:
    stream = store.marks.stream("desk", "tickets", ["ticket", "span"])
    assert stream.kinds == ("ticket", "span")
    assert store.marks.slices(stream.id) == []
    one, two = store.marks.begin(stream.id, [(None, at(100), None), (at(100), None, "x")])
    store.marks.advance(one.id, cursor="p1", newest=at(50))
    store.marks.advance(one.id, cursor="p2", newest=at(40))
    store.marks.finish_slice(one.id)
    store.marks.fail(stream.id, "it went away")
    first, second = store.marks.slices(stream.id)
    assert (first.cursor, first.newest, first.done) == ("p2", at(50), True)
    assert (second.id, second.since, second.until) == (two.id, at(100), None)
    assert (second.cursor, second.newest, second.done) == ("x", None, False)
    mark = store.marks.stream("desk", "tickets", ["ticket"])
    assert mark.problem == "it went away"
    assert mark.problem_at is not None
    assert mark.watermark is None, "not whole yet"
    assert mark.kinds == ("ticket",), "a plugin may learn to give other kinds"


def test_the_watermark_moves_when_all_is_read_and_never_backwards(store: Store) -> None:
    stream = store.marks.stream("desk", "tickets", ["ticket"])

    def read(*newest: int | None) -> datetime | None:
        for piece, moment in zip(
            store.marks.begin(stream.id, [(None, None, None)] * len(newest)), newest, strict=True
        ):
            store.marks.advance(piece.id, cursor="x", newest=at(moment) if moment else None)
        store.marks.complete(stream.id)
        store.marks.counted(stream.id, 7)
        assert store.marks.slices(stream.id) == []
        mark = store.marks.stream("desk", "tickets", ["ticket"])
        assert (mark.problem, mark.expected) == (None, 7)
        assert mark.complete_at is not None
        return mark.watermark

    assert read(None) is None, "an empty source"
    assert read(300, 200) == at(300)
    assert read(100) == at(300)
    assert read(None) == at(300)
    assert read() == at(300)
    assert read(301) == at(301)


def test_streams_of_two_sources_do_not_touch_each_other(store: Store) -> None:
    a = store.marks.stream("a", "tickets", ["ticket"])
    b = store.marks.stream("b", "tickets", ["ticket"])
    assert a.id != b.id
    store.marks.begin(a.id, [(None, None, None)])
    store.marks.begin(b.id, [(None, None, None)])
    store.marks.complete(a.id)
    assert len(store.marks.slices(b.id)) == 1
    assert [each.source for each in store.marks.streams()] == ["a", "b"]


# Runs


def test_a_run_that_never_ended_is_marked_by_the_next_one(store: Store) -> None:
    killed = store.runs.start("sync")
    other = store.runs.start("detect", as_of=at(5))
    again = store.runs.start("sync")
    store.runs.end(again, "done", {"read": 3})
    store.runs.end(other, "failed", {"error": "x"})
    states = dict(store._db.execute("select id, state from run").fetchall())
    assert states == {killed: "interrupted", other: "failed", again: "done"}
    last = store.runs.last("sync")
    assert last is not None
    assert (last.id, last.state, dict(last.detail), last.as_of) == (
        again,
        "done",
        {"read": 3},
        None,
    )
    found = store.runs.last("detect", "failed")
    assert found is not None
    assert found.as_of == at(5)
    assert found.ended_at is not None
    assert store.runs.last("detect", "done") is None
    assert store.runs.last("publish") is None


def test_a_run_under_way_has_no_end(store: Store) -> None:
    store.runs.start("sync")
    last = store.runs.last("sync")
    assert last is not None
    assert (last.state, last.ended_at, last.detail) == ("running", None, {})


def test_a_fact_is_remembered_and_replaced(store: Store) -> None:
    assert store.runs.fact("a") is None
    store.runs.set_fact("a", "1")
    store.runs.set_fact("a", "2")
    assert store.runs.fact("a") == "2"


def test_moments_survive_to_the_second() -> None:
    assert from_epoch(to_epoch(at(1))) == at(1)
    assert from_epoch(None) is None
    assert now().microsecond == 0
    assert now().tzinfo is UTC


# Findings


def signal(name: str, strength: float = 0.5, state: str = "new") -> Signal:
    finding = Finding(
        id=f"rule:{name}",
        rule="rule",
        title="t",
        why="w",
        start=at(1),
        end=at(2),
        strength=strength,
        worth=Worth(hours_per_year=1.5, cost_per_year=2.5),
        evidence=("desk/1", "desk/2"),
        numbers={"n": 2.0},
    )
    return Signal(finding=finding, state=state, raised_at=at(3), seen_at=at(4))


def test_signals_come_back_as_they_were_saved_the_strongest_first(store: Store) -> None:
    weak, strong = signal("weak", 0.1), signal("strong", 0.9)
    store.findings.save_signals(1, at(5), [weak, strong])
    assert store.findings.signals() == [strong, weak]
    ended = signal("weak", 0.1, "ended")
    store.findings.save_signals(2, at(6), [ended])
    assert store.findings.signals() == [strong, ended]


def result(**given: Any) -> KpiResult:
    values: dict[str, Any] = {
        "kpi": "csat",
        "version": "1",
        "window": "last-90-days",
        "start": at(1),
        "end": at(2),
        "service": None,
        "user_group": None,
        "service_ref": None,
        "user_group_ref": None,
        "value": 0.5,
        "unit": "share",
        "numerator": 5.0,
        "denominator": 10.0,
        "n": 10,
        "target": None,
        "status": "no-target",
        "completeness": None,
        "data_as_of": at(2),
    }
    return KpiResult(**values | given)


def test_a_kpi_result_is_called_by_what_it_is_about() -> None:
    there = result(service="Pay & Roll", service_ref="a/1", user_group="Ops", user_group_ref="a/2")
    assert kpi_ids([result(), there]) == [
        "csat:last-90-days:all:all",
        "csat:last-90-days:pay-roll:ops",
    ]


# Few names and refs with equal ends, so that they collide.
SCOPES = st.tuples(
    st.sampled_from([None, "a/000001", "b/000001", "c/000002", "d/1", "e/000001"]),
    st.sampled_from([None, "g/000001", "h/000001", "i/3"]),
)


@given(
    st.lists(SCOPES, unique=True),
    st.sampled_from([("All", "all"), ("Pay roll", "pay-roll"), ("薪", "資"), ("x", "x")]),
)
def test_ids_are_unique_even_where_names_and_ends_of_refs_collide(
    scopes: list[tuple[str | None, str | None]], names: tuple[str, str]
) -> None:
    results = [
        result(
            service_ref=service,
            service=names[hash(service) % 2] if service else None,
            user_group_ref=group,
            user_group=names[0] if group else None,
        )
        for service, group in scopes
    ]
    ids = kpi_ids(results)
    assert len(set(ids)) == len(results)
    assert kpi_ids(results) == ids


def test_results_of_the_last_run_are_the_ones_that_count(store: Store) -> None:
    july, august = result(window="2026-07"), result(window="2026-08", value=None)
    store.findings.save_kpis(1, [july, august])
    assert store.findings.kpis() == [july, august]
    store.findings.save_kpis(2, [august])
    assert store.findings.kpis_by_id() == {"csat:2026-08:all:all": august}
    store.findings.save_kpis(3, [])
    assert store.findings.kpis() == []


def test_a_kpi_that_could_not_be_measured_keeps_its_last_results(store: Store) -> None:
    csat, sla = result(), result(kpi="sla_attainment")
    store.findings.save_kpis(1, [csat, sla])
    newer = result(kpi="sla_attainment", value=0.5)
    store.findings.save_kpis(2, [newer], keep=["csat"])
    assert store.findings.kpis() == [csat, newer]


def test_results_that_cannot_be_saved_leave_the_former_ones(store: Store) -> None:
    store.findings.save_kpis(1, [result()])
    with pytest.raises(Exception, match="UNIQUE"):
        store.findings.save_kpis(2, [result(value=0.1)] * 3)
    assert store.findings.kpis() == [result()]


# Outbox


def item(key: str | None = "k1", **given: Any) -> OutboxItem:
    values: dict[str, Any] = {"target": "desk", "table": "incident", "values": {"u_vmo_a": "1"}}
    return OutboxItem(key=key, **values | given)


def receipt(key: str, verdict: str = "stored") -> StoredReceipt:
    return StoredReceipt(
        target="desk",
        table="incident",
        key=key,
        stored={"u_vmo_a": "1"},
        verdict=verdict,
        seen_at=at(9),
    )


def test_what_waits_comes_back_whole_and_in_order(store: Store) -> None:
    new = item(None, table="u_kpi", match={"u_key": "ü:1"}, before={"a": ""})
    store.outbox.queue(1, "desk", [item("k2"), new])
    first, second = store.outbox.waiting("desk")
    assert (first.key, first.values, first.state) == ("k2", {"u_vmo_a": "1"}, "waiting")
    assert (second.key, second.match, second.before) == (None, {"u_key": "ü:1"}, {"a": ""})
    assert second.table == "u_kpi"


def test_a_new_plan_supersedes_what_still_waited(store: Store) -> None:
    store.outbox.queue(1, "desk", [item("k1"), item("k2")])
    store.outbox.end(
        [
            Ending(
                item=store.outbox.waiting("desk")[0],
                state="stored",
                reason="",
                receipt=receipt("k1"),
            )
        ]
    )
    store.outbox.queue(2, "desk", [item("k3")])
    assert [each.key for each in store.outbox.waiting("desk")] == ["k3"]
    assert store.outbox.counts() == {"stored": 1, "superseded": 1, "waiting": 1}


def test_a_receipt_says_what_the_target_held(store: Store) -> None:
    store.outbox.queue(1, "desk", [item("k1"), item("k2")])
    one, two = store.outbox.waiting("desk")
    store.outbox.end(
        [Ending(item=one, state="reverted", reason="why", receipt=receipt("k1", "reverted"))]
    )
    store.outbox.end([Ending(item=two, state="refused", reason="no")])
    assert store.outbox.receipts("desk", "k1") == [receipt("k1", "reverted")]
    assert store.outbox.receipts("desk", "k2") == []
    assert store.outbox.receipts("other", "k1") == []
    assert store.outbox.waiting("desk") == []


def test_a_record_that_was_made_is_known_by_its_key_and_by_ours(store: Store) -> None:
    store.outbox.queue(1, "desk", [item(None, match={"u_key": "csat"}), item("k9", target="other")])
    store.outbox.end(
        [
            Ending(
                item=store.outbox.waiting("desk")[0],
                state="stored",
                reason="",
                receipt=receipt("new1"),
            )
        ]
    )
    assert store.outbox.written_keys("desk", "incident") == {"new1"}
    assert store.outbox.written_matches("desk", "incident", "u_key") == {"csat"}
    assert store.outbox.written_matches("desk", "incident", "u_else") == set()
    assert store.outbox.written_keys("desk", "problem") == set()


def test_a_write_without_a_receipt_may_have_arrived_a_refused_one_has_not(store: Store) -> None:
    store.outbox.queue(1, "desk", [item("sent"), item("refused", match={"u_key": "r"})])
    store.outbox.end([Ending(item=store.outbox.waiting("desk")[1], state="refused", reason="no")])
    store.outbox.queue(2, "desk", [])
    assert store.outbox.written_keys("desk", "incident") == {"sent"}
    assert store.outbox.written_matches("desk", "incident", "u_key") == set()
