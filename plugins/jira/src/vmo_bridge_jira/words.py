"""Jira's words for type, state and priority, and ours; an admin can change them in TOML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from vmo_bridge_jira.settings import JiraSettings

T = TypeVar("T")

TICKET_TYPES = ("incident", "request", "problem", "change", "bug", "story", "task")
INITIATIVE_TYPES = ("epic", "project", "demand", "improvement")
TICKET_STATES = ("new", "in_progress", "on_hold", "resolved", "closed", "canceled", "other")
INITIATIVE_STATES = (
    "draft", "submitted", "approved", "in_progress", "done", "rejected", "other",
)  # fmt: skip
DONE_STATES = frozenset({"resolved", "closed", "canceled", "done", "rejected"})

_TYPES = {
    "epic": "epic",
    "bug": "bug",
    "story": "story",
    "task": "task",
    "sub-task": "task",
    "service request": "request",
    "service request with approvals": "request",
    "incident": "incident",
    "change": "change",
    "problem": "problem",
}
"""Their type in lower case, without ``[System]``, to ours; any other is a task."""

_TICKET_CATEGORIES = {"new": "new", "indeterminate": "in_progress", "done": "resolved"}
_TICKET_STATES = {
    "closed": "closed",
    "canceled": "canceled",
    "cancelled": "canceled",
    "declined": "canceled",
    "on hold": "on_hold",
    "pending": "on_hold",
    "waiting for customer": "on_hold",
}
_INITIATIVE_CATEGORIES = {"new": "submitted", "indeterminate": "in_progress", "done": "done"}
_INITIATIVE_STATES = {
    "canceled": "rejected",
    "cancelled": "rejected",
    "declined": "rejected",
    "rejected": "rejected",
}

_PRIORITIES = {
    "highest": 1, "blocker": 1, "critical": 1, "high": 2, "medium": 3, "major": 3, "low": 4,
    "minor": 4, "lowest": 5, "trivial": 5,
}  # fmt: skip


class Words:
    """Looks up our words; what an admin changed is added to the defaults."""

    def __init__(
        self,
        *,
        types: Mapping[str, str] | None = None,
        states: Mapping[str, str] | None = None,
        initiative_states: Mapping[str, str] | None = None,
        priorities: Mapping[str, int] | None = None,
    ) -> None:
        self._types = _TYPES | _lower(types or {})
        self._tickets = _TICKET_STATES | _lower(states or {})
        self._initiatives = _INITIATIVE_STATES | _lower(initiative_states or {})
        self._priorities = {**_PRIORITIES, **_lower(priorities or {})}

    def type(self, theirs: str) -> str:
        """Our word for an issue type; one of ``INITIATIVE_TYPES`` makes it an initiative."""
        name = theirs.casefold()
        found = self._types.get(name)
        return found or self._types.get(name.removeprefix("[system] "), "task")

    def knows(self, theirs: str) -> bool:
        """Whether an issue type is one that has a word of ours."""
        name = theirs.casefold()
        return name in self._types or name.removeprefix("[system] ") in self._types

    def state(self, type_: str, theirs: str, category: str | None) -> str:
        """Our word for a status: by its name, else by its category; ``other`` for neither."""
        initiative = type_ in INITIATIVE_TYPES
        by_name = self._initiatives if initiative else self._tickets
        by_category = _INITIATIVE_CATEGORIES if initiative else _TICKET_CATEGORIES
        return by_name.get(theirs.casefold()) or by_category.get(category or "", "other")

    def priority(self, theirs: str | None) -> int | None:
        """1 (critical) to 5 (planning); None for one that nobody mapped."""
        return None if theirs is None else self._priorities.get(theirs.casefold())


def words_of(settings: JiraSettings) -> Words:
    """The defaults with what an admin changed."""
    return Words(
        types=settings.types,
        states=settings.states,
        initiative_states=settings.initiative_states,
        priorities=settings.priorities,
    )


def _lower(words: Mapping[str, T]) -> dict[str, T]:
    return {name.casefold(): word for name, word in words.items()}
