"""The tables and columns a fresh instance has, written down as text and read into rows.

A table is ``name < parent | label``, then one line a column: ``element type label``, where type
may be ``type(reference)`` or ``type(max_length)`` and a trailing ``!`` marks the display column.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache

from vmo_bridge.sandbox.servicenow.dictionary import Row
from vmo_bridge.sandbox.servicenow.tables_demand import DEMANDS
from vmo_bridge.sandbox.servicenow.tables_knowledge import KNOWLEDGE
from vmo_bridge.sandbox.servicenow.tables_platform import PLATFORM
from vmo_bridge.sandbox.servicenow.tables_work import SURVEYS, WORK

_LINE = re.compile(r"(\w+) (\w+)(?:\((\w+)\))? (.*?)(!?)$")
_LENGTHS = {"string": "100", "boolean": "40", "integer": "40", "GUID": "32", "reference": "32"}
_SYSTEM = """
sys_id GUID Sys ID
sys_created_on glide_date_time Created
sys_created_by string(40) Created by
sys_updated_on glide_date_time Updated
sys_updated_by string(40) Updated by
sys_mod_count integer Updates
"""
_ALL = PLATFORM + WORK + DEMANDS + SURVEYS + KNOWLEDGE
_UNCHANGING = frozenset({"sys_journal_field"})
"""Tables whose rows are only ever made: no column tells of a change."""


def sys_id(*parts: str) -> str:
    """The 32 hex characters that always stand for the same ``parts``."""
    return hashlib.md5("\x1f".join(parts).encode(), usedforsecurity=False).hexdigest()


@cache
def declared() -> tuple[tuple[str, str, str, tuple[str, ...]], ...]:
    """(name, parent, label, column lines) of every table of a fresh instance."""
    found = []
    for block in re.split(r"\n(?=\w+ (?:< \w+ )?\|)", _ALL):
        lines = block.strip().splitlines()
        if not lines:
            continue
        head, label = lines[0].split(" | ")
        name, _, parent = head.partition(" < ")
        own = tuple(lines[1:]) if parent else (*system_columns(name), *lines[1:])
        found.append((name, parent.strip(), label, own))
    return tuple(found)


def system_columns(table: str) -> tuple[str, ...]:
    """The column lines a root table starts with."""
    lines = _SYSTEM.strip().splitlines()
    if table in _UNCHANGING:
        lines = [line for line in lines if not line.startswith(("sys_updated", "sys_mod"))]
    return tuple(lines)


def kinds(lines: Iterable[str]) -> dict[str, str]:
    """Element → type of column lines."""
    return {line.split()[0]: re.split(r"[ (]", line)[1] for line in lines}


def table_rows(seed: str) -> Iterator[Row]:
    """Rows of sys_db_object."""
    for name, parent, label, _ in declared():
        yield {
            "sys_id": sys_id(seed, "sys_db_object", name),
            "name": name,
            "label": label,
            "super_class": sys_id(seed, "sys_db_object", parent) if parent else "",
            "is_extendable": "true",
            "create_access_controls": "true",
        }


def column_rows(seed: str) -> Iterator[Row]:
    """Rows of sys_dictionary: one for each table itself, then one for each of its own columns."""
    for name, _, label, lines in declared():
        yield collection_row(seed, name, label)
        for line in lines:
            yield column_row(seed, name, line)


def collection_row(seed: str, table: str, label: str) -> Row:
    """The dictionary row that stands for a table itself: no element, type ``collection``."""
    return {
        "sys_id": sys_id(seed, "sys_dictionary", table, ""),
        "name": table,
        "element": "",
        "internal_type": "collection",
        "column_label": label,
        "active": "true",
    }


def column_row(seed: str, table: str, line: str) -> Row:
    """The dictionary row of one column line."""
    match = _LINE.match(line)
    if match is None:
        message = f"not a column line: {line!r}"
        raise ValueError(message)
    element, kind, argument, label, display = match.groups()
    length = argument if argument and argument.isdigit() else _LENGTHS.get(kind, "40")
    return {
        "sys_id": sys_id(seed, "sys_dictionary", table, element),
        "name": table,
        "element": element,
        "internal_type": kind,
        "column_label": label,
        "reference": argument if argument and not argument.isdigit() else "",
        "max_length": length,
        "display": "true" if display else "false",
        "mandatory": "false",
        "read_only": "false",
        "active": "true",
    }
