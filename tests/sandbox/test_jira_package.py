"""The `jira` package 3.10.5 against the sandbox: an outside opinion on both deployments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from vmo_bridge.sandbox.server import SandboxServer

jira = pytest.importorskip("jira")
OPTIONS = {"max_retries": 0, "timeout": (5, 60)}


@pytest.fixture
def on_cloud(server: SandboxServer) -> Iterator[Any]:
    found = jira.JIRA(server.jira.url, basic_auth=server.jira.auth(), **OPTIONS)
    yield found
    found.close()


@pytest.fixture
def on_server(server: SandboxServer) -> Iterator[Any]:
    found = jira.JIRA(server.jira.server_url, token_auth=server.jira.pat(), **OPTIONS)
    yield found
    found.close()


def test_the_package_pages_through_the_cloud(on_cloud: Any, server: SandboxServer) -> None:
    assert on_cloud.deploymentType == "Cloud"
    found = on_cloud.enhanced_search_issues("project = CASE", maxResults=False, fields=["summary"])
    expected = server.jira.store.count("WHERE project = 'CASE'")
    assert len({issue.key for issue in found}) == len(found) == expected
    assert len(on_cloud.search_issues("project = CASE", maxResults=5, fields="summary,status")) == 5
    assert on_cloud.search_issues("key = CASE-1", use_post=True)[0].key == "CASE-1"


def test_the_package_pages_through_data_center(on_server: Any, server: SandboxServer) -> None:
    assert on_server.deploymentType == "Server"
    found = on_server.search_issues("project = CASE", maxResults=False)
    assert len(found) == found.total == server.jira.store.count("WHERE project = 'CASE'")
    assert isinstance(found[0].fields.description, str)


@pytest.mark.parametrize("kind", ["on_cloud", "on_server"])
def test_the_package_writes_fields_and_properties(
    kind: str, request: pytest.FixtureRequest, server: SandboxServer
) -> None:
    client = request.getfixturevalue(kind)
    names = {field["name"]: field["id"] for field in client.fields()}
    issue = client.issue("CASE-1")
    issue.update(fields={names["VMO Value"]: 3.5}, notify=False)
    assert getattr(client.issue("CASE-1").fields, names["VMO Value"]) == 3.5
    client.add_issue_property("CASE-1", "vmo.value", {"hours": 12})
    assert client.issue_property("CASE-1", "vmo.value").value.hours == 12
    assert [each.key for each in client.issue_properties("CASE-1")] == ["vmo.value"]
    client.issue_property("CASE-1", "vmo.value").delete()
    client.create_issue_link("Relates", "CASE-1", "CASE-2")
    assert client.issue("CASE-2").fields.issuelinks[0].inwardIssue.key == "CASE-1"
    with pytest.raises(jira.JIRAError) as refused:
        issue.update(fields={names["VMO Note"]: "x"})
    assert refused.value.status_code == 400
    assert len(server.write_log()) == 4


@pytest.mark.parametrize("kind", ["on_cloud", "on_server"])
def test_the_package_reads_people_and_projects(kind: str, request: pytest.FixtureRequest) -> None:
    client = request.getfixturevalue(kind)
    assert client.myself()["timeZone"] == "America/New_York"
    assert client.project("HELP").projectTypeKey == "service_desk"
    assert {"CASE", "WEB"} <= {project.key for project in client.projects()}
    assert client.issue("CASE-1", expand="changelog").changelog.histories
    with pytest.raises(jira.JIRAError, match="does not exist"):
        client.search_issues("project = NOPE")
