"""The whole loop by its commands, as an admin runs it."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

import httpx
import pytest

from vmo_bridge.store import Store

pytestmark = pytest.mark.e2e

SIGNAL_FIELDS = {
    "id",
    "rule",
    "title",
    "why",
    "service",
    "user_group",
    "keywords",
    "window",
    "strength",
    "worth",
    "state",
    "evidence",
}
KPI_FIELDS = {
    "kpi",
    "version",
    "start",
    "end",
    "service",
    "user_group",
    "value",
    "unit",
    "numerator",
    "denominator",
    "n",
    "target",
    "status",
    "completeness",
    "grade",
    "data_as_of",
}


def test_the_loop_finds_the_stories_and_nothing_that_is_not_there(looped: Any) -> None:
    signals = looped.json("signals")
    truth = looped.server.truth()

    assert all(set(each) == SIGNAL_FIELDS for each in signals)
    green = {
        (each["service"], each["user_group"]) for each in signals if each["rule"] == "watermelon"
    }
    assert green == {(each["service"], each["user_group"]) for each in truth["watermelon"]}
    bounced = {each["service"] for each in signals if each["rule"] == "ping-pong"}
    assert bounced == {each["service"] for each in truth["ping_pong"]}
    back = {each["service"] for each in signals if each["rule"] == "recurring"}
    assert back == {each["service"] for each in truth["recurring"]}
    assert {each["rule"] for each in signals} == {"watermelon", "ping-pong", "recurring"}


def test_the_values_stand_in_the_records_people_look_at(looped: Any) -> None:
    server = looped.server
    red = [row for row in server.rows("incident") if row["u_vmo_watermelon"] == "true"]
    page = httpx.get(f"{server.url}/incident.do", params={"number": red[0]["number"]}).text

    assert "VMO watermelon" in page
    assert "business_service.u_vmo_csat" in page
    assert "caller_id.department.u_vmo_csat" in page
    services = {row["name"]: row for row in server.rows("cmdb_ci_service")}
    for each in server.truth()["watermelon"]:
        assert int(services[each["service"]]["u_vmo_open_signals"]) >= 1


def test_values_in_the_records_equal_the_results_in_the_store(looped: Any) -> None:
    kpis = {each["id"]: each for each in looped.json("kpis")}
    assert all(set(each) - {"id"} == KPI_FIELDS for each in kpis.values())
    written = looped.server.rows("u_vmo_kpi_result")
    assert len(written) > 100
    for row in written:
        assert float(row["u_value"]) == pytest.approx(kpis[row["u_key"]]["value"], abs=5e-5)
        assert row["u_status"] == kpis[row["u_key"]]["status"]
    for row in looped.server.rows("cmdb_ci_service"):
        (result,) = (
            each
            for each in kpis.values()
            if (each["kpi"], each["service"], each["user_group"])
            == ("sla_attainment", row["name"], None)
            and "last-90-days" in each["id"]
        )
        assert float(row["u_vmo_sla"]) == pytest.approx(result["value"] * 100, abs=0.051)


def test_a_second_cycle_writes_nothing(looped: Any) -> None:
    written = len(looped.server.write_log())
    again = looped.run("cycle")
    assert "0 to create, 0 to change" in again
    assert len(looped.server.write_log()) == written


def test_publish_alone_only_plans(site: Any) -> None:
    site.run("provision", "--apply")
    for verb in ("sync", "detect", "measure"):
        site.run(verb)
    written = len(site.server.write_log())
    plan = site.run("publish")
    assert "only a plan" in plan
    assert "+ u_vmo_kpi_result" in plan
    assert len(site.server.write_log()) == written


def test_a_signal_is_explained_down_to_its_raw_payloads(looped: Any) -> None:
    raised = looped.json("signals", "--rule", "ping-pong")[0]
    told = looped.json("explain", raised["id"])
    assert [each["number"] for each in told["records"]] == raised["evidence"]
    assert all(each["raw"]["number"] == each["number"] for each in told["records"])
    assert raised["why"] in looped.run("explain", raised["id"], "--raw", "--limit", "2")


def test_a_kpi_is_explained_down_to_its_raw_payloads(looped: Any) -> None:
    results = looped.json("kpis", "--kpi", "csat")
    result = next(each for each in results if each["value"] is not None and each["service"])
    told = looped.json("explain", result["id"])
    assert sum(each["amount"] for each in told["records"]) == result["numerator"]
    rated = [int(each["raw"]["actual_value"]) >= 4 for each in told["records"]]
    assert sum(rated) == result["numerator"]
    assert len(rated) == result["n"]
    assert "Not the mean" in looped.run("explain", result["id"])


def test_a_record_is_explained_by_its_number(looped: Any) -> None:
    number = looped.server.rows("incident")[0]["number"]
    (record,) = looped.json("explain", number)["records"]
    assert record["id"] == f"helpdesk:incident:{number}"
    assert record["raw"]["number"] == number


def test_what_cannot_be_explained_is_said(looped: Any) -> None:
    code, _, err = looped.end("explain", "INC9999999")
    assert code == 1
    assert "INC9999999" in err


def test_groups_under_five_are_not_explained_by_their_records(looped: Any) -> None:
    few = next(each for each in looped.json("kpis", "--kpi", "csat") if each["status"] == "too-few")
    told = looped.json("explain", few["id"])
    assert told["records"] == []
    assert few["value"] is None
    assert few["numerator"] is None


def test_a_look_back_leaves_the_present_as_it_is(looped: Any) -> None:
    before = looped.run("signals", "--format", "json")
    assert "nothing was saved" in looped.run("detect", "--as-of", "2026-03-01")
    assert "nothing was saved" in looped.run("measure", "--as-of", "2026-03-01")
    assert looped.run("signals", "--format", "json") == before
    assert looped.json("signals", "--as-of", "2026-03-01") == []


def test_a_month_measured_from_a_later_day_is_the_same_month(looped: Any) -> None:
    now = {each["id"]: each for each in looped.json("kpis", "--window", "2026-06")}
    then = looped.json("kpis", "--as-of", "2026-08-15", "--window", "2026-06", "--kpi", "csat")
    assert len(then) > 10
    assert all(each["value"] == now[each["id"]]["value"] for each in then)


def test_tables_are_for_people(looped: Any) -> None:
    assert "last 90 days" in looped.run("kpis")
    assert "ping-pong:" in looped.run("signals", "--all")
    status = looped.run("status")
    assert "helpdesk:incident" in status
    assert "2,4" in status, "people read thousands with a comma"
    assert "made only by the Update Set" in looped.run("provision")
    assert "helpdesk" in looped.run("check")
    assert "connector servicenow" in looped.run("plugins")


def test_machines_get_json(looped: Any) -> None:
    assert {each["stream"] for each in looped.json("status")["streams"]} >= {"helpdesk:incident"}
    checked = looped.json("check")
    absent = {"im_idea_core", "sn_cim_register", "pm_project"}
    # REST makes no access rules; they are told as long as the Update Set is not taken in.
    assert {each["what"] for each in checked if each["state"] != "ok"} == {*absent, "value fields"}
    assert {each["name"] for each in looped.json("plugins")} >= {"servicenow", "builtin-rules"}
    assert looped.json("publish") == []
    asked = looped.json("questions")
    # What is asked of knowledge articles is listed, too, and measures nothing until it is mapped.
    metrics = {each["metric"] for each in asked["questions"]}
    assert metrics - {None} == {"csat", "lost_time", "comment"}
    assert asked["names"] == []
    assert '"Knowledge feedback: Comments"' in asked["snippet"]
    assert not any(each["rest"] for each in looped.json("provision")), "all that REST can make"
    assert all(each["problem"] is None for each in looped.json("sync"))


def test_people_are_pseudonyms_in_the_store(looped: Any) -> None:
    people = {row["sys_id"] for row in looped.server.rows("sys_user")}
    with Store(looped.store) as store:
        assert all(row["name"] is None for row in store.versions.all("person"))
        refs = {row["requester_ref"] for row in store.versions.all("ticket")}
        assert len(refs) > 100
        assert not {(ref or "").removeprefix("helpdesk/") for ref in refs} & people


def test_the_daemon_works_by_its_clock_and_ends_when_told(site: Any) -> None:
    site.run("provision", "--apply")
    daemon = site.start("run")
    while daemon.poll() is None and not site.store.exists():
        time.sleep(0.02)
    daemon.send_signal(signal.SIGTERM)
    _, err = daemon.communicate(timeout=10)
    assert daemon.returncode == 0, err
    assert "the daemon has ended" in err
    site.run("sync")
    with Store(site.store) as store:
        assert all(store.ledger.held(mark.id) == mark.expected for mark in store.marks.streams())


def test_a_source_that_is_away_is_named_with_what_to_do(site: Any) -> None:
    site.server.stop()
    code, out, err = site.end("sync")
    assert code == 1
    assert "cannot be reached" in out
    assert "Traceback" not in err


def test_wrong_credentials_are_named_and_the_secret_is_not(site: Any) -> None:
    config = site.config
    config.write_text(config.read_text().replace('env = "SANDBOX_PASSWORD"', 'file = "wrong"'))
    (config.parent / "wrong").write_text("hunter2-is-wrong")
    code, out, err = site.end("check")
    assert code == 1
    assert "refused the credentials" in out
    assert "hunter2" not in out + err


def test_two_writers_do_not_meet(site: Any) -> None:
    with Store(site.store, owner="vmo-bridge cycle"):
        code, _, err = site.end("sync")
    assert code == 5
    assert "being written by 'vmo-bridge cycle'" in err
    assert str(os.getpid()) in err


def test_a_configuration_is_asked_for_written_and_good(site: Any) -> None:
    path = site.config.parent / "new" / "own.toml"
    code, out, err = site.end(
        "--config", str(path), "init", "--url", "https://agency.service-now.com",
        "--user", "vmo", "--password-env", "SN_PASSWORD", "--name", "helpdesk",
    )  # fmt: skip
    assert code == 0, err
    assert str(path) in out
    code, _, err = site.end("--config", str(path), "init", "--url", "x", "--user", "y",
                            "--password-env", "Z", "--name", "n")  # fmt: skip
    assert code == 2
    assert "already there" in err
