"""Which files are taken, when, and how often: half-written, renamed, edited, and gone ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vmo_bridge.plugin import Slice, SourceError

CSV, XLSX = "onboarding.csv", "onboarding.xlsx"


def keys(store: Any, kind: str = "feedback") -> list[str]:
    return sorted(each["number"] for each in store.versions.all(kind))


@pytest.mark.parametrize(
    "name",
    [
        "onboarding.csv.tmp", "onboarding.xlsx.part", "onboarding.csv.crdownload",
        "onboarding.CSV.TMP",
    ],
)  # fmt: skip
def test_files_that_programs_are_still_writing_are_not_looked_at(
    connect, drop, seen, name: str
) -> None:
    drop.csv(name, drop.rows(1))
    assert seen.raw(connect()) == []


@pytest.mark.parametrize("name", ["~$onboarding.csv", ".onboarding.csv"])
def test_lock_files_and_hidden_files_are_not_looked_at(connect, drop, seen, name: str) -> None:
    drop.csv(name, drop.rows(1))
    assert seen.raw(connect(files="*onboarding*")) == []


def test_folders_and_links_are_not_followed(connect, drop, seen, tmp_path: Path) -> None:
    (drop.path / "onboarding.csv").mkdir()
    (tmp_path / "secret.csv").write_text("ID\n1\n")
    (drop.path / "onboarding-2.csv").symlink_to(tmp_path / "secret.csv")
    assert seen.raw(connect()) == []


def test_a_file_that_just_changed_is_left_alone_until_it_has_settled(
    connect, drop, clock, sync, store
) -> None:
    drop.csv(CSV, drop.rows(1), old=5)
    outcome = sync(connect())["onboarding"]
    assert keys(store) == []
    assert outcome.problem == ""
    assert outcome.notes == ["onboarding.csv: waiting: it changed 5 s ago"]
    clock.go_on(seconds=60)
    outcome = sync(connect())["onboarding"]
    assert (keys(store), outcome.notes) == (["1"], [])


def test_a_clock_that_runs_ahead_over_there_does_not_keep_a_file_waiting(
    connect, drop, clock, sync, store
) -> None:
    drop.csv(CSV, drop.rows(1), old=-7200)
    sync(connect())
    assert keys(store) == []
    clock.go_on(seconds=61)
    sync(connect())
    assert keys(store) == ["1"]


@pytest.mark.parametrize("part", [1, 100, 2000, -1])
def test_a_workbook_that_is_not_whole_is_waited_for_then_told_as_broken(
    connect, drop, clock, sync, store, part: int
) -> None:
    whole = drop.xlsx(XLSX, drop.rows(1, 2)).read_bytes()
    drop.text(XLSX, whole[:part])
    (note,) = sync(connect())["onboarding"].notes
    assert note.startswith("onboarding.xlsx: waiting: it does not open as a workbook")
    clock.go_on(minutes=61)
    problem = sync(connect())["onboarding"].problem
    assert "onboarding.xlsx is broken: it does not open as a workbook" in problem
    assert "nothing was added for 60 minutes; export it again" in problem
    drop.text(XLSX, whole)
    assert sync(connect())["onboarding"].problem == ""
    assert keys(store) == ["1", "2"]


def test_a_file_whose_place_was_reserved_but_not_filled_is_waited_for(
    connect, drop, sync, store
) -> None:
    """Some systems give a copy its full size first: its end is zeros."""
    csv = drop.csv(CSV, drop.rows(1, 2)).read_bytes()
    xlsx = drop.xlsx(XLSX, drop.rows(3)).read_bytes()
    drop.text(CSV, csv[:60] + b"\0" * (len(csv) - 60))
    drop.text(XLSX, b"\0" * len(xlsx))
    notes = sync(connect())["onboarding"].notes
    assert [note.partition(":")[0] for note in notes] == [CSV, XLSX]
    assert all("waiting" in note for note in notes)
    assert keys(store) == []


@pytest.mark.parametrize(
    ("cut", "why"),
    [
        ("\n3,2026-10-0", "its last line has 2 of 5 cells, and no end"),
        ('\n3,2026-10-01 09:00:00,a@b.example,4,"half of a', "a quote is still open at its end"),
        ("\n3,2026-10-01 09:00:00,a@b.example,4,all of i", "its last line has no end"),
    ],
)
def test_a_csv_whose_end_looks_cut_is_waited_for(
    connect, drop, sync, store, cut: str, why: str
) -> None:
    text = drop.csv(CSV, drop.rows(1, 2)).read_text().rstrip()
    drop.text(CSV, text + cut, old=100)
    assert sync(connect())["onboarding"].notes == [f"onboarding.csv: waiting: {why}"]
    assert keys(store) == []


@pytest.mark.parametrize("content", ["", "ID,Comp", 'ID,"Comp'])
def test_a_csv_that_has_no_whole_header_yet_is_waited_for(
    connect, drop, sync, content: str
) -> None:
    drop.text(CSV, content)
    outcome = sync(connect(skip_rows=1) if content == "ID,Comp" else connect())["onboarding"]
    assert len(outcome.notes) == 1
    assert "waiting" in outcome.notes[0]


def test_a_csv_that_never_gets_a_last_newline_is_believed_after_a_while(
    connect, drop, clock, sync, store
) -> None:
    """Google Sheets writes none."""
    text = drop.csv(CSV, drop.rows(1, 2)).read_text().rstrip()
    drop.text(CSV, text, old=100)
    sync(connect())
    assert keys(store) == []
    clock.go_on(minutes=60)
    assert sync(connect())["onboarding"].notes == []
    assert keys(store) == ["1", "2"]


def test_a_csv_that_stays_cut_is_told_as_broken_and_the_others_are_taken(
    connect, drop, clock, sync, store
) -> None:
    drop.text(CSV, ",".join(drop.header) + "\n1,2026", old=100)
    drop.csv("onboarding-2.csv", drop.rows(7))
    sync(connect())
    clock.go_on(minutes=61)
    outcome = sync(connect())["onboarding"]
    assert "onboarding.csv is broken: its last line has 2 of 5 cells" in outcome.problem
    assert keys(store) == ["7"]


def test_a_file_is_taken_once_whatever_its_name(connect, drop, sync, store) -> None:
    drop.csv(CSV, drop.rows(1, 2))
    assert sync(connect())["onboarding"].read == 2
    assert sync(connect())["onboarding"].read == 0
    (drop.path / CSV).rename(drop.path / "onboarding of October.csv")
    assert sync(connect())["onboarding"].read == 0
    drop.csv("onboarding again.csv", drop.rows(1, 2), old=10_000)
    assert sync(connect())["onboarding"].read == 0
    assert keys(store) == ["1", "2"]


def test_the_same_content_twice_is_read_once(connect, drop, seen) -> None:
    drop.csv(CSV, drop.rows(1, 2))
    drop.csv("onboarding copy.csv", drop.rows(1, 2), old=50_000)
    assert [each["key"] for each in seen.raw(connect())] == ["1", "2"]


def test_a_file_that_is_edited_is_taken_again(connect, drop, sync, store) -> None:
    drop.csv(CSV, drop.rows(1, 2))
    sync(connect())
    drop.csv(CSV, [*drop.rows(1), drop.row(2, comment="on second thought")], old=1000)
    outcome = sync(connect())["onboarding"]
    assert (outcome.read, outcome.changed) == (2, 1)
    assert "on second thought" in {each["text"] for each in store.versions.all("answer")}


def test_a_later_longer_export_adds_its_new_rows_only(connect, drop, sync, store) -> None:
    drop.csv("onboarding-1.csv", drop.rows(1, 2, 3), old=5000)
    sync(connect())
    drop.csv("onboarding-2.csv", drop.rows(1, 2, 3, 4), old=100)
    outcome = sync(connect())["onboarding"]
    assert (outcome.read, outcome.changed) == (4, 1)
    assert keys(store) == ["1", "2", "3", "4"]


def test_a_file_that_arrives_late_with_old_answers_is_read_whole(
    connect, drop, sync, store
) -> None:
    drop.csv("onboarding-2.csv", drop.rows(8, 9, day=28))
    sync(connect())
    drop.csv("onboarding-1.csv", drop.rows(1, 2, day=1), old=900_000)
    assert sync(connect())["onboarding"].read == 2
    assert keys(store) == ["1", "2", "8", "9"]


def test_rows_that_a_later_export_lacks_stay(connect, drop, sync, store) -> None:
    drop.csv(CSV, drop.rows(1, 2, 3))
    sync(connect())
    drop.csv(CSV, drop.rows(3), old=100)
    sync(connect())
    (drop.path / CSV).unlink()
    assert sync(connect())["onboarding"].problem == ""
    assert keys(store) == ["1", "2", "3"]


def test_other_settings_read_a_file_again_and_mend_its_answers(connect, drop, sync, store) -> None:
    question = "How satisfied are you?"
    drop.csv(CSV, drop.rows(1, value="Very good"))
    sync(connect())
    assert {each["value"] for each in store.versions.all("answer")} == {None}
    mended = connect(questions={question: {"labels": {"Very good": 5, "Bad": 1}}})
    assert sync(mended)["onboarding"].changed == 1
    (answer,) = (each for each in store.versions.all("answer") if each["text"] == "Very good")
    assert (answer["value"], answer["scale_min"], answer["scale_max"]) == (5.0, 1.0, 5.0)
    (asked,) = (each for each in store.versions.all("question") if each["text"] == question)
    assert (asked["scale_min"], asked["scale_max"]) == (1.0, 5.0)


def test_a_refused_file_stops_neither_its_neighbours_nor_later_ones(
    connect, drop, sync, store
) -> None:
    drop.csv("onboarding-bad.csv", [["Nummer", "Wann"], [1, 2]])
    drop.csv("onboarding-1.csv", drop.rows(1))
    assert "onboarding-bad.csv has no column 'ID'" in sync(connect())["onboarding"].problem
    drop.csv("onboarding-0.csv", drop.rows(2), old=90_000)
    outcome = sync(connect())["onboarding"]
    assert "onboarding-bad.csv" in outcome.problem
    assert keys(store) == ["1", "2"]
    (drop.path / "onboarding-bad.csv").unlink()
    assert sync(connect())["onboarding"].problem == ""
    assert store.marks.slices(1) == []


def test_a_file_that_is_too_large_is_refused(connect, drop, seen) -> None:
    drop.csv(CSV, drop.rows(1, comment="x" * 1_000_000))
    small = connect({"max_megabytes": 1})
    with pytest.raises(SourceError, match=r"onboarding\.csv has 1 MB; 1 are allowed"):
        seen.raw(small)


def test_a_file_that_changes_while_it_is_read_is_read_anew(connect, drop, sync, store) -> None:
    drop.csv(CSV, drop.rows(*range(1, 9)))
    connector = connect({"page_size": 2})
    connector.remember({})
    pages = connector.read(Slice(stream="onboarding"))
    assert [row["key"] for row in next(pages).records] == ["1", "2"]
    drop.csv(CSV, drop.rows(*range(1, 10), comment="new"), old=100)
    assert list(pages) == []
    assert connector.notes("onboarding") == [
        "onboarding.csv: waiting: it changed while it was read"
    ]
    assert sync(connector)["onboarding"].read == 9


def test_the_folder_stays_as_it_is(connect, drop, sync) -> None:
    drop.csv(CSV, drop.rows(1))
    drop.xlsx(XLSX, drop.rows(2))
    drop.text("notes.txt", "of somebody else")
    drop.path.chmod(0o555)
    before = {each.name: each.stat() for each in sorted(drop.path.iterdir())}
    sync(connect())
    list(connect().check())
    after = {each.name: each.stat() for each in sorted(drop.path.iterdir())}
    assert [(n, s.st_mtime_ns, s.st_size) for n, s in before.items()] == [
        (n, s.st_mtime_ns, s.st_size) for n, s in after.items()
    ]
    drop.path.chmod(0o755)
