"""How the sync of one stream went."""

from __future__ import annotations

from dataclasses import dataclass, field

from vmo_bridge.records.certificate import Certificate
from vmo_bridge.sync.keep import Kept


@dataclass(slots=True, kw_only=True)
class StreamOutcome:
    """How the sync of one stream went."""

    source: str
    stream: str
    read: int = 0
    changed: int = 0
    quarantined: int = 0
    own: int = 0
    """Changes that were nothing but our own writes coming back; not among ``changed``."""
    gone: int = 0
    """Records found deleted or missing in this run."""
    problem: str = ""
    """Why it is not whole; empty if it is."""
    notes: list[str] = field(default_factory=list)
    """What the source has to tell of the read."""
    certificate: Certificate | None = None
    """None: the stream was not asked for."""

    def add(self, kept: Kept) -> None:
        """Count what was kept of a page."""
        self.read += kept.read
        self.changed += kept.changed
        self.quarantined += kept.quarantined
        self.own += kept.own
