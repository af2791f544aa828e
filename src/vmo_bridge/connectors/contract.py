"""The contract of a connector: what the core asks of every source, and nothing about any one.

A connector never sees the store. It names its streams, cuts the work into slices, reads pages of
raw records and normalises one raw record at a time. What only some sources can do stands in
``abilities`` and ``writing``; what one cannot do is absent, never faked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from vmo_bridge.records import Record

RawRecord = Mapping[str, Any]
"""One record as the source gave it, decoded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A thing a source can be read for, page by page."""

    name: str
    kinds: tuple[str, ...]
    """Kinds of record its raw records become."""
    key_field: str
    """The field of the raw record that tells it from all others of the stream."""
    person_fields: tuple[str, ...] = ()
    """Fields of the raw record that name a person: pseudonymised before anything is stored."""
    private_fields: tuple[str, ...] = ()
    """Fields dropped before anything is stored unless names are allowed (names, e-mail)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """An independent, picklable piece of work: a stream between two moments of its clock."""

    stream: str
    since: datetime | None = None
    """Inclusive; None is from the beginning."""
    until: datetime | None = None
    """Exclusive; None is without end."""
    cursor: str | None = None
    """Where the read begins, and an interrupted one goes on, in the connector's own words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Raw records in the source's order, and where the next page begins."""

    records: Sequence[RawRecord]
    cursor: str | None
    """Resumes after this page."""
    newest: datetime | None = None
    """The latest change seen so far in this slice, by the source's clock."""
    expected: int | None = None
    """How many records the source says the slice has, where it says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRow:
    """One thing that was tried before anything is read or written."""

    what: str
    state: Literal["ok", "warning", "failed"]
    detail: str = ""


class Connector(Protocol):
    """A source that can be read."""

    name: str

    @property
    def streams(self) -> Sequence[Stream]:
        """What can be read, in the order in which it should be read."""
        ...

    def check(self) -> Iterable[CheckRow]:
        """Try reach, sign-in and the right to read each stream, in seconds, storing nothing."""
        ...

    def slices(self, stream: Stream, since: datetime | None, until: datetime | None) -> list[Slice]:
        """The pieces of work that together read all changes from ``since`` on."""
        ...

    def read(self, piece: Slice) -> Iterator[Page]:
        """The pages of a slice, from its cursor on; ends when the slice is whole.

        Raises ``SignInError``, ``AccessError``, ``RetryLater`` or ``SourceError``. An answer that
        cannot be trusted is never turned into a page.
        """
        ...

    def normalise(self, stream: str, record: RawRecord) -> Iterable[Record]:
        """Our records from one raw one, without asking the source; ``RecordError`` if it can't."""
        ...

    def count(self, stream: Stream) -> int | None:
        """How many records the source says the stream has for us now; None where it can't say."""
        ...

    def link(self, stream: str, key: str) -> str:
        """The address under which a person sees the record."""
        ...

    def close(self) -> None:
        """Give back what is held open."""
        ...
