"""The HTTP client that connectors share: patience, words for failures, and what is kept."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import stamina
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.connectors.http import HttpClient, is_safe_url, retry_moment
from vmo_bridge.errors import RetryLater, SignInError, TooSlow

Answer = Callable[[httpx.Request], httpx.Response]


def client(*answers: httpx.Response | Exception) -> tuple[HttpClient, list[httpx.Request]]:
    """A client whose network gives these answers, the last one again and again."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        given = answers[min(len(seen), len(answers)) - 1]
        if isinstance(given, Exception):
            raise given
        return given

    return HttpClient("desk", "https://desk.invalid/", transport=httpx.MockTransport(answer)), seen


@pytest.fixture(autouse=True)
def at_once():
    """Try again without waiting."""
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.mark.parametrize("status", [502, 503, 504, 429])
def test_what_may_pass_is_tried_again(status: int) -> None:
    http, seen = client(httpx.Response(status), httpx.Response(200))
    assert http.get("/x").status_code == 200
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(503), "answers 503; it is down or overloaded"),
        (httpx.Response(429), r"limits us \(429\)$"),
        (httpx.Response(429, headers={"Retry-After": "5"}), "resume at"),
        (httpx.ConnectError("no route"), r"cannot be reached \(no route\)"),
        (httpx.RemoteProtocolError("cut"), r"cannot be reached \(cut\)"),
        (httpx.ConnectTimeout(""), r"cannot be reached \(ConnectTimeout\)"),
    ],
)
def test_what_does_not_pass_is_retry_later(answer: httpx.Response, words: str) -> None:
    http, seen = client(answer)
    with pytest.raises(RetryLater, match=words) as caught:
        http.get("/x")
    assert len(seen) == 3
    assert caught.type is RetryLater
    with pytest.raises(RetryLater, match=words):
        http.post("/x", {"a": 1})
    assert len(seen) == 4  # what may have been done is not repeated
    http.close()


def test_a_garbled_body_is_retry_later() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        garbled = httpx.ByteStream(b"this is no gzip")
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=garbled)

    http = HttpClient("desk", "https://desk.invalid", transport=httpx.MockTransport(answer))
    with pytest.raises(RetryLater, match="cannot be reached"):
        http.get("/x")


def test_a_post_that_only_reads_may_be_repeated() -> None:
    http, seen = client(httpx.Response(503), httpx.Response(200))
    assert http.post("/x", {"a": 1}, attempts=3).status_code == 200
    assert [request.content for request in seen] == [b'{"a":1}'] * 2


def test_any_method_can_be_sent() -> None:
    http, seen = client(httpx.Response(204))
    assert http.send("PUT", "/x", content=[1], attempts=1).status_code == 204
    assert http.send("GET", "https://desk.invalid/x?a=1", attempts=1).status_code == 204
    assert [(each.method, each.content) for each in seen] == [("PUT", b"[1]"), ("GET", b"")]


def test_the_reason_of_a_limit_is_told() -> None:
    headers = {"RateLimit-Reason": "jira-burst-based"}
    http, _ = client(httpx.Response(429, headers=headers))
    with pytest.raises(RetryLater, match=r"limits us \(429, jira-burst-based\)$"):
        http.get("/x")


