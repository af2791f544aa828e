"""An account's budgets are kept, waited for and told; nothing is lost when they are used up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.plugin import RetryLater
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_surveymonkey.budget import Budget

NOON = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)


class Clock:
    """Sleeping winds it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


def budget(clock: Clock, day: int = 500, minute: int = 120) -> Budget:
    return Budget("voices", {"minute": minute, "day": day}, clock=clock, sleep=clock.sleep)


def told(
    day: tuple[int, int, int], minute: tuple[int, int, int] = (120, 100, 30)
) -> dict[str, str]:
    """Headers with (limit, remaining, reset) of both windows."""
    windows = {"Day": day, "Minute": minute}
    return {
        f"X-Ratelimit-App-Global-{window}-{what}": str(value)
        for window, values in windows.items()
        for what, value in zip(("Limit", "Remaining", "Reset"), values, strict=True)
    }


def test_a_used_up_day_is_resume_at_midnight_before_any_call_is_made() -> None:
    clock = Clock()
    spent = budget(clock, day=3)
    for _ in range(3):
        spent.spend()
    with pytest.raises(
        RetryLater, match=r"daily budget of 3 calls .* 2026-11-25 00:00:00 UTC"
    ) as no:
        spent.spend()
    assert no.value.retry_at == datetime(2026, 11, 25, tzinfo=UTC)
    clock.now = datetime(2026, 11, 25, tzinfo=UTC)
    spent.spend()


def test_a_used_up_minute_is_waited_for() -> None:
    clock = Clock()
    spent = budget(clock, minute=2)
    for _ in range(3):
        spent.spend()
    assert clock.slept == [32.0], "to the end of the minute, and a margin"


def test_the_source_s_word_beats_our_count_and_the_smaller_limit_counts() -> None:
    clock = Clock()
    spent = budget(clock, day=400)
    spent.learn(told((500, 150, 7200)))
    assert spent.left().startswith("20 of 120 calls left this minute") is False
    assert "50 of 400 calls left this day (until 14:00 UTC)" in spent.left()
    spent.learn(told((500, 0, 7200)))
    with pytest.raises(RetryLater) as no:
        spent.spend()
    assert no.value.retry_at == NOON + timedelta(hours=2)


def test_a_429_without_a_moment_means_the_end_of_the_window_that_is_used_up() -> None:
    spent = budget(Clock())
    assert spent.resume_at(told((500, 10, 7200), (120, 0, 21))) == NOON + timedelta(seconds=23)
    assert spent.resume_at(told((500, 0, 7200))) == NOON + timedelta(hours=2, seconds=2)
    assert budget(Clock()).resume_at({}) is None


def test_budgets_go_on_in_the_next_run_and_a_garbled_memory_is_a_fresh_one() -> None:
    clock, memory = Clock(), {"budget.day": "no number"}
    first = budget(clock, day=2)
    first.memory = memory
    first.spend()
    second = budget(clock, day=2)
    second.memory = memory
    second.spend()
    with pytest.raises(RetryLater):
        second.spend()


VALUES = st.sampled_from(["", "0", "-1", "x", "9" * 40, "1.5", "²", " 7 ", "120"])


@given(headers=st.dictionaries(st.sampled_from([*told((1, 1, 1))]), VALUES))
def test_no_header_breaks_a_budget(headers: dict[str, str]) -> None:
    spent = budget(Clock())
    spent.learn(headers)
    assert "calls left" in spent.left()


# -- with the account ----------------------------------------------------------------------------


def synced(connector: Any, memory: dict[str, str]) -> list[str]:
    """Read everything; the ids of the responses."""
    connector.remember(memory)
    found = []
    for stream in connector.streams:
        for piece in connector.slices(stream, None, None):
            for page in connector.read(piece):
                found += [row["id"] for row in page.records if stream.name == "responses"]
    return found


def test_only_surveys_that_moved_are_asked_for_again(server: SandboxServer, connect: Any) -> None:
    asked: list[str] = []

    class Noting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            asked.append(request.url.path.removeprefix("/surveymonkey"))
            return super().handle_request(request)

    memory: dict[str, str] = {}
    everything = synced(connect(transport=Noting()), memory)
    assert len(everything) == 53
    asked.clear()
    assert synced(connect(transport=Noting()), memory) == []
    assert asked == ["/v3/surveys"], "one call tells that nothing moved"
    server.surveymonkey.store.touch(everything[0])
    asked.clear()
    again = synced(connect(transport=Noting()), memory)
    assert everything[0] in again
    assert {path.split("/")[3] for path in asked if path.count("/") > 2} == {"410000001"}


def test_a_day_used_up_half_way_goes_on_where_it_stood(
    server: SandboxServer, connect: Any, clock: Any
) -> None:
    memory: dict[str, str] = {}
    connector = connect(calls_a_day=5)
    connector.remember(memory)
    _, responses = connector.streams
    yearly = connector.slices(responses, None, None)[0]
    pages = []
    with pytest.raises(RetryLater, match="resume at"):
        pages += [page for page in map(pages.append, connector.read(yearly)) if page]
    assert 0 < len(pages) < 5
    clock.now += timedelta(days=1)
    again = connect(calls_a_day=50)
    again.remember(memory)
    rest = list(again.read(type(yearly)(stream="responses", cursor=pages[-1].cursor)))
    found = [row["id"] for page in [*pages, *rest] for row in page.records]
    assert len(found) == len(set(found)) == 45
    assert "responses.410000001" in memory


def test_a_429_of_the_account_s_day_is_told_and_of_its_minute_waited_for(
    server: SandboxServer, connect: Any, clock: Any
) -> None:
    server.faults.clear()
    server.faults.set("daily_quota", 1, app="surveymonkey")
    connector = connect()
    with pytest.raises(RetryLater) as no:
        synced(connector, {})
    assert no.value.retry_at is not None
    assert clock.slept == []


def test_a_survey_that_is_named_and_not_there_is_told(connect: Any) -> None:
    with pytest.raises(Exception, match=r"no survey 'Relationship survey'.*did you mean") as no:
        synced(connect(surveys=["Relationship survey"]), {})
    assert "connectors.voices.surveys" in str(no.value)
    some = synced(connect(surveys=["Training rooms"]), {})
    assert len(some) == 8
    rest = synced(connect(leave_out=["Training rooms"]), {})
    assert len(rest) == 45


def test_a_survey_made_later_is_read_from_its_beginning(
    server: SandboxServer, connect: Any
) -> None:
    memory: dict[str, str] = {}
    synced(connect(leave_out=["Training rooms"]), memory)
    connector = connect()
    connector.remember(memory)
    _, responses = connector.streams
    late = datetime.now(tz=UTC)
    (piece,) = connector.slices(responses, late, None)
    assert sum(len(page.records) for page in connector.read(piece)) == 8
