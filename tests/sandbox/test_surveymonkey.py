"""SurveyMonkey over HTTP: token, lists, details, paging laws, budgets, and its bad days."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from vmo_bridge.sandbox.server import SandboxServer

Connect = Callable[..., httpx.Client]
YEARLY = "410000001"
BULK = f"/v3/surveys/{YEARLY}/responses/bulk"


@pytest.fixture
def client(server: SandboxServer, connect: Connect) -> httpx.Client:
    headers = {"Authorization": f"bearer {server.surveymonkey.token}"}
    return connect(server, auth=None, headers=headers, base_url=server.surveymonkey.url)


def read(client: httpx.Client, **params: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    url: str | None = f"{client.base_url}{BULK.removeprefix('/')}"
    asked: dict[str, Any] | None = {"per_page": 100} | params
    while url:
        page = client.get(url, params=asked).json()
        found += page["data"]
        url, asked = page["links"].get("next"), None
    return found


def test_only_the_token_opens_the_account(server: SandboxServer, client: httpx.Client) -> None:
    assert client.get("/v3/users/me").status_code == 200
    for headers in ({}, {"Authorization": "bearer wrong"}):
        reply = httpx.get(f"{server.surveymonkey.url}/v3/surveys", headers=headers)
        assert reply.status_code == 401
        assert reply.json()["error"]["http_status_code"] == 401
    server.faults.set("unauthorised", app="surveymonkey")
    assert client.get("/v3/surveys").json()["errmsg"] == "Client revoked access grant"


def test_the_list_tells_counts_and_dates_only_when_asked(client: httpx.Client) -> None:
    plain = client.get("/v3/surveys").json()["data"][0]
    assert set(plain) == {"id", "title", "nickname", "href"}
    page = client.get("/v3/surveys?include=response_count,date_modified").json()
    counts = {each["id"]: each["response_count"] for each in page["data"]}
    assert counts[YEARLY] == 320
    assert counts["410000003"] == 0
    one = client.get("/v3/surveys?per_page=1&page=2").json()
    assert (one["total"], len(one["data"]), set(one["links"])) == (
        3, 1, {"self", "prev", "first", "next", "last"},
    )  # fmt: skip


def test_every_response_comes_once_and_fits_the_details(client: httpx.Client) -> None:
    found = read(client)
    assert len({each["id"] for each in found}) == len(found) == 320
    dates = [each["date_modified"] for each in found]
    assert dates == sorted(dates)
    assert [e["id"] for e in read(client, sort_order="DESC", per_page=7)] == [
        each["id"] for each in found[::-1]
    ]
    page = client.get(f"/v3/surveys/{YEARLY}/details").json()["pages"][0]
    weights = {
        choice["id"]: choice["weight"]
        for question in page["questions"]
        for choice in question.get("answers", {}).get("choices", [])
    }
    answers = [a for e in found for q in e["pages"][0]["questions"] for a in q["answers"]]
    chosen = [a for a in answers if "choice_id" in a]
    assert all(str(weights[a["choice_id"]]) == a["choice_metadata"]["weight"] for a in chosen)
    assert sum("text" in a for a in answers) > 100
    assert Counter(e["response_status"] for e in found)["partial"] > 3
    assert sum("ticket" in e["custom_variables"] for e in found) == 36


def test_only_what_changed_since_can_be_asked(client: httpx.Client) -> None:
    found = read(client)
    since = found[200]["date_modified"][:19]
    part = read(client, start_modified_at=since)
    assert [each["id"] for each in part] == [
        each["id"] for each in found if each["date_modified"][:19] >= since
    ]
    assert client.get(f"{BULK}?start_modified_at=yesterday").status_code == 400
    assert client.get(f"{BULK}?per_page=1000").json()["per_page"] == 100


def test_the_budget_is_told_and_then_used_up(agency_dir: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(agency_dir, tmp_path / "sandbox")
    now = [datetime(2026, 11, 23, 12, 0, 30, tzinfo=UTC)]
    with SandboxServer.start(tmp_path / "sandbox", clock=lambda: now[0]) as server:
        server.faults.set("daily_quota", 4)
        server.faults.set("minute_quota", 3)
        headers = {"Authorization": f"bearer {server.surveymonkey.token}"}
        with httpx.Client(base_url=server.surveymonkey.url, headers=headers) as client:
            start = "X-Ratelimit-App-Global"
            left = [client.get("/v3/surveys").headers[f"{start}-Minute-Remaining"] for _ in "abc"]
            assert left == ["2", "1", "0"]
            refused = client.get("/v3/surveys")
            assert refused.status_code == 429
            assert refused.json()["error"]["id"] == "1040"
            assert "Retry-After" not in refused.headers
            assert refused.headers[f"{start}-Minute-Reset"] == "30"
            now[0] = now[0].replace(minute=1)
            assert client.get("/v3/surveys").status_code == 200
            refused = client.get("/v3/surveys")
            assert refused.status_code == 429
            assert refused.headers[f"{start}-Day-Remaining"] == "0"
            assert refused.headers[f"{start}-Day-Reset"] == str(12 * 3600 - 90)
            now[0] = now[0].replace(day=24)
            assert client.get("/v3/surveys").status_code == 200


def test_pages_may_drift_while_they_are_read(server: SandboxServer, client: httpx.Client) -> None:
    whole = {each["id"] for each in read(client)}
    server.faults.set("page_drift", times=1)
    seen = {each["id"] for each in read(client)}
    assert len(whole - seen) == 1


def test_a_survey_may_vanish_half_way(server: SandboxServer, client: httpx.Client) -> None:
    server.faults.set("survey_deleted", YEARLY, skip=1)
    assert client.get(BULK).status_code == 200
    gone = client.get(f"{BULK}?page=2")
    assert gone.status_code == 404
    assert gone.json()["error"]["id"] == "1020"
    server.faults.clear()
    server.surveymonkey.store.delete(YEARLY)
    assert client.get(BULK).status_code == 404
    assert YEARLY not in {each["id"] for each in client.get("/v3/surveys").json()["data"]}


def test_many_responses_can_be_loaded(server: SandboxServer, client: httpx.Client) -> None:
    one = read(client)[0]
    more = [one | {"id": str(n)} for n in range(1, 5001)]
    assert server.surveymonkey.store.load(YEARLY, more) == 5000
    assert client.get(BULK).json()["total"] == 5320


def test_the_total_follows_every_write_whoever_made_it(server: SandboxServer) -> None:
    store = server.surveymonkey.store
    survey = max(store.surveys(), key=lambda each: each["response_count"])["id"]

    def total(**limits: str) -> int:
        found = store.page(survey, size=1, offset=0, sort="date_modified", desc=False, **limits)
        return found[1]

    rows, before = store.page(survey, size=1, offset=0, sort="date_modified", desc=False)
    oldest = json.loads(rows[0])
    when = oldest["date_modified"][:19]
    same = total(start=when, end=when)
    store.touch(oldest["id"])
    assert total() == before
    assert total(start=when, end=when) == same - 1
    store.load(survey, [oldest | {"id": "999999999991"}])
    assert (total(), total(end=when)) == (before + 1, same)
    with closing(sqlite3.connect(server._instance.path)) as db:
        db.execute("delete from _sm_response where id = '999999999991'")
        db.commit()
    assert (total(), total(end=when)) == (before, same - 1)
    assert total(start="2999-01-01", end="1999-01-01") == 0
