"""What is told of survey questions and loose names, and that what is proposed can be pasted."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.cli import vmo_bridge
from vmo_bridge.cli.snippet import question_lines, quoted, tie_lines
from vmo_bridge.records import Answer, Feedback, Question, Record, Service, UserGroup
from vmo_bridge.settings import load_settings
from vmo_bridge.store import Store
from vmo_bridge.value.asking import LooseName, QuestionRow, nearest
from vmo_bridge.value.questions import Proposal

HEAD = "[bridge]\nas_of = 2026-11-01T00:00:00Z\n"
NASTY = 'Is "this" \\ easy?\n\ttab, \x7f and \x00 — 😀 # [x]'


def common(key: str) -> dict[str, Any]:
    moment = datetime(2026, 10, 1, tzinfo=UTC)
    return {"ref": f"poll/{key}", "id": f"poll:{key}", "source": "poll", "updated_at": moment}


def question(key: str, text: str, **more: Any) -> Question:
    return Question(**common(key), text=text, survey="Yearly", **more)


def answered(key: str, answers: dict[str, Any], person: str | None = None, **more: Any) -> list:
    """One answered survey: question to number or text."""
    moment = datetime(2026, 10, 2, tzinfo=UTC)
    feedback = Feedback(
        **common(key), number=key, state="answered", original_state="completed",
        answered_at=moment, person_ref=person, tied_by="custom variable", **more,
    )  # fmt: skip
    return [feedback] + [
        Answer(
            **common(f"{key}-{q}"),
            feedback_ref=feedback.ref,
            question_ref=f"poll/{q}",
            value=None if isinstance(said, str) else float(said),
            text=said if isinstance(said, str) else None,
        )
        for q, said in answers.items()
    ]


RECORDS: Sequence[Record] = [
    Service(**common("payroll"), name="Payroll"),
    Service(**common("telephony"), name="Telephony"),
    UserGroup(**common("field"), name="Field Offices"),
    question("q1", "How satisfied are you?", scale_min=1, scale_max=5),
    question("q2", "Would you recommend us?"),
    question("q3", "How much effort was it?"),
    question("q4", "What should change?", datatype="open_ended"),
    question("q5", NASTY, scale_min=1, scale_max=7),
    question("q6", "How useful was the room?", scale_min=1, scale_max=5),
    question("q7", "How happy are you with the tool?"),
    *[
        record
        for number in range(9)
        for record in answered(
            f"a{number}",
            {"q1": 5, "q2": number + 1, "q3": number % 5 + 1, "q4": "my secret words"}
            | ({"q5": 3} if number < 4 else {})
            | ({"q7": number + 1} if number < 4 else {}),
            service_name="Pay-roll" if number else "ada@agency.example",
            user_group_name="Lunar Base",
            ticket_number=f"INC{number}",
        )
    ],
]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "vmo-bridge.toml"
    path.write_text(HEAD, encoding="utf-8")
    save(path, RECORDS)
    return path


@pytest.fixture
def ask(config: Path) -> Callable[..., Any]:
    def asked(*words: str) -> str:
        result = CliRunner().invoke(vmo_bridge, ["--config", str(config), "questions", *words])
        assert result.exit_code == 0, result.output
        return result.output

    return asked


def save(config: Path, records: Sequence[Record]) -> None:
    with Store(config.parent / "vmo-bridge.db", owner="test") as store, store.transaction():
        placed = [(record, place) for place, record in enumerate(records)]
        store.versions.save(1, datetime(2026, 10, 3, tzinfo=UTC), placed)


def told(ask: Callable[..., str]) -> Any:
    return json.loads(ask("--format", "json"))


def test_each_question_is_listed_with_what_it_may_measure(ask: Callable[..., str]) -> None:
    rows = {row["id"]: row for row in told(ask)["questions"]}
    assert len(rows) == 7
    proposed = {name: row["proposed"]["metric"] for name, row in rows.items()}
    assert proposed == {
        "poll:q1": "csat", "poll:q2": "nps", "poll:q3": "ces", "poll:q4": "comment",
        "poll:q5": "ces", "poll:q6": None, "poll:q7": None,
    }  # fmt: skip
    assert rows["poll:q1"] | {"proposed": None} == {
        "source": "poll", "survey": "Yearly", "id": "poll:q1",
        "question": "How satisfied are you?", "answers": 9, "scale": [1, 5],
        "metric": None, "proposed": None,
    }  # fmt: skip
    assert rows["poll:q3"]["proposed"]["best"] == "low"
    assert rows["poll:q3"]["proposed"]["scale"] == [1, 5]
    assert "observed" in rows["poll:q3"]["proposed"]["why"]


def test_few_answers_are_not_counted_out_and_show_no_scale(ask: Callable[..., str]) -> None:
    rows = {row["id"]: row for row in told(ask)["questions"]}
    assert rows["poll:q7"]["answers"] == "<5"
    assert rows["poll:q6"]["answers"] == 0
    assert "too few answers" in rows["poll:q7"]["proposed"]["why"]
    assert "<5" in ask()


def test_answers_of_one_person_are_no_scale(config: Path, ask: Callable[..., str]) -> None:
    records = [
        record
        for number in range(9)
        for record in answered(f"b{number}", {"q6": number % 5 + 1}, person="poll/al")
    ] + [question("q6", "How pleased are you?")]
    save(config, records)
    rows = {row["id"]: row for row in told(ask)["questions"]}
    assert rows["poll:q6"]["answers"] == 9
    assert rows["poll:q6"]["proposed"]["metric"] is None


def test_what_answers_say_is_never_shown(ask: Callable[..., str]) -> None:
    for shown in (ask(), ask("--format", "json")):
        assert "my secret words" not in shown
        assert "ada@agency.example" not in shown


def test_names_that_lead_nowhere_are_counted_and_the_nearest_is_named(
    ask: Callable[..., str],
) -> None:
    content = told(ask)
    names = {(each["what"], each["name"]): each for each in content["names"]}
    assert names["service", "Pay-roll"] | {} == {
        "what": "service", "name": "Pay-roll", "answers": 8, "nearest": "Payroll"
    }  # fmt: skip
    assert names["service", "(an e-mail address)"]["answers"] == "<5"
    assert names["user group", "Lunar Base"]["nearest"] is None
    assert names["ticket", "INC0"]["answers"] == "<5"
    assert content["names_not_shown"] == 0


def test_only_the_twenty_commonest_names_are_shown(config: Path, ask: Callable[..., str]) -> None:
    records = [
        record
        for number in range(30)
        for record in answered(f"c{number}", {}, ticket_number=f"OLD{number}")
    ]
    save(config, records)
    content = told(ask)
    assert sum(each["what"] == "ticket" for each in content["names"]) == 20
    assert content["names_not_shown"] == 19
    assert "… and 19 more" in ask()


def test_the_snippet_is_pasted_and_maps_what_it_says(config: Path, ask: Callable[..., str]) -> None:
    snippet = told(ask)["snippet"]
    assert snippet in ask()
    config.write_text(HEAD + snippet, encoding="utf-8")
    settings = load_settings(config)
    assert {metric: [each.question for each in asked]
            for metric, asked in settings.feedback.questions.items()} == {
        "csat": ["How satisfied are you?"],
        "nps": ["Would you recommend us?"],
        "ces": ["How much effort was it?", NASTY],
        "comment": ["What should change?"],
    }  # fmt: skip
    assert settings.feedback.questions["nps"][0].scale == (0, 10)
    assert settings.feedback.questions["ces"][0].best == "low"
    (tie,) = settings.feedback.ties
    assert (tie.named, tie.service, tie.user_group) == ("Pay-roll", "Payroll", None)

    content = told(ask)
    mapped = {row["id"]: row["metric"] for row in content["questions"]}
    assert mapped["poll:q5"] == "ces"
    assert mapped["poll:q6"] is None
    assert content["snippet"] == "", "nothing is left to propose"
    assert ("service", "Pay-roll") not in {
        (each["what"], each["name"]) for each in content["names"]
    }
    with Store(config.parent / "vmo-bridge.db") as store:
        tables = store.tables(as_of=datetime(2026, 11, 1, tzinfo=UTC), feedback=settings.feedback)
    assert tables["answers"]["metric"].to_pylist().count("nps") == 9


def test_what_is_there_already_is_not_declared_again(config: Path, ask: Callable[..., str]) -> None:
    config.write_text(HEAD + '[feedback.questions]\ncsat = ["How useful was the room?"]\n')
    content = told(ask)
    assert {row["id"] for row in content["questions"] if row["metric"]} == {"poll:q6"}
    lines = content["snippet"].splitlines()
    assert "[feedback.questions]" not in lines
    assert lines[0].startswith("# [feedback.questions] is there already")
    assert lines[lines.index("csat = [") - 1] == (
        "# csat is there already: put these into its list."
    )


def test_a_store_without_questions_says_so(tmp_path: Path) -> None:
    path = tmp_path / "vmo-bridge.toml"
    path.write_text(HEAD, encoding="utf-8")
    Store(tmp_path / "vmo-bridge.db", owner="test").close()
    result = CliRunner().invoke(vmo_bridge, ["--config", str(path), "questions"])
    assert result.exit_code == 0
    assert "no survey question is known yet" in result.output


def row(text: str, key: str, proposal: Proposal | None) -> QuestionRow:
    return QuestionRow(
        source="poll", survey=None, id=f"poll:{key}", text=text, answers=9, scale=None,
        metric=None, proposal=proposal,
    )  # fmt: skip


def test_a_text_that_is_asked_in_two_ways_goes_by_its_ids() -> None:
    high = Proposal(metric="ces", why="")
    low = Proposal(metric="ces", why="", scale=(1.0, 7.0), best="low")
    same = question_lines([row("Easy?", "1", high), row("Easy?", "2", high)], ())
    assert tomllib.loads("\n".join(same))["feedback"]["questions"]["ces"] == ["Easy?"]
    apart = question_lines([row("Easy?", "1", high), row("Easy?", "2", low)], ())
    assert tomllib.loads("\n".join(apart))["feedback"]["questions"]["ces"] == [
        "poll:1",
        {"question": "poll:2", "scale": [1, 7], "best": "low"},
    ]
    assert question_lines([row("Easy?", "1", None)], ()) == []


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_quoted_as_toml_reads_it(text: str) -> None:
    assert tomllib.loads(f"x = {quoted(text)}")["x"] == text
    ties = tie_lines([LooseName(what="user group", name=text, answers=9, nearest=text)])
    assert tomllib.loads("\n".join(ties)) == {
        "feedback": {"ties": [{"named": text, "user_group": text}]}
    }


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("Payrol", ["Payroll", "Pay and leave"], "Payroll"),
        ("pay-roll (HR)", ["Payroll", "Printing"], "Payroll"),
        ("ÉTUDES", ["Études"], "Études"),
        ("Printing", ["Payroll", "Telephony"], None),
        ("Region 3", ["Region 1", "Region 2"], None),
        ("", ["Payroll"], None),
        ("Payroll", [], None),
    ],
)
def test_the_nearest_name_is_one_that_is_clearly_nearest(
    name: str, known: list[str], expected: str | None
) -> None:
    assert nearest(name, known) == expected
