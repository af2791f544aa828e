"""Completeness by its commands, as an admin sees it: grades, deletions, falls, windows."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.e2e


@pytest.fixture
def small(site: Any) -> Any:
    """A site of which incidents and services are read, and read once."""
    text = site.config.read_text()
    site.config.write_text(
        text.replace("page_size = 500", 'page_size = 500\ntables = ["cmdb_ci_service", "incident"]')
    )
    site.run("sync")
    return site


def grade(site: Any, stream: str) -> str:
    (it,) = site.json("certificate", stream)
    return str(it["grade"])


def wipe(site: Any, share: float) -> int:
    """Delete so many incidents as the table cleaner does, without an audit; how many are left."""
    keys = [row["sys_id"] for row in site.server.rows("incident", "ORDERBYsys_id")]
    gone = keys[: int(len(keys) * share)]
    for key in gone:
        site.server._instance.db.execute("delete from task where sys_id = ?", [key])
    return len(keys) - len(gone)


def test_a_first_sync_is_proved_and_every_kpi_carries_its_grade(small: Any) -> None:
    assert grade(small, "helpdesk:incident") == "A"
    assert "grade A" in small.run("certificate", "helpdesk:incident")
    status = {each["stream"]: each for each in small.json("status")["streams"]}
    assert status["helpdesk:incident"]["grade"] == "A"
    assert small.json("status")["budgets"]["helpdesk"]["spent"] > 0
    small.run("measure")
    assert {each["grade"] for each in small.json("kpis") if each["kpi"] == "backlog_size"} == {"A"}


def test_a_deletion_is_shown_with_its_proof(small: Any) -> None:
    row = small.server.rows("incident", "ORDERBYsys_id")[0]
    small.server.change({"operation": "delete", "table": "incident", "sys_id": row["sys_id"]})
    (incident,) = [each for each in small.json("sync") if each["stream"] == "incident"]
    assert (incident["gone"], incident["grade"]) == (1, "A")
    assert "sys_audit_delete" in small.run("explain", row["number"])


def test_a_fall_stops_publishing_until_a_person_accepts_it(small: Any) -> None:
    small.run("provision", "--apply")
    small.run("measure")
    left = wipe(small, 0.6)
    small.end("sync", "--sweep")
    assert grade(small, "helpdesk:incident") == "F"
    code, out, _ = small.end("publish", "--apply")
    assert code == 1
    assert "nothing is written: helpdesk:incident" in out
    assert small.server.rows("u_vmo_kpi_result") == []
    assert "alarm, nothing is published" in small.run("status")
    code, _, err = small.end("certificate", "--accept", "helpdesk:problem")
    assert code != 0
    assert "helpdesk:incident" in err, "what can be accepted is named"
    assert f"a fall to {left:d} records" in small.run(
        "certificate", "--accept", "helpdesk:incident"
    )
    small.run("sync", "--sweep")
    assert grade(small, "helpdesk:incident") == "A"
    (it,) = small.json("certificate", "helpdesk:incident")
    assert it["ours"] == it["theirs"] == left
    small.run("publish", "--apply")
    assert small.server.rows("u_vmo_kpi_result")


def test_a_window_is_read_beside_the_way_of_the_stream(small: Any) -> None:
    (incident,) = small.json("sync", "--stream", "helpdesk:incident", "--since", "2026-10-01")
    rows = small.server.rows("incident", "sys_updated_on>=2026-10-01 00:00:00")
    assert incident["read"] == len(rows)
    code, _, err = small.end("sync", "--since", "2026-10-02", "--until", "2026-10-01T00:00:00Z")
    assert code == 2
    assert "is not before" in err


@pytest.mark.parametrize("stream", ["helpdesk:incidents", "helpdisk"])
@pytest.mark.parametrize("command", ["sync", "renormalise"])
def test_a_stream_that_is_not_there_is_named(small: Any, command: str, stream: str) -> None:
    code, out, err = small.end(command, "--stream", stream)
    assert code != 0
    assert stream in out + err
    assert "there are: helpdesk" in " ".join((out + err).split())


def test_a_changed_mapping_needs_no_source(small: Any) -> None:
    text = small.config.read_text()
    small.config.write_text(
        text.replace(
            "[feedback.questions]",
            '[connectors.helpdesk.states.incident]\n"7" = "canceled"\n[feedback.questions]',
        )
    )
    small.server.faults.set("html_200", "maintenance")
    rebuilt = {each["stream"]: each for each in small.json("renormalise")}
    closed = small.server.rows("incident", "state=7")
    assert rebuilt["helpdesk:incident"]["changed"] == len(closed) > 0
    assert rebuilt["helpdesk:cmdb_ci_service"]["changed"] == 0
