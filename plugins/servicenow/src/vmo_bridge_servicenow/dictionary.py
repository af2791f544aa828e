"""The columns of tables as the instance's own dictionary has them, and what changed of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from datetime import UTC, datetime, timedelta

from vmo_bridge.plugin import AccessError, ConfigError
from vmo_bridge_servicenow import hierarchy, query
from vmo_bridge_servicenow.client import Rows, TableClient
from vmo_bridge_servicenow.keyset import Keyset
from vmo_bridge_servicenow.tables import Table

_FRESH = timedelta(hours=24)
_READ_AT = "dictionary read at"
_PAGE = 2000

Columns = Mapping[str, str]
"""Column to its type, of a reference with the table it leads to: ``reference sys_user``."""


class Dictionary:
    """What is known of the tables' columns; read once a day, and remembered.

    A table's own entries are not all its columns: those of the tables it extends belong to it.
    Where ``sys_dictionary`` may not be read nothing is known, and nothing is refused for it.
    """

    def __init__(self, name: str, client: TableClient, tables: Mapping[str, Table]) -> None:
        self._name = name
        self._client = client
        self._tables = tables
        self._notes: dict[str, list[str]] = {}
        self.memory: MutableMapping[str, str] = {}
        self.refused = ""
        """Why nothing is known; empty if it is."""

    def refresh(self) -> None:
        """Read it anew if that is due, and note what changed since the last time."""
        now = datetime.now(tz=UTC)
        read_at = self.memory.get(_READ_AT)
        wanted = {_key(name) for name in self._tables}
        if read_at and now - datetime.fromisoformat(read_at) < _FRESH and wanted <= {*self.memory}:
            return
        try:
            found = self._read()
        except AccessError as error:
            self.refused = str(error)
            return
        if not any(found.values()):
            self.refused = "sys_dictionary shows no rows; give the user the right to read it"
            return
        for name, columns in found.items():
            before = self.columns(name)
            if before and columns:
                self._notes[name] = list(self._changes(self._tables[name], before, columns))
            self.memory[_key(name)] = json.dumps(columns)
        self.memory[_READ_AT] = now.isoformat()

    def notes(self, table: str) -> list[str]:
        """What changed of a table's columns; told once."""
        return self._notes.pop(table, [])

    def columns(self, table: str) -> Columns:
        """The columns of a table; empty where nothing is known of it."""
        known: Columns = json.loads(self.memory.get(_key(table), "{}"))
        return known

    def check(self, table: Table, named: Mapping[str, Iterable[str]]) -> None:
        """Refuse a configured column that the instance does not have.

        ``named``: setting to the columns it names. The instance would ignore an unknown one, and
        a filter with it: every row would be read.
        """
        columns = self.columns(table.name)
        if not columns:
            return
        for setting, asked in named.items():
            for column in asked:
                if column.partition(".")[0] not in columns:
                    raise ConfigError(
                        f"connectors.{self._name}.{setting}.{table.name}: the instance has no "
                        f"column {column!r} on {table.name}; see its dictionary, or take it out"
                    )

    def _changes(self, table: Table, before: Columns, now: Columns) -> Iterator[str]:
        asked = {each.partition(".")[0] for each in table.all_fields}
        for column in sorted(asked & {*before}):
            if column not in now:
                yield f"the column {column} is gone over there; it stays empty from now on"
            elif before[column] != now[column]:
                yield f"the column {column} was {before[column]!r} and is {now[column]!r} now"
        for column in sorted({*now} - {*before}):
            if column.startswith(("u_", "x_")):
                yield (
                    f"there is a new column {column} ({now[column]}); it can be mapped under "
                    f"[connectors.{self._name}.fields.{table.name}]"
                )

    def _read(self) -> dict[str, dict[str, str]]:
        parents = hierarchy.parents(self._client)
        chains = {name: list(hierarchy.chain(name, parents)) for name in self._tables}
        entries = self._entries(sorted({each for chain in chains.values() for each in chain}))
        return {
            name: {
                column: type_
                for each in reversed(chain)
                for column, type_ in entries.get(each, {}).items()
            }
            for name, chain in chains.items()
        }

    def _entries(self, names: list[str]) -> dict[str, dict[str, str]]:
        place = [""]
        found: dict[str, dict[str, str]] = {}
        filter_ = query.together(query.any_of("name", names), "elementISNOTEMPTY")

        def took(rows: Rows) -> None:
            place[0] = str(rows[-1]["sys_id"])

        keyset = Keyset(
            self._client,
            "sys_dictionary",
            fields=("sys_id", "name", "element", "internal_type", "reference"),
            page_size=_PAGE,
            query=lambda: query.by_key(filter_, place[0] or None),
            took=took,
        )
        for rows, _ in keyset.pages():
            for row in rows:
                type_ = f"{row.get('internal_type')} {row.get('reference') or ''}".strip()
                found.setdefault(str(row.get("name")), {})[str(row.get("element"))] = type_
        return found


def _key(table: str) -> str:
    return f"columns of {table}"
