"""What became different over there is told once; fields that nobody has are named."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from vmo_bridge.plugin import AccessError, Noting, Probing, Remembering, SourceError
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_jira.connector import FIELDS, ISSUES

Connect = Callable[..., Any]
LONG_AGO = datetime(2025, 6, 1, 12, tzinfo=UTC)
SERVICE, SLA = "customfield_10050", "customfield_10031"


class Answers:
    """Changes a list that the site gives: ``{path: change}``."""

    def __init__(self, wire: Any) -> None:
        self.changes: dict[str, Callable[[list[Any]], Any]] = {}
        wire.answer = self._answer
        self._wire = wire

    def _answer(self, request: httpx.Request) -> httpx.Response | None:
        change = self.changes.get(request.url.path.rpartition("/")[2])
        if change is None:
            return None
        answer = httpx.HTTPTransport.handle_request(self._wire, request)
        return httpx.Response(200, json=change(json.loads(answer.read())))


@pytest.fixture
def answers(wire: Any) -> Answers:
    return Answers(wire)


def read(connector: Any, memory: dict[str, str], since: datetime | None = LONG_AGO) -> list[str]:
    """Read all issues, as a sync does; what is told of it."""
    connector.remember(memory)
    for piece in connector.slices(ISSUES, since, None):
        for _ in connector.read(piece):
            pass
    assert connector.notes("fields") == []
    return list(connector.notes("issues"))


def with_field(key: str, **changes: Any) -> Callable[[list[Any]], list[Any]]:
    return lambda rows: [row | changes if row["id"] == key else row for row in rows]


def without_field(key: str) -> Callable[[list[Any]], list[Any]]:
    return lambda rows: [row for row in rows if row["id"] != key]


def test_of_a_site_that_stays_as_it_is_nothing_is_told(connect: Connect, deployment: str) -> None:
    memory: dict[str, str] = {}
    connector = connect(deployment)
    assert isinstance(connector, Noting)
    assert isinstance(connector, Remembering)
    assert read(connector, memory, None) == []
    kept = {key: text for key, text in memory.items() if key.startswith("drift.")}
    assert kept
    assert read(connect(deployment), memory) == []
    assert kept.items() <= memory.items()


def test_a_configured_field_that_is_renamed_goes_on_being_read_and_is_told_once(
    connect: Connect, deployment: str, answers: Answers
) -> None:
    memory: dict[str, str] = {}
    read(connect(deployment), memory, None)
    answers.changes["field"] = with_field(SERVICE, name="Service concerned")
    connector = connect(deployment)
    (note,) = read(connector, memory)
    assert "'Affected service' (customfield_10050, for service_field)" in note
    assert "is called 'Service concerned' now; it is still read" in note
    rows = [row for page in connector.read(*connector.slices(ISSUES, None, None))
            for row in page.records]  # fmt: skip
    assert {row["service"] for row in rows} - {None}
    assert read(connect(deployment), memory) == []


def test_a_name_that_an_admin_sets_anew_is_never_guessed(connect: Connect) -> None:
    memory: dict[str, str] = {}
    read(connect(), memory, None)
    with pytest.raises(AccessError, match="'Servise'"):
        read(connect(service_field="Servise"), memory)
    assert read(connect(service_field=None), memory) == []


def test_a_configured_field_that_is_gone_is_an_error_and_one_of_a_service_desk_is_told(
    connect: Connect, deployment: str, answers: Answers
) -> None:
    memory: dict[str, str] = {}
    read(connect(deployment), memory, None)
    answers.changes["field"] = without_field(SLA)
    (note,) = read(connect(deployment), memory)
    assert "'Time to resolution'" in note
    assert "is gone, or hidden from our user; its values stay empty" in note
    assert read(connect(deployment), memory) == []
    answers.changes["field"] = without_field(SERVICE)
    with pytest.raises(AccessError, match="no field 'Affected service'"):
        read(connect(deployment), memory)


def test_a_renamed_sla_a_retyped_field_and_one_that_is_made_anew_are_told(
    connect: Connect, answers: Answers
) -> None:
    memory: dict[str, str] = {}
    read(connect(), memory, None)
    answers.changes["field"] = with_field(SLA, name="TTR")
    (note,) = read(connect(), memory)
    assert "is called 'TTR' now, and no longer read; its values stay empty" in note
    answers.changes["field"] = with_field(SERVICE, schema={"type": "string"})
    (note,) = read(connect(), memory)
    assert "holds 'string' now, not 'option' as before" in note
    answers.changes["field"] = lambda rows: [
        *with_field(SERVICE, name="Old")(rows),
        {"id": "customfield_10099", "name": "Affected service", "schema": {"type": "option"}},
    ]
    notes = read(connect(), memory)
    assert (
        "is called 'Old' now, and no longer read; 'Affected service' (customfield_10099) "
        in (notes[0])
    )


def test_new_statuses_and_those_of_another_category_are_told_once(
    connect: Connect, deployment: str, answers: Answers
) -> None:
    memory: dict[str, str] = {}
    read(connect(deployment), memory, None)
    blocked = {"id": "77", "name": "Blocked", "statusCategory": {"key": "indeterminate"}}
    answers.changes["status"] = lambda rows: [
        *(row | {"statusCategory": {"key": "done"}} if row["name"] == "In Review" else row
          for row in rows), blocked,
    ]  # fmt: skip
    new, moved = read(connect(deployment), memory)
    assert "new statuses: 'Blocked' counts as in_progress; connectors.dev.states" in new
    assert "'In Review' counts as resolved now, not as in_progress" in moved
    assert read(connect(deployment), memory) == []


def test_types_and_priorities_that_nobody_mapped_are_told_once(
    connect: Connect, server: SandboxServer
) -> None:
    memory: dict[str, str] = {}
    store = server.jira.store
    (bug,) = store.select("WHERE kind = 'Bug' LIMIT 1")
    store.update(bug, {"priority": "P0"}, [], "admin")
    (note,) = read(connect(), memory, None)
    assert note == "priority 'P0' counts as none; priorities under connectors.dev changes it"
    assert read(connect(), memory, None) == []
    assert read(connect(priorities={"P0": 1}), memory, None) == []


def test_new_values_of_a_selection_are_told_when_they_come_and_not_on_the_first_read(
    connect: Connect, deployment: str, server: SandboxServer
) -> None:
    memory: dict[str, str] = {}
    assert read(connect(deployment), memory, None) == []
    store = server.jira.store
    (bug,) = store.select("WHERE kind = 'Bug' LIMIT 1")
    store.update(bug, {"service": "Quantum mail"}, [], "admin")
    assert read(connect(deployment), memory) == ["new values of service_field: 'Quantum mail'"]
    assert read(connect(deployment), memory) == []


def test_a_memory_that_cannot_be_read_is_begun_anew(connect: Connect) -> None:
    memory = {"drift.fields": "{", "drift.statuses": "[1]"}
    assert read(connect(), memory, None) == []
    assert json.loads(memory["drift.fields"])["service_field"]["id"] == SERVICE


# -- blanks --------------------------------------------------------------------------------------


def test_fields_that_some_issue_has_are_not_blank(connect: Connect, deployment: str) -> None:
    connector = connect(deployment)
    assert isinstance(connector, Probing)
    assert connector.blanks(ISSUES) == []
    assert connector.blanks(FIELDS) == []


def test_a_configured_field_that_no_issue_has_is_named(connect: Connect, deployment: str) -> None:
    connector = connect(deployment, team_field="VMO Note")
    assert connector.blanks(ISSUES) == ["VMO Note (customfield_10041)"]


def test_a_field_that_only_old_issues_have_is_not_blank(
    connect: Connect, deployment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vmo_bridge_jira.blanks._LOOKED_AT", 1)
    assert "ServiceNow demand (customfield_10010)" not in connect(deployment).blanks(ISSUES)


def test_a_field_that_is_hidden_does_not_come_and_is_named(
    connect: Connect, deployment: str, wire: Any
) -> None:
    def hide(request: httpx.Request) -> httpx.Response | None:
        if "/search" not in request.url.path:
            return None
        answer = httpx.HTTPTransport.handle_request(wire, request)
        content = json.loads(answer.read())
        for issue in content.get("issues", []):
            for field in ("priority", "customfield_10030", "parent"):
                issue.get("fields", {}).pop(field, None)
        return httpx.Response(answer.status_code, json=content)

    wire.answer = hide
    assert connect(deployment).blanks(ISSUES) == [
        "Priority (priority)", "Satisfaction (customfield_10030)",
    ]  # fmt: skip


def test_a_scope_without_issues_has_no_blanks_and_a_refused_one_is_told(
    connect: Connect, deployment: str
) -> None:
    assert connect(deployment, jql='summary ~ "nobodywritesthis"').blanks(ISSUES) == []
    with pytest.raises(SourceError, match="colour"):
        connect(deployment, jql="colour = red").blanks(ISSUES)
