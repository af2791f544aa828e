"""What answers are about and what they measure: found by name, number and contact, and told how."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from vmo_bridge.records import (
    Answer,
    Feedback,
    Initiative,
    Link,
    Person,
    Question,
    Record,
    Service,
    Ticket,
    UserGroup,
)
from vmo_bridge.settings.model import FeedbackSection
from vmo_bridge.store import Store

NEVER = 4_000_000_000


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def common(ref: str, updated: int = 0) -> dict[str, Any]:
    source, _, key = ref.partition("/")
    return {"ref": ref, "id": f"{source}:{key}", "source": source, "updated_at": at(updated)}


def save(store: Store, *records: Record, seen: int = 0) -> None:
    with store.transaction():
        store.versions.save(1, at(seen), [(record, 0) for record in records])


def view(store: Store, name: str, **feedback: Any) -> list[dict[str, Any]]:
    tables = store.tables(as_of=at(100), feedback=FeedbackSection.model_validate(feedback))
    found: list[dict[str, Any]] = tables[name].to_pylist()
    return found


def said(ref: str = "voices/f", **more: Any) -> Feedback:
    given = {"number": "1", "state": "answered", "original_state": "completed"}
    return Feedback(**common(ref), **(given | {"answered_at": at(50)} | more))


@pytest.fixture
def agency(store: Store) -> Store:
    """Two services, two groups, a person with an address, and a ticket that knows all of them."""
    save(
        store,
        Service(**common("desk/s1"), name="Staff Portal"),
        Service(**common("desk/s2"), name="Telephony"),
        UserGroup(**common("desk/g1"), name="Field Offices"),
        UserGroup(**common("desk/g2"), name="Headquarters"),
        Person(**common("desk/p1"), contact="pseudonym", user_group_ref="desk/g1"),
        Ticket(
            **common("desk/t1"),
            type="incident",
            original_type="incident",
            number="INC0010023",
            state="new",
            original_state="1",
            service_ref="desk/s2",
            user_group_ref="desk/g2",
            opened_at=at(0),
        ),
    )
    return store


def one(store: Store, feedback: Feedback, **settings: Any) -> dict[str, Any]:
    save(store, feedback)
    (row,) = view(store, "feedback", **settings)
    return row


def test_names_numbers_and_addresses_lead_to_records_of_other_sources(agency: Store) -> None:
    row = one(
        agency,
        said(
            contact="pseudonym",
            person_ref="voices/p9",
            ticket_number="INC0010023",
            service_name="STAFF portal",
            user_group_name="headquarters",
            tied_by="custom variable",
        ),
    )
    assert (row["ticket_ref"], row["ticket_by"]) == ("desk/t1", "custom variable")
    assert (row["service"], row["service_by"]) == ("Staff Portal", "custom variable")
    assert (row["user_group"], row["user_group_by"]) == ("Headquarters", "custom variable")
    assert row["person_ref"] == "desk/p1", "one person, whatever source they speak through"


def test_the_respondent_s_group_beats_the_ticket_s(agency: Store) -> None:
    row = one(agency, said(contact="pseudonym", ticket_number="INC0010023", tied_by="column"))
    assert (row["user_group"], row["user_group_by"]) == ("Field Offices", "respondent")
    assert (row["service"], row["service_by"]) == ("Telephony", "ticket")


def test_a_stranger_s_answer_about_a_ticket_counts_for_the_ticket_s_group(agency: Store) -> None:
    row = one(agency, said(contact="nobody", ticket_number="INC0010023", tied_by="column"))
    assert (row["user_group"], row["user_group_by"]) == ("Headquarters", "ticket")
    assert row["person_ref"] is None


def test_what_leads_nowhere_is_not_known_and_stays_readable(agency: Store) -> None:
    row = one(agency, said(service_name="Staf Portal", ticket_number="INC1", tied_by="column"))
    assert (row["service_ref"], row["service_by"]) == (None, None)
    assert (row["ticket_ref"], row["ticket_by"]) == (None, None)
    assert (row["service_name"], row["ticket_number"]) == ("Staf Portal", "INC1")


TIES = [
    {"named": "staf portal", "service": "staff portal"},
    {"survey": "pulse", "service": "Telephony", "user_group": "Headquarters"},
    {"source": "voices", "user_group": "Field Offices"},
]


def test_ties_of_the_configuration_speak_where_the_answer_does_not(agency: Store) -> None:
    row = one(agency, said(survey="Pulse"), ties=TIES)
    assert (row["service"], row["service_by"]) == ("Telephony", "rule")
    assert (row["user_group"], row["user_group_by"]) == ("Headquarters", "rule")


def test_the_first_tie_that_fits_and_says_something_counts(agency: Store) -> None:
    row = one(agency, said(survey="Pulse", service_name="Staf Portal", tied_by="x"), ties=TIES)
    assert (row["service"], row["user_group"]) == ("Staff Portal", "Headquarters")
    row = one(agency, said(survey="Other"), ties=TIES)
    assert (row["service"], row["user_group"]) == (None, "Field Offices")
    row = one(agency, said(survey="Other", service_name="Telephony", tied_by="x"), ties=TIES)
    assert row["service_by"] == "x", "what the answer says itself beats every tie"


def test_an_answer_keeps_the_scale_it_was_asked_on(store: Store) -> None:
    save(store, Question(**common("voices/q"), text="Easy?", scale_min=1, scale_max=5))
    changed = Question(**common("voices/q", 40), text="Easy?", scale_min=1, scale_max=7)
    save(store, changed, seen=40)
    for key, moment in (("old", 39), ("new", 40)):
        save(
            store,
            said(f"voices/{key}", answered_at=at(moment)),
            Answer(
                **common(f"voices/a-{key}"),
                feedback_ref=f"voices/{key}",
                question_ref="voices/q",
                value=5,
            ),
            seen=50,
        )
    own = Answer(
        **common("voices/own"),
        feedback_ref="voices/old",
        question_ref="voices/q",
        value=5,
        scale_min=0,
        scale_max=10,
    )
    save(store, own, seen=50)
    scales = {row["ref"]: row["scale_max"] for row in view(store, "answers")}
    assert scales == {"voices/a-old": 5.0, "voices/a-new": 7.0, "voices/own": 10.0}


def test_a_question_asked_before_its_first_sight_has_its_first_scale(store: Store) -> None:
    save(store, Question(**common("voices/q", 60), text="Easy?", scale_min=1, scale_max=5))
    answer = Answer(**common("voices/a"), feedback_ref="voices/f", question_ref="voices/q", value=3)
    save(store, said(answered_at=at(10)), answer)
    (row,) = view(store, "answers")
    assert (row["scale_min"], row["scale_max"]) == (1.0, 5.0)


def test_the_map_gives_a_scale_and_turns_round_what_runs_the_other_way(store: Store) -> None:
    save(
        store,
        Question(**common("voices/q"), text="How much effort?"),
        said(),
        Answer(**common("voices/a"), feedback_ref="voices/f", question_ref="voices/q", value=2),
    )
    entry = {"question": "How much effort?", "scale": [1, 5], "best": "low"}
    (row,) = view(store, "answers", questions={"ces": [entry]})
    assert (row["metric"], row["value"]) == ("ces", 4.0)
    assert (row["scale_min"], row["scale_max"]) == (1.0, 5.0)
    (row,) = view(store, "answers")
    assert (row["metric"], row["value"], row["scale_max"]) == (None, 2.0, None)


def test_a_question_named_by_its_id_beats_its_text(store: Store) -> None:
    save(
        store,
        Question(**common("voices/q"), text="Happy?", scale_min=1, scale_max=5),
        said(),
        Answer(**common("voices/a"), feedback_ref="voices/f", question_ref="voices/q", value=4),
    )
    (row,) = view(store, "answers", questions={"csat": ["Happy?"], "trust": ["voices:q"]})
    assert row["metric"] == "trust"


def test_links_lead_across_sources_or_nowhere(agency: Store) -> None:
    epic = Initiative(
        **common("jira/10"),
        type="epic",
        number="STAFF-1",
        state="in_progress",
        original_state="In Progress",
        service_name="staff PORTAL",
    )
    save(
        agency,
        epic,
        Link(**common("desk/l1"), from_ref="desk/d1", to_number="STAFF-1", named_in="field"),
        Link(**common("jira/l2"), from_ref=epic.ref, to_number="INC0010023", named_in="text"),
        Link(**common("jira/l3"), from_ref=epic.ref, to_number="DMND1", named_in="text"),
        Link(**common("jira/l4"), from_ref=epic.ref, to_ref="jira/11", named_in="link"),
    )
    found = {row["ref"]: row["to_ref"] for row in view(agency, "links")}
    assert found == {
        "desk/l1": "jira/10", "jira/l2": "desk/t1", "jira/l3": None, "jira/l4": "jira/11"
    }  # fmt: skip
    (row,) = view(agency, "initiatives")
    assert (row["service_ref"], row["service"]) == ("desk/s1", "Staff Portal")
