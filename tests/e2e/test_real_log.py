"""The real audit log of an instance through the whole loop, against the file read plainly.

The file is public data (UCI, "Incident management process enriched event log"), and is not a part
of this repository: without it these tests are skipped. Everything expected is computed here, with
``csv`` and ``datetime`` alone.
"""

from __future__ import annotations

import csv
import gzip
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from vmo_bridge.cli.demo_log import write_config
from vmo_bridge.hooks.loader import load_plugins
from vmo_bridge.pipeline import Bridge, CycleOutcome
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.settings import load_settings

LOG = Path(__file__).parents[2].parent / "shared/data/uci_servicenow/incident_event_log.csv.gz"
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not LOG.exists(), reason=f"the public log is not at {LOG}"),
]

AS_OF = datetime(2017, 2, 18, 15, 1, tzinfo=UTC)
OURS = {
    "New": "new",
    "Active": "in_progress",
    "Awaiting Problem": "on_hold",
    "Awaiting User Info": "on_hold",
    "Awaiting Evidence": "on_hold",
    "Awaiting Vendor": "on_hold",
    "-100": "other",
    "Resolved": "resolved",
    "Closed": "closed",
}
Event = dict[str, str]


def moment(cell: str) -> int | None:
    """A cell of the log as epoch seconds."""
    if cell == "?":
        return None
    return int(datetime.strptime(cell, "%d/%m/%Y %H:%M").replace(tzinfo=UTC).timestamp())


def known(cell: str) -> str | None:
    return None if cell == "?" else cell


@pytest.fixture(scope="module")
def log() -> dict[str, list[Event]]:
    """Number to events, in the order of the file: within an incident that is the order of time."""
    found: dict[str, list[Event]] = {}
    with gzip.open(LOG, "rt", encoding="utf-8", newline="") as file:
        for event in csv.DictReader(file):
            found.setdefault(event["number"], []).append(event)
    return found


def path_of(groups: Sequence[str]) -> list[str]:
    """Groups in their order, equal neighbours as one."""
    return [group for group, _ in groupby(groups)]


def comes_straight_back(path: Sequence[str]) -> bool:
    """A-B-A: whoever was given the work gives it back in the next hop."""
    return any(path[place] == path[place + 2] for place in range(len(path) - 2))


def comes_back(path: Sequence[str]) -> bool:
    """A group that had given the work away has it again: A-B-A, also A-B-C-A."""
    return len(set(path)) < len(path)


@dataclass(frozen=True)
class Replay:
    """A replay after the demo's one turn of the loop."""

    server: SandboxServer
    bridge: Bridge
    tables: dict[str, list[dict[str, Any]]]
    told: str
    """What the demo printed."""


