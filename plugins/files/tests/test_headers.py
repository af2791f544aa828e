"""Columns are found by name, whatever forms do to names; what is not there is told by name."""

from __future__ import annotations

from typing import Any

import pytest

from vmo_bridge.plugin import SourceError
from vmo_bridge_files.headers import column_key, plain, position, unique

CSV = "onboarding.csv"


@pytest.mark.parametrize(
    "header",
    [
        "Completion time", "completion TIME", " Completion  time ", "Completion\u00a0time",
        "Completion time*", "Completion time *", "\ufeffCompletion time", "Completion\ntime",
        "Completion\u200b time",
    ],
)  # fmt: skip
def test_case_blanks_and_stars_do_not_tell_columns_apart(connect, drop, seen, header: str) -> None:
    rows = drop.rows(1)
    rows[0] = ["ID", header, *rows[0][2:]]
    drop.csv(CSV, rows)
    (feedback,) = seen.feedback(connect())
    assert feedback.answered_at.isoformat() == "2026-10-01T13:01:00+00:00"


@pytest.mark.parametrize("header", ["Email2", "Email 2", "Email (2)", "Email.1", "email_2 *"])
def test_a_number_that_a_form_adds_to_a_title_does_not_hide_it(
    connect, drop, seen, header: str
) -> None:
    rows = drop.rows(1)
    rows[0] = [*rows[0][:2], header, *rows[0][3:]]
    drop.csv(CSV, rows)
    (feedback,) = seen.feedback(connect())
    assert (feedback.contact or "").startswith("p")


def test_a_name_that_could_be_two_columns_is_none() -> None:
    assert position("Email", ["email2", "email3"]) is None
    assert position("Email", ["email", "email3"]) == 0
    assert position("Question 1", ["question 2"]) is None


def test_the_order_of_columns_does_not_matter(connect, drop, seen) -> None:
    rows = drop.rows(1, 2)
    drop.csv(CSV, rows)
    straight = seen.records(connect()) + seen.records(connect(), "onboarding.questions")
    drop.csv(CSV, [row[::-1] for row in rows])
    turned = seen.records(connect()) + seen.records(connect(), "onboarding.questions")
    assert {each.ref: each for each in straight} == {each.ref: each for each in turned}


def test_two_columns_of_one_name_are_two_questions(connect, drop, seen) -> None:
    rows = drop.rows(1)
    drop.csv(CSV, [[*rows[0], "Comment", "comment *"], [*rows[1], "second", "third"]])
    assert seen.answers(connect())["Comment"] == [(None, "fine"), (None, "second")]
    assert len({each.id for each in seen.records(connect(), "onboarding.questions")}) == 4


def test_a_vanished_column_refuses_that_file_and_names_the_nearest(connect, drop, seen) -> None:
    drop.csv("onboarding-1.csv", [["ID", "Completion date", "Email", "Comment"], [1, 2, 3, 4]])
    drop.csv("onboarding-2.csv", drop.rows(5))
    connector = connect(questions={})
    with pytest.raises(
        SourceError,
        match=r"onboarding: onboarding-1\.csv has no column 'Completion time' \(answered_at\); "
        r"the nearest is 'Completion date'",
    ):
        seen.raw(connector)


def test_a_described_question_that_vanished_refuses_the_file(connect, drop, seen) -> None:
    drop.csv(CSV, [[*drop.header[:3], "Rate us"], [1, "2026-10-01 09:00:00", "", 5]])
    with pytest.raises(SourceError, match=r"no column 'How satisfied are you\?' \(a question\)"):
        seen.raw(connect())


def test_a_file_without_a_header_is_refused_without_its_first_answer(connect, drop, seen) -> None:
    drop.csv(CSV, drop.rows(1)[1:])
    with pytest.raises(SourceError, match=r"no column 'ID' \(id\); none comes near") as refused:
        seen.raw(connect())
    assert "user1" not in str(refused.value)


def test_a_header_that_stands_lower_is_told(connect, drop, seen) -> None:
    drop.xlsx("onboarding.xlsx", [[""] * 3, ["Report of October"], *drop.rows(1)])
    with pytest.raises(SourceError, match="has an empty header; set skip_rows"):
        seen.raw(connect())
    assert len(seen.feedback(connect(skip_rows=2))) == 1


