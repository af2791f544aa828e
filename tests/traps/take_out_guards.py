"""Takes each guard out of a copy of the sources and runs its test there: it has to fail.

Run it by ``make traps``; a part by TRAPS="C5 P8".
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_LEFT_OUT = shutil.ignore_patterns(".*", "var", "__pycache__", "*.egg-info")


def passes(copy: Path, test: str) -> bool:
    """Whether a test passes with the sources of the copy."""
    sources = [copy / "src", *sorted((copy / "plugins").glob("*/src"))]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, sources))},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{test}: {done.stdout[-800:]}{done.stderr[-800:]}")
    return done.returncode == 0


def seen(copy: Path, it: dict[str, Any]) -> str:
    """How the test ends with the guard, and without it."""
    if "file" not in it:
        return "passes; by design" if passes(copy, it["test"]) else "FAILS"
    file = copy / it["file"]
    whole = file.read_text(encoding="utf-8")
    with_guard = passes(copy, it["test"])
    try:
        file.write_text(whole.replace(it["old"], it["new"]), encoding="utf-8")
        without = passes(copy, it["test"])
    finally:
        file.write_text(whole, encoding="utf-8")
    if not with_guard:
        return "FAILS with the guard"
    return "PASSES without the guard" if without else "passes with the guard, fails without it"


def main() -> None:
    """A line a trap; ends badly if a guard is not held by its test."""
    traps: dict[str, Any] = {}
    for name in ("guards.toml", "platforms.toml"):
        traps |= tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "repo"
        shutil.copytree(ROOT, copy, ignore=_LEFT_OUT)
        for name, it in traps.items():
            if sys.argv[1:] and name not in sys.argv[1:]:
                continue
            told = seen(copy, it)
            bad += told.isupper() or told.split()[0] in ("FAILS", "PASSES")
            sys.stdout.write(f"{name:<4} {told:<42} {it['test'].rpartition('::')[2]}\n")
            sys.stdout.flush()
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
