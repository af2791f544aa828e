"""How much CPU a first sync costs, beside a bare loop that fetches and writes the same fields.

Run it by ``make bench``. The source is a sandbox in a process of its own, so that only the reader's
CPU seconds count. Ours also normalises, keeps raw pages, a ledger and versions.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import httpx
import msgspec

from vmo_bridge.hooks.loader import load_plugins
from vmo_bridge.pipeline import Bridge
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.settings import load_settings
from vmo_bridge_servicenow.tables import TABLES

PAGE = 1000
FIELDS = TABLES["incident"].all_fields


def serve(folder: Path, rows: int, pipe: Connection) -> None:
    """Serve an agency with so many more incidents, until told to end."""
    with SandboxServer(folder) as server:
        (model,) = server.rows("incident", "ORDERBYnumber")[:1]
        start = datetime(2020, 1, 1, tzinfo=UTC)
        server.load(
            "incident",
            (
                {
                    **model,
                    "sys_id": f"{at:032x}",
                    "number": f"INC9{at:07d}",
                    "sys_updated_on": f"{start + timedelta(seconds=at // 3):%Y-%m-%d %H:%M:%S}",
                    "short_description": f"Benchmark incident {at}",
                }
                for at in range(rows)
            ),
        )
        pipe.send((server.url, *server.auth()))
        pipe.recv()


def bare(url: str, user: str, password: str, folder: Path) -> int:
    """Fetch by keyset and write the fields; nothing else."""
    db = sqlite3.connect(folder / "bare.db")
    db.execute(f"create table incident ({', '.join(FIELDS)})")
    marks = ", ".join("?" * len(FIELDS))
    total, where = 0, ""
    with httpx.Client(base_url=url, auth=(user, password), timeout=60) as client:
        while True:
            reply = client.get(
                "/api/now/table/incident",
                params={
                    "sysparm_query": f"{where}^ORDERBYsys_updated_on^ORDERBYsys_id",
                    "sysparm_limit": str(PAGE),
                    "sysparm_fields": ",".join(FIELDS),
                    "sysparm_exclude_reference_link": "true",
                    "sysparm_no_count": "true",
                },
            )
            rows = msgspec.json.decode(reply.content)["result"]
            if not rows:
                return total
            db.executemany(
                f"insert into incident values ({marks})",
                [[row[name] for name in FIELDS] for row in rows],
            )
            db.commit()
            total += len(rows)
            at, key = rows[-1]["sys_updated_on"], rows[-1]["sys_id"]
            where = f"sys_updated_on>{at}^NQsys_updated_on={at}^sys_id>{key}"


def ours(url: str, user: str, password: str, folder: Path) -> int:
    """Sync the same table."""
    (folder / "password").write_text(password)
    config = folder / "bench.toml"
    config.write_text(
        f'[connectors.bench]\nplugin = "servicenow"\nurl = "{url}"\ntables = ["incident"]\n'
        f"page_size = {PAGE}\n[connectors.bench.auth]\n"
        f'method = "basic"\nuser = "{user}"\npassword = {{ file = "password" }}\n'
    )
    with Bridge(load_settings(config), load_plugins(), owner="bench") as bridge:
        (outcome,) = bridge.sync()
    assert not outcome.problem, outcome.problem
    return outcome.read


def measured(work: Callable[[Path], int]) -> tuple[float, float, int]:
    """CPU seconds, peak memory (MB) and rows of one run in a process of its own."""

    def run(folder: str, pipe: Connection) -> None:
        rows = work(Path(folder))
        usage = resource.getrusage(resource.RUSAGE_SELF)
        pipe.send((usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, rows))

    here, there = multiprocessing.get_context("fork").Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = multiprocessing.get_context("fork").Process(target=run, args=(folder, there))
        process.start()
        result: tuple[float, float, int] = here.recv()
        process.join()
    return result


def main() -> None:
    """Print a row for each contender."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        here, there = multiprocessing.Pipe()
        server = multiprocessing.Process(target=serve, args=(Path(folder) / "s", asked.rows, there))
        server.start()
        url, user, password = here.recv()
        contenders: dict[str, Callable[[Path], int]] = {
            "bare loop": lambda where: bare(url, user, password, where),
            "vmo-bridge sync": lambda where: ours(url, user, password, where),
        }
        floor = 0.0
        for name, work in contenders.items():
            runs = [measured(work) for _ in range(asked.runs)]
            cpu = statistics.median(run[0] for run in runs)
            memory = max(run[1] for run in runs)
            floor = floor or cpu
            sys.stdout.write(
                f"{name:<16} {runs[0][2]:>8,} rows  {cpu:6.2f} s CPU  {cpu / floor:5.2f} x  "
                f"{memory:6.0f} MB\n"
            )
        here.send("end")
        server.join()


if __name__ == "__main__":
    main()
