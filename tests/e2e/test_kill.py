"""Kill the process at random points: nothing is lost or doubled, neither here nor there."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from typing import Any

import pytest

from vmo_bridge.store import Store

pytestmark = pytest.mark.e2e

TICKETS = ("incident", "sc_req_item", "problem", "change_request", "interaction")


def _ended_by_kill(process: subprocess.Popen[str]) -> bool:
    process.communicate(timeout=60)
    return process.returncode == -9


def _kill_after_page(site: Any, page: int, chance: random.Random) -> bool:
    """Start a sync and kill it some milliseconds after the source has served its n-th page."""
    doomed: list[subprocess.Popen[str]] = []
    delay = chance.uniform(0, 0.03)

    def kill() -> None:
        threading.Timer(delay, doomed[0].kill).start()

    site.server.faults.set("mutate_between_pages", kill, skip=page, times=1)
    doomed.append(site.start("sync"))
    killed = _ended_by_kill(doomed[0])
    site.server.faults.clear()
    return killed


def test_a_sync_that_is_killed_again_and_again_ends_with_exactly_the_source(site: Any) -> None:
    site.config.write_text(site.config.read_text().replace("page_size = 500", "page_size = 100"))
    chance = random.Random(11)
    kills = sum(_kill_after_page(site, chance.randrange(1, 60), chance) for _ in range(10))
    site.run("sync")

    assert kills == 10
    with Store(site.store) as store:
        marks = {mark.name: mark for mark in store.marks.streams()}
        assert all(store.ledger.held(mark.id) == mark.expected for mark in marks.values())
        for table in (*TICKETS, "sys_user", "task_sla", "asmt_metric_result"):
            assert store.ledger.held(marks[table].id) == len(site.server.rows(table)), table
        assert store.raw.quarantined() == []
        ours = Counter(row["number"] for row in store.versions.all("ticket"))
    assert ours == Counter(row["number"] for table in TICKETS for row in site.server.rows(table))
    with sqlite3.connect(site.store) as db:
        tables = [row[0] for row in db.execute("select name from sqlite_master where type='table'")]
        history = {
            name: db.execute(f"select count(*) from {name}").fetchone()[0]
            for name in tables
            if name.endswith("_history")
        }
    assert set(history.values()) == {0}, "nothing changed over there, so nothing has a history here"


def _kill_after_write(site: Any, writes: int, delay: float) -> bool:
    """Start a publish and kill it once the target has committed so many more writes."""
    before = len(site.server.write_log())
    doomed = site.start("publish", "--apply")
    while doomed.poll() is None and len(site.server.write_log()) < before + writes:
        time.sleep(0.001)
    time.sleep(delay)
    doomed.kill()
    return _ended_by_kill(doomed)


def test_a_publish_that_is_killed_again_and_again_writes_each_value_once(site: Any) -> None:
    for verb in (("provision", "--apply"), ("sync",), ("detect",), ("measure",)):
        site.run(*verb)
    provisioned = len(site.server.write_log())
    chance = random.Random(12)
    kills = sum(
        _kill_after_write(site, chance.randrange(1, 60), chance.uniform(0, 0.01)) for _ in range(10)
    )
    site.run("publish", "--apply")
    log = site.server.write_log()[provisioned:]
    again = site.run("publish", "--apply")

    assert kills == 10
    assert "0 to create, 0 to change" in again
    assert len(site.server.write_log()) == provisioned + len(log), "a second run writes nothing"
    writes = Counter((entry["table"], entry["sys_id"]) for entry in log)
    assert max(writes.values()) == 1, "each record was written once"
    keys = Counter(row["u_key"] for row in site.server.rows("u_vmo_kpi_result"))
    assert len(keys) > 100
    assert max(keys.values()) == 1, "each KPI result stands there once"
    with Store(site.store) as store:
        assert store.outbox.counts().get("waiting", 0) == 0
        kept = store.outbox.written_keys("helpdesk", "u_vmo_kpi_result")
    # A write that arrived just before a kill has no receipt of its own, and needs none.
    assert kept <= {entry["sys_id"] for entry in log}
