"""What a sync is asked for, and how careful it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmo_bridge.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is read: by default what changed, in all streams."""

    streams: tuple[str, ...] = ()
    """``source`` or ``source:stream``; empty: all."""
    since: datetime | None = None
    until: datetime | None = None
    """A window read beside the stream's own way (a backfill); since inclusive, until exclusive."""
    full: bool = False
    """Read everything anew, whatever was read before."""
    sweep: bool = False
    """Ask for the names of all records, though it is not time yet."""

    @property
    def is_backfill(self) -> bool:
        """Whether a window is asked for."""
        return self.since is not None or self.until is not None

    def has_source(self, source: str) -> bool:
        """Whether anything of a source is asked for."""
        return not self.streams or any(each.partition(":")[0] == source for each in self.streams)

    def check(self, source: str, streams: Iterable[str]) -> None:
        """Refuse a stream that a source does not have: nothing would be read, without a word."""
        known = {f"{source}:{each}" for each in streams}
        for each in self.streams:
            if each.startswith(f"{source}:") and each not in known:
                raise ConfigError(
                    f"--stream {each}: there is no such stream; "
                    f"there are: {', '.join(sorted(known))}"
                )

    def check_sources(self, sources: Iterable[str]) -> None:
        """Refuse a source that is not switched on."""
        known = sorted(sources)
        for each in self.streams:
            if each.partition(":")[0] not in known:
                raise ConfigError(
                    f"--stream {each}: there is no such source; there are: {', '.join(known)}"
                )

    def has(self, source: str, stream: str) -> bool:
        """Whether a stream is asked for."""
        return not self.streams or bool({source, f"{source}:{stream}"} & {*self.streams})


@dataclass(frozen=True, slots=True, kw_only=True)
class Care:
    """How much is read again, and when is looked for what no read can see."""

    overlap: timedelta = timedelta(minutes=5)
    """Changes so long before the watermark are read again: some are committed late."""
    sweep_every: timedelta | None = timedelta(hours=24)
    """How often a source is asked to name all its records; None: never by itself."""
    alarm_share: float = 0.2
    """A fall of more than this share of a stream's records is not believed without a person."""
