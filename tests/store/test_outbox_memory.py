"""What the outbox knows of earlier writes, and what it may forget of them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from vmo_bridge.store import Store, outbox
from vmo_bridge.store.clock import from_epoch
from vmo_bridge.store.contests import Strike
from vmo_bridge.store.outbox import Ending, OutboxItem, StoredReceipt


def equal(one: str, two: str) -> bool:
    return one == two


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Sets the store's clock to a number of days after 1970."""

    def is_(number: float) -> None:
        monkeypatch.setattr(outbox, "now", lambda: at(int(number * 86_400)))

    is_(1)
    return is_


class Writes:
    """Writes to one table, as the courier notes them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.day = 1

    def __call__(
        self,
        key: str,
        values: Mapping[str, str],
        *,
        stored: Mapping[str, str] | None = None,
        state: str = "stored",
        stage: str = "publish",
        match: Mapping[str, str] | None = None,
    ) -> int:
        run = self.store.runs.start(stage)
        item = OutboxItem(
            target="desk",
            table="t",
            key=None if match else key,
            match=match or {},
            values=values,
        )
        self.store.outbox.queue(run, "desk", [item])
        (item,) = self.store.outbox.waiting("desk")
        self.store.outbox.send([item])
        seen = outbox.now()
        receipt = StoredReceipt(
            target="desk", table="t", key=key, stored=values if stored is None else stored,
            verdict=state, seen_at=seen, changed_at=seen,
        )  # fmt: skip
        has_receipt = state not in ("refused", "moved")
        self.store.outbox.end(
            [Ending(item=item, state=state, receipt=receipt if has_receipt else None)]
        )
        self.store.runs.end(run, "done", {})
        return run

    def known(self, *, restored_too: bool = False) -> dict[str, dict[str, str]]:
        return self.store.outbox.written("desk", "t", equal, restored_too=restored_too)


@pytest.fixture
def writes(store: Store, day: Any) -> Writes:
    return Writes(store)


# What we wrote.


def test_of_each_field_the_last_word_counts(writes: Writes) -> None:
    writes("k", {"a": "1", "b": "1"})
    writes("k", {"a": "2"})
    writes("other", {"a": "9"})
    assert writes.known() == {"k": {"a": "2", "b": "1"}, "other": {"a": "9"}}


def test_of_a_write_that_was_kept_in_part_the_kept_fields_are_ours(writes: Writes) -> None:
    writes("k", {"a": "1", "b": "1", "c": "1"})
    writes("k", {"a": "2", "b": "2", "c": "2"}, stored={"a": "2", "b": "x"}, state="reverted")
    assert writes.known() == {"k": {"a": "2", "b": "1", "c": "1"}}


def test_what_was_put_back_is_ours_only_where_that_is_asked_for(writes: Writes) -> None:
    writes("k", {"a": "1", "b": "1"})
    writes("k", {"a": "before"}, stage="undo")
    assert writes.known()["k"] == {"b": "1"}
    assert writes.known(restored_too=True)["k"] == {"a": "before", "b": "1"}
    writes("k", {"a": "2"})
    assert writes.known()["k"] == {"a": "2", "b": "1"}


def test_other_targets_and_tables_are_not_asked(writes: Writes, store: Store) -> None:
    writes("k", {"a": "1"})
    assert store.outbox.written("desk", "u", equal) == {}
    assert store.outbox.written("other", "t", equal) == {}
    assert store.outbox.wrote_to("desk")
    assert not store.outbox.wrote_to("other")


def test_the_moments_of_our_writes_are_known_by_record(writes: Writes, store: Store) -> None:
    writes("k", {"a": "1"})
    assert store.outbox.own_moments("desk", ["k", "x"]) == {"k": {86_400}}
    assert store.outbox.own_moments("other", ["k"]) == {}
    assert store.outbox.own_moments("desk", []) == {}


def test_a_run_that_sent_nothing_wrote_nothing(writes: Writes, store: Store) -> None:
    run = writes("k", {"a": "1"})
    waiting = OutboxItem(target="desk", table="t", key="k", values={"a": "2"})
    store.outbox.queue(run + 1, "desk", [waiting])
    assert store.outbox.targets_of(run) == ["desk"]
    assert store.outbox.targets_of(run + 1) == []
    assert [each.run_id for each in store.outbox.writing_runs()] == [run]


def test_sends_are_counted_from_a_moment_on_whatever_became_of_them(
    writes: Writes, store: Store, day: Any
) -> None:
    writes("k", {"a": "1"})
    day(2)
    writes("k", {"a": "2"}, state="refused")
    writes("k", {"a": "2"}, state="moved")
    assert store.outbox.sent_since("desk", at(2 * 86_400)) == 2
    assert store.outbox.sent_since("desk", at(2 * 86_400 + 1)) == 0
    assert store.outbox.sent_since("desk", at(0)) == 3
    assert store.outbox.sent_since("other", at(0)) == 0


# What is forgotten.


def test_the_last_word_on_a_record_is_kept_however_old_it_is(
    writes: Writes, store: Store, day: Any
) -> None:
    for text in "123":
        writes("k", {"a": text})
    assert store.outbox.age_out(at(1000 * 86_400)) == 2
    assert store.outbox.age_out(at(1000 * 86_400)) == 0
    assert store.outbox.counts() == {"stored": 1}
    assert [each.stored for each in store.outbox.receipts("desk", "k")] == [{"a": "3"}]
    assert store.outbox.written_keys("desk", "t") == {"k"}


def test_what_is_younger_and_what_waits_is_kept(writes: Writes, store: Store, day: Any) -> None:
    writes("k", {"a": "1"})
    day(5)
    writes("k", {"a": "2"})
    waiting = OutboxItem(target="desk", table="t", key="k", values={"a": "3"})
    store.outbox.queue(9, "desk", [waiting])
    assert store.outbox.age_out(at(86_400)) == 0
    assert store.outbox.age_out(at(5 * 86_400)) == 1
    assert store.outbox.counts() == {"stored": 1, "waiting": 1}


@pytest.mark.parametrize("state", ["stored", "not-stored", "reverted", "refused", "moved"])
def test_a_field_that_was_written_long_ago_stays_ours_whatever_came_after(
    writes: Writes, store: Store, day: Any, state: str
) -> None:
    """Else the plan would take it for somebody else's, and never change it again."""
    writes("k", {"a": "1", "b": "1"})
    day(2)
    writes("k", {"a": "2"}, stored={"a": "2" if state == "stored" else "x"}, state=state)
    known = writes.known()
    assert known["k"]["b"] == "1"
    store.outbox.age_out(at(400 * 86_400))
    assert writes.known() == known


