"""How long writing back takes: two values on each of 5,000 incidents, then a look at them again.

Run it by ``make bench-publish``. The instance is a sandbox in a process of its own; ours plans
against it, queues in a store, writes by batches, reads each record back and keeps receipts.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from vmo_bridge.connectors.abilities import Metered
from vmo_bridge.connectors.opening import opened
from vmo_bridge.connectors.writing import BulkWriter, Column, TargetTable, Writer
from vmo_bridge.hooks.loader import load_plugins
from vmo_bridge.publish.deliver import Courier
from vmo_bridge.publish.plan import Past, PlanRow, make_plan
from vmo_bridge.publish.wishes import Wish
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.settings import load_settings
from vmo_bridge.store import Store
from vmo_bridge.store.clock import now
from vmo_bridge.store.outbox import OutboxItem
from vmo_bridge.watch import Watch

FACTS = TargetTable(
    table="incident",
    columns=(
        Column(name="u_vmo_watermelon", label="VMO watermelon", type="boolean"),
        Column(name="u_vmo_lost_time", label="VMO perceived lost time (min)", type="integer"),
    ),
)


@dataclass(frozen=True)
class Took:
    """Seconds and calls of one piece of work."""

    seconds: float
    calls: int


def serve(folder: Path, records: int, pipe: Connection) -> None:
    """Serve an instance with so many open incidents, until told to end."""
    with SandboxServer(folder) as server:
        model = server.rows("incident")[0]
        rows = [
            {**model, "sys_id": f"{number:032x}", "number": f"INC{number:07d}", "active": "true"}
            for number in range(records)
        ]
        server.load("incident", rows)
        pipe.send((server.url, server.auth("vmo.bridge")))
        pipe.recv()


def wishes(records: int) -> Iterator[Wish]:
    """Two values on each incident."""
    for number in range(records):
        yield Wish(
            table="incident",
            key=f"{number:032x}",
            label=f"INC{number:07d}",
            values={"u_vmo_watermelon": "true", "u_vmo_lost_time": str(1 + number % 500)},
            still={"active": "true"},
        )


class Bench:
    """One target with a store of its own."""

    def __init__(self, writer: Writer, store: Store, records: int) -> None:
        self._writer = writer
        self._store = store
        self._records = records
        self._plan: list[PlanRow] = []

    def planned(self) -> dict[str, int]:
        """Plan, and count the rows by what is to be done."""
        self._plan = make_plan(self._writer, wishes(self._records), lambda _: Past(now=now()))
        counts: dict[str, int] = {}
        for row in self._plan:
            counts[row.action] = counts.get(row.action, 0) + 1
        return counts

    def deliver(self) -> int:
        """Queue the plan and deliver it; returns how many records were read back as planned."""
        self._store.outbox.queue(
            1,
            "bench",
            (
                OutboxItem(
                    target="bench",
                    table=row.table,
                    key=row.key,
                    values=row.values,
                    before=row.before,
                    still=row.still,
                )
                for row in self._plan
            ),
        )
        courier = Courier(
            store=self._store,
            target="bench",
            writer=self._writer,
            watch=Watch(),
            stopped=lambda: "",
        )
        return courier.deliver(self._records).stored

    def calls(self) -> int:
        """HTTP calls made so far."""
        assert isinstance(self._writer, Metered)
        return self._writer.budget().spent


def run(folder: Path, records: int) -> dict[str, Took]:
    """Plan, write, and plan again; checks that each did what it should."""
    settings = load_settings(folder / "bench.toml")
    took: dict[str, Took] = {}
    with (
        opened("bench", settings, load_plugins()) as connector,
        Store(folder / "bench.db", owner="bench") as store,
    ):
        assert isinstance(connector, BulkWriter)
        assert isinstance(connector, Writer)
        for step in connector.provision_plan([FACTS]):
            connector.provision(step)
        bench = Bench(connector, store, records)

        def timed(name: str, work: Callable[[], object], wanted: object) -> None:
            before, began = bench.calls(), time.perf_counter()
            found = work()
            took[name] = Took(time.perf_counter() - began, bench.calls() - before)
            assert found == wanted, (name, found)

        timed("plan", bench.planned, {"change": records})
        timed("write", bench.deliver, records)
        timed("unchanged", bench.planned, {"unchanged": records})
    return took


def measured(records: int) -> dict[str, Took]:
    """One round on a fresh instance."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = context.Process(target=serve, args=(folder / "instance", records, there))
        server.start()
        url, (user, password) = here.recv()
        (folder / "password").write_text(password)
        (folder / "bench.toml").write_text(
            f'[connectors.bench]\nplugin = "servicenow"\nurl = "{url}"\n'
            f'[connectors.bench.auth]\nmethod = "basic"\nuser = "{user}"\n'
            'password = { file = "password" }\n'
        )
        try:
            return run(folder, records)
        finally:
            here.send("end")
            server.join()


def main() -> None:
    """Print the medians of some rounds, and the limits beside them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=5_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    rounds = []
    for number in range(given.runs):
        rounds.append(measured(given.records))
        told = ", ".join(
            f"{name} {each.seconds:.2f} s ({each.calls} calls)" for name, each in rounds[-1].items()
        )
        sys.stdout.write(f"round {number + 1}: {told}\n")
        sys.stdout.flush()
    limits = {
        "plan": "at most 5 s",
        "write": "at most 60 s",
        "unchanged": "at most 1 call per 100 records, no write",
    }
    for name, limit in limits.items():
        seconds = [each[name].seconds for each in rounds]
        calls = max(each[name].calls for each in rounds)
        sys.stdout.write(
            f"{name}: median {statistics.median(seconds):.2f} s "
            f"({min(seconds):.2f} to {max(seconds):.2f}), {calls} calls "
            f"for {given.records} records; {limit}\n"
        )


if __name__ == "__main__":
    main()
