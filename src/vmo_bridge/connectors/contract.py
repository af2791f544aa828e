"""The contract of a connector: what the core asks of every source, and nothing about any one.

A connector never sees the store. It names its streams, cuts the work into slices, reads pages of
raw records and normalises one raw record at a time. What it cannot do is absent (the ``Writer``
protocol), never faked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol, runtime_checkable

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One record that should say something else over there.

    ``key`` is the target's own id; None means a new record, found again by ``match``.
    """

    table: str
    key: str | None
    match: Mapping[str, str]
    """Fields that identify a record of ours: looked up before every create."""
    values: Mapping[str, str]
    """What the fields should hold, in the target's own notation."""
    before: Mapping[str, str] = field(default_factory=dict)
    """What they held when the change was planned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the target really holds after a write."""

    key: str
    stored: Mapping[str, str]
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A field that a target table should have."""

    name: str
    label: str
    type: Literal["string", "integer", "decimal", "boolean", "datetime", "url"]
    hint: str = ""
    max_length: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTable:
    """A table that values are written to, with the fields it should have there."""

    table: str
    columns: tuple[Column, ...]
    label: str = ""
    create: bool = False
    """Ours to create as a whole; otherwise only our fields are added."""
    show: tuple[str, ...] = ()
    """What its form's Value section shows, in order; may be reached through references."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where values can stand over there; a stream's name is its table's name."""

    tickets: tuple[str, ...]
    """Tables whose records carry facts of themselves; a ticket's table is its original type."""
    all_tickets: str | None = None
    """The one table in which every ticket stands, whatever its type; instead of ``tickets``."""
    initiatives: str | None = None
    """The table of demands or epics, which carry the values of their service."""
    kpi_results: bool = True
    """Whether KPI results can stand there as records of their own."""
    field_prefix: str | None = None
    """What our fields begin with there; None: what the configuration says."""
    further_fields: Mapping[str, str] = field(default_factory=dict)
    """Fact to a field of the admin's own that is to hold it as well."""
    services: str | None = None
    user_groups: str | None = None
    service_path: str = ""
    """How a ticket's form reaches its service (``business_service``), to show its values there."""
    user_group_path: str = ""
    """How it reaches the requester's group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionStep:
    """One thing that is missing over there, and would be made."""

    what: str
    table: str
    values: Mapping[str, str]


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


@runtime_checkable
class Writer(Protocol):
    """A source that values can be written back to; planning is not its business."""

    @property
    def places(self) -> Places:
        """Where values can stand."""
        ...

    def current(
        self, table: str, field_: str, keys: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, str]]:
        """What ``fields`` hold now, by record key, where ``field_`` is one of ``keys``.

        A field the target did not return is absent from the inner dict; a record that is not there
        (or not visible) is absent from the outer.
        """
        ...

    def write(self, change: Change) -> str:
        """Make one change and return the record's key; safe to repeat after an interruption."""
        ...

    def read_back(self, change: Change, key: str) -> Receipt:
        """What the record holds after the write; ``WriteRefused`` if it is not there."""
        ...

    def provision_plan(self, tables: Sequence[TargetTable]) -> list[ProvisionStep]:
        """What is missing over there, in the order in which it has to be made."""
        ...

    def provision(self, step: ProvisionStep) -> None:
        """Make one missing thing."""
        ...
