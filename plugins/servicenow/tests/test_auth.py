"""Signing in: basic, the grants of OAuth, tokens that end, and secrets that stay secret."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from vmo_bridge.plugin import (
    Change,
    ConfigError,
    RetryLater,
    SignInError,
    Slice,
    VmoBridgeError,
)
from vmo_bridge_servicenow.connector import ServiceNow

PASSWORD = {
    "method": "oauth-password", "client_secret": {"file": "client.secret"}, "user": "vmo.reader",
    "password": {"file": "vmo.bridge.secret"},
}  # fmt: skip
CLIENT = {"method": "oauth-client", "client_secret": {"file": "client.secret"}}


@pytest.fixture
def oauth(server, connect, settings) -> Callable[..., ServiceNow]:
    def connected(grant: dict[str, Any], **more: Any) -> ServiceNow:
        auth = {**grant, "client_id": server.client_id}
        if "user" in auth:
            auth["user"] = "vmo.bridge"
        return connect(auth=auth, **more)

    return connected


def count(connector: ServiceNow) -> int | None:
    return connector.count(connector.streams[0])


def grants(wire) -> list[str]:
    return [
        parse_qs(request.content.decode())["grant_type"][0]
        for request in wire.requests
        if request.url.path == "/oauth_token.do"
    ]


def tokens(connector: ServiceNow) -> str:
    return connector._sign_in._token


def touch(connector: ServiceNow) -> str:
    return connector.write(Change(table="incident", key="a" * 32, match={}, values={"state": "2"}))


def expire(connector: ServiceNow) -> None:
    connector._sign_in._ends = 0.0


@pytest.mark.parametrize(
    ("grant", "word"), [(PASSWORD, "password"), (CLIENT, "client_credentials")]
)
def test_one_token_serves_many_requests(oauth, wire, grant, word) -> None:
    connector = oauth(grant)
    assert [count(connector) for _ in range(3)] == [13, 13, 13]
    assert grants(wire) == [word]
    sent = {request.headers.get("Authorization", "")[:7] for request in wire.requests[1:]}
    assert sent == {"Bearer "}
    assert "client_secret" not in str(wire.requests[0].url)


def test_an_old_token_is_refreshed_before_it_ends(oauth, wire) -> None:
    connector = oauth(PASSWORD)
    count(connector)
    for _ in range(2):
        expire(connector)
        before = tokens(connector)
        assert count(connector) == 13
        assert tokens(connector) != before
    assert grants(wire) == ["password", "refresh_token", "refresh_token"]


def test_a_refused_refresh_is_followed_by_a_new_grant(oauth, wire) -> None:
    connector = oauth(PASSWORD)
    count(connector)
    connector._sign_in._refresh = "revoked"
    expire(connector)
    assert count(connector) == 13
    assert grants(wire) == ["password", "refresh_token", "password"]


def test_client_credentials_are_asked_for_anew(oauth, wire) -> None:
    connector = oauth(CLIENT)
    count(connector)
    expire(connector)
    count(connector)
    assert grants(wire) == ["client_credentials"] * 2


@pytest.mark.parametrize("grant", [PASSWORD, CLIENT])
def test_a_token_that_is_revoked_in_the_middle_is_replaced_once(oauth, wire, grant) -> None:
    connector = oauth(grant)
    pages = connector.read(Slice(stream="incident"))
    next(pages)
    connector._sign_in._token = "revoked"
    assert len(list(pages)) == 6
    assert len(grants(wire)) == 2


def test_a_source_that_refuses_fresh_tokens_too_is_not_asked_for_ever(server, oauth, wire) -> None:
    server.faults.set("unauthorised")
    with pytest.raises(SignInError, match="refused the credentials"):
        count(oauth(CLIENT))
    assert len(grants(wire)) == 2


def test_a_write_survives_a_revoked_token(server, oauth) -> None:
    connector = oauth(CLIENT)
    key = server.rows("incident")[0]["sys_id"]
    change = Change(table="incident", key=key, match={}, values={"close_notes": "done"})
    connector.write(change)
    connector._sign_in._token = "revoked"
    assert connector.write(change) == key
    server.faults.set("unauthorised")
    with pytest.raises(SignInError, match="a write was refused"):
        connector.write(change)


def test_a_write_with_a_wrong_password_is_not_repeated(server, connect, tmp_path) -> None:
    connector = connect()
    (tmp_path / "vmo.bridge.secret").write_text("wrong")
    server.faults.set("latency_ms", 1, method="PATCH", times=2)
    with pytest.raises(SignInError):
        touch(connector)
    assert server.faults.active()[0]["times"] == 1


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (httpx.Response(401, json={"error": "server_error"}), SignInError, "gave no token"),
        (httpx.Response(200, json={"token": 1}), SignInError, "gave no token"),
        (httpx.Response(200, json=["x"]), SignInError, "gave no token"),
        (
            httpx.Response(200, json={"access_token": "x", "expires_in": "soon"}),
            SignInError,
            "gave no token",
        ),
        (httpx.Response(302, headers={"Location": "/login.do"}), SignInError, "gave no token"),
        (httpx.Response(200, html="<html>asleep"), RetryLater, "a web page for a token"),
        (httpx.Response(503), RetryLater, "503 for a token"),
        (httpx.Response(429, headers={"Retry-After": "90"}), RetryLater, "429 for a token"),
    ],
)
def test_an_answer_without_a_token_is_told_apart(oauth, wire, answer, error, words) -> None:
    wire.answer = lambda request: answer
    with pytest.raises(error, match=words) as caught:
        count(oauth(PASSWORD))
    if answer.status_code == 429:
        assert caught.value.retry_at is not None


def test_a_token_endpoint_that_is_away_is_retry_later(oauth, wire) -> None:
    def fail(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    wire.answer = fail
    with pytest.raises(RetryLater, match="cannot be reached for a token"):
        count(oauth(CLIENT))


def test_a_missing_secret_is_named_with_its_setting(connect, tmp_path) -> None:
    connector = connect()
    (tmp_path / "vmo.bridge.secret").unlink()
    with pytest.raises(
        ConfigError, match=r"connectors\.helpdesk\.auth\.password: file .* is empty"
    ):
        count(connector)


def test_no_secret_is_in_an_error_or_a_log(server, oauth, caplog, tmp_path) -> None:
    caplog.set_level("DEBUG")
    said = []
    secrets = [server.client_secret, server.user("vmo.bridge").password]
    for break_it in ("token", "client", "away"):
        server.faults.clear()
        connector = oauth(PASSWORD)
        count(connector)
        secrets += [tokens(connector), connector._sign_in._refresh]
        if break_it == "away":
            server.faults.set("fail_next")
        elif break_it == "client":
            (tmp_path / "client.secret").write_text("hunter2")
            secrets.append("hunter2")
            connector._sign_in._refresh = ""
            expire(connector)
        else:
            server.faults.set("unauthorised")
        for attempt in (count, touch):
            with pytest.raises(VmoBridgeError) as caught:
                attempt(connector)
            error: BaseException | None = caught.value
            while error is not None:
                said += [str(error), repr(error)]
                error = error.__cause__ or error.__context__
        said += [repr(connector), repr(vars(connector)), repr(connector._settings)]
    text = json.dumps(said) + caplog.text
    assert not [number for number, secret in enumerate(secrets) if secret in text]


def test_an_api_key_signs_reads_and_writes(server, connect, tmp_path, wire) -> None:
    (tmp_path / "key").write_text(server.user("vmo.bridge").api_key)
    connector = connect(auth={"method": "api-key", "key": {"file": "key"}})
    assert connector.count(next(each for each in connector.streams if each.name == "incident"))
    assert {request.headers["x-sn-apikey"] for request in wire.requests} == {
        server.user("vmo.bridge").api_key
    }
    assert not any("authorization" in request.headers for request in wire.requests)
    row = server.rows("incident")[0]
    change = Change(
        table="incident",
        key=row["sys_id"],
        match={},
        values={"short_description": "written with a key"},
    )
    assert connector.write(change) == row["sys_id"]
    (row,) = server.rows("incident", f"sys_id={row['sys_id']}")
    assert row["short_description"] == "written with a key"


def test_a_wrong_api_key_is_refused_in_words_that_do_not_hold_it(connect, tmp_path) -> None:
    (tmp_path / "key").write_text("not-the-key-at-all")
    connector = connect(auth={"method": "api-key", "key": {"file": "key"}})
    with pytest.raises(SignInError) as refused:
        connector.count(next(each for each in connector.streams if each.name == "incident"))
    assert "not-the-key-at-all" not in str(refused.value)


def test_calls_are_counted_and_no_more_are_made_than_allowed(connect) -> None:
    connector = connect(calls_per_hour=2)
    stream = next(each for each in connector.streams if each.name == "incident")
    connector.count(stream)
    connector.count(stream)
    with pytest.raises(RetryLater, match="calls_per_hour"):
        connector.count(stream)
    assert connector.budget().spent == 2
    assert connector.budget().allowed == 2


def test_a_token_that_another_thread_has_got_meanwhile_is_kept(connect, server) -> None:
    connector = connect(auth={**CLIENT, "client_id": server.client_id})
    sign_in = connector._sign_in
    old = sign_in.headers()["Authorization"]
    sign_in.forget(old)
    new = sign_in.headers()["Authorization"]
    assert new != old
    sign_in.forget(old)  # a late 401, of a request that was signed before
    assert sign_in.headers()["Authorization"] == new
