"""Pages of a list: limit and offset, field=value pairs as a query, the Link header."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from vmo_bridge.sandbox.servicenow import moments
from vmo_bridge.sandbox.servicenow.instance import Instance
from vmo_bridge.sandbox.servicenow.replies import Call, Refused
from vmo_bridge.sandbox.servicenow.writes import Writer

DEFAULT_LIMIT = 10_000
_SYS_ID = re.compile(r"[0-9A-Za-z]{32}")


@dataclass(frozen=True, slots=True)
class Page:
    """``limit`` rows from ``offset`` on."""

    limit: int
    offset: int


def requested(call: Call) -> Page:
    """The page a call asks for; what is no number counts as absent."""
    limit = _number(call.param("sysparm_limit"), DEFAULT_LIMIT)
    offset = _number(call.param("sysparm_offset"), 0)
    if offset < 0:
        raise Refused(400, "Invalid sysparm_offset", "sysparm_offset must not be negative")
    return Page(max(limit, 0), offset)


def _number(value: str, default: int) -> int:
    return int(value) if re.fullmatch(r"-?\d+", value) else default


def pairs(call: Call, instance: Instance, writer: Writer, table: str) -> str:
    """``field=value`` parameters as an encoded query; display values are understood."""
    parts = []
    for name, value in call.params:
        if name.startswith("sysparm_") or not value or name == "x-sn-apikey":
            continue
        parts.append(f"{name}={_stored(instance, writer, table, name, value)}")
    return "^".join(parts)


def _stored(instance: Instance, writer: Writer, table: str, path: str, value: str) -> str:
    columns = instance.dictionary.walk(table, path)
    if columns is None:
        return value
    column = columns[-1]
    choices = instance.dictionary.choices(column.table if "." in path else table, column.element)
    if value not in choices:
        for stored, label in choices.items():
            if label.lower() == value.lower():
                return stored
    if column.type == "reference" and not _SYS_ID.fullmatch(value):
        return writer.named(column.reference, value) or value
    return value


def seconds_ago(instance: Instance, seconds: float) -> str:
    """A moment before now, as the platform stores it."""
    return moments.text(instance.clock() - timedelta(seconds=seconds))


def link_header(call: Call, page: Page, total: int, *, odd: bool) -> str:
    """Links first, prev, next, last with all parameters repeated; "" when one page holds all.

    ``odd`` names a previous page with offset -1 on the first one, as a recorded instance did.
    """
    if not page.limit or (total <= page.limit and not page.offset):
        return ""
    offsets = {"first": 0}
    if page.offset or odd:
        offsets["prev"] = max(page.offset - page.limit, -1 if odd and not page.offset else 0)
    if page.offset + page.limit < total:
        offsets["next"] = page.offset + page.limit
    offsets["last"] = (max(total - 1, 0) // page.limit) * page.limit
    kept = [
        f"{quote(name)}={quote(value, safe='')}"
        for name, value in call.params
        if name not in {"sysparm_offset", "sysparm_limit"}
    ]
    address = f"{call.base}{call.path}?"
    return ",".join(
        f"<{address}{'&'.join([*kept, f'sysparm_limit={page.limit}', f'sysparm_offset={offset}'])}>"
        f';rel="{rel}"'
        for rel, offset in offsets.items()
    )