def test_a_changed_header_is_told_once(connect, drop, sync, store) -> None:
    drop.csv("onboarding-1.csv", drop.rows(1), old=9000)
    assert sync(connect())["onboarding"].notes == []
    rows = drop.rows(2)
    rows[0] = [*rows[0][:4], "Comments"]
    drop.csv("onboarding-2.csv", [[*each, "x"] for each in rows], old=8000)
    check = connect()
    check.remember(dict(store.memory("drop")))
    told = "onboarding-2.csv: 'comment' is called 'comments' now and counts as another column; "
    warnings = [each.detail for each in check.check() if each.state == "warning"]
    assert warnings == [told + "'x' is new"]
    assert sync(connect())["onboarding"].notes == [told + "'x' is new"]
    assert sync(connect())["onboarding"].notes == []
    check.remember(dict(store.memory("drop")))
    assert [each.detail for each in check.check() if each.state == "warning"] == []
    drop.csv("onboarding-3.csv", [[*each[::-1], "x"] for each in drop.rows(3)], old=7000)
    assert sync(connect())["onboarding"].notes == [
        "onboarding-3.csv: 'comments' is called 'comment' now and counts as another column"
    ]
    drop.csv("onboarding-4.csv", [[*each, "x"] for each in drop.rows(4)], old=6000)
    assert sync(connect())["onboarding"].notes == [
        "onboarding-4.csv: the columns stand in another order"
    ]


def test_a_new_column_becomes_a_question(connect, drop, sync, store) -> None:
    drop.csv("onboarding-1.csv", drop.rows(1), old=9000)
    sync(connect())
    rows = drop.rows(2)
    drop.csv("onboarding-2.csv", [[*rows[0], "Was it easy?"], [*rows[1], "yes"]], old=8000)
    sync(connect())
    texts = {each["text"] for each in store.versions.all("question")}
    assert texts == {"How satisfied are you?", "Comment", "Was it easy?"}


def test_questions_get_no_version_by_more_rows_or_files(connect, drop, sync, store) -> None:
    for number in range(1, 6):
        drop.csv(f"onboarding-{number}.csv", drop.rows(number), old=9000 - number)
        sync(connect())
    (drop.path / "onboarding-1.csv").unlink()
    sync(connect())
    (history,) = store._db.execute("select count(*) from question_history").fetchone()
    assert (store.versions.counts()["question"], history) == (2, 0)


def test_another_wording_of_the_same_question_is_a_new_version(connect, drop, sync, store) -> None:
    drop.csv("onboarding-1.csv", drop.rows(1), old=9000)
    sync(connect())
    rows = drop.rows(2)
    rows[0] = [*rows[0][:4], "COMMENT *"]
    drop.csv("onboarding-2.csv", rows, old=8000)
    sync(connect())
    texts = [each["text"] for each in store.versions.all("question")]
    assert sorted(texts) == ["COMMENT *", "How satisfied are you?"]
    assert store.versions.counts()["question"] == 2


def test_people_and_places_are_dropped_unless_they_are_mapped(connect, drop, seen) -> None:
    people = ["Name", "E-mail address", "IP Address", "RecipientLastName", "LocationLatitude"]
    rows = drop.rows(1)
    secret = ["Jo Doe", "jo@example.org", "203.0.113.9", "Doe", "38.9"]
    drop.csv(CSV, [[*rows[0], *people], [*rows[1], *secret]])
    connector = connect(email=None)
    said = repr(seen.raw(connector)) + repr(list(connector.check()))
    assert not [each for each in [*secret, "user1@example.org"] if each in said]
    (told,) = (each.detail for each in connector.check() if each.what == "onboarding.questions")
    assert "not read: 'Email', 'Name', 'E-mail address', 'IP Address'" in told


def test_a_person_who_is_mapped_becomes_a_pseudonym(connect, drop, seen) -> None:
    rows = drop.rows(1)
    drop.csv(CSV, [[*rows[0], "Name"], [*rows[1], "Jo Doe"]])
    connector = connect(person="Name")
    (feedback,) = seen.feedback(connector)
    assert feedback.person_ref.startswith("drop/person/p")
    assert "Jo Doe" not in repr(seen.raw(connector))
    assert "user1@" not in repr(seen.raw(connector))


@pytest.mark.parametrize("nobody", ["anonymous", "Anonymous", "n/a", "-", ""])
def test_people_who_stay_anonymous_do_not_become_one_person(
    connect, drop, seen, nobody: str
) -> None:
    rows = drop.rows(1)
    rows[1][2] = nobody
    drop.csv(CSV, rows)
    (feedback,) = seen.feedback(connect())
    assert feedback.contact is None


