"""Searching Jira over plain HTTP: sign-in, JQL, zones, paging laws, and its bad days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from vmo_bridge.sandbox.server import SandboxServer

Connect = Callable[..., httpx.Client]
ALL = "project in (STAFF, FIN, CASE, DATA, WEB, HELP) order by updated asc, key asc"
JQL = "/rest/api/3/search/jql"


def pages(client: httpx.Client, jql: str, **more: Any) -> Iterator[dict[str, Any]]:
    token = None
    while True:
        params = {"jql": jql} | more | ({"nextPageToken": token} if token else {})
        page = client.get(JQL, params=params).json()
        yield page
        token = page.get("nextPageToken")
        if token is None:
            return


def keys(client: httpx.Client, jql: str, **more: Any) -> list[str]:
    return [issue["key"] for page in pages(client, jql, **more) for issue in page["issues"]]


def everything(server: SandboxServer) -> list[str]:
    return [row["key"] for row in server.jira.store.select("ORDER BY id")]


def test_every_page_size_gives_every_issue_once(server: SandboxServer, cloud: httpx.Client) -> None:
    expected = sorted(everything(server))
    for size in (7, 50, 5000):
        found = keys(cloud, ALL, maxResults=size, fields="id,key")
        assert len(found) == len(set(found))
        assert sorted(found) == expected
    for order in ("created desc", "priority desc, key desc", "status asc, updated desc"):
        jql = ALL.replace("updated asc, key asc", order)
        assert sorted(keys(cloud, jql, maxResults=33)) == expected


def test_a_page_has_ids_only_unless_fields_are_named(cloud: httpx.Client) -> None:
    page = cloud.get(JQL, params={"jql": ALL, "maxResults": 5000}).json()
    assert set(page) == {"issues", "isLast"}
    assert set(page["issues"][0]) == {"id", "key", "self"}
    page = cloud.get(JQL, params={"jql": ALL, "maxResults": 5000, "fields": "summary"}).json()
    assert len(page["issues"]) == 100
    assert page["isLast"] is False
    assert set(page["issues"][0]["fields"]) == {"summary"}
    last = list(pages(cloud, ALL, maxResults=5000))[-1]
    assert last["isLast"] is True
    assert "nextPageToken" not in last


def test_a_search_by_post_takes_nulls_and_empty_lists(
    server: SandboxServer, cloud: httpx.Client
) -> None:
    body = {
        "jql": ALL,
        "expand": None,
        "properties": None,
        "reconcileIssues": [],
        "fields": ["*all"],
    }
    reply = cloud.post(JQL, json=body | {"maxResults": 2})
    assert reply.status_code == 200
    assert len(reply.json()["issues"]) == 2
    count = cloud.post("/rest/api/3/search/approximate-count", json={"jql": ALL}).json()
    assert count == {"count": len(everything(server))}


@pytest.mark.parametrize(
    ("jql", "message"),
    [
        ("order by key desc", "Unbounded JQL queries are not allowed here"),
        ("", "Unbounded JQL queries are not allowed here"),
        ("project = NOPE", "The value 'NOPE' does not exist for the field 'project'."),
        ("colour = red", "Field 'colour' does not exist"),
        ("key = STAFF-9999", "An issue with key 'STAFF-9999' does not exist"),
        ("updated >= '2026-10-01 10:15:30'", "Date value '2026-10-01 10:15:30' for field"),
        ("project = STAFF AND", "Error in the JQL Query"),
        ("project STAFF", "Expecting operator but got 'STAFF'"),
    ],
)
def test_wrong_jql_is_refused_by_name(jql: str, message: str, cloud: httpx.Client) -> None:
    reply = cloud.get(JQL, params={"jql": jql})
    assert reply.status_code == 400
    assert message in reply.json()["errorMessages"][0]


def test_the_old_search_is_gone_from_the_cloud(cloud: httpx.Client) -> None:
    for version in ("2", "3"):
        reply = cloud.get(f"/rest/api/{version}/search", params={"jql": ALL})
        assert reply.status_code == 410
        assert "CHANGE-2046" in reply.json()["errorMessages"][0]


def test_dates_are_read_in_the_callers_zone(
    server: SandboxServer, connect: Connect, cloud: httpx.Client
) -> None:
    assert cloud.get("/rest/api/3/myself").json()["timeZone"] == "America/New_York"
    issue = server.jira.store.select("ORDER BY updated DESC LIMIT 1 OFFSET 100")[0]
    moment = datetime.fromtimestamp(issue["updated"] / 1000, UTC)
    base = f"project = {issue['project']} AND updated >= "
    for name in ("vmo.bridge", "admin", "vmo.reader"):
        client = connect(server, auth=server.jira.auth(name), base_url=server.jira.url)
        zone = ZoneInfo(server.jira.account(name).time_zone)
        local = moment.astimezone(zone)
        assert issue["key"] in keys(client, f'{base}"{local:%Y/%m/%d %H:%M}"')
        later = local + timedelta(minutes=1)
        assert issue["key"] not in keys(client, f'{base}"{later:%Y-%m-%d %H:%M}"')
        shown = client.get(f"/rest/api/3/issue/{issue['key']}").json()["fields"]["updated"]
        assert datetime.strptime(shown, "%Y-%m-%dT%H:%M:%S.%f%z") == moment
    assert issue["key"] in keys(cloud, f"{base}{issue['updated']}")
    assert issue["key"] not in keys(cloud, f"{base}{issue['updated'] + 1}")
    server.faults.set("jql_epoch", "refused")
    assert cloud.get(JQL, params={"jql": f"{base}{issue['updated']}"}).status_code == 400


def test_conditions_mean_what_they_say(server: SandboxServer, cloud: httpx.Client) -> None:
    for jql, sql in (
        ("project = STAFF and issuetype = Epic", "project = 'STAFF' AND kind = 'Epic'"),
        ("type in (Story, Bug) and not status = Done",
         "kind IN ('Story', 'Bug') AND status <> 'Done'"),
        ('statusCategory != "To Do"', "category <> 'new'"),
        ("project in (CASE) or (project = WEB and parent is not empty)",
         "project = 'CASE' OR project = 'WEB' AND parent <> ''"),
        ('summary ~ "rights"', "summary LIKE '%rights%'"),
        ("labels = q4", "labels LIKE '%\"q4\"%'"),
        ('"ServiceNow demand" is not empty', "demand <> ''"),
        ("id in (10001, 10002)", "id IN (10001, 10002)"),
    ):  # fmt: skip
        expected = sorted(row["key"] for row in server.jira.store.select(f"WHERE {sql}"))
        assert sorted(keys(cloud, jql)) == expected
        assert expected


def test_sign_in_is_by_token_on_the_cloud_and_by_pat_on_data_center(
    server: SandboxServer, connect: Connect
) -> None:
    email, token = server.jira.auth()
    bearer = {"Authorization": f"Bearer {server.jira.pat()}"}
    for url, auth, headers, status in (
        (server.jira.url, (email, token), {}, 200),
        (server.jira.url, (email, "wrong"), {}, 401),
        (server.jira.url, None, {}, 401),
        (server.jira.url, None, bearer, 401),
        (server.jira.server_url, None, bearer, 200),
        (server.jira.server_url, (email, token), {}, 401),
    ):
        client = connect(server, auth=auth, headers=headers, base_url=url)
        reply = client.get("/rest/api/2/myself")
        assert reply.status_code == status
        assert client.get("/rest/api/2/serverInfo").status_code == 200
    assert server.jira.server_url != server.jira.url


def test_data_center_pages_by_offset_with_total_and_whole_changelogs(
    server: SandboxServer, center: httpx.Client
) -> None:
    found, total = [], None
    while total is None or len(found) < total:
        params = {"jql": ALL, "startAt": len(found), "maxResults": 90, "expand": "changelog"}
        reply = center.get("/rest/api/2/search", params=params)
        assert "X-RateLimit-FillRate" in reply.headers
        page = reply.json()
        total = page["total"]
        found += page["issues"]
    assert sorted(issue["key"] for issue in found) == sorted(everything(server))
    assert all(i["changelog"]["total"] == len(i["changelog"]["histories"]) for i in found)
    story = next(i for i in found if i["fields"]["issuetype"]["name"] == "Story")
    assert story["fields"]["customfield_10014"]
    assert "name" in story["fields"]["reporter"]
    server.faults.set("max_results_cap", 10, app="jiradc")
    assert center.get("/rest/api/2/search?maxResults=500").json()["maxResults"] == 10
    assert center.get("/rest/api/3/myself").status_code == 404
    loose = center.get("/rest/api/2/search?jql=project=NOPE&validateQuery=false").json()
    assert loose["total"] == 0


def test_ends_of_paging_may_be_odd(server: SandboxServer, cloud: httpx.Client) -> None:
    server.faults.set("missing_is_last")
    assert all("isLast" not in page for page in pages(cloud, ALL, maxResults=200))
    server.faults.clear()
    server.faults.set("empty_page_with_token", skip=1, times=1)
    counts = [len(page["issues"]) for page in pages(cloud, ALL, maxResults=200)]
    assert counts[1] == 0
    assert sum(counts) == len(everything(server))
    first = cloud.get(JQL, params={"jql": ALL}).json()["nextPageToken"]
    server.faults.set("repeated_token", times=1)
    again = cloud.get(JQL, params={"jql": ALL, "nextPageToken": first}).json()
    assert again["nextPageToken"] == first
    assert cloud.get(JQL, params={"jql": ALL, "nextPageToken": "junk"}).status_code == 400
    server.faults.set("token_expiry", times=1)
    assert cloud.get(JQL, params={"jql": ALL, "nextPageToken": first}).status_code == 400


def test_a_search_may_lag_behind_an_edit(server: SandboxServer, cloud: httpx.Client) -> None:
    cloud.put("/rest/api/3/issue/STAFF-1", json={"fields": {"summary": "new words"}})
    server.faults.set("search_lag", 3600)
    number = cloud.get("/rest/api/3/issue/STAFF-1").json()["id"]
    assert keys(cloud, "key = STAFF-1") == []
    assert keys(cloud, "key = STAFF-1", reconcileIssues=number) == ["STAFF-1"]


def test_a_changelog_in_a_search_may_be_cut(server: SandboxServer, cloud: httpx.Client) -> None:
    server.faults.set("changelog_truncated", 1)
    epic = server.truth()["stalled_handoff"][0]["epic"]
    params = {"jql": f"key = {epic}", "expand": "changelog"}
    log = cloud.get(JQL, params=params).json()["issues"][0]["changelog"]
    assert len(log["histories"]) == 1 < log["total"]


def test_rate_limits_name_reason_and_wait(server: SandboxServer, cloud: httpx.Client) -> None:
    for form, reason in ((7, "jira-burst-based"), ("date", "jira-quota-tenant-based"),
                         ("missing", "jira-quota-global-based")):  # fmt: skip
        server.faults.set("rate_limit_reason", reason, times=1)
        server.faults.set("retry_after", form, times=1)
        reply = cloud.get(JQL, params={"jql": ALL})
        assert reply.status_code == 429
        assert reply.headers["RateLimit-Reason"] == reason
        wait = reply.headers.get("Retry-After")
        if form == "date":
            assert wait is not None
            assert parsedate_to_datetime(wait).tzinfo
        else:
            assert wait == {7: "7", "missing": None}[form]
    server.faults.set("rate_limit_reason", "jira-per-issue-on-write", method="PUT", table="issue")
    assert cloud.get(JQL, params={"jql": ALL}).status_code == 200
    url = "/rest/api/3/issue/STAFF-1"
    assert cloud.put(url, json={"fields": {"summary": "x"}}).status_code == 429
