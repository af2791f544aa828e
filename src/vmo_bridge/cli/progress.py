"""Shows how a long stage goes: bars on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from vmo_bridge.watch import Watch

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@contextmanager
def watching() -> Iterator[Watch]:
    """A watch for the terminal (or not) that standard error is."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<38}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        yield _Bars(progress)


class _Lines(Watch):
    """One line a finished piece of work."""

    def __init__(self) -> None:
        self._task = ""
        self._done = 0

    def begin(self, task: str, total: int | None = None) -> None:  # noqa: ARG002 - a line has no end
        self._task, self._done = task, 0

    def advance(self, steps: int = 1) -> None:
        self._done += steps

    def end(self, note: str = "") -> None:
        click.echo(f"{self._task}: {self._done}{f' ({note})' if note else ''}", err=True)


class _Bars(Watch):
    """One bar a piece of work."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bar: TaskID | None = None

    def begin(self, task: str, total: int | None = None) -> None:
        self._bar = self._progress.add_task(task, total=total, note="")

    def advance(self, steps: int = 1) -> None:
        if self._bar is not None:
            self._progress.advance(self._bar, steps)

    def end(self, note: str = "") -> None:
        if self._bar is not None:
            done = self._progress.tasks[self._progress.task_ids.index(self._bar)].completed
            self._progress.update(self._bar, total=done or 1, completed=done or 1, note=note)
