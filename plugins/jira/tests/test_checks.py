"""The check names what is wrong before anything is read or written, a row each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from vmo_bridge.sandbox.server import SandboxServer

Connect = Callable[..., Any]


def told(connector: Any) -> dict[str, tuple[str, str]]:
    return {row.what: (row.state, row.detail) for row in connector.check()}


def test_a_good_site_is_told_row_by_row(
    server: SandboxServer, connect: Connect, deployment: str
) -> None:
    rows = told(connect(deployment, value_fields={"open_signals": "VMO Value"}))
    assert {state for state, _ in rows.values()} == {"ok"}
    spoken = "Cloud" if deployment == "cloud" else "Data Center"
    assert rows["site"][1].startswith(f"spoken to as {spoken}")
    assert "America/New_York" in rows["user"][1]
    assert rows["project HELP"] == ("ok", "Software Help")
    assert rows["service_field"] == ("ok", "customfield_10050")
    assert rows["value_fields.open_signals"] == ("ok", "customfield_10040")
    assert rows["writing open_signals"] == ("ok", "customfield_10040 can be edited")


def test_everything_wrong_has_its_row_and_the_rest_goes_on(
    connect: Connect, deployment: str
) -> None:
    connector = connect(
        deployment,
        projects=["CASE", "NOPE"],
        demand_field="Demmand",
        jql="type = Bug",
        value_fields={"csat": "VMO Note", "sla": "No such"},
    )
    rows = told(connector)
    assert rows["project CASE"][0] == "ok"
    assert rows["project NOPE"][0] == "failed"
    assert "'NOPE' is not there" in rows["project NOPE"][1]
    assert rows["demand_field"][0] == "failed"
    assert "has no field 'Demmand'" in rows["demand_field"][1]
    assert rows["value_fields.sla"][0] == "failed"
    assert rows["issues"][0] == "failed"


def test_a_field_off_the_screen_is_a_warning(connect: Connect, deployment: str) -> None:
    rows = told(connect(deployment, value_fields={"csat": "VMO Note"}))
    assert rows["writing csat"][0] == "warning"
    assert "not on the edit screen" in rows["writing csat"][1]
    empty = told(
        connect(deployment, jql="created > '2030-01-01'", value_fields={"csat": "VMO Value"})
    )
    assert empty["issues"][0] == "warning"
    assert empty["writing csat"] == ("warning", "there is no issue to look at")


def test_a_name_of_several_fields_is_told_with_their_ids(connect: Connect, wire: Any) -> None:
    twice = [{"id": f"customfield_{n}", "name": "Affected Service"} for n in (1, 2)]
    wire.answer = lambda request: (
        httpx.Response(200, json=twice) if request.url.path.endswith("/field") else None
    )
    state, detail = told(connect())["service_field"]
    assert state == "failed"
    assert "customfield_1 and customfield_2" in detail


def test_a_deployment_that_is_another_is_a_warning(connect: Connect, wire: Any) -> None:
    other = {"deploymentType": "Server", "version": "9.12.4"}
    wire.answer = lambda request: (
        httpx.Response(200, json=other) if request.url.path.endswith("/serverInfo") else None
    )
    forced = connect("cloud", spoken_as="cloud")
    assert told(forced)["site"] == ("warning", "spoken to as Cloud; it is Server 9.12.4")


@pytest.mark.parametrize("status", [401, 503])
def test_a_site_that_is_away_or_refuses_us_ends_the_check(
    server: SandboxServer, connect: Connect, deployment: str, status: int
) -> None:
    app = "jira" if deployment == "cloud" else "jiradc"
    if status == 401:
        server.faults.set("unauthorised", app=app)
    else:
        server.faults.set("http_status", status, app=app)
    rows = told(connect(deployment))
    what, (state, detail) = rows.popitem()
    assert (what, state) == ("user" if status == 401 else "site", "failed")
    assert str(status) in detail


def test_links_lead_to_the_issue_by_its_id(connect: Connect) -> None:
    connector = connect("cloud")
    assert connector.link("issues", "10001").endswith("/jira/issues/?jql=id%3D10001")
    assert connector.link("fields", "customfield_1").endswith("#customfield_1")
