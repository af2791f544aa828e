"""The traps that users of such tools suffer from: each has its guard, its test and its line."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
COMMON, PLATFORMS = (
    tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
    for name in ("guards.toml", "platforms.toml")
)
TRAPS: dict[str, dict[str, Any]] = COMMON | PLATFORMS


def test_every_trap_is_spoken_of() -> None:
    assert list(COMMON) == [f"C{number}" for number in range(1, 31)]
    assert list(PLATFORMS) == [f"P{number}" for number in range(1, 29)]


@pytest.mark.parametrize("trap", TRAPS)
def test_the_guard_and_its_test_are_there(trap: str) -> None:
    """``make traps`` takes the guard out and sees the test fail."""
    it = TRAPS[trap]
    file, _, name = it["test"].partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    assert not name or f"def {name.rpartition('::')[2]}(" in text or "Contract" in text
    if "file" in it:
        guard = (ROOT / it["file"]).read_text(encoding="utf-8")
        assert guard.count(it["old"]) >= 1, f"{it['old']!r} is not in {it['file']}"


@pytest.mark.parametrize("trap", TRAPS)
def test_the_trap_has_its_line_in_the_docs(trap: str) -> None:
    it = TRAPS[trap]
    text = (ROOT / "docs" / "traps.md").read_text(encoding="utf-8")
    assert line(trap, it) in text


def line(trap: str, it: dict[str, Any]) -> str:
    """A line of the table in docs/traps.md."""
    where = f"`{it['file']}`" if "file" in it else "by design: there is nothing to take out"
    return f"| {trap} | {it['trap']} | {it['rule']} | {where} | `{it['test']}` |"
