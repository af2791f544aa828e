"""Reading whatever the site does: odd ends of paging, limits, zones, rows that move meanwhile."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import stamina

from vmo_bridge.plugin import (
    AccessError,
    ConfigError,
    RetryLater,
    Slice,
    SourceError,
)
from vmo_bridge.sandbox.jira.store import millis
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_jira.moments import moment

Connect = Callable[..., Any]
LONG_AGO = datetime(2025, 6, 1, 12, tzinfo=UTC)


def pages(connector: Any, since: datetime | None = None, **more: Any) -> list[Any]:
    return list(connector.read(Slice(stream="issues", since=since, **more)))


def rows(connector: Any, since: datetime | None = None, **more: Any) -> list[Any]:
    return [row for page in pages(connector, since, **more) for row in page.records]


def ids(connector: Any, since: datetime | None = None, **more: Any) -> list[str]:
    return [row["id"] for row in rows(connector, since, **more)]


def in_source(server: SandboxServer, sql: str = "") -> list[str]:
    return sorted(str(row["id"]) for row in server.jira.store.select(sql))


def many_at_once(server: SandboxServer, count: int, at: datetime = LONG_AGO) -> None:
    """Issues of one millisecond, as an import makes them."""
    model = server.jira.store.select("WHERE kind = 'Bug' LIMIT 1")[0]
    stamp = {"created": millis(at), "updated": millis(at), "touched": millis(at)}
    server.jira.store.load(
        model | stamp | {"id": 50_000 + n, "key": f"CASE-{5000 + n}", "project": "CASE"}
        for n in range(count)
    )


def touch(server: SandboxServer, key: str) -> None:
    (issue,) = server.jira.store.named([key])
    server.jira.store.update(issue, {"labels": '["x"]'}, [], "admin")


@pytest.fixture
def at_once():
    """Try again without waiting."""
    with stamina.set_testing(True, attempts=3):
        yield


# -- paging --------------------------------------------------------------------------------------


def test_every_issue_is_read_once_whatever_the_page_size(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    many_at_once(server, 35)
    for size in (10, 33, 500):
        found = ids(connect(deployment, page_size=size))
        assert sorted(found) == in_source(server)


@pytest.mark.parametrize("switch", ["repeated_token", "empty_page_with_token", "token_expiry"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_token_that_leads_nowhere_begins_a_new_walk(
    server: SandboxServer, connect: Connect, switch: str, times: int
) -> None:
    many_at_once(server, 35)
    server.faults.set(switch, app="jira", times=times)
    assert sorted(ids(connect())) == in_source(server)


@pytest.mark.parametrize("switch", ["repeated_token", "empty_page_with_token", "token_expiry"])
def test_tokens_that_never_lead_on_end_the_read_with_an_error(
    server: SandboxServer, connect: Connect, switch: str
) -> None:
    many_at_once(server, 35)
    server.faults.set(switch, app="jira")
    with pytest.raises(SourceError, match="round in circles"):
        rows(connect())


def test_the_end_is_known_without_is_last(server: SandboxServer, connect: Connect) -> None:
    server.faults.set("missing_is_last", app="jira")
    assert sorted(ids(connect())) == in_source(server)


def test_an_end_that_is_no_end_is_looked_behind(
    server: SandboxServer, connect: Connect, wire: Any
) -> None:
    def cut(request: httpx.Request) -> httpx.Response | None:
        if len(wire.of("search/jql")) != 2 or not request.url.path.endswith("search/jql"):
            return None
        answer = json.loads(httpx.HTTPTransport.handle_request(wire, request).read())
        answer.pop("nextPageToken")
        return httpx.Response(200, json=answer | {"isLast": False})

    wire.answer = cut
    assert sorted(ids(connect())) == in_source(server)


def test_a_capped_page_is_no_last_page(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    server.faults.set("max_results_cap", 4, app="jira" if deployment == "cloud" else "jiradc")
    assert sorted(ids(connect(deployment))) == in_source(server)


def test_capped_pages_are_gathered_before_their_changelogs_are_asked_for(
    server: SandboxServer, connect: Connect, wire: Any
) -> None:
    server.faults.set("max_results_cap", 4, app="jira")
    found = pages(connect("cloud", page_size=30))
    sizes = [len(page.records) for page in found]
    assert max(sizes) <= 30
    assert all(size > 26 for size in sizes[:-1])
    assert len(wire.of("changelog/bulkfetch")) == len(found) < len(wire.of("search/jql"))
    assert [bool(page.newest and page.cursor) for page in found] == [True] * len(found)


def test_what_was_met_before_a_failure_is_given_and_gone_on_behind(
    server: SandboxServer, connect: Connect, wire: Any, at_once: None
) -> None:
    server.faults.set("max_results_cap", 4, app="jira")
    connector = connect("cloud", page_size=30)
    wire.answer = lambda request: (
        httpx.Response(503)
        if request.url.path.endswith("search/jql") and len(wire.of("search/jql")) > 12
        else None
    )
    walk = iter(connector.read(Slice(stream="issues")))
    met = list(itertools.islice(walk, 2))
    with pytest.raises(RetryLater):
        next(walk)
    early = [row["id"] for page in met for row in page.records]
    assert len(early) > 30
    wire.answer = lambda request: None
    late = ids(connector, cursor=met[-1].cursor)
    assert sorted({*early, *late}) == in_source(server)
    assert len(early) + len(late) == len(in_source(server))


def test_the_removed_search_is_never_asked(connect: Connect, wire: Any) -> None:
    rows(connect("cloud"))
    assert wire.of("search/jql")
    assert wire.of("/search") == []
    assert all(json.loads(each.content)["fields"] for each in wire.of("search/jql"))


def test_a_site_that_is_too_slow_is_asked_for_less(
    server: SandboxServer, connect: Connect, deployment: str, wire: Any
) -> None:
    def slow(request: httpx.Request) -> httpx.Response | None:
        asked = json.loads(request.content or b"{}") | dict(request.url.params)
        if int(asked.get("maxResults", 0)) > 20 and "changelog/" not in request.url.path:
            raise httpx.ReadTimeout("slow")
        return None

    wire.answer = slow
    assert sorted(ids(connect(deployment, page_size=160))) == in_source(server)
    wire.answer = lambda request: slow(request) or _raise_on_search(request)
    with pytest.raises(RetryLater, match="even 10 issues take too long"):
        rows(connect(deployment, page_size=40))


def _raise_on_search(request: httpx.Request) -> None:
    if "search" in request.url.path:
        raise httpx.ReadTimeout("slow")


def test_a_site_that_ignores_the_order_is_noticed(
    server: SandboxServer, connect: Connect, deployment: str, wire: Any
) -> None:
    def reverse(request: httpx.Request) -> None:
        if "search" in request.url.path:
            text = request.content.decode().replace("updated ASC", "updated DESC")
            url = str(request.url).replace("updated%20ASC", "updated%20DESC")
            request.url = httpx.URL(url.replace("updated+ASC", "updated+DESC"))
            request.stream = httpx.ByteStream(text.encode())
            request.headers["Content-Length"] = str(len(text))

    wire.before = reverse
    with pytest.raises(SourceError, match="does not keep to the order"):
        rows(connect(deployment))


# -- what moves meanwhile ------------------------------------------------------------------------


def test_issues_that_are_edited_between_pages_are_neither_lost_nor_kept_old(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    many_at_once(server, 25)
    keys = [row["key"] for row in server.jira.store.select("ORDER BY updated")]
    held: dict[str, str] = {}
    newest = LONG_AGO
    for number, page in enumerate(connect(deployment).read(Slice(stream="issues"))):
        held |= {row["id"]: row["updated"] for row in page.records}
        newest = page.newest or newest
        for key in (keys[number], keys[-1 - number], keys[(number * 7) % len(keys)]):
            if number < 40:
                touch(server, key)
    for row in rows(connect(deployment), newest - timedelta(minutes=10)):
        held[row["id"]] = row["updated"]
    expected = {
        str(row["id"]): moment(row["updated"]).isoformat(timespec="milliseconds")
        for row in server.jira.store.select("")
    }
    assert held == expected


def test_an_issue_that_is_deleted_between_pages_takes_no_other_with_it(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    many_at_once(server, 45)
    gone = {str(50_000 + n) for n in range(20)}
    found: set[str] = set()
    for number, page in enumerate(connect(deployment).read(Slice(stream="issues"))):
        found |= {row["id"] for row in page.records}
        if number == 0:
            for each in gone - found:
                (issue,) = server.jira.store.named([each])
                server.jira.store.delete(issue["key"])
    assert found >= set(in_source(server))


def test_a_search_that_lags_behind_is_made_good_by_the_overlap(
    server: SandboxServer, connect: Connect
) -> None:
    newest = pages(connect())[-1].newest
    assert newest is not None
    touch(server, "HELP-1")
    changed = server.jira.store.named(["HELP-1"])[0]
    server.faults.set("search_lag", 3600, app="jira")
    assert str(changed["id"]) not in ids(connect(), newest)
    server.faults.clear()
    assert str(changed["id"]) in ids(connect(), newest)


def test_a_broken_read_goes_on_behind_its_last_page(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    many_at_once(server, 35)
    whole = pages(connect(deployment))
    for number, page in enumerate(whole):
        rest = ids(connect(deployment), cursor=page.cursor)
        expected = [row["id"] for each in whole[number + 1 :] for row in each.records]
        assert sorted(rest) == sorted(expected)


# -- zones ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["vmo.bridge", "admin", "vmo.reader"])
def test_since_is_exact_in_the_zone_of_every_user(
    server: SandboxServer, connect: Connect, deployment: str, user: str
) -> None:
    stamps = [row["updated"] for row in server.jira.store.select("ORDER BY updated")]
    for stamp in (stamps[0], stamps[len(stamps) // 2], stamps[-1]):
        read = ids(connect(deployment, user), moment(stamp))
        assert sorted(read) == in_source(server, f"WHERE updated >= {stamp}")
        read = ids(connect(deployment, user), moment(stamp + 1))
        assert sorted(read) == in_source(server, f"WHERE updated > {stamp}")
        read = ids(connect(deployment, user), None, until=moment(stamp))
        assert sorted(read) == in_source(server, f"WHERE updated < {stamp}")


def test_the_hour_that_comes_twice_loses_nothing(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    """New York puts its clocks back on 2026-11-01 at 06:00 UTC."""
    model = server.jira.store.select("LIMIT 1")[0]
    first = datetime(2026, 11, 1, 4, tzinfo=UTC)
    stamps = [millis(first + timedelta(minutes=10 * n)) for n in range(24)]
    server.jira.store.load(
        model | {"id": 60_000 + n, "key": f"WEB-{6000 + n}", "project": "WEB",
                 "created": at, "updated": at, "touched": at}
        for n, at in enumerate(stamps)
    )  # fmt: skip
    for stamp in stamps:
        read = ids(connect(deployment), moment(stamp))
        assert sorted(read) == in_source(server, f"WHERE updated >= {stamp}")


def test_a_user_whose_zone_nobody_knows_is_read_for_all_the_same(
    server: SandboxServer, connect: Connect, deployment: str, wire: Any
) -> None:
    wire.answer = lambda request: (
        httpx.Response(200, json={"timeZone": "Mars/Olympus"})
        if request.url.path.endswith("/myself")
        else None
    )
    stamp = server.jira.store.select("ORDER BY updated DESC LIMIT 1 OFFSET 9")[0]["updated"]
    for user in ("vmo.bridge", "vmo.reader"):
        read = ids(connect(deployment, user), moment(stamp))
        assert sorted(read) == in_source(server, f"WHERE updated >= {stamp}")
    rows_told = {each.what: each for each in connect(deployment).check()}
    assert rows_told["user"].state == "warning"


# -- limits and refusals -------------------------------------------------------------------------


@pytest.mark.parametrize("form", [1, "date", "missing"])
def test_a_burst_is_waited_for(
    server: SandboxServer, connect: Connect, form: object, at_once: None
) -> None:
    server.faults.set("rate_limit_reason", "jira-burst-based", app="jira", table="search", times=1)
    server.faults.set("retry_after", form, app="jira", times=1)
    assert sorted(ids(connect())) == in_source(server)


def test_a_quota_names_its_reason_and_the_moment(
    server: SandboxServer, connect: Connect, wire: Any
) -> None:
    server.faults.set("rate_limit_reason", "jira-quota-tenant-based", app="jira", table="search")
    server.faults.set("retry_after", 3600, app="jira")
    with pytest.raises(RetryLater, match=r"429, jira-quota-tenant-based\); resume at") as caught:
        rows(connect())
    assert caught.value.retry_at is not None
    assert caught.value.retry_at > datetime.now(UTC) + timedelta(minutes=55)
    assert len(wire.of("search/jql")) == 1


def test_a_limit_without_a_wait_is_told_by_its_reset(connect: Connect, wire: Any) -> None:
    reset = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    headers = {"X-RateLimit-Reset": reset.strftime("%Y-%m-%dT%H:%MZ")}
    wire.answer = lambda request: httpx.Response(429, headers=headers)
    with pytest.raises(RetryLater) as caught:
        rows(connect())
    assert caught.value.retry_at == reset.replace(second=0)
    assert len(wire.requests) == 1


def test_what_the_package_would_stumble_over_is_our_client_s(
    server: SandboxServer, connect: Connect, deployment: str, at_once: None
) -> None:
    """Metadata go through the `jira` package: dates as Retry-After, 503, no blind waiting."""
    app = "jira" if deployment == "cloud" else "jiradc"
    server.faults.set("rate_limit_reason", "jira-burst-based", app=app, table="field", times=1)
    server.faults.set("retry_after", "date", app=app, times=1)
    server.faults.set("http_status", 503, app=app, table="status", times=1)
    assert sorted(ids(connect(deployment))) == in_source(server)
    server.faults.set("http_status", 503, app=app, table="myself")
    with pytest.raises(RetryLater, match="answers 503"):
        rows(connect(deployment))


@pytest.mark.parametrize("part", ["myself", "search", "changelog/bulkfetch"])
def test_a_web_page_is_no_answer(connect: Connect, wire: Any, part: str) -> None:
    page = httpx.Response(200, html="<html>maintenance</html>")
    wire.answer = lambda request: page if part in request.url.path else None
    with pytest.raises(RetryLater, match="a web page instead of data"):
        rows(connect())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"issues": [{"id": "1"', "cut off"),
        (b"[]", "not an object"),
        (b"{}", "no list of issues"),
        (b'{"issues": ["x"], "isLast": true}', "no list of issues"),
        (b'{"issues": [{"key": "A-1"}]}', "without an id"),
        (b'{"issues": [{"id": "1", "fields": {}}]}', "without 'updated'"),
        (b'{"issues": [{"id": "1", "fields": {"updated": "soon"}}]}', "without 'updated'"),
    ],
)
def test_an_answer_that_cannot_be_trusted_becomes_no_page(
    connect: Connect, wire: Any, content: bytes, words: str
) -> None:
    json_type = {"Content-Type": "application/json"}
    answer = httpx.Response(200, headers=json_type, content=content)
    wire.answer = lambda request: answer if "search" in request.url.path else None
    with pytest.raises(SourceError, match=words):
        rows(connect())


@pytest.mark.parametrize(
    ("status", "error"), [(400, SourceError), (403, AccessError), (404, AccessError),
                          (410, SourceError), (500, SourceError)],
)  # fmt: skip
def test_a_refusal_is_told_in_jira_s_words(
    connect: Connect, deployment: str, wire: Any, status: int, error: type[Exception]
) -> None:
    body = {"errorMessages": ["That is not to be."], "errors": {"jql": "too odd"}}
    refusal = httpx.Response(status, json=body)
    wire.answer = lambda request: refusal if "search" in request.url.path else None
    with pytest.raises(error, match=r"That is not to be\. jql: too odd"):
        rows(connect(deployment))


# -- scope ---------------------------------------------------------------------------------------


def test_a_project_that_is_not_there_is_named(connect: Connect, deployment: str) -> None:
    with pytest.raises(AccessError, match="project 'NOPE' is not there"):
        rows(connect(deployment, projects=["CASE", "NOPE"]))


def test_conditions_of_the_admin_stand_in_parentheses(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    read = ids(connect(deployment, projects=["CASE"], jql="type = Bug or type = Epic"))
    where = "WHERE project = 'CASE' AND kind IN ('Bug', 'Epic')"
    assert sorted(read) == in_source(server, where)
    read = ids(connect(deployment, projects=[], jql='project = "WEB"'))
    assert sorted(read) == in_source(server, "WHERE project = 'WEB'")
    with pytest.raises(SourceError, match="colour"):
        rows(connect(deployment, jql="colour = red"))


def test_a_field_that_is_not_there_or_not_alone_is_named(
    connect: Connect, deployment: str, wire: Any
) -> None:
    with pytest.raises(AccessError, match=r"connectors\.dev\.service_field: .*'Servise'"):
        rows(connect(deployment, service_field="Servise"))
    twice = [{"id": f"customfield_{n}", "name": "Affected Service"} for n in (1, 2)]
    wire.answer = lambda request: (
        httpx.Response(200, json=twice) if request.url.path.endswith("/field") else None
    )
    with pytest.raises(ConfigError, match="customfield_1 and customfield_2; write the id"):
        rows(connect(deployment, demand_field=None))


def test_counting_is_exact_or_says_nothing(
    server: SandboxServer, connect: Connect, deployment: str, wire: Any
) -> None:
    connector = connect(deployment)
    fields, issues = connector.streams
    assert connector.count(issues) == len(in_source(server))
    assert connector.count(fields) > 20
    if deployment == "cloud":
        wire.answer = lambda request: (
            httpx.Response(200, json={"count": 2_000_000})
            if request.url.path.endswith("approximate-count")
            else None
        )
        assert connector.count(issues) is None


# -- what is kept --------------------------------------------------------------------------------


def test_nobody_is_named_in_what_is_kept(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    issue = server.jira.store.select("WHERE kind = 'Bug' LIMIT 1")[0]
    text = "[~accountid:557058:abc] told [~jdoe], see [~]"
    server.jira.store.update(issue, {"description": text}, [], "admin")
    found = rows(connect(deployment))
    names = {server.jira.store.person(user)[0] for row in server.jira.store.select("")
             for user in (row["reporter"], row["assignee"]) if user}  # fmt: skip
    kept = json.dumps([{k: v for k, v in row.items() if k != "reporter_email"} for row in found])
    assert not [name for name in names if name in kept]
    assert "meridian.example" not in kept
    assert "displayName" not in kept
    assert "author" not in kept
    (edited,) = (row for row in found if row["id"] == str(issue["id"]))
    assert edited["description"] == "[~user] told [~user], see [~]"
    shown = {bool(row["reporter_email"]) for row in found}
    assert shown == {deployment == "server"}


def test_both_deployments_give_the_same_records(connect: Connect) -> None:
    """But for who people are there, and so for nothing else."""
    people = {"reporter", "reporter_email", "assignee"}
    cloud, center = (
        [{k: v for k, v in row.items() if k not in people} for row in rows(connect(each))]
        for each in ("cloud", "server")
    )
    assert sorted(cloud, key=lambda row: row["id"]) == sorted(center, key=lambda row: row["id"])


def test_what_is_kept_does_not_depend_on_who_reads(connect: Connect, deployment: str) -> None:
    first, second = (rows(connect(deployment, user)) for user in ("admin", "vmo.reader"))
    assert first == second


def test_a_changelog_that_is_cut_off_is_fetched_whole_or_not_believed(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    before = {row["id"]: row["history"] for row in rows(connect(deployment))}
    app = "jira" if deployment == "cloud" else "jiradc"
    server.faults.set("changelog_truncated", 1, app=app, times=10)
    assert {row["id"]: row["history"] for row in rows(connect(deployment))} == before
    server.faults.set("changelog_truncated", 1, app=app)
    for row in rows(connect(deployment)):
        whole = len(server.jira.store.changes([int(row["id"])])) < 2
        cut_off = deployment == "server" and not whole
        assert row["history"] == (None if cut_off else before[row["id"]])


def test_an_issue_that_is_deleted_before_its_changelog_is_fetched_has_none(
    server: SandboxServer, connect: Connect, wire: Any
) -> None:
    server.faults.set("changelog_truncated", 1, app="jiradc")
    gone = httpx.Response(404, json={"errorMessages": ["Issue does not exist"]})
    wire.answer = lambda request: gone if "/issue/" in request.url.path else None
    found = rows(connect("server"))
    assert sorted(row["id"] for row in found) == in_source(server)
    assert None in [row["history"] for row in found]


def test_long_changelogs_come_over_many_pages(server: SandboxServer, connect: Connect) -> None:
    issue = server.jira.store.select("WHERE kind = 'Bug' LIMIT 1")[0]
    item = {"field": "status", "fieldId": "status", "fieldtype": "jira", "from": "10000",
            "fromString": "To Do", "to": "3", "toString": "In Progress"}  # fmt: skip
    with_changes = [
        (issue["id"], millis(LONG_AGO) + n, "admin", json.dumps([item])) for n in range(12_500)
    ]
    server.jira.store.load([], with_changes)
    (row,) = (row for row in rows(connect()) if row["id"] == str(issue["id"]))
    assert len(row["history"]) >= 12_500


def test_a_changelog_whose_pages_repeat_is_an_error(connect: Connect, wire: Any) -> None:
    answer = httpx.Response(200, json={"issueChangeLogs": [], "nextPageToken": "a"})
    wire.answer = lambda request: answer if "changelog/" in request.url.path else None
    with pytest.raises(SourceError, match="a page's token comes again"):
        rows(connect())


def test_epics_that_are_named_by_key_are_found_by_id(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    store = server.jira.store
    epic = store.select("WHERE kind = 'Epic' ORDER BY updated DESC LIMIT 1")[0]
    bugs = store.select("WHERE kind = 'Bug' ORDER BY updated LIMIT 4")
    named = [epic["key"], "GONE-1", epic["key"], "no key) or (1 = 1"]
    for bug, key in zip(bugs, named, strict=True):
        values = {"parent": "", "custom": json.dumps({"customfield_10014": key})}
        store.update(bug, values, [], "admin")
    found = {row["id"]: row for row in rows(connect(deployment, page_size=20))}
    parents = [found[str(bug["id"])]["parent"] for bug in bugs]
    assert parents == [str(epic["id"]), None, str(epic["id"]), None]
    assert found[str(bugs[1]["id"])]["parent_key"] == "GONE-1"


def test_a_long_condition_is_sent_in_the_body(
    server: SandboxServer, connect: Connect, deployment: str, wire: Any
) -> None:
    keys = [row["key"] for row in server.jira.store.select("")]
    found = ids(connect(deployment, jql=f"key in ({', '.join(keys * 6)})"))
    assert sorted(found) == in_source(server)
    assert {each.method for each in wire.requests if "search" in each.url.path} == {"POST"}


def test_what_was_read_days_ago_is_forgotten_and_not_read_again(
    server: SandboxServer, connect: Connect, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vmo_bridge_jira.place._MANY_ROWS", 12)
    many_at_once(server, 60)
    found = ids(connect(deployment))
    assert len(found) == len(set(found))
    assert sorted(found) == in_source(server)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"issues": []}, "does not say its total"),
        ({"issues": [], "total": 3}, "3 issues are told of, none came"),
    ],
)
def test_a_total_that_nothing_comes_of_is_no_empty_read(
    connect: Connect, wire: Any, content: dict[str, Any], words: str
) -> None:
    answer = httpx.Response(200, json=content)
    wire.answer = lambda request: answer if request.url.path.endswith("/search") else None
    with pytest.raises(SourceError, match=words):
        rows(connect("server"))


@pytest.mark.parametrize("switch", ["repeated_token", "empty_page_with_token"])
def test_a_count_that_cannot_be_trusted_is_none(
    server: SandboxServer, connect: Connect, switch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vmo_bridge_jira.cloud._MANY_IDS", 10)
    connector = connect()
    issues = connector.streams[1]
    assert connector.count(issues) == len(in_source(server))
    server.faults.set(switch, app="jira")
    assert connector.count(issues) is None


def test_a_refusal_as_a_web_page_is_told_without_it(connect: Connect, wire: Any) -> None:
    for content in (b"<html>no</html>", b"[1]"):
        refusal = httpx.Response(403, content=content)
        wire.answer = lambda request, answer=refusal: (
            answer if "search" in request.url.path else None
        )
        with pytest.raises(AccessError, match=r"no reason given \(status 403\)"):
            rows(connect())


def test_lists_that_are_none_are_refused(connect: Connect, wire: Any) -> None:
    for path, content, words in (
        ("/field", {"a": 1}, "no list of fields"),
        ("/myself", [1], "myself: the answer is not an object"),
        ("/serverInfo", [1], "serverInfo: the answer is not an object"),
    ):
        answer = httpx.Response(200, json=content)
        wire.answer = lambda request, answer=answer, path=path: (
            answer if request.url.path.endswith(path) else None
        )
        with pytest.raises(SourceError, match=words):
            rows(connect(spoken_as="cloud"))