def test_a_personal_header_can_be_asked_for_as_a_question(connect, drop, seen) -> None:
    drop.csv(CSV, [["ID", "Completion time", "Name"], [1, "2026-10-01 09:00:00", "Form of 2026"]])
    connector = connect(email=None, questions={"Name": {}})
    assert seen.answers(connector) == {"Name": [(None, "Form of 2026")]}


def test_columns_that_are_ignored_are_neither_read_nor_stored(connect, drop, seen) -> None:
    drop.csv(CSV, drop.rows(1, comment="please ignore me"))
    connector = connect(ignore=["COMMENT", "not there"])
    assert set(seen.answers(connector)) == {"How satisfied are you?"}
    assert "ignore me" not in repr(seen.raw(connector))
    only = connect(other_columns="ignore")
    assert set(seen.answers(only)) == {"How satisfied are you?"}


def test_qualtrics_writes_three_header_rows(connect, drop, seen) -> None:
    header = [
        ["ResponseId", "RecordedDate", "Q1", "Q2_TEXT"],
        ["Response ID", "Recorded Date", "How satisfied\nare you?", "What else?"],
        ['{"ImportId":"_recordId"}', '{"ImportId":"recordedDate"}', '{"ImportId":"QID1"}', "{}"],
    ]
    drop.csv(CSV, [*header, ["R_1", "2026-10-01 09:00:00", "5", "no"]])
    connector = connect(
        id="ResponseId", answered_at="RecordedDate", email=None, time_zone="UTC",
        header_rows=3, text_row=2, questions={"Q1": {"scale": [1, 5]}},
    )  # fmt: skip
    assert seen.answers(connector) == {
        "How satisfied are you?": [(5.0, None)],
        "What else?": [(None, "no")],
    }


def test_keys_of_columns_are_readable_and_their_own() -> None:
    assert column_key("how satisfied are you?").startswith("how-satisfied-are-you-")
    assert column_key("日本語").startswith("column-")
    assert column_key("a?") != column_key("a!")
    assert unique(["a", "b", "a", "", ""]) == ["a", "b", "a (2)", "", ""]
    assert plain("*") == "*"


def test_the_check_tells_of_files_of_no_form_and_of_two(connect, drop, tmp_path: Any) -> None:
    drop.csv(CSV, drop.rows(1))
    drop.csv("exit.csv", drop.rows(1))
    drop.text("budget.xlsx", "PK")
    both = {"exit": {"files": "*.csv", "id": "ID"}}
    connector = connect({"forms": {"onboarding": drop.form, **both}})
    told = {each.what: each.detail for each in connector.check()}
    assert told["budget.xlsx"] == "no form's files have such a name"
    assert told[CSV] == "is read for more than one form: onboarding, exit"
    assert "files: 1, taken: 0" in told["onboarding"]


def test_the_check_tells_each_file_that_is_refused_or_waited_for(connect, drop) -> None:
    drop.csv("onboarding-1.csv", [["Nummer"], [1]])
    drop.csv("onboarding-2.csv", drop.rows(1), old=3)
    rows = [(each.what, each.state, each.detail) for each in connect().check()]
    assert (
        "onboarding",
        "warning",
        "no file yet; onboarding-2.csv waits: it changed 3 s ago",
    ) in rows
    assert [detail for _, state, detail in rows if state == "failed"] == [
        "onboarding-1.csv has no column 'ID' (id); none comes near"
    ]


def test_the_check_without_a_folder_fails_for_each_stream(connect, drop) -> None:
    rows = list(connect({"folder": "nowhere"}).check())
    assert [(each.what, each.state) for each in rows] == [
        ("onboarding.questions", "failed"),
        ("onboarding", "failed"),
    ]
    assert "nowhere is not there; mount it, or mend connectors.drop.folder" in rows[0].detail


def test_a_question_stays_as_old_as_the_first_file_that_asked_it(connect, drop, seen) -> None:
    connector = connect()
    connector.remember({})
    drop.csv("onboarding-1.csv", drop.rows(1), old=9000)
    first = seen.raw(connector, "onboarding.questions")
    drop.csv("onboarding-2.csv", drop.rows(2), old=8000)
    (drop.path / "onboarding-1.csv").unlink()
    assert seen.raw(connector, "onboarding.questions") == first
