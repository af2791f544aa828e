"""The house stays readable: each file says its one job, and none grows into a heap."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted([*ROOT.glob("src/**/*.py"), *ROOT.glob("plugins/*/src/**/*.py")])
MOST_LINES, MOST_LINES_OF_A_FUNCTION = 330, 60


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 50


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_file_says_its_one_job_and_is_short(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text)
    job = ast.get_docstring(tree)
    assert job, "it does not begin with a docstring"
    assert job.splitlines()[0].endswith((".", "!", "?", ":")), "its first line is no sentence"
    assert text.count("\n") <= MOST_LINES
    long = [
        f"{each.name} ({each.end_lineno - each.lineno + 1} lines)"
        for each in ast.walk(tree)
        if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef))
        and each.end_lineno is not None
        and each.end_lineno - each.lineno >= MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []
