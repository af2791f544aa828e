"""The sandbox's Jira as the `jira` package and tap-jira see it, Cloud and Data Center."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vmo_bridge.sandbox.jira import schema
from vmo_bridge.sandbox.server import SandboxServer

Drive = Callable[..., Any]
STREAMS = [
    "projects", "versions", "components", "project_types", "project_categories", "resolutions",
    "roles", "users", "issues", "issue_comments", "issue_transitions", "changelogs", "worklogs",
]  # fmt: skip


def keys(server: SandboxServer, where: str = "") -> set[str]:
    return {issue["key"] for issue in server.jira.store.select(where)}


@pytest.mark.parametrize("deployment", ["Cloud", "Server"])
def test_jira_searches_reads_and_writes(
    deployment: str, server: SandboxServer, drive: Drive
) -> None:
    side = server.jira
    bugs = keys(server, "WHERE project = 'CASE' AND kind = 'Bug'")
    case = side.store.named(["CASE-1"])[0]
    changes = {str(change[0]) for change in side.store.changes([case["id"]])}
    cloud = deployment == "Cloud"
    where = {"url": side.url, "auth": side.auth()} if cloud else {"url": side.server_url}
    seen = drive("jira", **where, pat=side.pat())
    assert seen["deployment"] == deployment
    assert len(seen["all"]) == len(set(seen["all"]))
    assert set(seen["all"]) == keys(server)
    assert not cloud or len(seen["posted"]) == 7
    assert set(seen["bugs"]) == bugs
    assert set(seen["histories"]) == changes
    assert seen["people"] == ["User", "America/New_York"]
    assert seen["projects"] == sorted(schema.PROJECTS)
    assert seen["statuses"] == sorted(schema.STATUSES)
    assert seen["wrong query"][0] == 400
    assert seen["missing issue"][0] == 404
    assert seen["updated"] == ["told by jira", 3.5, seen["updated"][2]]
    assert "foreign" in seen["updated"][2]
    assert seen["property"] == 12
    assert seen["properties"] == []
    assert seen["linked"] == "CASE-1"
    assert seen["off screen"][0] == 400
    assert "appropriate screen" in seen["off screen"][1]
    assert side.store.named(["CASE-1"])[0]["summary"] == "told by jira"
    assert seen["made"] == ["made by jira", "Bug", "To Do"]
    assert seen["moved"] == [["In Progress", "Done"], ["To Do", "In Progress"]]
    assert seen["done"] == ["done", "Done"]
    assert seen["gone"][0] == 404
    assert seen["no kind"][0] == 400
    written = [line["operation"] for line in server.write_log() if line["table"] == "jira.issue"]
    assert written[-5:] == ["insert", "update", "update", "update", "delete"]


@pytest.mark.parametrize("deployment", ["Cloud", "Server"])
def test_tap_jira_syncs_whole_and_then_what_changed(
    deployment: str, secure: SandboxServer, drive: Drive, ca: str
) -> None:
    side, store = secure.jira, secure.jira.store
    cloud = deployment == "Cloud"
    account = side.account()
    config = {
        "start_date": "2000-01-01T00:00:00Z",
        "username": account.email if cloud else account.user_name,
        "password": account.token,
        "base_url": side.url if cloud else side.server_url,
        "user_agent": "tests",
    }
    first = drive("tap-jira", config=config, state={}, streams=STREAMS, ca=ca)
    records = first["records"]
    issues = store.select("")
    assert len(records["issues"]) == len(issues)
    assert {record["key"] for record in records["issues"]} == {issue["key"] for issue in issues}
    assert {record["key"] for record in records["projects"]} == set(schema.PROJECTS)
    # The Cloud shows the newest changes of an issue in a search only; Data Center shows all.
    told = {record["id"] for record in records["changelogs"]}
    kept = {str(change[0]) for change in store.changes([issue["id"] for issue in issues])}
    assert told <= kept if cloud else told == kept
    assert {record["issueId"] for record in records["issue_transitions"]} == {
        record["id"] for record in records["issues"]
    }
    # It asks for two people a page.
    assert len(records["users"]) == len(side.accounts) == 3
    assert len(records["roles"]) == 3
    assert [record["name"] for record in records["resolutions"]] == ["Done"]
    assert {record["key"] for record in records["project_types"]} == {"software", "service_desk"}
    bookmark = first["state"]["bookmarks"]["issues"]["updated"]

    changed = store.named(["CASE-7"])[0]
    item = {"field": "summary", "fieldtype": "jira", "fieldId": "summary", "from": None,
            "fromString": changed["summary"], "to": None, "toString": "later"}  # fmt: skip
    store.update(changed, {"summary": "later"}, [item], "vmo.bridge")
    second = drive("tap-jira", config=config, state=first["state"], streams=STREAMS, ca=ca)
    # It asks again from the minute of its bookmark: its last issues come with the new one.
    found = {record["key"]: record["fields"]["summary"] for record in second["records"]["issues"]}
    assert found["CASE-7"] == "later"
    assert len(found) < 10
    assert second["state"]["bookmarks"]["issues"]["updated"] > bookmark
