"""What fields hold now, asked for in lists of keys that fit into an address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from vmo_bridge.plugin import SourceError
from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.client import TableClient

_LONGEST_LIST = 1500
"""Characters of values in one query, as an address spells them; it ends at some 2,000."""


def current(
    client: TableClient, table: str, field_: str, keys: Sequence[str], fields: Sequence[str]
) -> dict[str, dict[str, str]]:
    """By sys_id, what ``fields`` hold where ``field_`` is one of ``keys``.

    A key that no query can hold is not found; its write is then refused with the reason.
    """
    found: dict[str, dict[str, str]] = {}
    for part in _parts(field_, [key for key in keys if query.is_value(key)]):
        wanted = set(part)
        for row in client.rows(
            table,
            query=query.any_of(field_, part),
            fields=("sys_id", field_, *fields),
            limit=len(part) * 2,
        ).rows:
            if row.get(field_) not in wanted:
                raise SourceError(
                    f"{table}: the instance does not know the column {field_}; "
                    "run 'vmo-bridge provision'"
                )
            found[row["sys_id"]] = {
                name: str(row[name]) for name in (field_, *fields) if name in row
            }
    return found


def _parts(field_: str, keys: Sequence[str]) -> Iterator[list[str]]:
    part: list[str] = []
    length = 0
    glue = len(quote(f"^OR{field_}=" if any("," in key for key in keys) else ",", safe=""))
    for key in keys:
        spelt = len(quote(key, safe="")) + glue
        if part and length + spelt > _LONGEST_LIST:
            yield part
            part, length = [], 0
        part.append(key)
        length += spelt
    if part:
        yield part
