"""Our sync beside its peers, on the same source in the same run. Run it by ``make bench``.

Every figure is the median of the runs; a ratio is the median of the rounds' ratios. A peer that
cannot be installed is told in the table, and so is a figure that is missed.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from benchmarks.checksum import checksum
from benchmarks.run import (
    Contender,
    Facts,
    NotInstalled,
    measured,
    ours,
    peer,
    ratio,
    rounds,
    say,
    source,
)
from vmo_bridge.store import Store


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table."""

    work: str
    what: str
    seen: str
    wanted: str
    reached: bool | None
    """None: nothing was demanded, or it could not be measured."""


def control(facts: Facts, **asked: Any) -> dict[str, Any]:
    """Tell the source to wait, to change rows, or to sum them up."""
    with httpx.Client(trust_env=False, timeout=300) as client:
        told: dict[str, Any] = client.post(f"{facts['url']}/bench", json=asked).json()
    return told


# -- what contenders left ----------------------------------------------------------------------


def sum_of_peer(facts: Facts) -> Callable[[Path], str]:
    """The checksum of a peer's table."""

    def summed(folder: Path) -> str:
        columns = ", ".join(f'"{name}"' for name in facts["fields"])
        with sqlite3.connect(folder / "rows.db") as db:
            return checksum(db.execute(f"select {columns} from incident"))

    return summed


def sum_of_ours(facts: Facts) -> Callable[[Path], str]:
    """The checksum of our raw pages, and that of the source with our pseudonyms."""

    def summed(folder: Path) -> str:
        with Store(folder / "vmo-bridge.db") as store:
            mark = store.marks.streams()[0]
            found = checksum(
                [row.content.get(name) for name in facts["fields"]]
                for page in store.raw.pages(mark.id)
                for _, row in store.raw.rows_of(mark.id, page)
            )
        key = (folder / "people.key").read_text().strip()
        there = control(facts, people_key=key)["checksum"]
        return "same as the source" if found == there else f"OTHER: {found}, source {there}"

    return summed


# -- the works ---------------------------------------------------------------------------------

_PEERS = {
    "dlt → SQLite, Arrow tables (append)": ("dlt", "dlt_arrow.py", 5.0),
    "dlt → SQLite, its REST client (append)": ("dlt", "dlt_rest.py", 5.0),
    "Singer SDK tap | SQLite target (append)": ("singer", "singer_sqlite.py", 6.0),
    "aiosnow + sqlite3 (append)": ("aiosnow", "aiosnow_sqlite.py", 2.0),
}


def first_sync(rows: int, runs: int) -> Iterator[Line]:
    """All fetch and write the same fields of so many incidents."""
    work = f"{rows:,} incidents, first sync"
    with source(rows) as facts:
        bare = Contender(name="bare", command=peer("bare", "bare.py"), sum_of=sum_of_peer(facts))
        our = Contender(name="ours", command=ours("servicenow"), sum_of=sum_of_ours(facts))
        contenders = {"bare": (bare, 0.0), "ours": (our, 0.0)}
        for name, (venv, script, least) in _PEERS.items():
            each = Contender(name=name, command=(), sum_of=sum_of_peer(facts))
            try:
                each.command = peer(venv, script)
            except NotInstalled as error:
                each.problem = str(error)
            contenders[name] = (each, least)
        rounds([each for each, _ in contenders.values()], facts, runs)
        there = control(facts, people_key="")["checksum"]
    yield Line(work, "bare httpx + orjson + executemany (append)", _costs(bare), "", None)
    times = ratio(our, bare)
    yield Line(
        work,
        "ours (merge; normalises, keeps raw pages, ledger and versions)",
        f"{_costs(our)}; {times:.2f} x bare; rows: {our.runs[0].told['checksum']}",
        "at most 2.0 x bare (goal 1.6)",
        times <= 2.0,
    )
    for name, (each, least) in contenders.items():
        if name in ("bare", "ours"):
            continue
        if each.problem:
            yield Line(work, name, each.problem, f"at least {least:g} x ours", None)
            continue
        times = ratio(each, our)
        same = "same rows" if each.runs[0].told["checksum"] == there else "OTHER ROWS"
        yield Line(
            work,
            name,
            f"{_costs(each)}; {times:.1f} x ours; {same}",
            f"at least {least:g} x ours",
            times >= least,
        )


def growth(sizes: tuple[int, ...]) -> Iterator[Line]:
    """How time and memory grow."""
    costs = []
    for rows in sizes:
        with source(rows) as facts:
            each = Contender(name=f"{rows:,}", command=ours("servicenow"))
            rounds([each], facts, 1)
        run = each.runs[0]
        costs.append(run.cpu / rows * 1e6)
        yield Line(
            "time and memory over rows",
            f"{rows:,} incidents",
            f"{run.cpu:.1f} s CPU, {run.cpu / rows * 1e6:.1f} µs a row, {run.memory:.0f} MB",
            "at most 250 MB, linear",
            run.memory <= 250 and max(costs) <= 1.3 * min(costs),
        )


