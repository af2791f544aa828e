"""An account as it really is: more surveys than calls a day, some refused, some taken in later."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from vmo_bridge.plugin import Page, RetryLater, SignInError, Slice, SourceError
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.store import Store
from vmo_bridge.sync import Care, sync_source
from vmo_bridge.sync.people import People
from vmo_bridge.watch import Watch
from vmo_bridge_surveymonkey.reader import Place

YEARLY, POLL = "410000001", "410000002"
LATE = "2026-10-30T08:00:00"


def sync(connector: Any, store: Store) -> dict[str, str]:
    """One run; the problem of each stream."""
    people = People(b"key", names=False)
    outcomes = sync_source(
        connector, store, people, 1, care=Care(overlap=timedelta(0)), watch=Watch()
    )
    return {each.stream: each.problem for each in outcomes}


def fill(server: SandboxServer, moments: list[str], survey: str = YEARLY) -> set[str]:
    """Responses to a survey, one a moment; their ids."""
    store = server.surveymonkey.store
    (text,), _ = store.page(YEARLY, size=1, offset=0, sort="id", desc=False, status="completed")
    made = [
        json.loads(text)
        | {"id": f"{900_000_000_000 + at}", "survey_id": survey, "date_modified": f"{when}+00:00"}
        for at, when in enumerate(moments)
    ]
    store.load(survey, made)
    return {each["id"] for each in made}


def add_surveys(server: SandboxServer, number: int) -> None:
    """More surveys without responses."""
    store = server.surveymonkey.store
    like = store.survey(POLL) or {}
    del like["response_count"]
    for at in range(number):
        key = f"{420_000_000 + at}"
        pages = [{"questions": [{"id": f"{key}1", "family": "open_ended"}]}]
        store.put(like | {"id": key, "title": f"Pulse {at}", "pages": pages})


class Silent(httpx.HTTPTransport):
    """Tells nothing of budgets: the sandbox's day does not end when the test's does."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = super().handle_request(request)
        for name in [name for name in answer.headers if name.startswith("x-ratelimit")]:
            del answer.headers[name]
        return answer


def test_an_account_with_more_surveys_than_calls_a_day_is_whole_after_some_days(
    server: SandboxServer, connect: Any, clock: Any, tmp_path: Path
) -> None:
    add_surveys(server, 30)
    with Store(tmp_path / "store.db", owner="test") as store:
        for _ in range(20):
            problems = sync(connect(calls_a_day=10, page_size=100, transport=Silent()), store)
            if not any(problems.values()):
                break
            assert "resume at" in problems["responses"]
            clock.now += timedelta(days=1)
        counts = store.versions.counts()
    assert problems == {"questions": "", "responses": ""}
    assert (counts["question"], counts["feedback"]) == (36, 53)


def test_a_survey_that_is_taken_in_later_brings_its_old_questions(
    connect: Any, tmp_path: Path
) -> None:
    with Store(tmp_path / "store.db", owner="test") as store:
        sync(connect(leave_out=[POLL]), store)
        before = store.versions.counts()["question"]
        assert not any(sync(connect(), store).values())
        after = store.versions.counts()
    assert (before, after["question"], after["feedback"]) == (4, 6, 53)


class Refusing(httpx.HTTPTransport):
    """Forbids one survey and whatever is in it."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if f"/surveys/{YEARLY}/" in request.url.path:
            error = {"id": "1015", "name": "Permission Error", "message": "not yours"}
            return httpx.Response(403, json={"error": error})
        return super().handle_request(request)


def test_a_survey_that_is_refused_is_named_with_the_reason_and_the_others_are_read(
    connect: Any, tmp_path: Path
) -> None:
    with Store(tmp_path / "store.db", owner="test") as store:
        for _ in range(2):
            problems = sync(connect(transport=Refusing()), store)
            assert "'Relationship survey 2026'" in problems["responses"]
            assert "not yours" in problems["responses"]
            assert "'Relationship survey 2026'" in problems["questions"]
        refused = store.versions.counts()
        assert not any(sync(connect(), store).values())
        counts = store.versions.counts()
    assert (refused["feedback"], refused["question"]) == (8, 3)
    assert (counts["feedback"], counts["question"]) == (53, 6)


def test_a_response_that_turns_up_late_is_read_though_another_survey_is_further(
    server: SandboxServer, connect: Any, tmp_path: Path
) -> None:
    fill(server, ["2026-10-20T08:00:30"], POLL)
    with Store(tmp_path / "store.db", owner="test") as store:
        sync(connect(), store)
        (row,), _ = server.surveymonkey.store.page(
            POLL, size=1, offset=0, sort="date_modified", desc=True
        )
        fresh = json.loads(row) | {"id": "900000000777", "date_modified": "2026-10-20T08:00:20"}
        server.surveymonkey.store.load(POLL, [fresh])
        sync(connect(), store)
        assert store.versions.counts()["feedback"] == 55


class After(httpx.HTTPTransport):
    """An account that takes "modified since" as "after": the second itself is not in it."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        start = request.url.params.get("start_modified_at")
        if start:
            moved = datetime.fromisoformat(start) + timedelta(seconds=1)
            url = request.url.copy_set_param("start_modified_at", f"{moved:%Y-%m-%dT%H:%M:%S}")
            request = httpx.Request(request.method, url, headers=request.headers)
        return super().handle_request(request)


