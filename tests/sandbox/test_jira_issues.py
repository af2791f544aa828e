"""Single issues of Jira over plain HTTP: texts, changelogs, edits, properties, the desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx
import pytest

from vmo_bridge.sandbox.server import SandboxServer

Connect = Callable[..., httpx.Client]
JQL = "/rest/api/3/search/jql"


def everything(server: SandboxServer) -> list[str]:
    return [row["key"] for row in server.jira.store.select("ORDER BY id")]


def test_texts_are_documents_in_version_3_and_strings_in_version_2(cloud: httpx.Client) -> None:
    shown = [cloud.get(f"/rest/api/{n}/issue/STAFF-1").json()["fields"] for n in (2, 3)]
    assert isinstance(shown[0]["description"], str)
    assert shown[1]["description"]["type"] == "doc"
    text = shown[1]["description"]["content"][0]["content"][0]["text"]
    assert shown[0]["description"].startswith(text)
    assert "accountId" in shown[1]["reporter"]
    assert "emailAddress" not in shown[1]["reporter"]


def test_issues_and_changelogs_come_in_bulk(server: SandboxServer, cloud: httpx.Client) -> None:
    wanted = everything(server)[:99]
    body = {"issueIdsOrKeys": [*wanted[::-1], "NO-1"], "fields": ["summary"]}
    reply = cloud.post("/rest/api/3/issue/bulkfetch", json=body).json()
    assert [issue["key"] for issue in reply["issues"]] == wanted
    assert [error["id"] for error in reply["issueErrors"]] == ["NO-1"]
    body["issueIdsOrKeys"] = everything(server)[:101]
    assert cloud.post("/rest/api/3/issue/bulkfetch", json=body).status_code == 400
    single = {}
    for key in wanted:
        page = cloud.get(f"/rest/api/3/issue/{key}/changelog").json()
        assert page["isLast"]
        single |= {each["id"]: each for each in page["values"]}
    found: dict[str, Any] = {}
    asked: dict[str, Any] = {"issueIdsOrKeys": wanted, "maxResults": 50}
    while True:
        page = cloud.post("/rest/api/3/changelog/bulkfetch", json=asked).json()
        for log in page["issueChangeLogs"]:
            found |= {each["id"]: each for each in log["changeHistories"]}
        if "nextPageToken" not in page:
            break
        asked["nextPageToken"] = page["nextPageToken"]
    assert found.keys() == single.keys()
    for number, each in found.items():
        moment = datetime.strptime(single[number]["created"], "%Y-%m-%dT%H:%M:%S.%f%z")
        assert each["created"] == moment.timestamp() * 1000
        assert each["items"] == single[number]["items"]


def test_an_edit_changes_issue_changelog_and_write_log(
    server: SandboxServer, cloud: httpx.Client
) -> None:
    url = "/rest/api/3/issue/STAFF-1"
    before = cloud.get(url).json()["fields"]
    reply = cloud.put(
        url, json={"fields": {"customfield_10040": 12.5}, "update": {"labels": [{"add": "vmo"}]}}
    )
    assert reply.status_code == 204
    after = cloud.get(url).json()["fields"]
    assert after["customfield_10040"] == 12.5
    assert after["labels"] == [*before["labels"], "vmo"]
    assert after["updated"] != before["updated"]
    last = cloud.get(f"{url}/changelog").json()["values"][-1]
    assert {item["fieldId"] for item in last["items"]} == {"customfield_10040", "labels"}
    line = server.write_log()[-1]
    assert (line["table"], line["sys_id"], line["user"]) == ("jira.issue", "STAFF-1", "vmo.bridge")


def test_fields_off_the_screen_and_wrong_kinds_are_refused(
    server: SandboxServer, connect: Connect, cloud: httpx.Client
) -> None:
    url = "/rest/api/3/issue/STAFF-1"
    for fields, message in (
        ({"customfield_10041": "x"}, "not on the appropriate screen"),
        ({"customfield_99999": "x"}, "not on the appropriate screen"),
        ({"customfield_10040": "many"}, "must be a number"),
        ({"description": "plain"}, "Atlassian Document"),
    ):
        reply = cloud.put(url, json={"fields": fields})
        assert reply.status_code == 400
        assert message in reply.json()["errors"][next(iter(fields))]
    server.faults.set("field_not_on_screen", ["customfield_10040"], times=1)
    assert cloud.put(url, json={"fields": {"customfield_10040": 1}}).status_code == 400
    reader = connect(server, auth=server.jira.auth("vmo.reader"), base_url=server.jira.url)
    assert reader.put(url, json={"fields": {"customfield_10040": 1}}).status_code == 403
    assert server.write_log() == []


def test_properties_are_kept_without_touching_the_issue(
    server: SandboxServer, cloud: httpx.Client
) -> None:
    url = "/rest/api/3/issue/STAFF-1/properties/vmo.value"
    updated = cloud.get("/rest/api/3/issue/STAFF-1").json()["fields"]["updated"]
    assert cloud.get(url).status_code == 404
    assert [cloud.put(url, json={"n": n}).status_code for n in (1, 2)] == [201, 200]
    assert cloud.get(url).json() == {"key": "vmo.value", "value": {"n": 2}}
    found = cloud.get(JQL, params={"jql": "key = STAFF-1", "properties": "vmo.value"}).json()
    assert found["issues"][0]["properties"] == {"vmo.value": {"n": 2}}
    assert cloud.put(url, json="x" * 40_000).status_code == 400
    assert cloud.get("/rest/api/3/issue/STAFF-1").json()["fields"]["updated"] == updated
    assert [cloud.delete(url).status_code for _ in range(2)] == [204, 404]
    assert [line["operation"] for line in server.write_log()] == ["insert", "update", "delete"]


def test_the_desk_tells_satisfaction_twice(server: SandboxServer, cloud: httpx.Client) -> None:
    row = server.jira.store.select("WHERE rating > 0 LIMIT 1")[0]
    none = server.jira.store.select("WHERE rating = 0 AND project = 'HELP' LIMIT 1")[0]
    fields = cloud.get(f"/rest/api/3/issue/{row['key']}").json()["fields"]
    assert fields["customfield_10030"] == {"rating": row["rating"]}
    root = "/rest/servicedeskapi/request"
    feedback = cloud.get(f"{root}/{row['key']}/feedback").json()
    assert (feedback["type"], feedback["rating"]) == ("csat", row["rating"])
    assert cloud.get(f"{root}/{none['key']}/feedback").status_code == 404
    cycle = cloud.get(f"{root}/{row['key']}/sla").json()["values"][0]["completedCycles"][0]
    assert cycle["stopTime"]["epochMillis"] == row["resolved"]
    assert cycle["breached"] == (cycle["elapsedTime"]["millis"] > cycle["goalDuration"]["millis"])
    assert cloud.get(f"{root}/STAFF-1").status_code == 404


def test_the_connection_may_break_around_a_write(
    server: SandboxServer, cloud: httpx.Client
) -> None:
    url = "/rest/api/3/issue/STAFF-1/properties/vmo.value"
    for switch, written in (("fail_next", 0), ("drop_reply_after_commit", 1)):
        server.faults.set(switch, app="jira", times=1)
        with pytest.raises(httpx.RemoteProtocolError):
            cloud.put(url, json=1)
        assert len(server.write_log()) == written
    server.faults.set("http_status", 503, app="jira", times=1)
    assert cloud.get("/rest/api/3/myself").status_code == 503


def test_the_edit_screen_tells_what_can_be_edited(
    server: SandboxServer, connect: Connect, cloud: httpx.Client
) -> None:
    url = "/rest/api/3/issue/STAFF-1/editmeta"
    fields = cloud.get(url).json()["fields"]
    assert fields["customfield_10040"]["schema"]["type"] == "number"
    assert "customfield_10041" not in fields
    server.faults.set("field_not_on_screen", ["customfield_10040"], times=1)
    assert "customfield_10040" not in cloud.get(url).json()["fields"]
    reader = connect(server, auth=server.jira.auth("vmo.reader"), base_url=server.jira.url)
    assert reader.get(url).json() == {"fields": {}}
    assert cloud.get(url.replace("STAFF-1", "NO-1")).status_code == 404