def test_a_long_limit_is_not_waited_for() -> None:
    http, seen = client(httpx.Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(RetryLater) as caught:
        http.get("/x")
    assert len(seen) == 1
    assert caught.value.retry_at is not None
    assert timedelta(minutes=59) < caught.value.retry_at - datetime.now(tz=UTC)


def test_a_source_that_is_down_and_says_until_when_is_left_alone_until_then() -> None:
    http, seen = client(httpx.Response(503, headers={"Retry-After": "3600"}))
    with pytest.raises(RetryLater, match=r"answers 503.*resume at") as caught:
        http.get("/x")
    assert len(seen) == 1
    assert caught.value.retry_at is not None
    assert timedelta(minutes=59) < caught.value.retry_at - datetime.now(tz=UTC)


def test_a_short_limit_is_waited_for_as_long_as_it_asks() -> None:
    http, _ = client(httpx.Response(429, headers={"Retry-After": "1"}), httpx.Response(200))
    stamina.set_testing(False)
    begin = time.monotonic()
    http.get("/x")
    assert 0.8 < time.monotonic() - begin < 5


def test_no_answer_in_time_is_too_slow_and_not_repeated() -> None:
    http, seen = client(httpx.ReadTimeout("slow"))
    with pytest.raises(TooSlow, match="did not answer in time"):
        http.get("/x")
    assert len(seen) == 1


@pytest.mark.parametrize(
    "answer", [httpx.Response(401), httpx.Response(302, headers={"Location": "/login.do"})]
)
def test_a_refused_sign_in_is_not_repeated(answer: httpx.Response) -> None:
    http, seen = client(answer)
    with pytest.raises(SignInError, match=r"desk: https://desk\.invalid re"):
        http.get("/x")
    assert len(seen) == 1


@pytest.mark.parametrize("status", [200, 201, 400, 403, 404, 500])
def test_any_other_answer_is_the_caller_s_to_judge(status: int) -> None:
    http, _ = client(httpx.Response(status))
    assert http.get("/x").status_code == status
    assert http.post("/x", {}).status_code == status


def test_a_port_that_nobody_listens_on_says_why() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        http = HttpClient("desk", url)
        with pytest.raises(RetryLater, match=r"Connection refused\); check the address"):
            http.get("/x", attempts=1)
        http.close()


def test_the_innermost_cause_is_told() -> None:
    failure = httpx.ConnectError("outer")
    failure.__cause__ = ssl.SSLError(1, "certificate verify failed")
    http, _ = client(failure)
    with pytest.raises(RetryLater, match="certificate verify failed"):
        http.get("/x")


# -- Retry-After ---------------------------------------------------------------------------------


def test_without_a_wait_the_reset_is_taken_where_it_is_a_moment() -> None:
    reset = {"X-RateLimit-Reset": "2026-11-23T12:00:00Z"}
    assert retry_moment(reset) == datetime(2026, 11, 23, 12, tzinfo=UTC)
    near = retry_moment(reset | {"Retry-After": "0"})
    assert near is not None
    assert near > datetime(2026, 11, 23, 13, tzinfo=UTC)
    for odd in ("1764000000", "2026-11-23T12:00:00", "soon", ""):
        assert retry_moment({"X-RateLimit-Reset": odd}) is None


def test_a_wait_is_given_in_seconds_or_as_a_date() -> None:
    near = retry_moment({"Retry-After": " 120 "})
    assert near is not None
    assert timedelta(seconds=118) < near - datetime.now(tz=UTC) <= timedelta(seconds=120)
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    for date in (
        "Mon, 23 Nov 2026 12:00:00 GMT",
        "Mon, 23 Nov 2026 13:00:00 +0100",
        "Mon, 23 Nov 2026 12:00:00 -0000",
    ):
        assert retry_moment({"Retry-After": date}) == noon


def test_the_zone_minus_nought_is_utc_wherever_we_are(monkeypatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        moment = retry_moment({"Retry-After": "Mon, 23 Nov 2026 12:00:00 -0000"})
        assert moment == datetime(2026, 11, 23, 12, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    "given",
    ["", "soon", "-1", "1.5", "²", "9" * 30, "9" * 5000, "Fri, 31 Dec 9999 23:59:59 -2300"],
)
def test_a_wait_that_makes_no_sense_is_not_known(given: str) -> None:
    assert retry_moment({"Retry-After": given}) is None


@given(st.text())
def test_any_header_is_read_without_a_stumble(text: str) -> None:
    moment = retry_moment({"Retry-After": text})
    assert moment is None or moment.utcoffset() == timedelta(0)


# -- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://x.example", True), ("HTTPS://x.example", True), ("http://127.0.0.1:1", True),
        ("http://127.255.0.9", True), ("http://[::1]:1", True), ("http://localhost", True),
        ("http://x.example", False), ("http://10.0.0.1", False), ("http://[::2]", False),
        ("http://localhost.x.example", False), ("http://127.0.0.1.x.example", False),
        ("http://127.0.0.1@x.example", False), ("https://a:b@x.example", False),
        ("https://", False), ("http://", False), ("ftp://x.example", False), ("x.example", False),
        ("https://[::1", False), ("https://x.example:99999", False), ("", False),
    ],
)  # fmt: skip
def test_credentials_go_over_https_or_stay_on_this_machine(url: str, safe: bool) -> None:
    assert is_safe_url(url) is safe