def second_sync(rows: int, runs: int) -> Iterator[Line]:
    """One in a hundred changed since the first sync."""
    seconds, quiet = [], []
    with source(rows) as facts:
        for _ in range(runs):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                measured(ours("servicenow"), facts, folder, ())
                control(facts, touch=rows // 100)
                second = measured(ours("servicenow"), facts, folder, ())
                assert second.told["changed"] >= rows // 100 * 0.99, second.told
                seconds.append(second.told["seconds"])
                quiet.append(measured(ours("servicenow"), facts, folder, ()).told["seconds"])
    median = statistics.median(seconds)
    yield Line(
        f"second sync of {rows:,}, 1 % changed",
        "ours, without sweep",
        f"{median:.2f} s ({min(seconds):.2f} to {max(seconds):.2f}); "
        f"nothing changed: {statistics.median(quiet):.2f} s",
        "at most 0.8 s",
        median <= 0.8,
    )


def slices(rows: int, runs: int, latency: float = 0.15) -> Iterator[Line]:
    """A page takes 150 ms to come: slices side by side, while rows change."""
    work = f"{rows:,} incidents, {latency * 1000:.0f} ms a page"
    with source(rows) as facts:
        near = Contender(name="0 ms", command=ours("servicenow"))
        rounds([near], {**facts, "parallel": 8}, runs)
        control(facts, latency=latency, changing=1)
        eight = Contender(name="8 slices", command=ours("servicenow"))
        rounds([eight], {**facts, "parallel": 8}, runs)
        one = Contender(name="1 slice", command=ours("servicenow"))
        rounds([one], {**facts, "parallel": 1}, max(1, runs // 3))
        control(facts, latency=0, changing=0)
    least = max(near.median("cpu"), rows / 1000 * latency / 8)
    wall, alone = (
        statistics.median(run.told["seconds"] for run in each.runs) for each in (eight, one)
    )
    yield Line(
        work,
        "ours, 8 slices, a row changes with every page",
        f"{wall:.1f} s wall; {wall / least:.2f} x max({near.median('cpu'):.1f} s CPU at 0 ms, "
        f"{rows / 1000 * latency / 8:.1f} s)",
        "at most 1.3 x",
        wall <= 1.3 * least,
    )
    yield Line(
        work,
        "ours, one slice",
        f"{alone:.1f} s wall; {alone / wall:.2f} x that of 8 slices",
        "at least 3.5 x",
        alone >= 3.5 * wall,
    )


def jira(issues: int, runs: int) -> Iterator[Line]:
    """Issues with their changelogs, beside the ``jira`` package's own objects."""
    work = f"{issues:,} issues with changelogs"
    with source(1000, issues) as facts:
        for kind, name in (("jiradc", "Data Center"), ("jira", "Cloud")):
            whole = Contender(name=f"ours, {name}, whole sync", command=ours(kind))
            our = Contender(name=f"ours, {name}, reading", command=ours(kind), more=("read",))
            each = Contender(name=f"jira package, {name}", command=(), more=(kind,))
            try:
                each.command = peer("jira", "jira_objects.py")
            except NotInstalled as error:
                yield Line(work, each.name, str(error), "at least 5 x ours", None)
                continue
            rounds([whole, our, each], facts, runs)
            times = ratio(each, our)
            beside = f"the package takes {ratio(each, whole):.2f} x that"
            yield Line(
                work, whole.name, f"{_costs(whole)} (merge; all is kept); {beside}", "", None
            )
            yield Line(work, our.name, f"{_costs(our)} (flat records, nothing kept)", "", None)
            yield Line(
                work,
                f"{each.name}: objects in memory, nothing kept",
                f"{_costs(each)}; {times:.1f} x our reading",
                "at least 5 x ours",
                times >= 5,
            )


def _costs(each: Contender) -> str:
    memory = max(run.memory for run in each.runs)
    return f"{each.median('cpu'):.2f} s CPU, {each.median('wall'):.2f} s wall, {memory:.0f} MB"


WORKS = ("first", "growth", "second", "slices", "jira")


def lines(asked: argparse.Namespace) -> Iterator[Line]:
    """Everything that was asked for, work by work."""
    works: Mapping[str, Callable[[], Iterator[Line]]] = {
        "first": lambda: first_sync(asked.rows, asked.runs),
        "growth": lambda: growth((asked.rows, 2 * asked.rows, 5 * asked.rows)),
        "second": lambda: second_sync(asked.rows, asked.runs),
        "slices": lambda: slices(asked.rows, asked.runs),
        "jira": lambda: jira(asked.rows // 4, asked.runs),
    }
    for name in asked.only or WORKS:
        say(name)
        yield from works[name]()


def main() -> None:
    """Measure, and print the table as Markdown or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", action="append", choices=WORKS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    words = {True: "yes", False: "**no**", None: ""}
    found = []
    if not asked.json:
        sys.stdout.write("| work | who | seen | demanded | reached |\n|---|---|---|---|---|\n")
    for line in lines(asked):
        found.append(asdict(line))
        if not asked.json:
            told = [line.work, line.what.replace("|", "to"), line.seen, line.wanted]
            sys.stdout.write(f"| {' | '.join(told)} | {words[line.reached]} |\n")
            sys.stdout.flush()
    if asked.json:
        sys.stdout.write(json.dumps(found, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
