"""ServiceNow's words for state, priority and type, and ours; an admin can change them in TOML."""

from __future__ import annotations

from collections.abc import Mapping

TYPES = {
    "incident": "incident",
    "sc_req_item": "request",
    "problem": "problem",
    "change_request": "change",
}

OUR_TYPES = ("incident", "request", "problem", "change")
INITIATIVES = ("demand", "project", "improvement", "epic")

_PRIORITIES = {str(number): number for number in range(1, 6)}

_OF_TICKETS = ("new", "in_progress", "on_hold", "resolved", "closed", "canceled", "other")
_OF_DEMANDS = ("draft", "submitted", "approved", "in_progress", "done", "rejected", "other")
_OF_SURVEYS = ("invited", "answered", "expired", "canceled", "other")

OUR_STATES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((*TYPES, "interaction"), _OF_TICKETS),
    "dmn_demand": _OF_DEMANDS,
    "im_idea_core": _OF_DEMANDS,
    "sn_cim_register": _OF_DEMANDS,
    "pm_project": _OF_DEMANDS,
    "asmt_assessment_instance": _OF_SURVEYS,
}
"""Table to the words we have for its states."""
ALL_STATES = tuple(dict.fromkeys([*_OF_TICKETS, *_OF_DEMANDS, *_OF_SURVEYS]))

_STATES: dict[str, dict[str, str]] = {
    # 4 and 5 (awaiting the user, awaiting evidence) stand where the instance is an older one.
    "incident": {
        "1": "new",
        "2": "in_progress",
        "3": "on_hold",
        "4": "on_hold",
        "5": "on_hold",
        "6": "resolved",
        "7": "closed",
        "8": "canceled",
    },
    "sc_req_item": {
        "-5": "on_hold",
        "1": "new",
        "2": "in_progress",
        "3": "closed",
        "4": "canceled",
        "7": "canceled",
    },
    # Both the older numbers (1 to 4) and those of the state model since Madrid (101 to 107).
    "problem": {
        "1": "new",
        "2": "on_hold",
        "3": "on_hold",
        "4": "closed",
        "101": "new",
        "102": "in_progress",
        "103": "in_progress",
        "104": "in_progress",
        "106": "resolved",
        "107": "closed",
    },
    "change_request": {
        "-5": "new",
        "-4": "in_progress",
        "-3": "in_progress",
        "-2": "in_progress",
        "-1": "in_progress",
        "0": "in_progress",
        "3": "closed",
        "4": "canceled",
    },
    "interaction": {
        "new": "new",
        "work_in_progress": "in_progress",
        "wrap_up": "in_progress",
        "on_hold": "on_hold",
        "wait": "on_hold",
        "closed_complete": "closed",
        "closed_abandoned": "canceled",
        "closed_incomplete": "canceled",
    },
    # Instances differ: what is not listed is "other" until an admin maps it.
    "dmn_demand": {
        "1": "draft",
        "2": "submitted",
        "3": "submitted",
        "4": "submitted",
        "8": "approved",
        "9": "done",
        "10": "rejected",
    },
    "asmt_assessment_instance": {
        "ready": "invited",
        "wip": "invited",
        "complete": "answered",
        "canceled": "canceled",
        "expired": "expired",
    },
}

SLA_STAGES = {
    "in_progress": "in_progress",
    "paused": "paused",
    "completed": "completed",
    "cancelled": "canceled",
    "canceled": "canceled",
    "breached": "breached",
}


class Words:
    """Looks up our words; what an admin changed is added to the defaults."""

    def __init__(
        self,
        *,
        states: Mapping[str, Mapping[str, str]] | None = None,
        priorities: Mapping[str, int] | None = None,
        types: Mapping[str, str] | None = None,
    ) -> None:
        changed = states or {}
        tables = {*_STATES, *changed}
        self._states = {each: {**_STATES.get(each, {}), **changed.get(each, {})} for each in tables}
        self._priorities = {**_PRIORITIES, **(priorities or {})}
        self._types = {**TYPES, **(types or {})}

    def state(self, table: str, theirs: str) -> str:
        """Our word for a state; ``other`` for one that nobody mapped."""
        return self._states.get(table, {}).get(theirs, "other")

    def priority(self, theirs: str | None) -> int | None:
        """1 (critical) to 5 (planning); None for one that nobody mapped."""
        return None if theirs is None else self._priorities.get(theirs)

    def type(self, table: str) -> str:
        """Our word for what a table holds."""
        return self._types[table]
