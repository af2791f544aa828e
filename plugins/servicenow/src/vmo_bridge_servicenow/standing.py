"""Which of the needed rows an instance has already, and by which sys_id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

from vmo_bridge.plugin import AccessError
from vmo_bridge_servicenow import hierarchy, lookup, query
from vmo_bridge_servicenow.blueprint import KEYS, Need
from vmo_bridge_servicenow.client import Rows, TableClient

_SHORT = 400
"""Characters of values that may narrow a query further; without them it finds more, not less."""
_RIGHTS = ("sys_user_role", "sys_security_acl", "sys_security_acl_role")
_NEVER_EMPTY = ("sys_db_object", "sys_dictionary")


class Standing:
    """What is there of some needs, looked up once; ``AccessError`` where tables are hidden."""

    def __init__(self, client: TableClient, wanted: Sequence[Need]) -> None:
        self._client = client
        self._parents = parents(client)
        self._rows: dict[Need, Rows] = {}
        self.hidden = hidden(client)
        tables = dict.fromkeys(need.table for need in wanted)
        for table in tables:  # what rows lead to comes before them
            if not (self.hidden and table in _RIGHTS):
                self._look_up(table, [need for need in wanted if need.table == table])

    def ids(self, need: Need) -> list[str]:
        """The sys_ids of the rows that are what is needed, the first of them to be used."""
        return sorted(str(row["sys_id"]) for row in self._rows.get(need, ()))

    def is_there(self, need: Need) -> bool:
        """Whether there is such a row; of a hint: whether it says something."""
        rows = self._rows.get(need, [])
        return any(row["hint"] for row in rows) if "hint" in need.values else bool(rows)

    def is_inherited(self, need: Need) -> bool:
        """Whether it is a column of a table that this one extends."""
        rows = self._rows.get(need, ()) if need.table == "sys_dictionary" else ()
        return bool(rows) and all(row["name"] != need.values["name"] for row in rows)

    def is_hidden(self, need: Need) -> bool:
        """Whether the user may not see if it is there."""
        return bool(self.hidden) and need.table in _RIGHTS

    def _look_up(self, table: str, wanted: Sequence[Need]) -> None:
        options = {need: self._options(need) for need in wanted}
        index: dict[tuple[str, ...], Rows] = {}
        for row in self._found(table, [each for each in options.values() if all(each)]):
            index.setdefault(tuple(row[name] for name in KEYS[table]), []).append(row)
        for need, each in options.items():
            self._rows[need] = [row for key in product(*each) for row in index.get(key, ())]

    def _options(self, need: Need) -> list[list[str]]:
        """What each of its key columns may hold: a column may stand on a table it extends."""
        found = []
        for name in KEYS[need.table]:
            if name in need.links:
                found.append(self.ids(need.links[name]))
            elif (need.table, name) == ("sys_dictionary", "name") and need.values["element"]:
                found.append([*hierarchy.chain(need.values[name], self._parents)])
            else:
                found.append([need.values[name]])
        return found

    def _found(self, table: str, options: Sequence[list[list[str]]]) -> Rows:
        if not options:
            return []
        columns = KEYS[table]
        held = [sorted({text for each in options for text in each[n]}) for n in range(len(columns))]
        further = ("hint",) if table == "sys_documentation" else ()
        narrow = [
            query.any_of(name, values)
            for name, values in zip(columns[1:], held[1:], strict=True)
            if "" not in values and len(",".join(values)) <= _SHORT
        ]
        rows = [
            row
            for part in lookup.parts(columns[0], held[0])
            for row in read(
                self._client,
                table,
                query.together(query.any_of(columns[0], part), *narrow),
                ("sys_id", *columns, *further),
            )
        ]
        if not rows and table in _NEVER_EMPTY:
            self._check_shown(table)
        return rows

    def _check_shown(self, table: str) -> None:
        if not read(self._client, table, "", ("sys_id", *KEYS[table]), limit=1):
            raise AccessError(f"{table} shows no rows; give the user the right to read it")


def read(
    client: TableClient, table: str, where: str, fields: tuple[str, ...], limit: int = 10_000
) -> Rows:
    """Rows with all these fields; a hidden one would make us believe that something is missing."""
    rows = client.rows(table, query=where, fields=fields, limit=limit).rows
    if not all({*fields} <= row.keys() for row in rows):
        raise AccessError(f"{table}: {', '.join(fields)} cannot be read; give the right")
    return rows


def parents(client: TableClient) -> dict[str, str]:
    """Which table extends which; nothing where it may not be read."""
    try:
        return hierarchy.parents(client)
    except AccessError:
        return {}


def hidden(client: TableClient) -> str:
    """Which tables of roles and access rules show the user nothing; they are never empty."""
    return ", ".join(_unseen(client, ("sys_user_role", "sys_security_acl")))


def _unseen(client: TableClient, tables: Iterable[str]) -> Iterator[str]:
    for table in tables:
        try:
            if not _shows(client, table):
                yield table
        except AccessError:
            yield table


def _shows(client: TableClient, table: str) -> bool:
    return bool(client.rows(table, fields=("sys_id",), limit=1).rows)
