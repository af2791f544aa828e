"""The stories between survey, demand and development, recomputed from what is served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from vmo_bridge.sandbox.build import DEFAULT_SEED
from vmo_bridge.sandbox.server import SandboxServer

END = datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC)
KEYS = {
    "feedback_without_ticket", "stalled_handoff", "three_sources", "feedback_decoys",
    "handoff_decoys",
}  # fmt: skip


class Served:
    """All three sources, read over HTTP."""

    def __init__(self, server: SandboxServer) -> None:
        self.truth = server.truth()
        with httpx.Client(base_url=server.url, auth=server.auth(), timeout=60) as client:
            self.services = {r["sys_id"]: r["name"] for r in _rows(client, "cmdb_ci_service")}
            self.groups = {r["sys_id"]: r["name"] for r in _rows(client, "cmn_department")}
            self.demands = {r["number"]: r for r in _rows(client, "dmn_demand")}
            self.users = {r["sys_id"]: r for r in _rows(client, "sys_user")}
            self.tickets = _rows(client, "incident") + _rows(client, "sc_req_item")
        with httpx.Client(base_url=server.jira.url, auth=server.jira.auth()) as client:
            self.issues, self.changes = _issues(client)
        headers = {"Authorization": f"bearer {server.surveymonkey.token}"}
        with httpx.Client(base_url=server.surveymonkey.url, headers=headers) as client:
            self.answers = _answers(client)

    def last_move(self, epic: str) -> datetime:
        """The last change of status of an epic or one of its stories."""
        family = [epic, *self.children(epic)]
        return max(at for key in family for at, names in self.changes[key] if "status" in names)

    def children(self, epic: str) -> list[str]:
        return [
            key for key, issue in self.issues.items()
            if (issue["fields"].get("parent") or {}).get("key") == epic
        ]  # fmt: skip

    def group(self, user: str) -> str:
        return self.groups[self.users[user]["department"]]

    def texts(self, responses: list[str]) -> list[str]:
        return [_text(self.answers[number]) for number in responses]

    def words_in_tickets(self, service: str, words: list[str]) -> int:
        texts = [
            f"{t['short_description']} {t['description']}".lower() for t in self.tickets
            if self.services[t["business_service"]] == service
        ]  # fmt: skip
        assert len(texts) > 200
        return sum(any(word in text for word in words) for text in texts)


def _rows(client: httpx.Client, table: str) -> list[dict[str, str]]:
    params = {"sysparm_limit": "10000", "sysparm_exclude_reference_link": "true"}
    rows: list[dict[str, str]] = client.get(f"/api/now/table/{table}", params=params).json()[
        "result"
    ]
    return rows


def _issues(client: httpx.Client) -> tuple[dict[str, Any], dict[str, Any]]:
    found: dict[str, Any] = {}
    params = {"jql": "created >= '2020-01-01' order by key", "fields": "*all", "maxResults": "100"}
    while True:
        page = client.get("/rest/api/3/search/jql", params=params).json()
        found |= {issue["key"]: issue for issue in page["issues"]}
        if "nextPageToken" not in page:
            break
        params["nextPageToken"] = page["nextPageToken"]
    asked = {"issueIdsOrKeys": list(found), "maxResults": 10_000}
    logs = client.post("/rest/api/3/changelog/bulkfetch", json=asked).json()["issueChangeLogs"]
    keys = {issue["id"]: key for key, issue in found.items()}
    changes: dict[str, Any] = {key: [] for key in found}
    for log in logs:
        for entry in log["changeHistories"]:
            at = datetime.fromtimestamp(entry["created"] / 1000, UTC)
            names = {item["fieldId"] for item in entry["items"]}
            changes[keys[log["issueId"]]].append((at, names))
    return found, changes


def _answers(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for survey in client.get("/v3/surveys").json()["data"]:
        url: str | None = f"/v3/surveys/{survey['id']}/responses/bulk?per_page=100"
        while url:
            page = client.get(url).json()
            found |= {each["id"]: each for each in page["data"]}
            url = page["links"].get("next")
    return found


def _text(answer: dict[str, Any]) -> str:
    parts = [a.get("text", "") for q in answer["pages"][0]["questions"] for a in q["answers"]]
    return " ".join(part for part in parts if part)


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


def test_people_of_one_group_ask_for_what_no_ticket_asks(served: Served) -> None:
    (story,) = served.truth["feedback_without_ticket"]
    answers = [served.answers[number] for number in story["responses"]]
    assert len({each["recipient_id"] for each in answers}) == len(set(story["people"])) >= 8
    for each in answers:
        assert each["custom_variables"]["service"] == story["service"]
        assert each["custom_variables"]["department"] == story["user_group"]
        taken = datetime.fromisoformat(each["date_modified"])
        assert END - timedelta(days=90) <= taken <= END
    texts = served.texts(story["responses"])
    assert len(set(texts)) == len(texts)
    told = [text for text in texts if any(word in text.lower() for word in story["words"])]
    assert 3 <= len(told) <= len(texts)
    assert served.words_in_tickets(story["service"], story["words"]) == 0


def test_an_approved_demand_stands_still_though_it_is_edited(served: Served) -> None:
    assert {each["linked_by"] for each in served.truth["stalled_handoff"]} == {"field", "text"}
    for story in served.truth["stalled_handoff"]:
        demand, epic = served.demands[story["demand"]], served.issues[story["epic"]]
        assert demand["approval"] == "approved"
        assert served.services[demand["business_service"]] == story["service"]
        assert demand["sys_id"] == story["demand_sys_id"]
        field = epic["fields"]["customfield_10010"]
        if story["linked_by"] == "field":
            assert (demand["correlation_id"], field) == (story["epic"], story["demand"])
        else:
            assert (demand["correlation_id"], field) == ("", None)
            assert story["demand"] in str(epic["fields"]["description"])
        assert sorted(served.children(story["epic"])) == sorted(story["stories"])
        still = served.last_move(story["epic"])
        assert still == datetime.fromisoformat(story["last_move"])
        assert END - still > timedelta(days=60)
        family = [story["epic"], *story["stories"]]
        later = [names for key in family for at, names in served.changes[key] if at > still]
        assert len(later) == story["edits_since"] >= 5
        assert set().union(*later) <= {"labels", "description"}
        updated = datetime.strptime(epic["fields"]["updated"], "%Y-%m-%dT%H:%M:%S.%f%z")
        assert END - updated < timedelta(days=30)


def test_every_other_open_hand_off_moves(served: Served) -> None:
    stalled = {each["epic"] for each in served.truth["stalled_handoff"]}
    epics = {key for key, i in served.issues.items() if i["fields"]["issuetype"]["name"] == "Epic"}
    assert len(epics) >= 15
    for key in epics - stalled:
        if served.issues[key]["fields"]["status"]["statusCategory"]["key"] != "done":
            assert END - served.last_move(key) < timedelta(days=20), key
    for demand in served.demands.values():
        assert demand["correlation_id"] in epics | {""}


def test_decoys_of_hand_offs_move_by_epic_or_by_stories(served: Served) -> None:
    quiet, moving = served.truth["handoff_decoys"]
    assert (quiet["kind"], moving["kind"]) == ("quiet_epic", "moving_epic")

    def last(key: str) -> datetime | None:
        return max((at for at, names in served.changes[key] if "status" in names), default=None)

    own = last(quiet["epic"])
    assert own is not None
    assert END - own > timedelta(days=60)
    assert END - served.last_move(quiet["epic"]) < timedelta(days=10)
    own = last(moving["epic"])
    assert own is not None
    assert END - own < timedelta(days=10)
    assert not any(last(key) for key in moving["stories"])


def test_three_sources_speak_of_one_topic(served: Served) -> None:
    (whole,) = served.truth["three_sources"]
    (feedback,) = served.truth["feedback_without_ticket"]
    handoff = served.truth["stalled_handoff"][0]
    for part in (feedback, handoff):
        assert (part["topic"], part["service"]) == (whole["topic"], whole["service"])
    assert whole["responses"] == feedback["responses"]
    assert (whole["demand"], whole["epic"]) == (handoff["demand"], handoff["epic"])
    demand = served.demands[whole["demand"]]
    epic = served.issues[whole["epic"]]["fields"]["summary"]
    assert len({demand["short_description"], epic, *served.texts(whole["responses"])}) > 9
    assert served.group(demand["requested_by"]) == whole["user_group"]
    assert served.services[demand["business_service"]] in epic


def test_decoys_of_feedback_are_praise_known_or_one_person(served: Served) -> None:
    found = {each["kind"]: each for each in served.truth["feedback_decoys"]}
    for decoy in found.values():
        assert len(decoy["responses"]) >= 5
    people = [served.answers[n]["email_address"] for n in found["one_person_repeated"]["responses"]]
    assert len(set(people)) == 1
    assert people[0]
    known = found["has_tickets"]
    like = [
        t for t in served.tickets
        if t.get("subcategory") == known["topic"]
        and served.services[t["business_service"]] == known["service"]
        and t["opened_at"] >= "2026-08-15"
    ]  # fmt: skip
    assert len(like) >= 3


def test_answers_about_tickets_name_a_ticket_of_who_answers(served: Served) -> None:
    numbers = {t["number"]: t for t in served.tickets}
    about = [a for a in served.answers.values() if "ticket" in a["custom_variables"]]
    assert len(about) == 36
    for answer in about:
        ticket = numbers[answer["custom_variables"]["ticket"]]
        service = served.services[ticket["business_service"]]
        assert service == answer["custom_variables"]["service"]
        assert served.group(ticket["caller_id"]) == answer["custom_variables"]["department"]


def test_the_stories_live_under_keys_of_their_own(served: Served) -> None:
    assert set(served.truth) >= KEYS
    services = [each["service"] for each in served.truth["stalled_handoff"]]
    services += [each["service"] for each in served.truth["handoff_decoys"]]
    assert max(Counter(services).values()) == 1
