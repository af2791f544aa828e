"""ServiceNow, Jira and SurveyMonkey in one store: what only the three together tell."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from vmo_bridge.cli.demo_agency import write_config
from vmo_bridge.hooks.loader import load_plugins
from vmo_bridge.pipeline import Bridge, CycleOutcome
from vmo_bridge.publish.provisioning import make_missing
from vmo_bridge.records import Finding
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.settings import load_settings
from vmo_bridge.watch import Watch

pytestmark = pytest.mark.e2e


@dataclass(frozen=True)
class Looped:
    """The agency after one turn of the loop over its three sources."""

    server: SandboxServer
    bridge: Bridge
    outcome: CycleOutcome

    def view(self, name: str) -> list[dict[str, Any]]:
        settings = self.bridge.settings
        tables = self.bridge.store.tables(as_of=self.bridge.moment(), feedback=settings.feedback)
        rows: list[dict[str, Any]] = tables[name].to_pylist()
        return rows

    def found(self, rule: str) -> list[Finding]:
        return [each.finding for each in self.outcome.detect.signals if each.finding.rule == rule]

    def numbers(self, finding: Finding, source: str) -> set[str]:
        """The numbers of the records of a source that are a finding's evidence."""
        rows = self.bridge.store.versions.by_refs(finding.evidence)
        return {row["number"] for row in rows if row["source"] == source}

    def jira(self) -> httpx.Client:
        return httpx.Client(base_url=self.server.jira.url, auth=self.server.jira.auth())


@pytest.fixture(scope="module")
def looped(agency: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looped]:
    folder = tmp_path_factory.mktemp("three")
    shutil.copytree(agency, folder / "sandbox")
    with SandboxServer(folder / "sandbox") as server:
        settings, plugins = load_settings(write_config(folder, server)), load_plugins()
        make_missing(settings, plugins, apply=True, watch=Watch())
        with Bridge(settings, plugins, owner="test") as bridge:
            yield Looped(server, bridge, bridge.cycle())


def test_every_source_is_whole(looped: Looped) -> None:
    assert [each for each in looped.outcome.sync if each.problem or each.quarantined] == []
    assert {each.source for each in looped.outcome.sync} == {"helpdesk", "development", "voices"}
    for mark in looped.bridge.store.marks.streams():
        if mark.expected is not None:
            assert looped.bridge.store.ledger.held(mark.id) == mark.expected, mark.name


def test_what_people_ask_for_in_surveys_and_no_ticket_does_is_found(looped: Looped) -> None:
    (story,) = looped.server.truth()["feedback_without_ticket"]
    found = looped.found("feedback-without-ticket")
    assert found
    for each in found:
        assert each.service == story["service"]
        assert each.user_group in (story["user_group"], None)
        assert looped.numbers(each, "voices") <= set(story["responses"])


def test_hand_offs_that_stand_still_are_found_across_two_sources(looped: Looped) -> None:
    stories = {each["demand"]: each for each in looped.server.truth()["stalled_handoff"]}
    found = looped.found("stalled-hand-off")
    assert len(found) == len(stories)
    for each in found:
        (demand,) = looped.numbers(each, "helpdesk")
        story = stories[demand]
        assert looped.numbers(each, "development") == {story["epic"], *story["stories"]}
        assert each.service == story["service"]
        assert each.numbers["days_without_movement"] >= story["still_days"] - 1


def test_one_of_them_is_told_by_three_sources_together(looped: Looped) -> None:
    (whole,) = looped.server.truth()["three_sources"]
    (told,) = (
        each
        for each in looped.found("stalled-hand-off")
        if looped.numbers(each, "helpdesk") == {whole["demand"]}
    )
    voices = looped.numbers(told, "voices")
    assert len(voices) >= 5
    assert voices <= set(whole["responses"])
    assert "people ask for it in surveys" in told.why
    assert "no ticket does" in told.why


def test_answers_are_tied_by_variable_ticket_and_respondent(looped: Looped) -> None:
    rows = [row for row in looped.view("feedback") if row["source"] == "voices"]
    assert len(rows) == 360
    yearly = [row for row in rows if row["survey"] == "Relationship survey 2026"]
    assert Counter(row["service_by"] for row in yearly) == {"custom variable": 320}
    assert Counter(row["user_group_by"] for row in yearly) == {"custom variable": 320}
    about = [row for row in yearly if row["ticket_by"] == "custom variable"]
    assert len(about) == 36
    tickets = {row["ref"]: row for row in looped.view("tickets")}
    for row in about:
        ticket = tickets[row["ticket_ref"]]
        assert ticket["number"] == row["ticket_number"]
        assert (ticket["service"], ticket["source"]) == (row["service"], "helpdesk")


