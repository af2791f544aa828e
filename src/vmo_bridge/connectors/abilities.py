"""What some sources can do beyond being read: count, sweep, prove deletions, remember, tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from vmo_bridge.connectors.contract import Page, RawRecord, Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How many records a source says it has between two moments, asked for just now."""

    since: datetime | None
    """Inclusive; None is from the beginning."""
    until: datetime | None
    """Exclusive; None is without end."""
    count: int
    newest: datetime | None = None
    """The latest change among them, where the source says so."""
    approximate: bool = False
    """Whether the source itself calls the count approximate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A record that a sweep came by."""

    key: str
    """The raw record's own key, as in ``Stream.key_field``."""
    changed_at: datetime | None = None
    """When it last changed by the source's clock, where the sweep is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """The source's own word that a record was deleted."""

    key: str
    at: datetime
    """By the source's clock."""
    proof: str
    """Where it says so, such as ``sys_audit_delete``; never a person's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The calls a source lets us make."""

    spent: int
    """Calls made in this hour, or what else the source counts by."""
    allowed: int | None = None
    """At most so many; None: nobody set a limit."""
    left: int | None = None
    """What the source itself says is left, where it does."""
    renewed_at: datetime | None = None
    """When the count begins anew."""


@runtime_checkable
class Dated(Protocol):
    """A source whose raw records say when they changed, and that can count by it."""

    def changed_at(self, stream: str, record: RawRecord) -> datetime | None:
        """When a raw record last changed, by the source's clock; None where it does not say.

        The moment by which ``slices`` selects, in whole seconds. It raises nothing: a moment that
        cannot be read is None.
        """
        ...

    def tally(
        self, stream: Stream, windows: Sequence[tuple[datetime | None, datetime | None]]
    ) -> list[Tally]:
        """Count each window (since, until) anew; empty where the source cannot count.

        Windows begin and end on whole minutes.
        """
        ...


@runtime_checkable
class Sweeping(Protocol):
    """A source that can name all its records without giving them."""

    def sweep(self, stream: Stream) -> Iterator[Sequence[Seen]] | None:
        """The key of every record it has for us now, in batches; None where it can't for this one.

        Ends only when whole: an answer that cannot be trusted raises, as in ``Connector.read``.
        """
        ...

    def fetch(self, stream: Stream, keys: Sequence[str]) -> Iterator[Page]:
        """The records of these keys, as far as they are there; pages without a cursor."""
        ...


@runtime_checkable
class Deleting(Protocol):
    """A source that tells of deletions, as far as its audit goes."""

    def deletions(self, stream: Stream, since: datetime | None) -> Iterable[Deletion]:
        """What was deleted from ``since`` on (inclusive, by its clock).

        None at all is no proof that nothing was deleted. A missing right to ask raises
        ``AccessError``.
        """
        ...


@runtime_checkable
class Probing(Protocol):
    """A source that hides fields from users without the right to them, and says nothing."""

    def blanks(self, stream: Stream) -> Sequence[str]:
        """Fields that we ask for and that no record of the last read or probe had."""
        ...


@runtime_checkable
class SideBySide(Protocol):
    """A source whose slices may be read at once, each in a thread of its own."""

    @property
    def at_once(self) -> int:
        """How many; 1 is one after the other."""
        ...


@runtime_checkable
class Metered(Protocol):
    """A source that limits how often it is asked."""

    def budget(self) -> Budget:
        """How much of it is spent."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A source whose connector has to know of earlier runs: calls spent, files taken, counts."""

    def remember(self, memory: MutableMapping[str, str]) -> None:
        """Take the memory of this source; given before anything is read, and kept by the core.

        What is put into it is saved in one transaction with the next page, or with the end of the
        slice or the read: what is remembered of a page and the page are there both, or neither.
        """
        ...


@runtime_checkable
class Noting(Protocol):
    """A source with something to tell of a read that is whole all the same."""

    def notes(self, stream: str) -> Sequence[str]:
        """What people should know of the last read of a stream: odd answers, files waited for.

        Asked for after each read; never holds a secret or personal data.
        """
        ...