@pytest.mark.parametrize("transport", [httpx.HTTPTransport, After])
def test_no_response_is_lost_whether_a_beginning_is_part_of_what_is_asked_for_or_not(
    server: SandboxServer, connect: Any, transport: type[httpx.BaseTransport]
) -> None:
    following = "2026-10-30T08:00:01"
    made = fill(server, [LATE] * 27 + [following] * 8 + ["2026-10-30T08:00:03"] * 9)
    piece = Slice(stream="responses", cursor=Place(YEARLY).cursor())
    pages: list[Page] = list(connect(transport=transport()).read(piece))
    found = [row["id"] for page in pages for row in page.records]
    assert len(found) == len(set(found)) == server.surveymonkey.store.count(YEARLY)
    assert made <= set(found)
    for cut, page in enumerate(pages):
        rest = Slice(stream="responses", cursor=page.cursor)
        again = [
            row["id"] for each in connect(transport=transport()).read(rest) for row in each.records
        ]
        assert again == [row["id"] for each in pages[cut + 1 :] for row in each.records]


@pytest.mark.parametrize("status", [200, 400, 403])
@pytest.mark.parametrize(
    "content",
    [
        {"status": 1, "errmsg": "Client revoked access grant"},
        {"error": {"id": "1012", "name": "Authorization Error", "message": "revoked"}},
    ],
)
def test_a_revoked_token_is_a_sign_in_error_whatever_the_status(
    connect: Any, status: int, content: Any
) -> None:
    answer = httpx.MockTransport(lambda request: httpx.Response(status, json=content))
    connector = connect(transport=answer)
    with pytest.raises(SignInError, match="revoked"):
        connector.slices(connector.streams[1], None, None)


def limits(minute: int, day: int) -> dict[str, str]:
    return {
        f"X-Ratelimit-App-Global-{window}-{what}": f"{value}"
        for window, left, most, reset in (("Minute", minute, 120, 21), ("Day", day, 500, 7200))
        for what, value in (("Limit", most), ("Remaining", left), ("Reset", reset))
    }


@pytest.mark.parametrize("status", [200, 429])
def test_a_used_up_minute_is_waited_for_and_the_call_repeated(
    connect: Any, clock: Any, status: int
) -> None:
    limit = {"error": {"id": "1040", "name": "Rate limit reached", "http_status_code": 429}}
    answers = [
        httpx.Response(status, json=limit, headers=limits(0, 300)),
        httpx.Response(200, json={"data": [], "links": {}}, headers=limits(119, 299)),
    ]
    connector = connect(transport=httpx.MockTransport(lambda request: answers.pop(0)))
    assert connector.slices(connector.streams[1], None, None) == []
    assert answers == []
    assert len(clock.slept) == 1
    assert 22 <= clock.slept[0] <= 24


def test_a_used_up_day_is_told_as_such_by_the_refusal_itself(connect: Any, clock: Any) -> None:
    answer = httpx.Response(429, json={"error": {"id": "1040"}}, headers=limits(100, 0))
    connector = connect(transport=httpx.MockTransport(lambda request: answer))
    with pytest.raises(RetryLater, match="daily budget of 500 calls is used up; resume at") as no:
        connector.slices(connector.streams[1], None, None)
    assert no.value.retry_at is not None
    assert no.value.retry_at >= clock.now + timedelta(seconds=7199)
    assert clock.slept == []


def test_a_retry_after_is_believed_where_no_window_is_used_up(connect: Any, clock: Any) -> None:
    answer = httpx.Response(429, json={"error": {"id": "1040"}}, headers={"Retry-After": "900"})
    connector = connect(transport=httpx.MockTransport(lambda request: answer))
    with pytest.raises(RetryLater) as no:
        connector.slices(connector.streams[1], None, None)
    assert no.value.retry_at is not None
    assert no.value.retry_at > datetime.now(tz=UTC) + timedelta(seconds=800)


def test_a_survey_whose_date_is_none_is_named(server: SandboxServer, connect: Any) -> None:
    store = server.surveymonkey.store
    odd = store.survey(POLL) or {}
    del odd["response_count"]
    store.put(odd | {"date_modified": "yesterday"})
    connector = connect()
    with pytest.raises(SourceError, match=rf"survey {POLL}.*'yesterday'"):
        list(connector.read(connector.slices(connector.streams[0], None, None)[0]))
