"""Limits by their reasons and headers: what they close, for how long, and what goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import stamina

from vmo_bridge.plugin import (
    AccessError,
    Change,
    Metered,
    RetryLater,
    Slice,
    SourceError,
    WriteRefused,
)
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_jira.connector import ISSUES
from vmo_bridge_jira.limits import Limits, resume_at

Connect = Callable[..., Any]
SOON, LATER = "2", "3600"


@pytest.fixture(autouse=True)
def at_once():
    """Try again without waiting."""
    with stamina.set_testing(True, attempts=3):
        yield


def limited(reason: str, seconds: str = LATER) -> httpx.Response:
    headers = {"Retry-After": seconds, "RateLimit-Reason": reason, "X-RateLimit-Remaining": "0"}
    return httpx.Response(429, headers=headers)


def rows(connector: Any) -> list[Any]:
    return [row for page in connector.read(Slice(stream="issues")) for row in page.records]


def value(server: SandboxServer, number: int = 0) -> tuple[str, Change]:
    key = str(server.jira.store.select("WHERE kind = 'Bug' ORDER BY id")[number]["id"])
    return key, Change(table="issue", key=key, match={}, values={"vmo.value.open_signals": "3"})


@pytest.mark.parametrize("reason", ["jira-quota-tenant-based", "jira-quota-global-based"])
def test_a_quota_closes_the_site_until_its_moment(
    connect: Connect, wire: Any, server: SandboxServer, reason: str
) -> None:
    wire.answer = lambda request: limited(reason) if "search" in request.url.path else None
    connector = connect()
    with pytest.raises(RetryLater, match=reason):
        rows(connector)
    asked = len(wire.requests)
    for ask in (
        lambda: rows(connector),
        lambda: connector.tally(ISSUES, [(None, None)]),
        lambda: connector.write(value(server)[1]),
    ):
        with pytest.raises(RetryLater, match="not asked again before") as caught:
            ask()
        assert caught.value.retry_at is not None
        assert caught.value.retry_at > datetime.now(UTC) + timedelta(minutes=55)
    assert len(wire.requests) == asked, "a closed site is not asked"


def test_a_limit_of_data_center_gives_no_reason_and_closes_the_site(
    connect: Connect, wire: Any
) -> None:
    wire.answer = lambda request: (
        httpx.Response(429, headers={"Retry-After": LATER})
        if request.url.path.endswith("/search")
        else None
    )
    connector = connect("server")
    with pytest.raises(RetryLater, match="429"):
        rows(connector)
    asked = len(wire.requests)
    with pytest.raises(RetryLater, match="not asked again before"):
        rows(connector)
    assert len(wire.requests) == asked


def test_a_burst_closes_only_the_endpoint_that_was_asked_too_often(
    connect: Connect, wire: Any, server: SandboxServer
) -> None:
    burst = "jira-burst-based"
    wire.answer = lambda request: (
        limited(burst) if request.url.path.endswith("search/jql") else None
    )
    connector = connect()
    with pytest.raises(RetryLater, match=burst):
        rows(connector)
    searches = len(wire.of("search/jql"))
    key, change = value(server)
    assert connector.write(change) == key
    with pytest.raises(RetryLater, match="not asked again before"):
        rows(connector)
    assert len(wire.of("search/jql")) == searches


@pytest.mark.parametrize("seconds", ["0", SOON, LATER, ""])
def test_a_limit_on_writes_to_one_issue_costs_that_issue_only(
    connect: Connect, wire: Any, server: SandboxServer, seconds: str
) -> None:
    (busy, change), (other, another) = value(server, 0), value(server, 1)
    wire.answer = lambda request: (
        limited("jira-per-issue-on-write", seconds)
        if request.method == "PUT" and f"/issue/{busy}/" in request.url.path
        else None
    )
    connector = connect()
    if seconds == "0":
        with pytest.raises((WriteRefused, RetryLater)):
            connector.write(change)
    else:
        with pytest.raises(WriteRefused, match=f"the next publish tries issue {busy} again"):
            connector.write(change)
    assert connector.write(another) == other
    assert connector.current("issue", "sys_id", [busy], ["vmo.value.open_signals"])


def test_a_source_that_is_down_is_no_limit_on_an_issue(
    connect: Connect, wire: Any, server: SandboxServer
) -> None:
    wire.answer = lambda request: httpx.Response(503) if request.method == "PUT" else None
    with pytest.raises(RetryLater, match="answers 503"):
        connect().write(value(server)[1])


def test_a_source_that_is_down_says_when_it_comes_back(connect: Connect, wire: Any) -> None:
    then = datetime.now(UTC) + timedelta(hours=1)
    for form in ("3600", format_datetime(then, usegmt=True)):
        wire.answer = lambda request, form=form: httpx.Response(503, headers={"Retry-After": form})
        asked = len(wire.requests)
        with pytest.raises(RetryLater, match=r"answers 503.*resume at") as caught:
            rows(connect(spoken_as="cloud"))
        assert caught.value.retry_at is not None
        assert abs(caught.value.retry_at - then) < timedelta(minutes=1)
        assert len(wire.requests) == asked + 1


@pytest.mark.parametrize("form", ["seconds", "date", "reset"])
def test_the_moment_is_read_in_each_form_that_is_documented(form: str) -> None:
    then = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    headers = {
        "seconds": {"Retry-After": "3600"},
        "date": {"Retry-After": format_datetime(then, usegmt=True)},
        "reset": {"X-RateLimit-Reset": then.strftime("%Y-%m-%dT%H:%MZ")},
    }[form]
    found = resume_at(httpx.Headers(headers))
    assert found is not None
    assert abs(found - then) <= timedelta(seconds=60)


def test_a_quota_that_names_no_moment_begins_anew_with_the_hour() -> None:
    found = resume_at(httpx.Headers({"RateLimit-Reason": "jira-quota-tenant-based"}))
    assert found is not None
    assert (found.minute, found.second) == (0, 0)
    assert timedelta(0) < found - datetime.now(UTC) <= timedelta(hours=1)
    assert resume_at(httpx.Headers({"RateLimit-Reason": "jira-burst-based"})) is None
    assert resume_at(httpx.Headers({"Retry-After": "soon"})) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-RateLimit-NearLimit": "true", "X-RateLimit-Remaining": "7"}, [0.5]),
        ({"X-RateLimit-NearLimit": "false", "X-RateLimit-Remaining": "700"}, []),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-FillRate": "10",
          "X-RateLimit-Interval-Seconds": "1"}, [1.0]),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-FillRate": "10",
          "X-RateLimit-Interval-Seconds": "900"}, [5.0]),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-FillRate": "10"}, [1.0]),
        ({"X-RateLimit-Remaining": "x"}, []),
    ],
)  # fmt: skip
def test_near_a_limit_the_next_request_waits_a_little_and_the_one_after_does_not(
    headers: dict[str, str], seconds: list[float]
) -> None:
    waited: list[float] = []
    limits = Limits("dev", sleep=waited.append)
    limits.after("GET", "/rest/api/2/myself", 200, httpx.Headers(headers))
    limits.before("GET", "/rest/api/2/field")
    limits.before("GET", "/rest/api/2/field")
    assert waited == seconds
    given = headers["X-RateLimit-Remaining"]
    assert limits.left == (int(given) if given.isdigit() else None)


def test_what_opens_soon_is_waited_for_by_every_thread() -> None:
    waited: list[float] = []
    limits = Limits("dev", sleep=waited.append)
    headers = httpx.Headers({"Retry-After": "20", "RateLimit-Reason": "jira-burst-based"})
    limits.after("POST", "/rest/api/2/search/jql", 429, headers)
    limits.before("POST", "/rest/api/2/search/jql")
    limits.before("GET", "/rest/api/2/search/jql")
    assert len(waited) == 1
    assert 19 < waited[0] <= 20


# -- which deployment it is ----------------------------------------------------------------------


def test_a_cloud_that_is_spoken_to_as_data_center_is_told_as_that(
    connect: Connect, server: SandboxServer
) -> None:
    cloud = connect(spoken_as="server")
    with pytest.raises(SourceError, match=r"removed.*the site is a Jira Cloud.*deployment"):
        rows(cloud)


def test_a_data_center_that_is_spoken_to_as_cloud_is_told_as_that(connect: Connect) -> None:
    with pytest.raises(AccessError, match=r"is it a Jira Data Center\?.*deployment"):
        rows(connect("server", spoken_as="cloud"))


# -- the calls of an hour ------------------------------------------------------------------------


def test_calls_are_counted_over_all_runs_and_end_where_the_settings_say(
    connect: Connect, deployment: str, wire: Any
) -> None:
    memory: dict[str, str] = {}
    first = connect(deployment)
    assert isinstance(first, Metered)
    first.remember(memory)
    rows(first)
    spent = len(wire.requests)
    told = first.budget()
    assert (told.spent, told.allowed) == (spent, None)
    assert told.left == (99 if deployment == "server" else None)
    assert told.renewed_at is not None
    second = connect(deployment, calls_per_hour=spent + 3)
    second.remember(memory)
    with pytest.raises(RetryLater, match=r"calls of this hour are spent \(calls_per_hour\)"):
        rows(second)
    assert len(wire.requests) == spent + 3
    assert second.budget().allowed == spent + 3
