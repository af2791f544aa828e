"""A log on disk: its name and hash are known at once, its history when it is asked for."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from vmo_bridge.sandbox.replay.history import History, tell
from vmo_bridge.sandbox.replay.reading import digest, read_lines
from vmo_bridge.sandbox.servicenow.instance import Clock, utc_now


class EventLog:
    """The "incident management process enriched event log", a CSV file, as .csv or .csv.gz.

    Its moments name no zone; they are taken as UTC. ``ConfigError`` where there is no such file.
    """

    def __init__(self, path: Path, clock: Clock = utc_now) -> None:
        self.path = path
        self.name = path.name
        self.sha256 = digest(path)
        self._clock = clock

    @cached_property
    def history(self) -> History:
        """All that it tells; ``ConfigError`` names line, column and value of what is wrong."""
        return tell(read_lines(self.path, self._clock()))
