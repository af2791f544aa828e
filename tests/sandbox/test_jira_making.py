"""Jira issues that are made, moved and removed; the small lists one asks for first."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from vmo_bridge.sandbox.server import SandboxServer

Connect = Callable[..., httpx.Client]
BUG = {"project": {"key": "CASE"}, "issuetype": {"name": "Bug"}, "summary": "made"}


def test_an_issue_is_made_moved_and_removed(server: SandboxServer, cloud: httpx.Client) -> None:
    last = cloud.post("/rest/api/2/issue", json={"fields": BUG | {"labels": ["a"]}})
    assert last.status_code == 201
    key = last.json()["key"]
    moves = cloud.get(f"/rest/api/2/issue/{key}/transitions").json()["transitions"]
    assert [move["name"] for move in moves] == ["In Progress", "In Review", "Done"]
    done = {"transition": {"id": moves[-1]["id"]}}
    assert cloud.post(f"/rest/api/2/issue/{key}/transitions", json=done).status_code == 204
    fields = cloud.get(f"/rest/api/2/issue/{key}").json()["fields"]
    assert (fields["status"]["name"], fields["resolution"]["name"]) == ("Done", "Done")
    assert fields["resolutiondate"]
    assert (fields["labels"], fields["comment"]["total"]) == (["a"], 0)
    assert cloud.delete(f"/rest/api/2/issue/{key}").status_code == 204
    assert cloud.get(f"/rest/api/2/issue/{key}").status_code == 404
    again = cloud.post("/rest/api/2/issue", json={"fields": BUG}).json()["key"]
    assert again.startswith("CASE-")


@pytest.mark.parametrize("wrong", ["project", "issuetype", "summary"])
def test_a_new_issue_needs_project_kind_and_summary(wrong: str, cloud: httpx.Client) -> None:
    fields = {key: value for key, value in BUG.items() if key != wrong}
    reply = cloud.post("/rest/api/2/issue", json={"fields": fields})
    assert reply.status_code == 400
    assert wrong in reply.json()["errors"]


def test_a_kind_belongs_to_its_project(cloud: httpx.Client) -> None:
    request = BUG | {"issuetype": {"name": "Service Request"}}
    reply = cloud.post("/rest/api/2/issue", json={"fields": request})
    assert list(reply.json()["errors"]) == ["issuetype"]
    kinds = cloud.get("/rest/api/2/project/HELP").json()["issueTypes"]
    assert [kind["name"] for kind in kinds] == ["Service Request"]


def test_an_issue_goes_only_where_its_project_leads(cloud: httpx.Client) -> None:
    nowhere = {"transition": {"id": "10011"}}
    assert cloud.post("/rest/api/2/issue/CASE-1/transitions", json=nowhere).status_code == 400


def test_who_only_reads_makes_and_removes_nothing(server: SandboxServer, connect: Connect) -> None:
    reader = connect(server, auth=server.jira.auth("vmo.reader"), base_url=server.jira.url)
    assert reader.post("/rest/api/2/issue", json={"fields": BUG}).status_code == 403
    assert reader.delete("/rest/api/2/issue/CASE-1").status_code == 403
    assert server.write_log() == []


def test_the_reply_to_a_new_issue_may_be_lost(server: SandboxServer, cloud: httpx.Client) -> None:
    server.faults.set("drop_reply_after_commit", app="jira", times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        cloud.post("/rest/api/2/issue", json={"fields": BUG})
    assert server.write_log()[0]["operation"] == "insert"
    assert cloud.post("/rest/api/3/search/jql", json={"jql": "key = CASE-1"}).status_code == 200


def test_data_center_takes_user_name_and_password(server: SandboxServer, connect: Connect) -> None:
    account = server.jira.account()
    center = connect(server, auth=("vmo.bridge", account.token), base_url=server.jira.server_url)
    assert center.get("/rest/api/2/myself").json()["name"] == "vmo.bridge"
    center = connect(server, auth=(account.email, account.token), base_url=server.jira.server_url)
    assert center.get("/rest/api/2/myself").status_code == 401


def test_the_members_of_a_group_come_in_pages(center: httpx.Client) -> None:
    params = {"groupname": "jira-users", "maxResults": 2}
    first = center.get("/rest/api/2/group/member", params=params).json()
    second = center.get("/rest/api/2/group/member", params=params | {"startAt": 2}).json()
    assert (len(first["values"]), first["isLast"]) == (2, False)
    assert (len(second["values"]), second["isLast"]) == (1, True)
    assert center.get("/rest/api/2/group/member?groupname=nobody").status_code == 404


@pytest.mark.parametrize("part", ["version", "component"])
def test_a_project_is_found_by_key_and_id(part: str, center: httpx.Client) -> None:
    for name in ("CASE", center.get("/rest/api/2/project/CASE").json()["id"]):
        assert center.get(f"/rest/api/2/project/{name}/{part}").json()["values"] == []
    assert center.get(f"/rest/api/2/project/NOPE/{part}").status_code == 404
    assert center.get("/rest/api/2/project/CASE/nonsense").status_code == 404
