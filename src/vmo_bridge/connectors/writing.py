"""What a source can do that values are written back to; planning is not its business."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable


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
    changed_at: datetime | None = None
    """When the record last changed by the target's clock, right after the write: by it our own
    write is recognised when it comes back with the next sync. None where it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A field that a target table should have."""

    name: str
    label: str
    type: Literal["string", "integer", "decimal", "boolean", "datetime", "url", "reference"]
    hint: str = ""
    max_length: int | None = None
    reference: str = ""
    """Of a reference: the table it leads to."""
    choices: tuple[tuple[str, str], ...] = ()
    """The words it may hold, each with the label that people read."""


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
    related: tuple[tuple[str, str], ...] = ()
    """Lists below its form: (table, the reference field there that leads to this record)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where values can stand over there; a stream's name is its table's name."""

    tickets: tuple[str, ...]
    """Tables whose records carry facts of themselves; a ticket's table is its original type."""
    all_tickets: str | None = None
    """The one table in which every ticket stands, whatever its type; instead of ``tickets``."""
    initiatives: str | None = None
    """The table of demands or epics, which carry the values of their service."""
    demand_field: str | None = None
    """The field of an initiative that leads to the demand it is for: number, blank, address."""
    comment_field: str | None = None
    """The field of an initiative that is one comment of ours on its signals; None: not wanted."""
    own_records: bool = True
    """Whether KPI results and signals can stand there as records of their own."""
    field_prefix: str | None = None
    """What our fields begin with there; None: what the configuration says."""
    further_fields: Mapping[str, str] = field(default_factory=dict)
    """Fact to a field of the admin's own that is to hold it as well."""
    services: str | None = None
    user_groups: str | None = None
    service_path: str = ""
    """How a ticket's form reaches its service (``business_service``), to show its values there."""
    user_group_paths: Mapping[str, str] = field(default_factory=dict)
    """Ticket table to how its form reaches the requester's group."""
    still_open: Mapping[str, str] = field(default_factory=dict)
    """What a ticket's fields hold as long as it is not closed: looked at just before a write."""

    @property
    def apart(self) -> frozenset[str]:
        """Fields that stand beside their record, so that reading one takes a call of its own."""
        return frozenset(filter(None, (self.demand_field, self.comment_field)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisionStep:
    """One thing that is missing over there, and would be made."""

    what: str
    table: str
    values: Mapping[str, str]
    over_rest: bool = True
    """Whether it can be made from here; False: only by what an admin imports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """Everything a target needs, as a file that its admin looks at and takes in."""

    name: str
    """The file's name."""
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What became of one change of many: the record's key, or why there is none."""

    key: str | None = None
    refused: str = ""


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


@runtime_checkable
class BulkWriter(Protocol):
    """A target that takes many changes in one call; each is judged by itself."""

    @property
    def batch(self) -> int:
        """How many changes are given at once."""
        ...

    def write_many(self, changes: Sequence[Change]) -> list[Written]:
        """Make the changes, each of another record, and say of each what became of it.

        What the target left undone is sent again. ``RetryLater`` or ``SignInError``: it is not
        known of any whether it arrived; all are safe to repeat, once each new record (``key`` is
        None) was looked for by ``match``.
        """
        ...

    def read_back_many(
        self, changes: Sequence[Change], keys: Sequence[str]
    ) -> list[Receipt | None]:
        """What the records hold after the writes; None for one that is not there."""
        ...


@runtime_checkable
class Removing(Protocol):
    """A target on which a record that we made can be taken away again."""

    def remove(self, table: str, key: str) -> None:
        """Delete a record of a table of ours; ``WriteRefused`` if it is refused."""
        ...


@runtime_checkable
class Packaging(Protocol):
    """A target whose admin can take in what we need as a file."""

    def package(self, tables: Sequence[TargetTable]) -> Package:
        """All of it, whether it is there or not; the same bytes for the same tables."""
        ...