def read(bridge: Bridge, as_of: datetime) -> dict[str, list[dict[str, Any]]]:
    tables = bridge.store.tables(as_of=as_of)
    return {name: tables[name].to_pylist() for name in ("tickets", "spans", "teams")}


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replay]:
    home = tmp_path_factory.mktemp("real")
    folder = home / "demo"
    words = ["demo", "--once", "--dir", str(folder), "--servicenow-log", str(LOG)]
    done = subprocess.run(
        [sys.executable, "-m", "vmo_bridge.cli", *words],
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with SandboxServer(folder / "sandbox") as server:
        settings = load_settings(write_config(folder, server, server.truth()["log"]))
        assert settings.bridge.as_of == AS_OF
        with Bridge(settings, load_plugins(), owner="test") as bridge:
            yield Replay(server, bridge, read(bridge, AS_OF), done.stdout)


def test_every_incident_is_there_as_its_last_event_says(
    replay: Replay, log: dict[str, list[Event]]
) -> None:
    rows = replay.tables["tickets"]
    numbers = {row["ref"]: row["number"] for row in rows}
    incidents = {row["number"]: row for row in rows if row["type"] == "incident"}
    assert len(log) == 17_523
    assert incidents.keys() == log.keys()
    assert sum(row["type"] == "incident" for row in rows) == len(incidents)
    for number, events in log.items():
        last, row = events[-1], incidents[number]
        assert {
            "original_state": row["original_state"],
            "state": row["state"],
            "made_sla": row["made_sla"],
            "reopen_count": row["reopen_count"],
            "reassignment_count": row["reassignment_count"],
            "priority": row["priority"],
            "category": row["category"],
            "subcategory": row["subcategory"],
            "close_code": row["close_code"],
            "channel": row["channel"],
            "team": row["team"],
            "problem": numbers.get(row["problem_ref"]),
            "opened_at": row["opened_at"],
            "resolved_at": row["resolved_at"],
            "closed_at": row["closed_at"],
            "updated_at": row["updated_at"],
            "asked": row["requester_ref"] is not None,
            "empty": (row["title"], row["description"], row["service"], row["user_group"]),
        } == {
            "original_state": last["incident_state"],
            "state": OURS[last["incident_state"]],
            "made_sla": last["made_sla"] == "true",
            "reopen_count": int(last["reopen_count"]),
            "reassignment_count": int(last["reassignment_count"]),
            "priority": int(last["priority"][0]),
            "category": known(last["category"]),
            "subcategory": known(last["subcategory"]),
            "close_code": known(last["closed_code"]),
            "channel": last["contact_type"].lower().replace(" ", "-"),
            "team": known(last["assignment_group"]),
            "problem": known(last["problem_id"]),
            "opened_at": moment(last["opened_at"]),
            "resolved_at": moment(last["resolved_at"]),
            "closed_at": moment(last["closed_at"]),
            "updated_at": moment(last["sys_updated_at"]),
            "asked": last["caller_id"] != "?",
            "empty": (None, None, None, None),
        }, number


def test_problems_and_changes_are_those_that_the_log_names(
    replay: Replay, log: dict[str, list[Event]]
) -> None:
    def named(*columns: str) -> set[str]:
        return {e[name] for events in log.values() for e in events for name in columns} - {"?"}

    rows = [row for row in replay.tables["tickets"] if row["type"] != "incident"]
    assert {row["number"] for row in rows if row["type"] == "problem"} == named("problem_id")
    assert {row["number"] for row in rows if row["type"] == "change"} == named("rfc", "caused_by")
    assert {(row["state"], row["original_state"]) for row in rows} == {("other", "Not in the log")}
    assert {row["made_sla"] for row in rows} == {None}
    callers = {row["name"] for row in replay.server.rows("sys_user", "nameSTARTSWITHCaller")}
    assert callers == named("caller_id")
    teams = {row["name"] for row in replay.tables["teams"]}
    assert teams == named("assignment_group")
    symptoms = {row["number"]: row["u_symptom"] for row in replay.server.rows("incident")}
    assert symptoms == {
        number: known(events[-1]["u_symptom"]) or "" for number, events in log.items()
    }


def test_the_group_paths_of_our_spans_are_those_of_the_file(
    replay: Replay, log: dict[str, list[Event]]
) -> None:
    number_of = {row["ref"]: row["number"] for row in replay.tables["tickets"]}
    held: dict[str, list[tuple[int, str, str]]] = {number: [] for number in log}
    for row in replay.tables["spans"]:
        if row["field"] == "team":
            place = (row["started_at"], row["ref"], row["value"])
            held[number_of[row["ticket_ref"]]].append(place)
    ours = {
        number: path_of([value for *_, value in sorted(found)]) for number, found in held.items()
    }
    plain = {
        number: path_of([e["assignment_group"] for e in events if e["assignment_group"] != "?"])
        for number, events in log.items()
    }
    assert ours == plain
    assert sum(comes_straight_back(path) for path in ours.values()) == 1_545
    assert sum(comes_back(path) for path in ours.values()) == 1_829


def test_the_states_of_our_spans_are_those_of_the_file(
    replay: Replay, log: dict[str, list[Event]]
) -> None:
    number_of = {row["ref"]: row["number"] for row in replay.tables["tickets"]}
    held: dict[str, list[tuple[int, str, str]]] = {number: [] for number in log}
    for row in replay.tables["spans"]:
        if row["field"] == "state":
            place = (row["started_at"], row["ref"], row["value"])
            held[number_of[row["ticket_ref"]]].append(place)
    ours = {
        number: [(start, value) for start, _, value in sorted(found)]
        for number, found in held.items()
    }
    plain = {
        number: [
            (moment(next(same)["sys_updated_at"]), OURS[state])
            for state, same in groupby(events, key=lambda event: event["incident_state"])
        ]
        for number, events in log.items()
    }
    assert ours == plain


def test_reopened_incidents_are_those_of_the_file(
    replay: Replay, log: dict[str, list[Event]]
) -> None:
    rows = [row for row in replay.tables["tickets"] if (row["reopen_count"] or 0) > 0]
    plain = {n for n, events in log.items() if any(e["reopen_count"] != "0" for e in events)}
    assert {row["number"] for row in rows} == plain
    assert len(plain) == 188
    assert sum(row["made_sla"] for row in rows) == 42


@pytest.mark.parametrize("day", ["2016-03-24T18:59Z", "2016-04-07T00:00Z"])
def test_a_past_day_is_told_as_the_log_knew_it(
    day: str, replay: Replay, log: dict[str, list[Event]]
) -> None:
    as_of = datetime.fromisoformat(day)
    now = int(as_of.timestamp())

    def state(events: list[Event]) -> str:
        last = events[-1]
        if (moment(last["closed_at"]) or now + 1) <= now:
            return "closed"
        if (moment(last["resolved_at"]) or now + 1) <= now:
            return "resolved"
        past = [e for e in events if (moment(e["sys_updated_at"]) or 0) <= now]
        return OURS[past[-1]["incident_state"]] if past else "other"

    rows = read(replay.bridge, as_of)["tickets"]
    ours = {row["number"]: row["state"] for row in rows if row["type"] == "incident"}
    plain = {
        number: state(events)
        for number, events in log.items()
        if (moment(events[0]["opened_at"]) or 0) <= now
    }
    assert ours == plain
    assert len(set(ours.values())) > 3


def windows(log: dict[str, list[Event]]) -> dict[str, tuple[int, int]]:
    """Whole months of the log, and the last 90 days."""
    first = min(moment(events[0]["opened_at"]) or 0 for events in log.values())
    found = {}
    year, month = 2016, 1
    while True:
        start = datetime(year, month, 1, tzinfo=UTC)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        end = datetime(year, month, 1, tzinfo=UTC)
        if end > AS_OF:
            break
        if start.timestamp() >= first:
            found[f"{start:%Y-%m}"] = (int(start.timestamp()), int(end.timestamp()))
    last = AS_OF - timedelta(days=90)
    return {**found, "last-90-days": (int(last.timestamp()), int(AS_OF.timestamp()))}


def test_kpis_are_what_the_file_says_in_every_window(
    replay: Replay, log: dict[str, list[Event]]
) -> None:
    plain = {}
    for window, (start, end) in windows(log).items():
        resolved = [
            events[-1]
            for events in log.values()
            if start <= (moment(events[-1]["resolved_at"]) or 0) < end
        ]
        met = sum(last["made_sla"] == "true" for last in resolved)
        reopened = sum(int(last["reopen_count"]) > 0 for last in resolved)
        for kpi, some in (("sla_attainment", met), ("reopen_rate", reopened)):
            plain[kpi, window] = (some, len(resolved), some / len(resolved), 1.0)
    ours = {
        (each.kpi, each.window): (each.numerator, each.n, each.value, each.completeness)
        for each in replay.bridge.store.findings.kpis()
        if each.kpi in ("sla_attainment", "reopen_rate")
    }
    assert len(plain) == 24
    assert ours == {key: pytest.approx(value) for key, value in plain.items()}


def test_the_story_says_what_a_log_can_tell_and_no_more(replay: Replay) -> None:
    assert "17,523 incidents" in replay.told
    assert "no services, user groups, texts or surveys" in replay.told
    assert "Meridian" not in replay.told
    assert "csat" not in replay.told


def test_a_second_cycle_writes_nothing(replay: Replay) -> None:
    before = replay.server.write_log()
    shown = [
        each
        for each in replay.bridge.store.findings.kpis()
        if each.window == "last-90-days" and each.value is not None
    ]
    assert Counter(line["table"] for line in before)["u_vmo_kpi_result"] == len(shown) >= 2
    outcome: CycleOutcome = replay.bridge.cycle()
    assert [each.problem for each in outcome.sync if each.problem] == []
    assert sum(each.quarantined for each in outcome.sync) == 0
    (published,) = outcome.publish
    counts = published.counts()
    assert (counts["create"], counts["change"], counts["refused"]) == (0, 0, 0)
    assert replay.server.write_log() == before
