"""The columns of the log, and how the text of each cell becomes the text the platform stores."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from vmo_bridge.sandbox.servicenow import moments

MISSING = "?"
"""What the log writes where it does not know."""

#: Every column of the log, in the order of its publication; a file may have them in any order.
COLUMNS = (
    "number", "incident_state", "active", "reassignment_count", "reopen_count", "sys_mod_count",
    "made_sla", "caller_id", "opened_by", "opened_at", "sys_created_by", "sys_created_at",
    "sys_updated_by", "sys_updated_at", "contact_type", "location", "category", "subcategory",
    "u_symptom", "cmdb_ci", "impact", "urgency", "priority", "assignment_group", "assigned_to",
    "knowledge", "u_priority_confirmation", "notify", "problem_id", "rfc", "vendor", "caused_by",
    "closed_code", "resolved_by", "resolved_at", "closed_at",
)  # fmt: skip
PLACE = {name: place for place, name in enumerate(COLUMNS)}
MOMENTS = ("opened_at", "sys_created_at", "sys_updated_at", "resolved_at", "closed_at")
NEEDED = frozenset({"number", "incident_state", "sys_mod_count", "opened_at", "sys_updated_at"})
"""Without these a line is no event of an incident."""

Reader = Callable[[str], str]
"""From a cell to the platform's text; ``ValueError`` says what is wrong with the cell."""

_MOMENT = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d{2})", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_RANKED = re.compile(r"([1-5]) - .+", re.ASCII)


def readers(now: datetime) -> Mapping[str, Reader]:
    """A reader for each column; nothing in a log can lie behind ``now``."""
    latest = moments.text(now)

    def moment(cell: str) -> str:
        text = _moment(cell)
        if text > latest:
            raise ValueError("lies in the future; a log tells what was")
        return text

    special: dict[str, Reader] = dict.fromkeys(MOMENTS, moment)
    special |= dict.fromkeys(("reassignment_count", "reopen_count", "sys_mod_count"), _whole)
    special |= dict.fromkeys(("impact", "urgency", "priority"), _ranked)
    special |= dict.fromkeys(("active", "made_sla", "knowledge", "u_priority_confirmation"), _flag)
    return {name: _known(special.get(name, str), needed=name in NEEDED) for name in COLUMNS}


def _known(reader: Reader, *, needed: bool) -> Reader:
    def read(cell: str) -> str:
        cell = cell.strip()
        if cell not in {"", MISSING}:
            return reader(cell)
        if needed:
            raise ValueError("says nothing; no event can do without it")
        return ""

    return read


def _moment(cell: str) -> str:
    match = _MOMENT.fullmatch(cell)
    if match is None:
        raise ValueError("is no moment; write day/month/year hour:minute")
    day, month, year, hour, minute = (int(part) for part in match.groups())
    if year < 1970:
        raise ValueError("lies before 1970")
    try:
        return moments.text(datetime(year, month, day, hour, minute, tzinfo=UTC))
    except ValueError as error:
        raise ValueError(f"is no moment as day/month/year hour:minute ({error})") from None


def _whole(cell: str) -> str:
    if not _WHOLE.fullmatch(cell):
        raise ValueError("is not a whole number from 0 on")
    return str(int(cell))


def _ranked(cell: str) -> str:
    match = _RANKED.fullmatch(cell)
    if match is None:
        raise ValueError("does not begin with its number, as in '3 - Moderate'")
    return match[1]


def _flag(cell: str) -> str:
    if cell.lower() not in {"true", "false"}:
        raise ValueError("is neither true nor false")
    return cell.lower()
