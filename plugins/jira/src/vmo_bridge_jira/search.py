"""The face of a search, whichever deployment is asked: pages, histories, ids and counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from vmo_bridge.plugin import SourceError
from vmo_bridge_jira.shapes import Issue, RawIssue, SearchAnswer

T = TypeVar("T")
SWEPT = ("created", "updated")
"""What a sweep asks of an issue beside its id: its place in the order, and when it changed."""


class WalkBroken(Exception):
    """Inside only: this walk through the pages cannot be gone on with; a new one may begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One page of a search. ``more`` leads to the next, None: there is none.

    ``sure`` is False where the site contradicts itself about it. A ``more`` that is the one that
    was asked with leads nowhere.
    """

    issues: list[RawIssue]
    more: str | None
    total: int | None = None
    sure: bool = True


class Search(Protocol):
    """How a deployment is searched."""

    largest_page: int
    """More issues than this no page is asked for."""
    most_named: int
    """So many issues one request of ``named`` may ask for."""

    def page(self, jql: str, fields: Sequence[str], size: int, more: str | None) -> Found:
        """One page; ``WalkBroken`` where ``more`` does not lead on."""
        ...

    def histories(self, issues: Sequence[RawIssue], fields: Sequence[str]) -> dict[str, Any]:
        """Changes of these fields by issue id, whole; an issue whose changes are hidden is not in.

        ``fields`` are ids; the entries are as the site tells them.
        """
        ...

    def ids(self, keys: Sequence[str]) -> dict[str, str]:
        """Key to id of the issues that are there."""
        ...

    def count(self, jql: str) -> int | None:
        """How many there are, exactly; None where that would take too long."""
        ...

    def total(self, jql: str) -> tuple[int, bool]:
        """How many there are, in one request, and whether the site says so exactly."""
        ...

    def bare_ids(self, jql: str) -> Iterator[list[str]] | None:
        """All ids and nothing else, in batches, where asking for more would take too long.

        None where it would not: then a walk tells when each changed, too.
        """
        ...

    def named(self, scope: str, ids: Sequence[str], fields: Sequence[str]) -> list[RawIssue]:
        """Those of the issues with these ids that are there and in the scope."""
        ...


def issues_in(answer: SearchAnswer[Any], name: str) -> list[RawIssue]:
    """The issues of an answer, each with its id; ``SourceError`` where there are none of that."""
    rows = list_of(Issue, answer.issues, "issues", name)
    if not all(row.id for row in rows):
        raise SourceError(f"{name}: search: an issue comes without an id")
    return rows


def list_of(kind: type[T], rows: Any, part: str, name: str) -> list[T]:
    """A list of objects in an answer; ``SourceError`` where it is none."""
    if not isinstance(rows, list) or not all(isinstance(row, kind) for row in rows):
        raise SourceError(f"{name}: the answer has no list of {part}")
    return rows
