"""Writing back to a real sandbox: what is believed, what is undone, and what nobody notices."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e.publishing import OURS, PLACES, opened, ours, serve

from vmo_bridge.pipeline import Bridge
from vmo_bridge.publish.stage import PublishOutcome
from vmo_bridge.sandbox.server import SandboxServer

pytestmark = pytest.mark.e2e

STAMPS = ("sys_updated_on", "sys_updated_by", "sys_mod_count")


@pytest.fixture
def at(measured: Path, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A fresh copy of the measured site, with something added to its configuration."""
    shutil.copytree(measured, tmp_path / "site")

    @contextmanager
    def running(more: str = "") -> Iterator[tuple[SandboxServer, Bridge]]:
        with serve(tmp_path / "site") as server:
            config = tmp_path / "site" / "vmo-bridge.toml"
            config.write_text(config.read_text() + more)
            with opened(tmp_path / "site") as bridge:
                yield server, bridge

    return running


def apply(bridge: Bridge) -> PublishOutcome:
    (outcome,) = bridge.publish(apply=True)
    return outcome


def content(server: SandboxServer) -> dict[tuple[str, str], dict[str, str]]:
    """Every record that can be written to, without the platform's own stamps."""
    return {
        (table, row["sys_id"]): {name: text for name, text in row.items() if name not in STAMPS}
        for table in PLACES
        for row in server.rows(table)
    }


def troubles(outcome: PublishOutcome) -> dict[str, str]:
    """By table and record, what was not stored and why."""
    assert outcome.delivery
    return {
        f"{item.table}/{item.key or next(iter(item.match.values()))}": reason
        for item, reason in outcome.delivery.troubled
    }


def left(outcome: PublishOutcome) -> int:
    counts = outcome.counts()
    return counts["create"] + counts["change"]


# -- no loops ------------------------------------------------------------------------------------


def test_a_sync_after_a_publish_changes_nothing(at: Any) -> None:
    with at() as (server, bridge):
        outcome = apply(bridge)
        assert outcome.delivery
        assert outcome.delivery.stored > 1_000
        signals = {each.finding.id: each.state for each in bridge.detect().signals}
        results = {each.kpi: each.value for each in bridge.store.findings.kpis()}
        log = len(server.write_log())

        synced = bridge.sync()
        assert sum(each.changed for each in synced) == 0
        assert sum(each.own for each in synced) > 1_000
        assert [each.certificate.reasons for each in synced if each.certificate.grade != "A"] == []
        assert {each.finding.id: each.state for each in bridge.detect().signals} == signals
        bridge.measure()
        assert {each.kpi: each.value for each in bridge.store.findings.kpis()} == results
        assert left(apply(bridge)) == 0
        assert len(server.write_log()) == log


def test_what_somebody_changed_beside_our_write_is_read(at: Any) -> None:
    with at() as (server, bridge):
        apply(bridge)
        row = next(r for r in server.rows("incident") if r["u_vmo_watermelon"] == "true")
        server.change(
            {"operation": "update", "table": "incident", "sys_id": row["sys_id"],
             "values": {"short_description": "said in the same second"}}
        )  # fmt: skip
        synced = {each.stream: each for each in bridge.sync()}
        assert synced["incident"].changed == 1
        (held,) = bridge.store.versions.by_refs([f"helpdesk/{row['sys_id']}"])
        assert held["title"] == "said in the same second"


# -- undo ----------------------------------------------------------------------------------------


def test_undo_restores_byte_for_byte(at: Any) -> None:
    with at() as (server, bridge):
        before = content(server)
        apply(bridge)
        run = bridge.store.outbox.writing_runs()[0].run_id
        assert content(server) != before
        (undone,) = bridge.undo(run, apply=True)
        assert undone.delivery
        assert (undone.delivery.troubled, undone.refused) == ([], [])
        assert content(server) == before
        assert undone.removed > 1_000, "the records that we made are gone again"
        (again,) = bridge.undo(run, apply=False)
        assert again.counts()["restore"] + again.counts()["remove"] == 0


def test_undo_keeps_what_somebody_changed_since(at: Any) -> None:
    with at() as (server, bridge):
        apply(bridge)
        run = bridge.store.outbox.writing_runs()[0].run_id
        red = [r for r in server.rows("incident") if r["u_vmo_watermelon"] == "true"]
        record = server.rows("u_vmo_kpi_result")[0]
        server.change(
            {"operation": "update", "table": "incident", "sys_id": red[0]["sys_id"],
             "values": {"u_vmo_watermelon": "false"}},
            {"operation": "update", "table": "u_vmo_kpi_result", "sys_id": record["sys_id"],
             "values": {"u_unit": "mine"}},
            {"operation": "delete", "table": "incident", "sys_id": red[1]["sys_id"]},
        )  # fmt: skip
        (undone,) = bridge.undo(run, apply=True)
        counts = undone.counts()
        assert (counts["gone"], counts["kept"]) == (1, 1)
        kept = [row for row in undone.plan if row.action == "kept"]
        assert "u_unit holds 'mine'" in kept[0].reason
        assert [r["u_unit"] for r in server.rows("u_vmo_kpi_result")] == ["mine"]
        (still,) = [r for r in server.rows("incident") if r["sys_id"] == red[0]["sys_id"]]
        assert still["u_vmo_lost_time"] == "", "its other fields are restored"