def test_a_record_that_was_made_stays_known_by_our_key(
    writes: Writes, store: Store, day: Any
) -> None:
    writes("new", {"u_key": "csat", "a": "1"}, match={"u_key": "csat"})
    day(2)
    writes("new", {"a": "2"}, match={"u_key": "csat"})
    writes("", {"u_key": "sla"}, match={"u_key": "sla"}, state="refused")
    store.outbox.age_out(at(400 * 86_400))
    assert store.outbox.written_matches("desk", "t", "u_key") == {"csat"}
    assert store.outbox.written_keys("desk", "t") == {"new"}


@pytest.mark.parametrize("seed", range(20))
def test_forgetting_never_changes_what_is_known_to_be_ours(
    writes: Writes, store: Store, day: Any, seed: int
) -> None:
    chance = random.Random(seed)
    for number in range(40):
        day(number)
        names = chance.sample("abc", chance.randint(1, 3))
        values = {name: str(chance.randint(0, 9)) for name in names}
        state = chance.choice(["stored"] * 3 + ["not-stored", "reverted", "refused", "moved"])
        stored = values if state == "stored" else {name: chance.choice("05") for name in names}
        stage = "undo" if chance.random() < 0.1 else "publish"
        writes(chance.choice("kl"), values, stored=stored, state=state, stage=stage)
        if chance.random() < 0.3:
            before = (writes.known(), writes.known(restored_too=True))
            keys = store.outbox.written_keys("desk", "t")
            store.outbox.age_out(at(chance.randint(0, number + 1) * 86_400))
            known = (writes.known(), writes.known(restored_too=True))
            assert known == before
            assert store.outbox.written_keys("desk", "t") == keys
    store.outbox.age_out(at(99 * 86_400))
    assert sum(store.outbox.counts().values()) <= 2 * 9


# Contests.


def strike(field: str = "a", wished: str = "1", record: str = "k") -> Strike:
    return Strike(record=record, field=field, wished=wished, reason="why")


def test_strikes_count_by_field_and_keep_what_was_wished_last(store: Store) -> None:
    with store.transaction():
        store.contests.strike("desk", "t", [strike(), strike("b")])
        store.contests.strike("desk", "t", [strike(wished="2")])
    found = store.contests.of("desk", "t")
    assert {name: (each.strikes, each.wished) for (_, name), each in found.items()} == {
        "a": (2, "2"),
        "b": (1, "1"),
    }
    assert store.contests.of("desk", "u") == store.contests.of("other", "t") == {}
    assert store.contests.counts() == {"desk": 2}


def test_a_settled_record_is_contested_no_more_and_others_still_are(store: Store) -> None:
    with store.transaction():
        store.contests.strike("desk", "t", [strike(), strike("b"), strike(record="l")])
        store.contests.settle("desk", "t", ["k"])
    assert list(store.contests.of("desk", "t")) == [("l", "a")]


def test_what_stood_once_keeps_its_count_until_it_lasts(store: Store) -> None:
    with store.transaction():
        store.contests.strike("desk", "t", [strike(), strike("b")])
        store.contests.stood("desk", "t", "k", ["a"])
    found = store.contests.of("desk", "t")
    assert found["k", "a"].retry_at is None
    assert found["k", "a"].strikes == 1
    assert found["k", "b"].retry_at is not None


def test_all_of_a_target_can_be_made_due_at_once(store: Store) -> None:
    with store.transaction():
        store.contests.strike("desk", "t", [strike(), strike("b")])
        store.contests.strike("other", "t", [strike()])
        store.contests.stood("desk", "t", "k", ["b"])
        store.contests.make_due("desk")
    found = store.contests.of("desk", "t")
    elsewhere = store.contests.of("other", "t")["k", "a"].retry_at
    assert from_epoch(0) < found["k", "a"].retry_at < elsewhere  # type: ignore[operator]
    assert found["k", "b"].retry_at is None, "it stood: whether it lasts is still to be seen"
