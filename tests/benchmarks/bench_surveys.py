"""How long a first sync of survey answers takes, from an account on the same machine.

Run it by ``make bench-surveys``. The account is a sandbox in a process of its own; ours pays from
a budget, joins each answer with its question, normalises, keeps raw pages, a ledger and versions.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from vmo_bridge.hooks.loader import load_plugins
from vmo_bridge.pipeline import Bridge
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.settings import load_settings

SURVEY = "410000001"


def serve(folder: Path, rows: int, pipe: Connection) -> None:
    """Serve an account with so many more responses, until told to end."""
    with SandboxServer(folder) as server:
        for window in ("daily_quota", "minute_quota"):
            server.faults.set(window, 10_000_000, app="surveymonkey")
        store = server.surveymonkey.store
        (text,), _ = store.page(SURVEY, size=1, offset=0, sort="id", desc=False, status="completed")
        model, start = json.loads(text), datetime(2025, 1, 1, tzinfo=UTC)
        store.load(
            SURVEY,
            [
                {
                    **model,
                    "id": f"{200_000_000_000 + at}",
                    "recipient_id": f"{at}",
                    "date_modified": f"{start + timedelta(seconds=at * 7):%Y-%m-%dT%H:%M:%S}+00:00",
                }
                for at in range(rows)
            ],
        )
        pipe.send((server.surveymonkey.url, server.surveymonkey.token))
        pipe.recv()


def ours(url: str, token: str, folder: Path) -> int:
    """Sync the account."""
    (folder / "token").write_text(token)
    config = folder / "bench.toml"
    config.write_text(
        f'[connectors.bench]\nplugin = "surveymonkey"\nurl = "{url}"\n'
        'token = { file = "token" }\ncalls_a_day = 10000000\ncalls_a_minute = 10000000\n'
    )
    with Bridge(load_settings(config), load_plugins(), owner="bench") as bridge:
        outcomes = bridge.sync()
    assert not any(each.problem or each.quarantined for each in outcomes), outcomes
    return outcomes[-1].read


def measured(url: str, token: str) -> tuple[float, float, float, int]:
    """Wall seconds, CPU seconds, peak memory (MB) and responses of one run of its own process."""

    def run(folder: str, pipe: Connection) -> None:
        began = time.perf_counter()
        rows = ours(url, token, Path(folder))
        wall = time.perf_counter() - began
        usage = resource.getrusage(resource.RUSAGE_SELF)
        pipe.send((wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, rows))

    here, there = multiprocessing.get_context("fork").Pipe()
    with tempfile.TemporaryDirectory() as folder:
        process = multiprocessing.get_context("fork").Process(target=run, args=(folder, there))
        process.start()
        result: tuple[float, float, float, int] = here.recv()
        process.join()
    return result


def main() -> None:
    """Print a row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        here, there = multiprocessing.Pipe()
        server = multiprocessing.Process(target=serve, args=(Path(folder) / "s", asked.rows, there))
        server.start()
        url, token = here.recv()
        runs = [measured(url, token) for _ in range(asked.runs)]
        wall, cpu = (statistics.median(run[at] for run in runs) for at in (0, 1))
        sys.stdout.write(
            f"{runs[0][3]:,} responses  {wall:.1f} s wall ({min(r[0] for r in runs):.1f} to "
            f"{max(r[0] for r in runs):.1f})  {cpu:.1f} s CPU  {max(r[2] for r in runs):.0f} MB\n"
        )
        here.send("end")
        server.join()


if __name__ == "__main__":
    main()