def test_after_an_undo_nothing_is_written_until_somebody_says_so(at: Any) -> None:
    from vmo_bridge.publish.switch import KillSwitch

    with at() as (server, bridge):
        apply(bridge)
        run = bridge.store.outbox.writing_runs()[0].run_id
        stood = ours(server)
        bridge.undo(run, apply=True)
        outcome = apply(bridge)
        assert outcome.delivery is None
        assert f"run {run} was undone" in outcome.blocked[0]
        KillSwitch(bridge.settings).resume()
        apply(bridge)
        assert ours(server) == stood


# -- a platform that says yes and does no --------------------------------------------------------


def test_fields_dropped_in_silence_are_not_stored_and_then_left_alone(at: Any) -> None:
    with at() as (server, bridge):
        server.faults.set("field_acl_write", ["u_vmo_watermelon"], table="incident")
        outcome = apply(bridge)
        reasons = troubles(outcome)
        assert reasons
        assert all("u_vmo_watermelon still holds 'false'" in each for each in reasons.values())
        log = len(server.write_log())
        second = apply(bridge)
        assert second.counts()["held"] == len(reasons)
        assert second.delivery
        assert second.delivery.stored == 0
        assert len(server.write_log()) == log, "what is not kept is not fought over"
        server.faults.clear()
        (third,) = bridge.publish(apply=True, retry=True)
        assert third.delivery
        assert third.delivery.stored == len(reasons)


def test_a_read_only_user_is_told_record_by_record_and_nothing_is_called_written(at: Any) -> None:
    with at() as (server, bridge):
        server.faults.set("read_only")
        outcome = apply(bridge)
        assert outcome.delivery
        assert outcome.delivery.stored == 0
        assert len(troubles(outcome)) == left(outcome)
        assert all("security constraints" in each for each in troubles(outcome).values())
        assert apply(bridge).counts()["held"] == left(outcome)


def test_a_business_rule_that_aborts_parks_its_table_and_the_rest_goes_on(at: Any) -> None:
    with at() as (server, bridge):
        server.faults.set("business_rule_abort", "No robots", table="incident")
        outcome = apply(bridge)
        reasons = troubles(outcome)
        assert {each.partition("/")[0] for each in reasons} == {"incident"}
        assert all("No robots" in each for each in reasons.values())
        assert outcome.delivery
        assert outcome.delivery.stored == left(outcome) - len(reasons)


def test_a_business_rule_that_changes_a_value_later_is_seen_and_not_fought(at: Any) -> None:
    with at() as (server, bridge):
        apply(bridge)
        red = [r for r in server.rows("incident") if r["u_vmo_watermelon"] == "true"]
        server.change(
            *(
                {"operation": "update", "table": "incident", "sys_id": row["sys_id"],
                 "values": {"u_vmo_watermelon": "false"}}
                for row in red
            )
        )  # fmt: skip
        log = len(server.write_log())
        outcome = apply(bridge)
        held = [row for row in outcome.plan if row.action == "held"]
        assert len(held) == len(red)
        assert all("changed over there after we wrote 'true'" in row.reason for row in held)
        assert len(server.write_log()) == log


def test_a_value_that_a_rule_rewrites_at_once_is_reverted(at: Any) -> None:
    with at() as (server, bridge):
        for event in ("insert", "update"):
            server._instance.db.execute(
                f"create trigger rule_{event} after {event} on u_vmo_signal "
                "begin update u_vmo_signal set u_title = 'REWRITTEN' where sys_id = new.sys_id; end"
            )
        reasons = troubles(apply(bridge))
        assert reasons
        assert all("reverted by the platform" in each for each in reasons.values())


def test_a_field_that_vanishes_between_plan_and_write_is_named(at: Any) -> None:
    with at() as (server, bridge):
        server.faults.set("acl_drop_fields", ["u_vmo_csat"], table="cmdb_ci_service", skip=1)
        reasons = troubles(apply(bridge))
        assert {each.partition("/")[0] for each in reasons} == {"cmdb_ci_service"}
        assert all("u_vmo_csat" in each for each in reasons.values())


