"""Runs contenders beside the source, each in a process of its own, in turn, and keeps the figures.

Of a process the kernel's own account is taken: CPU seconds of all its threads (and of processes it
waited for), and the most memory it ever held.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
VENVS = ROOT / ".venv-peers"
_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(HERE.parent), "PYTHONWARNINGS": "ignore"}

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run cost."""

    cpu: float
    wall: float
    memory: float
    """MB, the most of any one process."""
    told: dict[str, Any]
    """What the contender says of it."""


@dataclass(slots=True, kw_only=True)
class Contender:
    """One way to do the work: a command that is given the facts and a folder."""

    name: str
    command: Sequence[str]
    more: Sequence[str] = ()
    sum_of: Callable[[Path], str] | None = None
    """The checksum of what it left in the folder."""
    runs: list[Figures] = field(default_factory=list)
    problem: str = ""

    def median(self, figure: str) -> float:
        """The median of a figure over all runs."""
        return statistics.median(getattr(run, figure) for run in self.runs)


class NotInstalled(Exception):
    """A peer that cannot be had; the reason is told in the table."""


def peer(venv: str, script: str) -> list[str]:
    """The command of a peer, in its own virtual environment with its pins, made if need be."""
    python = VENVS / venv / "bin" / "python"
    pins = HERE / "peers" / f"{venv}.txt"
    stamp = VENVS / venv / pins.name
    if not stamp.exists() or stamp.read_bytes() != pins.read_bytes():
        python.exists() or _made([sys.executable, "-m", "venv", str(VENVS / venv)])
        _made([str(python), "-m", "pip", "install", "--quiet", "-r", str(pins)])
        stamp.write_bytes(pins.read_bytes())
    return [str(python), str(HERE / "peers" / script)]


def _made(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NotInstalled(f"cannot be installed: {last:.200}")


def ours(*what: str) -> list[str]:
    """The command of our own side."""
    return [sys.executable, "-m", "benchmarks.ours", *what]


@contextmanager
def source(incidents: int, issues: int = 0) -> Iterator[dict[str, Any]]:
    """The source's facts, while it serves."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.server"]
        server = subprocess.Popen(
            [*command, f"{folder}/sandbox", str(incidents), str(issues)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_ENVIRONMENT,
        )  # fmt: skip
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            yield json.loads(server.stdout.readline())
        finally:
            server.stdin.close()
            server.wait()


def measured(command: Sequence[str], facts: Facts, folder: Path, more: Sequence[str]) -> Figures:
    """One run of a command."""
    with (folder / "out").open("w+") as out, (folder / "err").open("w+") as err:
        began = time.perf_counter()
        process = subprocess.Popen(
            [*command, json.dumps(facts), str(folder), *more],
            stdout=out, stderr=err, env=_ENVIRONMENT, cwd=folder,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            raise RuntimeError(f"{command[-1]} failed: {err.read()[-1500:]}")
        told = json.loads(out.read().strip().splitlines()[-1])
    return Figures(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, told)


def rounds(contenders: Sequence[Contender], facts: Facts, runs: int) -> None:
    """All contenders once a round, so that a slow minute of the machine is everybody's."""
    for turn in range(runs):
        for each in contenders:
            if each.problem:
                continue
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                each.runs.append(measured(each.command, facts, folder, each.more))
                if turn == 0 and each.sum_of:
                    each.runs[0].told["checksum"] = each.sum_of(folder)
            last = each.runs[-1]
            say(f"  round {turn + 1}: {each.name}: {last.cpu:.2f} s CPU, {last.wall:.2f} s wall")


def ratio(one: Contender, other: Contender, figure: str = "cpu") -> float:
    """The median of the rounds' ratios."""
    pairs = zip(one.runs, other.runs, strict=True)
    return statistics.median(getattr(a, figure) / getattr(b, figure) for a, b in pairs)


def say(line: str) -> None:
    """Tell how it goes, beside the table."""
    sys.stderr.write(line + "\n")
