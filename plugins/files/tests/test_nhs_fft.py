"""Real survey text with mixed dates and dirty codes, imported whole and recounted.

NHS England, Friends and Family Test (CDU-data-science-team/pxtextmining, MIT, 2021). The files
stand beside the repository, never in it.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vmo_bridge_files.dates import AMBIGUOUS

DATA = Path(__file__).parents[4] / "shared" / "data" / "nhs_fft"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"the public data is not at {DATA}")

COMMENTS, CODED = "fft_multilabel_2022.csv", "fft_phase1_label_criticality.csv"
SCORE, COMMENT, WHY = "FFT categorical answer", "FFT answer", "FFT question"


@pytest.fixture
def table(drop: Any) -> Any:
    """Unpack one of the files into the drop folder; gives its rows by a plain reader."""

    def unpacked(name: str) -> list[dict[str, str]]:
        data = gzip.decompress((DATA / f"{name}.gz").read_bytes())
        drop.text(name, data)
        with (drop.path / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return unpacked


def answers_by_question(store: Any) -> dict[str, list[dict[str, Any]]]:
    texts = {each["ref"]: each["text"] for each in store.versions.all("question")}
    found: dict[str, list[dict[str, Any]]] = {text: [] for text in texts.values()}
    for each in store.versions.all("answer"):
        found[texts[each["question_ref"]]].append(each)
    return found


def test_answers_with_mixed_dates_are_imported_whole(connect, sync, store, table) -> None:
    rows = table(COMMENTS)
    outcome = sync(
        connect(
            files=COMMENTS, id="Comment ID", answered_at="Date", email=None,
            person="Respondent ID", service="Service type 1", user_group="Trust",
            time_zone="Europe/London", dates="mixed-day-first", other_columns="ignore",
            questions={
                SCORE: {"scale": [1, 5]}, COMMENT: {}, WHY: {},
                "Comment sentiment": {"scale": [1, 5]},
            },
        )
    )["onboarding"]  # fmt: skip
    assert (len(rows), outcome.read, outcome.quarantined, outcome.problem) == (5683, 5683, 0, "")
    parts = [[int(part) for part in re.split("/", row["Date"])] for row in rows]
    doubtful = sum(a <= 12 and b <= 12 and a != b for a, b, _ in parts)
    outside = sum(row[SCORE] in ("6", "7") for row in rows)
    notes = "\n".join(outcome.notes)
    assert f"{AMBIGUOUS}: {doubtful}" in notes
    assert (
        f"answers to {SCORE!r} outside its scale, kept as text without a value: {outside}" in notes
    )
    assert (doubtful, outside, len(outcome.notes)) == (1601, 259, 2)

    feedback = list(store.versions.all("feedback"))
    months = Counter(
        f"{datetime.fromtimestamp(each['answered_at'], tz=UTC):%Y-%m}" for each in feedback
    )
    # Day first, unless the second part can be no month.
    assert months == Counter(f"{y}-{b:02}" if b <= 12 else f"{y}-{a:02}" for a, b, y in parts)
    groups = Counter(each["user_group_name"] for each in feedback)
    assert groups == Counter(row["Trust"] for row in rows)
    people = {each["person_ref"] for each in feedback}
    assert len(people) == len({row["Respondent ID"] for row in rows})

    found = answers_by_question(store)
    scores = Counter(each["value"] for each in found[SCORE])
    expected = Counter(
        float(row[SCORE]) if row[SCORE] in "12345" else None for row in rows if row[SCORE]
    )
    assert scores == expected
    assert Counter(each["text"] for each in found[SCORE] if each["value"] is None) == {
        "7": 238, "6": 21,
    }  # fmt: skip
    sentiment = Counter(each["value"] for each in found["Comment sentiment"])
    assert sentiment == Counter(
        float(row["Comment sentiment"]) for row in rows if row["Comment sentiment"]
    )
    assert Counter(each["text"] for each in found[COMMENT]) == Counter(
        row[COMMENT] for row in rows if row[COMMENT].strip()
    )
    assert len(found[WHY]) == len(rows)


def test_strict_dates_set_apart_exactly_those_that_cannot_be_read(
    connect, sync, store, table
) -> None:
    rows = table(COMMENTS)
    outcome = sync(
        connect(
            files=COMMENTS, id="Comment ID", answered_at="Date", email=None, dates="day-first",
            time_zone="Europe/London", other_columns="ignore", questions={COMMENT: {}},
        )
    )["onboarding"]  # fmt: skip
    impossible = {row["Comment ID"] for row in rows if int(row["Date"].split("/")[1]) > 12}
    apart = store.raw.quarantined()
    assert {each.key for each in apart} == impossible
    assert all("(answered_at): '" in each.reason and "is no date" in each.reason for each in apart)
    assert (outcome.quarantined, len(impossible)) == (224, 224)
    assert store.versions.counts()["feedback"] == len(rows) - 224


def test_dirty_codes_are_kept_as_text_and_told(connect, sync, store, table) -> None:
    rows = table(CODED)
    outcome = sync(
        connect(
            files=CODED, id="row_index", answered_at=None, email=None, user_group="organization",
            time_zone=None, ignore=["code"],
            questions={"feedback": {}, "criticality": {"scale": [-4, 4]}},
        )
    )["onboarding"]  # fmt: skip
    assert (len(rows), outcome.read, outcome.quarantined) == (7333, 7333, 0)
    assert outcome.problem == ""
    found = answers_by_question(store)
    assert set(found) == {"label", "subcategory", "feedback", "criticality", "question"}
    clean = [f"{number}" for number in range(-4, 5)]
    assert Counter(each["value"] for each in found["criticality"] if each["value"] is not None) == (
        Counter(float(row["criticality"]) for row in rows if row["criticality"] in clean)
    )
    dirty = Counter(each["text"] for each in found["criticality"] if each["value"] is None)
    assert dirty == Counter(row["criticality"] for row in rows if row["criticality"] not in clean)
    assert set(dirty) == {"-9", "-6", "-o", "SS", "A", "cc", "NA"}
    notes = "\n".join(outcome.notes)
    outside = dirty["-9"] + dirty["-6"]
    assert f"'criticality' outside its scale, kept as text without a value: {outside} " in notes
    words = sum(dirty.values()) - outside
    assert f"'criticality' that are no numbers, kept as text without a value: {words} " in notes
    assert len(outcome.notes) == 2
    assert Counter(each["text"] for each in found["feedback"]) == Counter(
        row["feedback"] for row in rows
    )
    assert Counter(each["text"] for each in found["label"]) == Counter(
        row["label"] for row in rows if row["label"].strip()
    )


def test_the_same_answers_as_a_workbook_are_the_same_records(connect, drop, seen, table) -> None:
    rows = table(COMMENTS)[:400]
    header = ["Comment ID", "Date", SCORE, COMMENT]
    drop.xlsx("fft.xlsx", [header, *([row[name] for name in header] for row in rows)])
    form = {
        "id": "Comment ID", "answered_at": "Date", "email": None, "other_columns": "ignore",
        "time_zone": "Europe/London", "dates": "mixed-day-first",
        "questions": {SCORE: {"scale": [1, 5]}, COMMENT: {}},
    }  # fmt: skip
    from_xlsx = {each["key"]: each for each in seen.raw(connect(files="fft.xlsx", **form))}
    from_csv = {each["key"]: each for each in seen.raw(connect(files=COMMENTS, **form))}
    assert from_xlsx == {key: from_csv[key] for key in from_xlsx}
    assert len(from_xlsx) == 400
