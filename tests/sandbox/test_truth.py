"""The planted stories and decoys, recomputed from what the instance serves."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from vmo_bridge.sandbox.build import DEFAULT_SEED
from vmo_bridge.sandbox.server import SandboxServer

END = datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)
WINDOW = END - timedelta(days=150)
Cell = tuple[str, str]


def moment(value: str) -> datetime | None:
    return datetime.fromisoformat(f"{value}Z") if value else None


class Served:
    """Everything the checks need, read over HTTP."""

    def __init__(self, server: SandboxServer) -> None:
        self.truth = server.truth()
        self._client = httpx.Client(base_url=server.url, auth=server.auth(), timeout=60)
        with self._client:
            self.service = {r["sys_id"]: r["name"] for r in self.read("cmdb_ci_service")}
            self.groups = {r["sys_id"]: r["name"] for r in self.read("cmn_department")}
            users = self.read("sys_user")
            self.department = {r["sys_id"]: self.groups.get(r["department"], "") for r in users}
            self.heads = Counter(
                self.department[r["sys_id"]] for r in users if r["active"] == "true"
            )
            self.user_name = {r["sys_id"]: r["user_name"] for r in users}
            self.tickets = {
                r["sys_id"]: r for r in self.read("incident") + self.read("sc_req_item")
            }
            self.problems = self.read("problem")
            self.slas = self.read("task_sla", "sla.target=resolution")
            self.definitions = {r["sys_id"]: r for r in self.read("metric_definition")}
            self.hops = self._hops()
            self.answers = self._answers()

    def read(self, table: str, query: str = "") -> list[dict[str, str]]:
        rows: list[dict[str, str]] = []
        last = ""
        while True:
            parts = [query] if query else []
            parts += [f"sys_id>{last}"] if last else []
            page = self._client.get(
                f"/api/now/table/{table}",
                params={
                    "sysparm_query": "^".join([*parts, "ORDERBYsys_id"]),
                    "sysparm_limit": 5000,
                    "sysparm_exclude_reference_link": "true",
                    "sysparm_no_count": "true",
                },
            ).json()["result"]
            rows += page
            if not page:
                return rows
            last = page[-1]["sys_id"]

    def cell(self, ticket: dict[str, str]) -> Cell:
        caller = ticket.get("caller_id") or ticket["requested_for"]
        return self.service[ticket["business_service"]], self.department[caller]

    def _hops(self) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = defaultdict(list)
        for row in self.read("metric_instance", "field=assignment_group"):
            found[row["id"]].append(row)
        for rows in found.values():
            rows.sort(key=lambda row: (row["start"], row["end"] or "9"))
        return found

    def _answers(self) -> list[dict[str, Any]]:
        metrics = {r["sys_id"]: r["name"] for r in self.read("asmt_metric")}
        instances = {
            r["sys_id"]: r for r in self.read("asmt_assessment_instance", "state=complete")
        }
        values: dict[str, dict[str, str]] = defaultdict(dict)
        for row in self.read("asmt_metric_result"):
            name = metrics[row["metric"]]
            text = row["string_value"] if name == "Comment" else row["actual_value"]
            values[row["instance"]][name] = text
        found = []
        for sys_id, instance in instances.items():
            ticket = self.tickets[instance["task_id"]]
            found.append(
                {
                    "cell": self.cell(ticket),
                    "user": instance["user"],
                    "taken": moment(instance["taken_on"]),
                    "rating": int(values[sys_id]["Satisfaction"]),
                    "minutes": int(values[sys_id]["Lost working time"]),
                    "comment": values[sys_id]["Comment"],
                }
            )
        return found

    def recent(self, cell: Cell) -> list[dict[str, Any]]:
        return [a for a in self.answers if a["cell"] == cell and a["taken"] >= WINDOW]

    def resolution(self, since: datetime = WINDOW) -> dict[Cell, list[bool]]:
        """Kept or not, of resolution SLAs that ended since."""
        found: dict[Cell, list[bool]] = defaultdict(list)
        for row in self.slas:
            ended = moment(row["end_time"])
            if ended and ended >= since:
                cell = self.cell(self.tickets[row["task"]])
                found[cell].append(row["has_breached"] == "false")
        return found

    def path(self, sys_id: str) -> list[str]:
        return [row["value"] for row in self.hops[sys_id]]


@pytest.fixture(scope="module", params=[DEFAULT_SEED, 1, 20_261])
def served(
    request: pytest.FixtureRequest,
    shared: SandboxServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    if request.param == DEFAULT_SEED:
        yield Served(shared)
        return
    directory: Path = tmp_path_factory.mktemp("seed") / str(request.param)
    with SandboxServer.start(directory, request.param) as server:
        yield Served(server)


def top_two(answers: list[dict[str, Any]]) -> float:
    return sum(a["rating"] >= 4 for a in answers) / len(answers)


def returns(path: list[str]) -> bool:
    """Whether work comes back to a second line or a vendor that had given it away."""
    seen = [team for team in path if team != "Service Desk"]
    return len(seen) > len(set(seen))


def test_two_cells_are_green_outside_and_red_inside(served: Served) -> None:
    kept = served.resolution()
    assert len(served.truth["watermelon"]) == 2
    for story in served.truth["watermelon"]:
        cell = story["service"], story["user_group"]
        answers = served.recent(cell)
        assert sum(kept[cell]) / len(kept[cell]) >= 0.97
        assert len(answers) >= 14
        assert len({a["user"] for a in answers}) >= 12
        assert top_two(answers) <= 0.25
        assert statistics.median(a["minutes"] for a in answers) >= 120
        assert sum(a["comment"] not in ("", "N/A") for a in answers) >= 10
        assert served.service[story["service_sys_id"]] == story["service"]
        assert served.groups[story["user_group_sys_id"]] == story["user_group"]


def test_no_other_cell_looks_like_a_watermelon_by_accident(served: Served) -> None:
    planted = {(s["service"], s["user_group"]) for s in served.truth["watermelon"]}
    planted |= {
        (d["service"], d["user_group"]) for d in served.truth["decoys"] if "user_group" in d
    }
    late = {d["service"] for d in served.truth["decoys"] if d["kind"] == "sla_missed"}
    cells = {a["cell"] for a in served.answers} - planted
    for cell in sorted(cells):
        answers = served.recent(cell)
        if cell[0] not in late and len(answers) >= 5:
            assert top_two(answers) >= 0.75, cell


def test_the_background_is_content_and_mostly_in_time(served: Served) -> None:
    planted = {s["service"] for s in served.truth["watermelon"]}
    planted |= {d["service"] for d in served.truth["decoys"] if d["rule"] == "watermelon"}
    answers = [a for a in served.answers if a["cell"][0] not in planted]
    assert 0.84 <= top_two(answers) <= 0.95
    assert 4.1 <= statistics.mean(a["rating"] for a in answers) <= 4.6
    assert 25 <= statistics.median(a["minutes"] for a in answers) <= 50
    kept = [
        met
        for cell, all_met in served.resolution(datetime(2025, 1, 1, tzinfo=UTC)).items()
        if cell[0] not in planted
        for met in all_met
    ]
    assert 0.93 <= sum(kept) / len(kept) <= 0.97


def test_two_services_throw_work_to_and_fro_for_hours(served: Served) -> None:
    assert len(served.truth["ping_pong"]) == 2
    for story in served.truth["ping_pong"]:
        numbers = set(story["tickets"])
        recent = [
            t
            for t in served.tickets.values()
            if served.service[t["business_service"]] == story["service"]
            and moment(t["opened_at"]) >= WINDOW
        ]
        back = [t for t in recent if returns(served.path(t["sys_id"]))]
        assert len(back) >= 25
        assert len(back) / len(recent) >= 0.35
        assert len(numbers & {t["number"] for t in back}) >= 0.9 * len(numbers)
        for ticket in back:
            if ticket["number"] in numbers:
                lengths = [
                    moment(h["end"]) - moment(h["start"])
                    for h in served.hops[ticket["sys_id"]][1:]
                    if h["end"]
                ]
                assert min(lengths, default=timedelta(hours=1)) >= timedelta(minutes=50)


def test_hardly_any_other_ticket_returns(served: Served) -> None:
    planted = {s["service"] for s in served.truth["ping_pong"]}
    planted |= {d["service"] for d in served.truth["decoys"] if d["kind"] == "automatic_routing"}
    others = [
        t for t in served.tickets.values() if served.service[t["business_service"]] not in planted
    ]
    share = sum(returns(served.path(t["sys_id"])) for t in others) / len(others)
    assert share <= 0.02


def decoy(served: Served, kind: str) -> dict[str, Any]:
    return next(d for d in served.truth["decoys"] if d["kind"] == kind)


def test_one_angry_person_stands_against_content_colleagues(served: Served) -> None:
    place = decoy(served, "one_angry_person")
    answers = served.recent((place["service"], place["user_group"]))
    mine = [a for a in answers if served.user_name[a["user"]] == place["person"]]
    others = [a for a in answers if served.user_name[a["user"]] != place["person"]]
    assert len(mine) >= 8
    assert all(a["rating"] <= 2 for a in mine)
    assert len({a["user"] for a in others}) >= 8
    assert all(a["rating"] >= 4 for a in others)


def test_three_unhappy_answers_are_all_there_is_in_one_cell(served: Served) -> None:
    place = decoy(served, "few_answers")
    answers = [a for a in served.answers if a["cell"] == (place["service"], place["user_group"])]
    assert [a["rating"] <= 2 for a in answers] == [True] * 3


def test_one_service_is_late_and_its_users_say_so(served: Served) -> None:
    place = decoy(served, "sla_missed")
    kept = [
        met
        for cell, all_met in served.resolution().items()
        if cell[0] == place["service"]
        for met in all_met
    ]
    assert sum(kept) / len(kept) <= 0.8
    assert top_two([a for a in served.answers if a["cell"][0] == place["service"]]) <= 0.6


def test_triage_returns_to_the_first_line_only(served: Served) -> None:
    place = decoy(served, "triage_return")
    paths = [
        served.path(t["sys_id"])
        for t in served.tickets.values()
        if served.service[t["business_service"]] == place["service"]
    ]
    triage = [p for p in paths if len(p) == 3 and p[0] == p[2] == "Service Desk"]
    assert len(triage) / len(paths) >= 0.45
    assert sum(returns(p) for p in paths) / len(paths) <= 0.02


def test_automatic_routing_takes_seconds(served: Served) -> None:
    place = decoy(served, "automatic_routing")
    found = 0
    for ticket in served.tickets.values():
        hops = served.hops[ticket["sys_id"]]
        if served.service[ticket["business_service"]] == place["service"] and len(hops) == 4:
            names = [h["value"] for h in hops]
            if names[0] == names[2]:
                found += 1
                for hop in hops[:3]:
                    assert moment(hop["end"]) - moment(hop["start"]) <= timedelta(seconds=20)
    assert found >= 100


def test_a_matter_recurs_and_no_problem_covers_it(served: Served) -> None:
    story = served.truth["recurring"][0]
    tickets = [t for t in served.tickets.values() if t["number"] in set(story["tickets"])]
    opened = sorted(moment(t["opened_at"]) for t in tickets)
    assert any(b - a <= timedelta(days=30) for a, b in zip(opened, opened[7:], strict=False))
    assert opened[-1] >= END - timedelta(days=14)
    assert not any(t["problem_id"] for t in tickets)
    assert len({t["caller_id"] for t in tickets}) >= 20
    assert not any("entries" in p["short_description"] for p in served.problems)


def test_other_matters_that_recur_have_a_problem(served: Served) -> None:
    story = set(served.truth["recurring"][0]["tickets"])
    topics: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for ticket in served.tickets.values():
        if ticket["sys_class_name"] == "incident" and ticket["number"] not in story:
            topics[ticket["business_service"], ticket["subcategory"]].append(ticket)
    for tickets in topics.values():
        opened = sorted(moment(t["opened_at"]) for t in tickets)
        if any(b - a <= timedelta(days=30) for a, b in zip(opened, opened[4:], strict=False)):
            assert sum(bool(t["problem_id"]) for t in tickets) / len(tickets) > 0.6


def test_one_group_hardly_calls(served: Served) -> None:
    silent = served.truth["silence"][0]["user_group"]
    calls = Counter(served.cell(t)[1] for t in served.tickets.values())
    rates = {name: calls[name] / heads for name, heads in served.heads.items() if name in calls}
    others = [rate for name, rate in rates.items() if name != silent]
    assert rates[silent] < 0.25 * statistics.median(others)
    assert min(others) > 0.6 * statistics.median(others)


def test_stories_and_decoys_do_not_share_a_service(served: Served) -> None:
    truth = served.truth
    places = [
        each["service"]
        for key in ("watermelon", "ping_pong", "recurring", "decoys")
        for each in truth[key]
    ]
    assert len(places) == len(set(places)) == 10