def test_a_record_deleted_meanwhile_is_named_and_the_rest_goes_on(at: Any) -> None:
    with at() as (server, bridge):
        row = next(r for r in bridge.publish(apply=False)[0].plan if r.table == "incident")
        gone = [{"operation": "delete", "table": "incident", "sys_id": row.key}]
        # The plan's reads of incidents are over before the first of them is written.
        server.faults.set("mutate_between_pages", gone, table="cmdb_ci_service", skip=1, times=1)
        outcome = apply(bridge)
        reasons = troubles(outcome)
        assert list(reasons) == [f"incident/{row.key}"]
        assert "was deleted since it was planned" in reasons[f"incident/{row.key}"]


def test_a_table_without_access_rules_for_our_user_refuses_its_own_records_only(at: Any) -> None:
    with at() as (server, bridge):
        server.faults.set("acl_drop_rows", "u_kpiISNOTEMPTY", table="u_vmo_kpi_result")
        outcome = apply(bridge)
        reasons = troubles(outcome)
        assert {each.partition("/")[0] for each in reasons} == {"u_vmo_kpi_result"}
        assert all("cannot be seen after the write" in each for each in reasons.values())


def test_a_batch_half_serviced_is_finished(at: Any) -> None:
    with at() as (server, bridge):
        for batch in range(0, 60, 4):
            server.faults.set("batch_partial", 2, skip=batch, times=1)
        outcome = apply(bridge)
        assert outcome.delivery
        assert (outcome.delivery.stored, outcome.delivery.troubled) == (left(outcome), [])
        for table in OURS:
            keys = [row["u_key"] for row in server.rows(table)]
            assert len(keys) == len(set(keys)), "sent again, not made twice"


def test_a_batch_that_is_never_finished_leaves_the_rest_waiting(at: Any) -> None:
    with at() as (server, bridge):
        first = bridge.publish(apply=False)[0]
        server.faults.set("batch_partial", 1_000, skip=30)
        outcome = apply(bridge)
        assert outcome.delivery
        assert "batches are left unserviced" in outcome.delivery.waiting
        server.faults.clear()
        assert not troubles(apply(bridge))
        assert left(apply(bridge)) == 0
        assert len(server.rows("u_vmo_kpi_result")) == sum(
            row.action == "create" and row.table == "u_vmo_kpi_result" for row in first.plan
        )


def test_without_the_batch_interface_single_calls_do_the_same(at: Any) -> None:
    with at() as (server, bridge):
        server.faults.set("batch_off")
        outcome = apply(bridge)
        assert outcome.delivery
        assert (outcome.delivery.stored, outcome.delivery.troubled) == (left(outcome), [])


def test_a_value_too_long_ends_visibly_and_is_no_difference_afterwards(at: Any) -> None:
    with at() as (server, bridge):
        before = bridge.store.findings.signals()
        assert before
        apply(bridge)
        shown = {row["u_key"]: row for row in server.rows("u_vmo_signal")}
        for each in before:
            row = shown[each.finding.id]
            assert len(row["u_evidence"]) <= 1000
            if len(each.finding.evidence) > 90:
                assert row["u_evidence"].endswith(" more")
        assert left(apply(bridge)) == 0


def test_tables_made_over_rest_hide_from_who_is_no_administrator(
    measured: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    shutil.copytree(measured, folder)
    with serve(folder) as server:
        user, password = server.auth("vmo.writer")
        (folder / "password").write_text(password)
        config = folder / "vmo-bridge.toml"
        config.write_text(config.read_text().replace('user = "vmo.bridge"', f'user = "{user}"'))
        log = len(server.write_log())
        with opened(folder) as bridge:
            outcome = apply(bridge)
        refused = {row.table: row.reason for row in outcome.plan if row.action == "refused"}
        assert refused.keys() >= {*OURS}
        assert all("ACL restricts" in refused[table] for table in OURS)
        assert outcome.delivery
        assert outcome.delivery.stored == 0, "fields without a rule belong to administrators"
        assert len(server.write_log()) == log


def test_a_text_that_a_field_of_the_admins_own_cuts_is_told_and_left_alone(at: Any) -> None:
    own = '\n[publish.map.helpdesk.cmdb_ci_service]\nkpi_status = "u_short"\n'
    with at(own) as (server, bridge):
        column = {
            "name": "cmdb_ci_service", "element": "u_short", "internal_type": "string",
            "max_length": "10",
        }  # fmt: skip
        auth = server.auth("vmo.bridge")
        made = httpx.post(f"{server.url}/api/now/table/sys_dictionary", json=column, auth=auth)
        assert made.status_code == 201
        reasons = troubles(apply(bridge))
        assert reasons
        assert all("u_short holds 'SLA " in each for each in reasons.values())
        log = len(server.write_log())
        assert left(apply(bridge)) == 0
        assert len(server.write_log()) == log
