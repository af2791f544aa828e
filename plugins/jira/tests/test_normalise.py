"""From raw issues to records: words, history, links, satisfaction, service levels, real issues."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.plugin import (
    Answer,
    Feedback,
    Initiative,
    Link,
    Question,
    Record,
    RecordError,
    SlaOutcome,
    Span,
    Ticket,
)
from vmo_bridge_jira.flatten import flatten, shown
from vmo_bridge_jira.normalise import Normaliser
from vmo_bridge_jira.settings import JiraSettings
from vmo_bridge_jira.shapes import RawIssue, reader_of
from vmo_bridge_jira.site import JiraField, Roles, Site, asked_fields

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
CATEGORIES = {"to do": "new", "doing": "indeterminate", "done": "done", "closed": "done"}
CREATED = datetime(2026, 3, 1, 9, tzinfo=UTC)


def settings(**more: Any) -> JiraSettings:
    content = {
        "url": "https://dev.invalid",
        "auth": {"method": "pat", "token": {"env": "X"}},
        "projects": ["CASE"],
    }
    return JiraSettings.model_validate(content | more)


def site(**roles: Any) -> Site:
    return Site(
        cloud=True, version="", now=datetime(2026, 11, 1, tzinfo=UTC), zone=None,
        fields=[JiraField(id="customfield_7", name="Squad")],
        categories={**CATEGORIES, "10": "new"}, statuses={}, roles=Roles(**roles),
    )  # fmt: skip


def told(issue: dict[str, Any], there: Site, log: list[Any]) -> RawIssue:
    """An issue with its changelog, as a search of this site decodes it."""
    answer = {"issues": [issue | {"changelog": {"histories": log}}]}
    reader = reader_of(there, [*asked_fields(there)])
    return reader.decode(msgspec.json.encode(answer)).issues[0]


def flat(issue: dict[str, Any], there: Site, log: list[Any]) -> dict[str, Any]:
    found = told(issue, there, log)
    return flatten(found, there, found.changelog.histories, {})


def hours(number: float) -> str:
    return (CREATED + timedelta(hours=number)).isoformat(timespec="milliseconds")


def move(old: str, new: str, at: float, **more: Any) -> dict[str, Any]:
    return {
        "id": str(int(at * 10)), "at": hours(at), "field": "state", "from": old, "to": new,
        "from_category": CATEGORIES.get(old.lower()), "to_category": CATEGORIES.get(new.lower()),
    } | more  # fmt: skip


def raw(*moves: dict[str, Any], **more: Any) -> dict[str, Any]:
    status = moves[-1]["to"] if moves else "To Do"
    return {
        "id": "10001", "key": "CASE-1", "project": "CASE", "type": "Bug", "summary": "It broke",
        "status": status, "status_category": CATEGORIES.get(status.lower()), "priority": "High",
        "created": hours(0), "updated": hours(100), "reporter": "p1", "history": list(moves),
    } | more  # fmt: skip


def records(content: dict[str, Any], **own: Any) -> list[Record]:
    return list(Normaliser("dev", settings(**own)).records("issues", content))


def only(kind: type[Any], found: list[Record]) -> Any:
    (one,) = (each for each in found if isinstance(each, kind))
    return one


def spans(found: list[Record], field: str = "state") -> list[tuple[Any, ...]]:
    return [
        (each.value, each.original_value, each.started_at, each.ended_at)
        for each in found
        if isinstance(each, Span) and each.field == field
    ]


# -- types, states -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Bug", "bug"), ("story", "story"), ("Task", "task"), ("Sub-task", "task"),
        ("Service Request", "request"), ("[System] Service request", "request"),
        ("[System] Incident", "incident"), ("Change", "change"), ("[System] Problem", "problem"),
        ("New Feature", "task"),
    ],
)  # fmt: skip
def test_types_are_ours_and_theirs_beside(theirs: str, ours: str) -> None:
    ticket = only(Ticket, records(raw(type=theirs)))
    assert (ticket.type, ticket.original_type) == (ours, theirs)
    assert ticket.id == f"dev:{ours}:CASE-1"
    assert ticket.ref == "dev/10001"


def test_the_configuration_names_types_states_and_priorities() -> None:
    own = {
        "types": {"Enabler": "epic", "Bug": "incident"},
        "states": {"parked": "on_hold"},
        "initiative_states": {"Parked": "approved"},
        "priorities": {"P0": 1},
    }
    ticket = only(Ticket, records(raw(status="Parked", priority="p0"), **own))
    assert (ticket.type, ticket.state, ticket.priority) == ("incident", "on_hold", 1)
    epic = only(Initiative, records(raw(type="Enabler", status="Parked"), **own))
    assert (epic.type, epic.state, epic.original_state) == ("epic", "approved", "Parked")


@pytest.mark.parametrize(
    ("status", "category", "ticket_state", "epic_state"),
    [
        ("To Do", "new", "new", "submitted"),
        ("Doing", "indeterminate", "in_progress", "in_progress"),
        ("Done", "done", "resolved", "done"),
        ("Closed", "done", "closed", "done"),
        ("Canceled", "done", "canceled", "rejected"),
        ("Waiting for customer", "indeterminate", "on_hold", "in_progress"),
        ("Strange", None, "other", "other"),
    ],
)
def test_states_come_by_name_and_else_by_category(
    status: str, category: str | None, ticket_state: str, epic_state: str
) -> None:
    content = raw(status=status, status_category=category)
    assert only(Ticket, records(content)).state == ticket_state
    assert only(Initiative, records(content | {"type": "Epic"})).state == epic_state
    assert only(Ticket, records(content)).original_state == status


def test_an_epic_is_an_initiative_with_its_service_and_owner() -> None:
    content = raw(type="Epic", assignee="p2", parent="9", service="Case Management")
    epic = only(Initiative, records(content))
    assert (epic.owner_ref, epic.parent_ref) == ("dev/p2", "dev/9")
    assert (epic.service_name, epic.number, epic.opened_at) == (
        "Case Management",
        "CASE-1",
        CREATED,
    )
    assert only(Initiative, records(raw(type="Epic"))).owner_ref == "dev/p1"


def test_the_service_is_the_field_s_or_the_project_s() -> None:
    own = {"services": {"case": "Case Management"}}
    assert only(Ticket, records(raw(), **own)).service_name == "Case Management"
    assert only(Ticket, records(raw(service="VPN"), **own)).service_name == "VPN"
    assert only(Ticket, records(raw())).service_name is None


# -- history -------------------------------------------------------------------------------------


def test_every_stretch_of_status_is_a_span_and_none_is_missing() -> None:
    found = records(raw(move("To Do", "Doing", 2), move("Doing", "Done", 5)))
    at = [CREATED + timedelta(hours=n) for n in (0, 2, 5)]
    assert spans(found) == [
        ("new", "To Do", at[0], at[1]),
        ("in_progress", "Doing", at[1], at[2]),
        ("resolved", "Done", at[2], None),
    ]
    assert {each.ticket_ref for each in found if isinstance(each, Span)} == {"dev/10001"}
    assert spans(records(raw())) == [("new", "To Do", CREATED, None)]
    assert spans(records(raw(type="Epic")))[0][0] == "submitted"


def test_opening_again_is_counted_and_takes_the_resolution_back() -> None:
    steps = [move("To Do", "Done", 1), move("Done", "Doing", 2), move("Doing", "Closed", 3),
             move("Closed", "To Do", 4)]  # fmt: skip
    for count, reopened, resolved in ((1, 0, 1), (2, 1, None), (3, 1, 3), (4, 2, None)):
        ticket = only(Ticket, records(raw(*steps[:count], resolutiondate=None)))
        assert ticket.reopen_count == reopened
        at = None if resolved is None else CREATED + timedelta(hours=resolved)
        assert ticket.resolved_at == at
    stale = only(Ticket, records(raw(*steps[:2], resolutiondate=hours(1))))
    assert stale.resolved_at is None


def test_a_resolution_date_beats_the_last_move() -> None:
    ticket = only(Ticket, records(raw(move("To Do", "Closed", 3), resolutiondate=hours(2))))
    assert ticket.resolved_at == ticket.closed_at == CREATED + timedelta(hours=2)
    canceled = only(Ticket, records(raw(move("To Do", "Canceled", 3), resolutiondate=hours(2))))
    assert (canceled.resolved_at, canceled.closed_at) == (None, CREATED + timedelta(hours=2))


def test_what_is_not_known_of_the_history_is_not_made_up() -> None:
    ticket = only(Ticket, found := records(raw(history=None)))
    assert ticket.reopen_count is None
    assert spans(found) == []
    assert only(Ticket, records(raw(move("To Do", "Gone", 1)))).reopen_count is None
    own = {"states": {"Gone": "closed"}}
    assert only(Ticket, records(raw(move("Gone", "To Do", 1)), **own)).reopen_count == 1


def test_teams_have_their_stretches_too() -> None:
    change = {"id": "5", "at": hours(3), "field": "team", "from": "", "to": "Blue"}
    found = spans(records(raw(team="Blue", history=[change])), "team")
    assert found == [("Blue", "Blue", CREATED + timedelta(hours=3), None)]
    assert spans(records(raw(team="Red")), "team") == [("Red", "Red", CREATED, None)]


# -- links ---------------------------------------------------------------------------------------


def links(found: list[Record]) -> set[tuple[str, str | None]]:
    return {
        (each.named_in, each.to_number or each.to_ref) for each in found if isinstance(each, Link)
    }


def test_other_records_are_named_by_field_text_and_link() -> None:
    content = raw(
        demand=" DMND0001004 ", summary="INC0010023 again",
        description="From DMND0001004, see RITM0012345, RITM0012345 and XINC00100231, CASE-2.",
        links=[{"id": "77", "type": "Relates", "issue": "10002", "key": "CASE-2"}],
    )  # fmt: skip
    found = records(content)
    assert links(found) == {
        ("field", "DMND0001004"), ("text", "INC0010023"), ("text", "RITM0012345"),
        ("link", "dev/10002"),
    }  # fmt: skip
    assert {each.from_ref for each in found if isinstance(each, Link)} == {"dev/10001"}
    own = {"number_pattern": r"CASE-\d+"}
    assert ("text", "CASE-2") in links(records(content, **own))
    told = {("field", "Demand 12")}
    assert links(records(raw(demand="Demand 12"))) == told


# -- satisfaction, service levels ----------------------------------------------------------------


def test_a_rating_is_answered_feedback_on_one_to_five() -> None:
    content = raw(
        move("To Do", "Done", 5), satisfaction=4, satisfaction_field="customfield_3",
        satisfaction_comment="Thanks!", reporter_email="p9",
    )  # fmt: skip
    found = records(content)
    feedback = only(Feedback, found)
    assert (feedback.state, feedback.invited_at) == ("answered", None)
    assert feedback.answered_at == CREATED + timedelta(hours=5)
    assert (feedback.ticket_ref, feedback.person_ref) == ("dev/10001", "dev/p1")
    assert feedback.contact == "p9"
    rating, comment = (each for each in found if isinstance(each, Answer))
    assert (rating.value, rating.scale_min, rating.scale_max) == (4, 1, 5)
    assert (comment.text, comment.value) == ("Thanks!", None)
    field = {"id": "customfield_3", "custom": "com.atlassian.servicedesk:sd-request-feedback"}
    questions = list(Normaliser("dev", settings()).records("fields", field))
    assert [each.ref for each in questions] == [rating.question_ref, comment.question_ref]
    assert isinstance(questions[0], Question)
    assert (questions[0].scale_min, questions[0].scale_max) == (1, 5)
    dated = only(Feedback, records(content | {"satisfaction_date": hours(7)}))
    assert dated.answered_at == CREATED + timedelta(hours=7)
    assert not [each for each in records(raw()) if isinstance(each, Feedback)]


def test_any_other_field_asks_nothing() -> None:
    field = {"id": "customfield_4", "custom": "com.example:text"}
    assert list(Normaliser("dev", settings()).records("fields", field)) == []


def test_cycles_of_service_levels_are_outcomes() -> None:
    base = {"field": "customfield_9", "name": "Time to resolution", "start": hours(0)}
    content = raw(slas=[
        base | {"number": 1, "stop": hours(4), "due": hours(3), "breached": True},
        base | {"number": 2, "due": hours(9), "breached": False, "paused": True},
        base | {"number": 1, "field": "customfield_8", "name": "Time to first response"},
    ])  # fmt: skip
    first, second, third = (each for each in records(content) if isinstance(each, SlaOutcome))
    assert (first.stage, first.breached, first.target) == ("completed", True, "resolution")
    assert first.ended_at == CREATED + timedelta(hours=4)
    assert (second.stage, second.breached, second.ended_at) == ("paused", False, None)
    assert (third.stage, third.target, third.breached) == ("in_progress", "response", None)


# -- flattening ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("VPN", "VPN"), ("", None), (None, None), (7, "7"), (7.5, "7.5"), (True, "true"),
        ({"id": "1", "value": "VPN", "child": {"value": "EU"}}, "VPN"),
        ([{"value": "VPN"}, {"value": "Mail"}], "VPN"), ([], None), (["", "x"], "x"),
        ({"name": "VPN"}, "VPN"), ([{"objectId": "4", "label": "VPN"}], "VPN"),
        ({"accountId": "557058:1", "displayName": "Jo Doe", "name": "jo"}, None),
        ([{"emailAddress": "a@example.com", "displayName": "Jo Doe"}], None), ({}, None),
    ],
)  # fmt: skip
def test_a_field_of_any_kind_is_what_people_read_and_never_a_person(
    value: Any, text: str | None
) -> None:
    assert shown(value) == text


def test_how_people_are_called_is_not_even_decoded() -> None:
    jo = {"accountId": "557058:1", "name": "jo", "displayName": "Jo Doe", "avatarUrls": {"x": "Jo"}}
    fields = {
        "reporter": jo,
        "assignee": jo,
        "project": {"key": "CASE", "lead": jo},
        "issuelinks": [{"id": "1", "outwardIssue": {"id": "2", "fields": {"reporter": jo}}}],
    }
    log = [{"id": "1", "author": jo, "created": hours(1), "items": []}]
    assert "Jo" not in repr(told({"id": "1", "key": "CASE-1", "fields": fields}, site(), log))


@pytest.mark.parametrize(
    ("field", "text"), [("project", "Cases"), ("status", "To Do"), ("reporter", None)]
)
def test_a_field_of_jiras_own_may_name_the_service_but_no_person(
    field: str, text: str | None
) -> None:
    fields = {
        "project": {"key": "CASE", "name": "Cases"},
        "status": {"name": "To Do"},
        "reporter": {"accountId": "557058:1", "displayName": "Jo", "name": "jo"},
    }
    issue = {"id": "1", "key": "CASE-1", "fields": fields}
    assert flat(issue, site(service=field), [])["service"] == text


def test_the_history_keeps_states_and_teams_and_no_authors() -> None:
    entries = [
        {"id": "2", "author": {"accountId": "a"}, "created": 1_772_355_600_000, "items": [
            {"field": "status", "fieldId": "status", "from": "10", "fromString": "Renamed",
             "to": "99", "toString": "Done"},
            {"field": "assignee", "fieldId": "assignee", "to": "a", "toString": "Jo Doe"},
            {"field": "Squad", "fieldId": "customfield_7", "fromString": None, "toString": "Blue"},
        ]},
        {"id": "1", "created": "2026-03-01T08:00:00.000+0000", "items": [
            {"field": "Squad", "fromString": None, "toString": "Red"}, "odd"]},
        "odd",
    ]  # fmt: skip
    issue = {"id": "1", "key": "A-1", "fields": {}}
    history = flat(issue, site(team="customfield_7"), entries)["history"]
    assert [(each["id"], each["field"]) for each in history] == [
        ("1", "team"), ("2", "state"), ("2", "team"),
    ]  # fmt: skip
    assert (history[1]["from_category"], history[1]["to_category"]) == ("new", "done")
    assert history[1]["at"] == "2026-03-01T09:00:00.000+00:00"
    assert "Jo Doe" not in json.dumps(history)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["id", "key", "name", "value", "items", "created", "rating", "fields",
                         "statusCategory", "completedCycles", "startTime", "epochMillis",
                         "outwardIssue", "field", "accountId", "comment"]), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
ROLES = {"service": "cf1", "demand": "cf2", "team": "cf3", "parent": "cf4",
         "satisfaction": ("cf5",), "satisfaction_date": "cf6",
         "slas": {"cf7": "Time to resolution"}}  # fmt: skip
FIELDS = ["summary", "description", "issuetype", "status", "project", "priority", "resolution",
          "resolutiondate", "created", "reporter", "assignee", "parent", "issuelinks", "cf1",
          "cf2", "cf3", "cf4", "cf5", "cf6", "cf7"]  # fmt: skip


@given(fields=st.dictionaries(st.sampled_from(FIELDS), ANY), history=st.lists(ANY, max_size=3))
def test_whatever_a_field_holds_it_costs_that_record_at_most(
    fields: dict[str, Any], history: list[Any]
) -> None:
    issue = {"id": "1", "key": "A-1", "fields": {"updated": hours(1), **fields}}
    kept = flat(issue, site(**ROLES), history)
    assert not [name for name in ("reporter", "reporter_email", "assignee")
                if not isinstance(kept[name], str | None)]  # fmt: skip
    try:
        found = records(kept)
    except RecordError:
        return
    msgspec.json.encode(found)


# -- real issues ---------------------------------------------------------------------------------


def real(name: str) -> Iterator[dict[str, Any]]:
    file = DATA / "jira_public" / name
    if not file.exists():
        pytest.skip(f"{file.name} is not on this machine")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def test_issues_of_a_public_cloud_site_become_records() -> None:
    roles = {"parent": "customfield_10014", "service": "customfield_10029"}
    states = set()
    for issue in real("jiraecosystem_issues.jsonl.gz"):
        found = records(flat(issue, site(**roles), []))
        ticket = only(Ticket, found)
        assert ticket.number == issue["key"]
        assert ticket.requester_ref == f"dev/{issue['fields']['reporter']['accountId']}"
        assert ticket.opened_at <= ticket.updated_at
        states.add(ticket.state)
    assert states == {"new", "in_progress", "resolved"}


def test_issues_of_a_public_server_site_become_records() -> None:
    count = 0
    for row in real("apache_jira_scrape.jsonl.gz"):
        fields = {
            "summary": row["title"], "description": row["description"],
            "status": {"name": row["status"]}, "priority": {"name": row["priority"]},
            "issuetype": {"name": "Bug"}, "reporter": {"name": row["reporter"]},
            "created": row["created"], "updated": row["updated"],
        }  # fmt: skip
        issue = {"id": row["issue_id"], "key": row["issue_id"], "fields": fields}
        ticket = only(Ticket, records(flat(issue, site(), [])))
        assert (ticket.state == "closed") == (row["status"] == "Closed")
        assert ticket.priority in {1, 2, 3, 4, 5}
        count += 1
    assert count == 314


def test_a_real_history_of_states_has_no_gaps() -> None:
    file = DATA / "jira_aea_history" / "jira_history.csv.gz"
    if not file.exists():
        pytest.skip(f"{file.name} is not on this machine")
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        entries = defaultdict(list)
        for row in csv.DictReader(lines):
            entries[row["ticket"]].append((row["As.Of.Date"], row["Status"]))
    moved = 0
    for key, seen in entries.items():
        seen.sort(key=lambda each: datetime.fromisoformat(each[0]))
        log = [
            {"id": str(n), "created": at, "items": [
                {"field": "status", "fromString": old, "toString": new}]}
            for n, ((_, old), (at, new)) in enumerate(itertools.pairwise(seen))
            if old != new
        ]  # fmt: skip
        fields = {
            "issuetype": {"name": "Task"}, "status": {"name": seen[-1][1]},
            "created": seen[0][0], "updated": seen[-1][0],
        }  # fmt: skip
        found = records(flat({"id": key, "key": key, "fields": fields}, site(), log))
        stretches = spans(found)
        assert len(stretches) == len(log) + 1
        assert all(a[3] == b[2] for a, b in itertools.pairwise(stretches))
        assert stretches[-1][1] == seen[-1][1]
        assert len({each.ref for each in found}) == len(found)
        moved += len(log)
    assert moved > 3000
