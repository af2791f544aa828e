"""The calls of an hour are counted over runs and threads, and never more than allowed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from vmo_bridge.connectors.budget import HourBudget
from vmo_bridge.errors import RetryLater

NOON = datetime(2026, 11, 24, 12, 10, tzinfo=UTC)


def test_when_the_hour_is_spent_the_moment_of_renewal_is_named() -> None:
    clock = [NOON]
    budget = HourBudget("desk", 2, clock=lambda: clock[0])
    budget.spend()
    budget.spend()
    with pytest.raises(
        RetryLater, match=r"2 calls of this hour .* resume at 2026-11-24 13:00:00"
    ) as it:
        budget.spend()
    assert it.value.retry_at == NOON.replace(hour=13, minute=0)
    clock[0] += timedelta(hours=1)
    budget.spend()
    assert budget.told().spent == 1


def test_a_new_run_goes_on_with_the_count_of_the_last_one() -> None:
    memory: dict[str, str] = {}
    for spent in (1, 2, 3):
        budget = HourBudget("desk", clock=lambda: NOON)
        budget.memory = memory
        budget.spend()
        assert budget.told().spent == spent


def test_calls_of_a_page_that_was_rolled_back_stay_spent() -> None:
    budget = HourBudget("desk", clock=lambda: NOON)
    budget.memory = {}
    budget.spend()
    budget.memory = {}  # what a failed transaction leaves
    budget.spend()
    assert budget.told().spent == 2


def test_threads_do_not_lose_a_call() -> None:
    budget = HourBudget("desk", clock=lambda: NOON)
    threads = [
        threading.Thread(target=lambda: [budget.spend() for _ in range(500)]) for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert budget.told().spent == 2000


def test_the_source_s_own_limit_is_told_beside_ours_and_the_lower_one_counts() -> None:
    budget = HourBudget("desk", 5000, clock=lambda: NOON)
    budget.hear({"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "17"})
    budget.hear({"X-RateLimit-Limit": "a lot"})
    told = budget.told()
    assert (told.allowed, told.left) == (1000, 17)
    assert told.renewed_at == NOON.replace(hour=13, minute=0)


@pytest.mark.parametrize("memory", ["", "nonsense", "2026-11-24T12:00:00+00:00 many"])
def test_a_count_that_cannot_be_read_begins_anew(memory: str) -> None:
    budget = HourBudget("desk", clock=lambda: NOON)
    budget.memory = {"calls of the hour": memory}
    budget.spend()
    assert budget.told().spent == 1
