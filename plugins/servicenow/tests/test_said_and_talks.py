"""Beyond tickets and surveys: knowledge, talks, journals, and the names that rows refer to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from vmo_bridge.plugin import AccessError, Record, RecordError, Stream
from vmo_bridge_servicenow import sweep
from vmo_bridge_servicenow.connector import ServiceNow
from vmo_bridge_servicenow.normalise import Normaliser
from vmo_bridge_servicenow.tables import JOURNALS, LABELS, TABLES
from vmo_bridge_servicenow.words import Words

BASE = {"sys_id": "abc", "sys_updated_on": "2026-03-04 05:06:07"}
MADE = {"sys_created_on": "2026-03-01 08:00:00"}
SAID = BASE | MADE | {"article": "k1", "article.short_description": "How to VPN", "user": "u1"}
ENTRY = MADE | {
    "sys_id": "j1", "name": "incident", "element": "comments", "element_id": "t1",
    "value": "Still broken", "sys_created_by": "p7",
}  # fmt: skip
TALK = BASE | {
    "number": "IMS0000001", "state": "closed_complete", "channel": "chat", "opened_for": "u1",
    "opened_at": "2026-03-01 08:00:00", "closed_at": "2026-03-01 08:09:00",
}  # fmt: skip


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def normalise(table: str, row: dict[str, Any]) -> list[Record]:
    tables = {**TABLES, **JOURNALS}
    return list(Normaliser("hd", Words(), "business_service", tables).records(table, row))


def one(table: str, row: dict[str, Any]) -> Any:
    (record,) = normalise(table, row)
    return record


def stream(connector: ServiceNow, name: str) -> Stream:
    return next(each for each in connector.streams if each.name == name)


def read(connector: ServiceNow, name: str) -> list[dict[str, Any]]:
    pieces = connector.slices(stream(connector, name), None, None)
    return [row for piece in pieces for page in connector.read(piece) for row in page.records]


def records(connector: ServiceNow, name: str) -> list[Any]:
    return [each for row in read(connector, name) for each in connector.normalise(name, row)]


# -- what readers say of articles ----------------------------------------------------------------


def test_each_thing_said_of_an_article_is_an_answer_on_its_own_scale() -> None:
    said, *answers = normalise(
        "kb_feedback", SAID | {"rating": "4", "useful": "no", "comments": "Step 3 is missing"}
    )
    assert (said.kind, said.state, said.person_ref) == ("feedback", "answered", "hd/u1")
    assert (said.survey_ref, said.survey) == ("hd/k1", "How to VPN")
    assert (said.answered_at, said.invited_at) == (at("2026-03-01 08:00:00"), None)
    told = [(each.question_ref, each.value, each.scale_min, each.scale_max) for each in answers]
    assert told == [
        ("hd/kb_feedback.rating", 4.0, 1.0, 5.0),
        ("hd/kb_feedback.useful", 0.0, 0.0, 1.0),
        ("hd/kb_feedback.comments", None, None, None),
    ]
    assert answers[2].text == "Step 3 is missing"
    assert {each.feedback_ref for each in answers} == {said.ref}


@pytest.mark.parametrize("nothing", [{}, {"rating": "0", "useful": "", "comments": ""}])
def test_stars_that_were_not_given_are_no_rating(nothing: dict[str, str]) -> None:
    assert normalise("kb_feedback", SAID | nothing) == []
    _, answer = normalise("kb_feedback", SAID | nothing | {"useful": "yes"})
    assert (answer.value, answer.question_ref) == (1.0, "hd/kb_feedback.useful")


def test_the_columns_of_an_answer_are_its_questions(server, connect) -> None:
    questions = {each.ref: each for each in records(connect(), "sys_dictionary")}
    assert {each.removeprefix("helpdesk/") for each in questions} == {
        "kb_feedback.rating", "kb_feedback.useful", "kb_feedback.comments",
    }  # fmt: skip
    rating = questions["helpdesk/kb_feedback.rating"]
    assert (rating.text, rating.scale_min, rating.scale_max) == (
        "Knowledge feedback: Rating",
        1.0,
        5.0,
    )
    answers = [each for each in records(connect(), "kb_feedback") if each.kind == "answer"]
    assert {each.question_ref for each in answers} == {*questions}


# -- journals ------------------------------------------------------------------------------------


def test_a_comment_is_feedback_on_its_ticket_by_whoever_wrote_it() -> None:
    said, answer = normalise("sys_journal_field", ENTRY)
    assert (said.ticket_ref, said.survey) == ("hd/t1", "Comments on tickets")
    assert (said.person_ref, said.contact) == ("hd/p7", "p7")
    assert said.answered_at == said.updated_at == at("2026-03-01 08:00:00")
    assert (answer.text, answer.question_ref) == ("Still broken", "hd/task.comments")
    note, _ = normalise("sys_journal_field", ENTRY | {"element": "work_notes"})
    assert (note.survey, note.original_state) == ("Work notes on tickets", "work_notes")
    own, _ = normalise("sys_journal_field", ENTRY | {"element": "u_diary"})
    assert own.survey == "u_diary"
    assert normalise("sys_journal_field", ENTRY | {"value": ""}) == []
    with pytest.raises(RecordError, match="sys_created_on is empty"):
        normalise("sys_journal_field", ENTRY | {"sys_created_on": ""})


def test_journals_are_read_only_where_they_are_asked_for(server, connect) -> None:
    assert "sys_journal_field" not in [each.name for each in connect().streams]
    asked = connect(journals=True)
    entries = [each for each in records(asked, "sys_journal_field") if each.kind == "feedback"]
    assert len(entries) == len(server.rows("sys_journal_field")) == 25
    texts = {each.text for each in records(asked, "sys_dictionary")}
    assert "Comments on tickets: Additional comments" in texts
    assert "Work notes on tickets: Work notes" in texts


def test_only_journals_of_tickets_that_are_read_are_asked_for(server, connect, wire) -> None:
    connector = connect(journals=True, tables=["problem", "sys_user"])
    assert read(connector, "sys_journal_field") == []
    narrow = connect(journals=True, filters={"sys_journal_field": {"element": ["comments"]}})
    assert {row["element"] for row in read(narrow, "sys_journal_field")} == {"comments"}


def test_a_journal_is_read_by_the_moment_of_its_making(server, connect, wire) -> None:
    connector = connect(journals=True, page_size=10)
    rows = read(connector, "sys_journal_field")
    moments = [(row["sys_created_on"], row["sys_id"]) for row in rows]
    assert moments == sorted(moments)
    assert len(moments) == 25
    asked = [query for query in wire.queries if query.startswith("nameIN")]
    assert len(asked) >= 3
    assert not any("sys_updated_on" in query for query in asked if "element" in query)
    assert connector.changed_at("sys_journal_field", rows[0]) == at(rows[0]["sys_created_on"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"journals": True, "tables": ["sys_user"]}, "journals = true: no table of tickets"),
        ({"filters": {"sys_journal_field": {"element": ["comments"]}}}, "is not read; read are"),
        ({"fields": {"kb_feedback": {"number": "x"}}}, "its columns cannot be chosen"),
        (
            {"journals": True, "fields": {"sys_journal_field": {"number": "x"}}},
            "its columns cannot be chosen",
        ),
        (
            {"further_tables": {"sys_journal_field": {"kind": "team"}}},
            "is read already",
        ),
    ],
)
def test_a_mistake_about_journals_and_knowledge_is_refused_in_words(
    settings, changes, words
) -> None:
    with pytest.raises(ValueError, match=words):
        settings(**changes)


# -- talks ---------------------------------------------------------------------------------------


def test_a_talk_is_a_ticket_that_is_neither_incident_nor_request() -> None:
    talk = one("interaction", TALK | {"short_description": "VPN", "assignment_group": "g1"})
    assert (talk.kind, talk.type, talk.original_type) == ("ticket", "interaction", "interaction")
    assert (talk.requester_ref, talk.team_ref, talk.channel) == ("hd/u1", "hd/g1", "chat")
    assert (talk.state, talk.resolved_at) == ("closed", at("2026-03-01 08:09:00"))
    assert (talk.service_ref, talk.made_sla, talk.business_seconds) == (None, None, None)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [("new", "new"), ("work_in_progress", "in_progress"), ("on_hold", "on_hold"),
     ("closed_abandoned", "canceled"), ("u_odd", "other")],
)  # fmt: skip
def test_a_talk_that_was_not_ended_well_is_not_resolved(theirs: str, ours: str) -> None:
    talk = one("interaction", TALK | {"state": theirs})
    assert (talk.state, talk.original_state, talk.resolved_at) == (ours, theirs, None)


def test_a_talk_names_the_ticket_that_came_of_it(server, connect) -> None:
    link = one("interaction_related_record", BASE | {"interaction": "i1", "task": "t1"})
    assert (link.from_ref, link.to_ref) == ("hd/i1", "hd/t1")
    assert normalise("interaction_related_record", BASE | {"interaction": "i1"}) == []
    connector = connect()
    talks = {each.ref for each in records(connector, "interaction")}
    assert {each.from_ref for each in records(connector, "interaction_related_record")} <= talks


def test_a_survey_about_a_talk_is_tied_to_it() -> None:
    row = BASE | {"number": "AINST1", "state": "complete", "trigger_id": "i1"}
    told = one("asmt_assessment_instance", row | {"trigger_table": "interaction"})
    assert told.ticket_ref == "hd/i1"


# -- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", LABELS)
def test_what_others_refer_to_is_known_by_its_name(connect, table: str) -> None:
    names = records(connect(), table)
    assert names
    assert {(each.kind, each.table, each.field) for each in names} == {("choice", *LABELS[table])}
    assert all(each.ref == f"helpdesk/{each.value}" and each.label for each in names)


def test_a_draft_without_a_name_is_none_yet() -> None:
    assert normalise("kb_knowledge", BASE | {"short_description": ""}) == []


def test_a_request_is_of_the_category_that_its_catalog_item_is_called(server, connect) -> None:
    names = {row["name"] for row in server.rows("sc_cat_item")}
    found = {each.category for each in records(connect(), "sc_req_item")}
    assert found
    assert found <= names
    ticket = BASE | MADE | {"number": "RITM1", "state": "1", "cat_item": "c1"}
    assert one("sc_req_item", ticket).category == "c1"  # where its name is hidden


# -- what is not there, or hidden ----------------------------------------------------------------


def forbid(wire, *tables: str) -> None:
    refusal = {"error": {"message": "Insufficient rights to query records"}, "status": "failure"}

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.rpartition("/")[2] in tables:
            return httpx.Response(403, json=refusal)
        return None

    wire.answer = answer


def test_what_may_not_be_read_is_a_warning_where_nothing_hangs_on_it(connect, wire) -> None:
    forbid(wire, "kb_feedback", "contract_sla", "incident")
    rows = {row.what: row for row in connect().check()}
    assert rows["kb_feedback"].state == rows["contract_sla"].state == "warning"
    assert "Insufficient rights" in rows["kb_feedback"].detail
    assert rows["incident"].state == "failed"


def test_what_is_not_installed_is_a_warning_that_names_its_product(connect) -> None:
    rows = {row.what: row for row in connect().check()}
    assert rows["im_idea_core"].state == "warning"
    assert rows["im_idea_core"].detail == "not there: it comes with Innovation Management"


def test_a_right_that_is_taken_away_in_the_middle_is_no_end(connect, wire, monkeypatch) -> None:
    monkeypatch.setattr(sweep, "_NAMES", 10)
    connector = connect()
    asked = stream(connector, "kb_feedback")
    named, pages = connector.sweep(asked), connector.read(connector.slices(asked, None, None)[0])
    assert named is not None
    assert len(next(named)) == len(next(pages).records) == 10
    forbid(wire, "kb_feedback")
    with pytest.raises(AccessError):
        list(named)
    with pytest.raises(AccessError):
        list(pages)


def test_a_spare_table_that_may_not_be_read_is_empty_and_told(connect, wire) -> None:
    connector = connect()
    forbid(wire, "kb_feedback", "incident")
    asked = stream(connector, "kb_feedback")
    assert read(connector, "kb_feedback") == []
    assert list(connector.sweep(asked) or ()) == []
    assert list(connector.fetch(asked, ["a" * 32])) == []
    assert [each.count for each in connector.tally(asked, [(None, None)])] == [0]
    assert connector.count(asked) == 0
    assert connector.blanks(asked) == ["the whole table"]
    (note,) = connector.notes("kb_feedback")
    assert "give the user the right" in note
    with pytest.raises(AccessError):
        read(connector, "incident")
    forbid(wire)
    assert read(connector, "kb_feedback")
    assert not connector.notes("kb_feedback")
    assert "the whole table" not in connector.blanks(asked)