def test_a_respondent_is_the_same_person_in_every_source(looped: Looped) -> None:
    people = {row["ref"]: row for row in looped.view("persons")}
    known = [
        row
        for row in looped.view("feedback")
        if row["source"] == "voices" and row["person_ref"] in people
    ]
    assert len(known) > 150, "half of them gave their address"
    for row in known:
        person = people[row["person_ref"]]
        assert person["source"] == "helpdesk"
        assert person["user_group"] == row["user_group"]


def test_values_stand_on_the_epic_and_its_service_s_are_true(looped: Looped) -> None:
    (whole,) = looped.server.truth()["three_sources"]
    with looped.jira() as client:
        reply = client.get(f"/rest/api/3/issue/{whole['epic']}/properties/vmo.value")
        values = reply.json()["value"]
        fields = client.get(f"/rest/api/3/issue/{whole['epic']}").json()["fields"]
    assert values["open_signals"] == "1"
    assert fields["customfield_10040"] == 1
    (sla,) = (
        each
        for each in looped.outcome.measure.results
        if each.kpi == "sla_attainment"
        and each.window == "last-90-days"
        and (each.service, each.user_group) == (whole["service"], None)
    )
    assert sla.value is not None
    assert float(values["sla"]) == pytest.approx(sla.value * 100, abs=0.05)


def test_the_epic_links_to_the_demand_it_is_for(looped: Looped) -> None:
    (whole,) = looped.server.truth()["three_sources"]
    (demand,) = (row for row in looped.view("initiatives") if row["number"] == whole["demand"])
    with looped.jira() as client:
        (link,) = client.get(f"/rest/api/3/issue/{whole['epic']}/remotelink").json()
        comments = client.get(f"/rest/api/3/issue/{whole['epic']}/comment").json()["comments"]
    address = f"{looped.server.url}/dmn_demand.do?sys_id={demand['ref'].partition('/')[2]}"
    assert link["object"] == {"url": address, "title": whole["demand"]}
    assert comments == [], "nobody asked for them"


def test_a_second_turn_reads_little_and_writes_nothing(looped: Looped) -> None:
    before = looped.server.write_log()
    again = looped.bridge.cycle()
    assert [each.problem for each in again.sync if each.problem] == []
    for published in again.publish:
        counts = published.counts()
        assert (counts["create"], counts["change"], counts["refused"]) == (0, 0, 0)
    assert looped.server.write_log() == before
    voices = {each.stream: each.read for each in again.sync if each.source == "voices"}
    assert voices == {"questions": 0, "responses": 0}, "nothing moved there"


def test_comments_tell_signals_if_asked_for_and_are_undone(
    looped: Looped, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = looped.server.truth()["three_sources"]
    bridge, config = looped.bridge, looped.bridge.settings.file
    section = "[connectors.development]\n"
    config.write_text(config.read_text().replace(section, f"{section}comments = true\n"))
    monkeypatch.setattr(bridge, "settings", load_settings(config))
    path = f"/rest/api/2/issue/{whole['epic']}/comment"
    with looped.jira() as client:
        bridge.publish(apply=True)
        (comment,) = client.get(path).json()["comments"]
        (run, *_) = bridge.store.outbox.writing_runs()
        undone = bridge.undo(run.run_id, apply=True)
        assert client.get(path).json()["comments"] == []
    assert f"{whole['demand']} is accepted, and {whole['epic']} does not move" in comment["body"]
    assert [each.delivery.troubled for each in undone if each.delivery] == [[]]


def test_names_of_people_are_nowhere_in_the_store(looped: Looped) -> None:
    import zstandard

    blobs = looped.bridge.store._db.execute("select content from raw_page").fetchall()
    text = "".join(zstandard.decompress(blob).decode() for (blob,) in blobs)
    names = {row["email"] for row in looped.server.rows("sys_user") if row["email"]}
    assert len(names) > 2000
    assert "@meridian.example" not in text
