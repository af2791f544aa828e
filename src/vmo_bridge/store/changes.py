"""What the outbox keeps: changes to records of a target, what became of them, and receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxItem:
    """One change to one record of a target."""

    id: int = 0
    run_id: int = 0
    target: str
    """The connector's name."""
    table: str
    key: str | None
    match: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str]
    before: Mapping[str, str] = field(default_factory=dict)
    still: Mapping[str, str] = field(default_factory=dict)
    """What fields of the record have to hold just before it is written to."""
    state: str = "waiting"
    """waiting, stored (read back and equal), not-stored, reverted, refused, moved (something
    happened to the record since it was planned; planned anew next time), removed or superseded.
    """
    reason: str = ""
    sent_at: datetime | None = None
    """When it was about to be sent: from then on it may have arrived."""

    @property
    def record(self) -> str:
        """What tells the record from others of its table, before it is there and after."""
        return next(iter(self.match.values()), self.key or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReceipt:
    """What a target held right after a write."""

    target: str
    table: str
    key: str
    stored: Mapping[str, str]
    verdict: str
    seen_at: datetime | None
    changed_at: datetime | None = None
    """When the record last changed by the target's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What became of an item."""

    item: OutboxItem
    state: str
    reason: str = ""
    receipt: StoredReceipt | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WritingRun:
    """What one run wrote to one target."""

    run_id: int
    target: str
    began_at: datetime | None
    stored: int
    other: int
    """Changes that were sent and did not end as planned."""
