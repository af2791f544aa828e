"""Kill a publish two hundred times, wherever it is: what stands there in the end is the plan.

Judged by the rows and the write log of the sandbox, never by our own outbox. The publishes are
processes of their own (forked from one that has everything loaded) and end by SIGKILL: a third of
them at one of the first batches, which are mostly reads of the plan, a third after the server
committed a part or all of a batch and before its reply, a third at a list that is read, mostly for
the plan as well. Kills aimed at the second look and at the read-back are still to come.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.publishing import OURS, opened, ours, publish, serve

from vmo_bridge.sandbox.server import SandboxServer

pytestmark = pytest.mark.e2e

KILLS = 200


@pytest.fixture
def planned(measured: Path, tmp_path: Path) -> dict[tuple[str, str], dict[str, str]]:
    """What stands there after a publish that nobody disturbs."""
    folder = tmp_path / "undisturbed"
    shutil.copytree(measured, folder)
    with serve(folder) as server, opened(folder) as bridge:
        bridge.publish(apply=True)
        return ours(server)


class Killer:
    """Ends the process that is publishing, from the thread of the server that answers it."""

    def __init__(self) -> None:
        self.victim: Any = None

    def __call__(self) -> None:
        os.kill(self.victim.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            while True:  # until its parent has buried it: no answer reaches it any more
                os.kill(self.victim.pid, 0)
                time.sleep(0.001)


def aim(server: SandboxServer, killer: Killer, kind: int, chance: random.Random) -> None:
    """Kill at a random batch before it is read or after it is committed, or at a list."""
    skip = chance.randrange(3)
    match kind:
        case 0:
            # Reads are batches, too: those of the plan come first.
            server.faults.set(
                "fail_next", killer, table="batch", skip=chance.randrange(12), times=1
            )
        case 1:
            table = chance.choice(["batch", "", "incident"])
            server.faults.set(
                "drop_reply_after_commit", killer, table=table, skip=chance.randrange(14), times=1
            )
        case _:
            server.faults.set("mutate_between_pages", killer, skip=40 + 3 * skip, times=1)


def test_a_publish_killed_two_hundred_times_ends_with_exactly_the_plan(
    measured: Path, planned: dict[tuple[str, str], dict[str, str]], tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    shutil.copytree(measured, folder)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.e2e.publishing"])
    chance = random.Random(20)
    kills: Counter[int] = Counter()
    with serve(folder) as server:
        before = len(server.write_log())
        while sum(kills.values()) < KILLS:
            kind = sum(kills.values()) % 3
            killer = Killer()
            killer.victim = context.Process(target=publish, args=(str(folder),))
            aim(server, killer, kind, chance)
            killer.victim.start()
            killer.victim.join()
            server.faults.clear()
            kills[kind] += killer.victim.exitcode == -signal.SIGKILL
            assert killer.victim.exitcode in (0, -signal.SIGKILL)
            if killer.victim.exitcode == 0:
                break
        assert sum(kills.values()) >= KILLS, kills
        publish(str(folder))
        log = server.write_log()[before:]
        publish(str(folder))

        assert len(server.write_log()) == before + len(log), "there is nothing left to write"
        assert ours(server) == planned
        for table in OURS:
            keys = Counter(row["u_key"] for row in server.rows(table))
            assert max(keys.values()) == 1, f"{table}: a record stands there twice"
        writes = Counter((entry["table"], entry["sys_id"]) for entry in log)
        assert max(writes.values()) == 1, "a record was written twice"
