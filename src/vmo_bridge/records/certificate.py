"""The completeness certificate: what a source has of a stream, against what we hold of it."""

from __future__ import annotations

from datetime import datetime

import msgspec

GRADES = "ABCDF"
"""From proven to not to be trusted."""


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """One window of a stream: the source's own count, asked for in this run, and ours."""

    since: datetime | None
    """Inclusive; None is from the beginning."""
    until: datetime | None
    """Exclusive; None is without end: what changed while and after we read."""
    theirs: int
    ours: int
    their_newest: datetime | None = None
    our_newest: datetime | None = None


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of a stream's completeness, and what can not."""

    source: str
    stream: str
    taken_at: datetime
    grade: str = "F"
    """A (proven) to D (gaps), F (not to be trusted); docs/certificates.md says what caps it."""
    reasons: tuple[str, ...] = ()
    """Why it is no A, the gravest first."""
    complete_at: datetime | None = None
    """When the stream was last read whole; None: never."""
    problem: str | None = None
    """Why it could not be read this time."""
    alarm: str | None = None
    """A fall that nobody explained yet: publishing waits."""
    counts: tuple[Count, ...] = ()
    """The windows; empty where the source cannot count by moment."""
    theirs: int | None = None
    """How many records the source says it has; None: it does not say."""
    ours: int = 0
    """How many we hold, quarantined ones included, those that are gone not."""
    approximate: bool = False
    """Whether the source calls its counts approximate."""
    can_sweep: bool = False
    """Whether the source can name its records, so that missing and deleted ones are found."""
    swept_at: datetime | None = None
    """When all its records were last named; None: never."""
    hidden: int = 0
    """Records the source counted at the last sweep and did not name: hidden from our user."""
    missing: int = 0
    """Named at the last sweep and not held even after they were asked for again."""
    extra: int = 0
    """Held and not named at the last sweep, and not buried because of the alarm."""
    gone: int = 0
    """Records that were there once: deleted or missing."""
    quarantined: int = 0
    blanks: tuple[str, ...] = ()
    """Fields that we ask for and that never hold anything: not there, or hidden from our user."""
    oldest_unread: datetime | None = None
    """Changes from here on may be unread; None: nothing is known to be."""

    @property
    def unread(self) -> int:
        """How many records changed since we read, as far as counts tell."""
        return sum(max(0, each.theirs - each.ours) for each in self.counts if each.until is None)

    @property
    def lacking(self) -> int:
        """Records the source has and shows, and we lack; what changed since we read not counted."""
        if not self.counts:
            return max(0, (self.theirs or 0) - self.hidden - self.ours)
        over = sum(max(0, each.theirs - each.ours) for each in self.counts if each.until)
        return max(0, over - self.hidden)

    @property
    def surplus(self) -> int:
        """Records we hold and the source no longer has, beyond those that only moved on."""
        if not self.counts:
            return 0 if self.theirs is None else max(0, self.ours - self.theirs)
        over = sum(max(0, each.ours - each.theirs) for each in self.counts)
        return max(0, over - self.unread)
