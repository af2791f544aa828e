"""Real survey answers (NHS England, MIT licence), imported whole and equal to the file."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vmo_bridge.store import Store
from vmo_bridge_files.connector import Files
from vmo_bridge_files.settings import FilesSettings

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "nhs_fft"
LONDON = "Europe/London"
FORMS = {
    "fft": {
        "files": "fft_multilabel*.csv", "id": "Comment ID", "answered_at": "Date",
        "service": "Service type 1", "user_group": "Trust", "person": "Respondent ID",
        "dates": "mixed-day-first", "time_zone": LONDON, "other_columns": "ignore",
        "questions": {
            "FFT categorical answer": {"scale": [1, 5]},
            "Comment sentiment": {"scale": [1, 5]},
            "FFT answer": {},
        },
    },
    "phase1": {
        "files": "fft_phase1*.csv", "id": "row_index", "user_group": "organization",
        "other_columns": "ignore",
        "questions": {"feedback": {}, "criticality": {"scale": [-4, 4]}},
    },
}  # fmt: skip

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"the real survey answers are not there ({DATA})"
)


def plain(name: str) -> list[dict[str, str]]:
    """A file as Python's own csv module reads it."""
    with gzip.open(DATA / f"{name}.csv.gz", "rt", encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def imported(tmp_path: Path, store: Store, sync: Any) -> dict[str, Any]:
    """Both files in the drop folder, synced; the outcomes by stream."""
    folder = tmp_path / "drop"
    folder.mkdir(exist_ok=True)
    for name in ("fft_multilabel_2022", "fft_phase1_label_criticality"):
        packed = (DATA / f"{name}.csv.gz").read_bytes()
        (folder / f"{name}.csv").write_bytes(gzip.decompress(packed))
    settings = FilesSettings.model_validate(
        {"folder": "drop", "forms": FORMS, "settle_seconds": 0, "patience_minutes": 0}
    )
    found: dict[str, Any] = sync(Files("nhs", settings, tmp_path))
    return found


def day(text: str) -> datetime:
    """A date by its parts where they tell it, else day first, as the form declares."""
    one, two, year = map(int, text.split("/"))
    month, date = (one, two) if two > 12 else (two, one)
    return datetime(year, month, date, tzinfo=UTC)


def answers(store: Store, form: str) -> dict[str, list[dict[str, Any]]]:
    """The answers of a form by the text of their question."""
    texts = {row["ref"]: row["text"] for row in store.versions.all("question")}
    found: dict[str, list[dict[str, Any]]] = {}
    for row in store.versions.all("answer"):
        if row["feedback_ref"].startswith(f"nhs/{form}/"):
            found.setdefault(texts[row["question_ref"]], []).append(row)
    return found


def test_every_row_is_there_as_the_file_says(imported: dict[str, Any], store: Store) -> None:
    assert {name: each.problem for name, each in imported.items() if each.problem} == {}
    assert sum(each.quarantined for each in imported.values()) == 0
    rows = plain("fft_multilabel_2022")
    feedback = {
        row["number"]: row for row in store.versions.all("feedback") if row["survey"] == "fft"
    }
    assert len(rows) == len(feedback) == 5683
    assert feedback.keys() == {row["Comment ID"].strip() for row in rows}
    found = answers(store, "fft")
    categorical = Counter(row["FFT categorical answer"] for row in rows)
    values = Counter(row["value"] for row in found["FFT categorical answer"])
    assert {f"{value:g}": n for value, n in values.items() if value is not None} == {
        key: categorical[key] for key in "12345"
    }
    assert values[None] == categorical["6"] + categorical["7"], "not on the scale: kept as text"
    assert {row["scale_max"] for row in found["FFT categorical answer"]} == {5.0}
    sentiment = Counter(row["Comment sentiment"] for row in rows if row["Comment sentiment"])
    assert Counter(f"{row['value']:g}" for row in found["Comment sentiment"]) == sentiment
    comments = Counter(row["FFT answer"] for row in rows)
    assert Counter(row["text"] for row in found["FFT answer"]) == comments


def test_mixed_dates_are_read_and_those_that_could_be_both_are_counted(
    imported: dict[str, Any], store: Store
) -> None:
    rows = plain("fft_multilabel_2022")
    expected = Counter(f"{day(row['Date']):%Y-%m-%d}" for row in rows)
    stored = Counter(
        f"{datetime.fromtimestamp(row['answered_at'], tz=UTC):%Y-%m-%d}"
        for row in store.versions.all("feedback")
        if row["survey"] == "fft"
    )
    assert stored == expected
    could_be_both = [
        row["Date"]
        for row in rows
        if max(map(int, row["Date"].split("/")[:2])) <= 12
        and len(set(map(int, row["Date"].split("/")[:2]))) == 2
    ]
    (note,) = (each for each in imported["fft"].notes if "day first or month first" in each)
    assert note.endswith(f": {len(could_be_both)}")
    assert len(could_be_both) == 1601


def test_dirty_codes_are_kept_as_text_and_told(imported: dict[str, Any], store: Store) -> None:
    rows = plain("fft_phase1_label_criticality")
    found = answers(store, "phase1")
    assert len(found["feedback"]) == len(rows) == 7333
    assert Counter(row["text"] for row in found["feedback"]) == Counter(
        row["feedback"] for row in rows
    )
    codes = Counter(row["criticality"] for row in rows)
    clean = {str(number) for number in range(-4, 5)}
    values = Counter(row["value"] for row in found["criticality"])
    assert {f"{value:g}": n for value, n in values.items() if value is not None} == {
        code: n for code, n in codes.items() if code in clean
    }
    dirty = {code: n for code, n in codes.items() if code not in clean}
    assert Counter(row["text"] for row in found["criticality"] if row["value"] is None) == dirty
    assert sum(dirty.values()) == 27
    told = [each for each in imported["phase1"].notes if "criticality" in each]
    assert len(told) == 2, "no numbers, and numbers outside the scale"


def test_a_second_sync_takes_nothing_again(
    imported: dict[str, Any], store: Store, sync: Any, tmp_path: Path
) -> None:
    settings = FilesSettings.model_validate(
        {"folder": "drop", "forms": FORMS, "settle_seconds": 0, "patience_minutes": 0}
    )
    again = sync(Files("nhs", settings, tmp_path))
    assert (again["fft"].read, again["phase1"].read) == (0, 0)
    assert sum(each.changed for each in again.values()) == 0
    assert store.versions.counts()["feedback"] == 5683 + 7333
