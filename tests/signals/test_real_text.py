"""What people really wrote, where that data stands beside the repository: what is plausible."""

from __future__ import annotations

import csv
import gzip
from collections import Counter, defaultdict
from itertools import combinations
from pathlib import Path

import pytest

from vmo_bridge.signals.likeness import alike
from vmo_bridge.signals.topics import Matter, Said, matters
from vmo_bridge.signals.voices import is_praise
from vmo_bridge.signals.words import folded, stems

DATA = Path(__file__).parents[3] / "shared" / "data"


def read(name: str) -> list[dict[str, str]]:
    file = DATA / name
    if not file.is_file():
        pytest.skip(f"the public data set {name} is not here")
    with gzip.open(file, "rt", encoding="utf-8", errors="replace", newline="") as lines:
        return list(csv.DictReader(lines))


def heard(rows: list[dict[str, str]], text: str, place: str) -> list[Matter]:
    """Matters of rows; a ref is the row's number."""
    texts = folded([stems(row[text]) - stems(row[place]) for row in rows])
    said = [
        Said(str(at), at, row[place], words)
        for at, (row, words) in enumerate(zip(rows, texts, strict=True))
        if words
    ]
    return matters(said, people=3, false_discoveries=0.05)


def test_of_complaints_hardly_one_is_taken_for_praise() -> None:
    rows = read("nhs_fft/fft_multilabel_2022.csv.gz")
    happy = [is_praise(row["FFT answer"]) for row in rows if row["Comment sentiment"] in {"1", "2"}]
    angry = [is_praise(row["FFT answer"]) for row in rows if row["Comment sentiment"] in {"4", "5"}]
    assert sum(angry) <= 0.03 * len(angry)
    assert sum(happy) >= 0.3 * len(happy)


def test_what_is_heard_together_is_about_the_same_topic_far_more_often_than_by_chance() -> None:
    rows = [
        row
        for row in read("nhs_fft/fft_multilabel_2022.csv.gz")
        if row["FFT question"] in {"How could we improve?", "What could we do better?"}
        and not is_praise(row["FFT answer"])
    ]
    general = {"Positive experience & gratitude", "Negative experience & dissatisfaction"}
    values = {column: {row[column] for row in rows} for column in rows[0]}
    flags = [each for each, found in values.items() if "1" in found <= {"", "0", "1"}]
    flags = [each for each in flags if each not in general]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        counts[row["Service type 1"]].update(["all", *(each for each in flags if row[each] == "1")])
    told = expected = 0.0
    for matter in heard(rows, "FFT answer", "Service type 1"):
        inside = [rows[int(each.ref)] for each in matter.texts]
        often = Counter(each for row in inside for each in flags if row[each] == "1")
        topic, n = max(often.items(), key=lambda each: each[1], default=("all", 0))
        here = counts[str(matter.place)]
        told += n
        expected += len(inside) * here[topic] / here["all"]
    assert told >= 2 * expected > 0


def test_no_matter_of_an_app_is_made_of_everything_people_say_of_it() -> None:
    rows = read("app_reviews_clap/rq3_reviews_clustered.csv.gz")
    found = heard(rows, "body", "App-name")
    here = Counter(row["App-name"] for row in rows)
    assert len(found) >= 40
    for matter in found:
        assert len(matter.texts) <= max(12, here[str(matter.place)] / 3)
    largest = [
        Counter(rows[int(each.ref)]["cluster_key"] for each in matter.texts).most_common(1)[0][1]
        for matter in found
    ]
    assert sum(largest) >= 0.5 * sum(len(matter.texts) for matter in found)


@pytest.mark.parametrize("project", ["hadoop", "seamonkey"])
def test_titles_of_bugs_reported_twice_are_alike_and_few_others_are(project: str) -> None:
    rows = read(f"gitbugs/{project}_bugs.csv.gz")
    place = {row["Issue id"]: at for at, row in enumerate(rows)}
    twice = {
        tuple(sorted((place[row["Issue id"]], place[row["Duplicate id"]])))
        for row in read(f"gitbugs/{project}_duplicate_pairs.csv.gz")
        if {row["Issue id"], row["Duplicate id"]} <= place.keys()
    }
    groups = alike(folded([stems(row["Summary"]) for row in rows]), similarity=0.5)
    pairs = {pair for group in groups for pair in combinations(group, 2)}
    assert len(twice & pairs) >= 0.3 * len(twice)
    assert len(pairs) <= 0.002 * len(rows) * len(rows) / 2
