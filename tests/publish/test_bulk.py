"""Many changes in one call: each is judged by itself, and a call that fails costs nothing."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest

from vmo_bridge.errors import AccessError, RetryLater, SignInError, SourceError, WriteRefused
from vmo_bridge.records import KpiResult
from vmo_bridge.watch import Stopped

MakeResult = Callable[..., KpiResult]


@pytest.fixture
def many(bulk: Any, result: MakeResult) -> Any:
    """Five results to make and three records to change: eight writes, in parts of three."""
    bulk.kpis(*(result(f"kpi{number}", number / 10) for number in range(5)))
    bulk.sizes = []
    honest = bulk.writer.write_many

    def write_many(changes: Any) -> Any:
        bulk.sizes.append(len(changes))
        return honest(changes)

    bulk.writer.write_many = write_many
    return bulk


def values(desk: Any) -> dict[str, str]:
    return {row["u_kpi"]: row["u_value"] for row in desk.results().values()}


ALL = {"kpi0": "0", "kpi1": "0.1", "kpi2": "0.2", "kpi3": "0.3", "kpi4": "0.4"}


def test_changes_are_sent_in_parts_of_what_the_target_takes_at_once(many: Any) -> None:
    delivery = many.apply().delivery
    assert (delivery.stored, delivery.troubled) == (8, [])
    assert many.sizes == [3, 3, 2]
    assert values(many) == ALL
    assert many.store.outbox.counts() == {"stored": 8}


def test_one_change_alone_needs_no_batch(many: Any) -> None:
    many.writer.batch = 7
    many.apply()
    assert many.sizes == [7]
    assert values(many) == ALL


def test_one_refused_change_of_a_batch_leaves_the_others_stored(many: Any) -> None:
    many.platform.reject["kpi1:last-90-days:all:all"] = WriteRefused("mandatory")
    delivery = many.apply().delivery
    assert [(item.match, reason) for item, reason in delivery.troubled] == [
        ({"u_key": "kpi1:last-90-days:all:all"}, "mandatory")
    ]
    assert delivery.stored == 7
    assert values(many) == {name: text for name, text in ALL.items() if name != "kpi1"}


def test_each_record_of_a_batch_has_its_own_verdict(many: Any) -> None:
    many.platform.revert["u_n"] = "9"
    many.platform.drop.add("u_vmo_lost_time")
    many.apply()
    assert many.store.outbox.counts() == {"reverted": 5, "not-stored": 1, "stored": 2}


@pytest.mark.parametrize("failure", [RetryLater("away"), SignInError("expired")])
@pytest.mark.parametrize("writes", range(8))
def test_a_target_that_goes_away_in_the_middle_of_a_batch_gets_the_rest_next_time(
    many: Any, failure: Exception, writes: int
) -> None:
    many.platform.away_after, many.platform.away_with = writes, failure
    delivery = many.apply().delivery
    assert delivery.waiting == str(failure)
    assert delivery.stored == writes // 3 * 3, "of a batch that failed nothing is known"
    assert len(many.platform.written) == writes
    many.platform.away_after = None
    assert many.apply().delivery.waiting == ""
    assert values(many) == ALL
    assert many.platform.made["u_vmo_kpi_result"] == 5, "none is made twice"
    assert len(many.platform.written) == 8, "what had arrived is not written again"
    assert many.plan().counts()["unchanged"] == 8


def test_what_was_sent_and_not_noted_gets_its_receipt_and_is_told(many: Any) -> None:
    many.platform.fail_read_back = RetryLater("killed")
    many.apply()
    assert many.told == []
    assert many.store.outbox.receipts("desk", "new0") == []
    many.platform.fail_read_back = None
    many.apply()
    (receipt,) = many.store.outbox.receipts("desk", "new0")
    assert receipt.verdict == "stored"
    assert sorted(kpi for kpi, _ in many.told) == sorted(ALL), "each result is told once"
    assert many.store.outbox.counts() == {"stored": 8, "superseded": 5}


def test_what_was_sent_and_did_not_arrive_gets_no_receipt(many: Any) -> None:
    many.platform.away_after, many.platform.away_with = 0, RetryLater("away")
    many.apply()
    many.platform.drop.add("u_value")
    many.platform.away_after = None
    many.apply()
    assert many.told == []


def test_a_record_that_vanishes_between_write_and_read_back_is_told(many: Any) -> None:
    def vanish(call: str) -> None:
        if call == "written":
            many.platform.target["incident"].pop("1", None)

    # The incident is the last to be written: it goes while its batch is under way.
    many.platform.at_call = lambda call: vanish(call) if len(many.platform.written) == 8 else None
    ((item, reason),) = many.apply().delivery.troubled
    assert (item.key, reason.split(";")[0]) == ("1", "incident/1 cannot be seen after the write")


@pytest.mark.parametrize("failure", [SourceError("no JSON"), AccessError("not this table")])
def test_a_call_whose_answer_is_broken_by_one_record_holds_up_no_other(
    many: Any, failure: Exception
) -> None:
    honest = many.writer.write_many

    def write_many(changes: Any) -> Any:
        answers = honest(changes)
        if any(change.key == "vpn" for change in changes):
            raise failure
        return answers

    many.writer.write_many = write_many
    delivery = many.apply().delivery
    assert (delivery.stored, delivery.troubled, delivery.waiting) == (8, [], "")
    assert many.platform.made["u_vmo_kpi_result"] == 5


def test_a_read_back_that_is_broken_by_one_record_costs_that_record_only(many: Any) -> None:
    honest = many.writer.read_back

    def read_back(change: Any, key: str) -> Any:
        if key == "vpn":
            raise SourceError("no JSON")
        return honest(change, key)

    many.writer.read_back = read_back
    delivery = many.apply().delivery
    assert [item.key for item, _ in delivery.troubled] == ["vpn"]
    assert delivery.stored == 7


def test_a_record_that_was_made_and_could_not_be_read_back_is_ours_all_the_same(
    many: Any, result: MakeResult
) -> None:
    """It is kept true, and undone, like any other that we made."""
    many.platform.fail_read_back = SourceError("no JSON")
    assert len(many.apply().delivery.troubled) == 8
    made = many.run
    assert set(many.store.outbox.counts()) == {"not-stored"}
    many.platform.fail_read_back = None
    many.kpis(result("kpi0", 0.5))
    many.apply(retry=True)
    assert values(many) == {**dict.fromkeys(ALL, ""), "kpi0": "0.5"}
    many.undo(many.run)
    assert values(many) == ALL
    many.undo(made)
    assert values(many) == {}


# Whatever fails, whenever.

AWAY = [RetryLater("away"), SignInError("expired"), Stopped("asked to stop")]
REFUSED = [WriteRefused("mandatory"), AccessError("no right"), SourceError("no JSON")]


@pytest.mark.parametrize("seed", range(30))
def test_whatever_fails_the_plan_stands_there_in_the_end_and_each_record_once(
    many: Any, result: MakeResult, seed: int
) -> None:
    """Calls fail, before or after their effect, in any number of runs; then all is quiet."""
    desk = many
    chance = random.Random(seed)
    for _ in range(chance.randint(1, 4)):
        numbers = [chance.randint(0, 99) for _ in range(chance.randint(1, 6))]
        desk.kpis(*(result(f"kpi{at}", number / 100) for at, number in enumerate(numbers)))
        fails_at = {chance.randint(1, 40): chance.choice(AWAY + REFUSED) for _ in range(3)}
        calls = itertools.count(1)

        def fail(call: str, fails_at: Any = fails_at, calls: Any = calls) -> None:
            failure = fails_at.get(next(calls))
            # A write that stands was not refused: only its reply can be lost. Nor is a look.
            honest = {"written": AWAY, "current": AWAY + REFUSED[1:]}
            if failure in honest.get(call, AWAY + REFUSED):
                raise failure

        desk.platform.at_call = fail
        with contextlib.suppress(*(type(each) for each in AWAY)):
            desk.apply()
    desk.platform.at_call = lambda _: None
    desk.platform.written.clear()
    outcome = desk.apply(retry=True)
    assert (outcome.delivery.troubled, outcome.delivery.waiting) == ([], "")
    again = desk.apply()
    assert again.counts()["unchanged"] == len(again.plan)
    held = {name: float(text) for name, text in values(desk).items() if text}
    assert held == {f"kpi{at}": number / 100 for at, number in enumerate(numbers)}
    keys = [row["u_key"] for row in desk.platform.target["u_vmo_kpi_result"].values()]
    assert len(keys) == len(set(keys)) == desk.platform.made["u_vmo_kpi_result"]
    assert desk.store.outbox.waiting("desk") == []
    contested = {record for record, _ in desk.store.contests.of("desk", "u_vmo_kpi_result")}
    assert not contested & set(keys)
