"""How a kind of record becomes a table: columns from the struct's fields, and rows from records."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import msgspec

from vmo_bridge.records import RECORD_TYPES, Record
from vmo_bridge.store.clock import to_epoch

VERSION_COLUMNS = {"valid_from": int, "seen_at": int, "page": int, "position": int}
"""Beside a record's own fields: the source's time, ours, and where its raw payload lies."""

KINDS: dict[str, type[Record]] = {each.kind: each for each in RECORD_TYPES}


@dataclass(frozen=True, slots=True)
class TableShape:
    """The columns of a kind's table, and how a record becomes a row of it."""

    kind: str
    columns: dict[str, type]
    required: frozenset[str]
    """Columns that are never empty."""
    encode: Callable[[Record], list[Any]]
    """The record's own fields, in the order of ``columns``, as SQLite values."""

    updated_at: int
    """Where in such a row the moment of the record's last change stands."""

    @property
    def all_columns(self) -> list[str]:
        """Own fields, then those of the version."""
        return [*self.columns, *VERSION_COLUMNS]

    def create_sql(self, table: str, *, unique: bool) -> str:
        """The table; SQLite would take a text for a number without a word, so it is told not to."""
        lines = []
        for name in self.all_columns:
            line = self.column_sql(name)
            if name in self.required or name in VERSION_COLUMNS:
                line += " not null"
            lines.append(line + (" primary key" if unique and name == "ref" else ""))
        return f"create table {table} ({', '.join(lines)})"

    def column_sql(self, name: str) -> str:
        """One column with its type, which may be empty."""
        type_ = {**self.columns, **VERSION_COLUMNS}[name]
        line = f'"{name}" {_SQL_TYPES[type_]}'
        if type_ is not str:
            # In older stores: typeof(x) in ('integer', 'null'). It refuses the same, but calls a
            # function for every value: 7 % of what the insert of a ticket takes.
            line += f' check ("{name}" is cast("{name}" as {_SQL_TYPES[type_]}))'
        return line


@cache
def shape(kind: str) -> TableShape:
    """The table of a kind of record."""
    record_type = KINDS[kind]
    hints = typing.get_type_hints(record_type)
    types_ = {each.name: _plain(hints[each.name]) for each in msgspec.structs.fields(record_type)}
    times = [index for index, each in enumerate(types_.values()) if each is datetime]

    def encode(record: Record) -> list[Any]:
        row = list(msgspec.structs.astuple(record))
        for index in times:
            if row[index] is not None:
                row[index] = to_epoch(row[index])
        return row

    columns = {name: _COLUMN_TYPES[each] for name, each in types_.items()}
    required = frozenset(each.name for each in msgspec.structs.fields(record_type) if each.required)
    # `x: str | None` without a default has to be given, and may be None all the same.
    required -= {name for name in required if type(None) in typing.get_args(hints[name])}
    return TableShape(kind, columns, required, encode, list(columns).index("updated_at"))


_SQL_TYPES: dict[type, str] = {str: "text", int: "integer", float: "real"}
_COLUMN_TYPES: dict[type, type] = {str: str, int: int, bool: int, float: float, datetime: int}


def _plain(hint: Any) -> type:
    """The one type of ``X`` or ``X | None``."""
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        (hint,) = (each for each in typing.get_args(hint) if each is not type(None))
    return typing.cast("type", hint)
