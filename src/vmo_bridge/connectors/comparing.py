"""What a target can tell of the fields that values are written to: whether they can hold them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from vmo_bridge.connectors.writing import TargetTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing that is not as values need it."""

    what: str
    """The field, as ``table.field``, or what else it is."""
    state: Literal["missing", "differs", "unknown"]
    """``unknown``: this user may not see it."""
    detail: str
    """How it is there, how it should be, and what to do."""


@runtime_checkable
class Comparing(Protocol):
    """A target that can compare its fields with what values need, without a write."""

    def differences(
        self, tables: Sequence[TargetTable], theirs: Sequence[TargetTable]
    ) -> list[Difference]:
        """What differs of our fields in ``tables``, and of the admin's own in ``theirs``.

        Of ours those that are not there belong to the plan, and are not told again.
        """
        ...
