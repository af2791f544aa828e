"""What fields hold now, asked for in lists of keys that fit into an address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import quote, urlencode

from vmo_bridge.plugin import SourceError
from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.batch import Batches, NoBatches, Request
from vmo_bridge_servicenow.client import Rows, TableClient

_LONGEST_LIST = 1500
"""Characters of values in one query, as an address spells them; it ends at some 2,000."""
_AT_ONCE = 10
"""Lists asked for in one batch: some 400 records by their sys_id."""


class Lookup:
    """Reads records by lists of keys; several lists in one call, as long as that is allowed."""

    def __init__(self, client: TableClient, batches: Batches, *, batched: bool = True) -> None:
        self._client = client
        self._batches = batches
        self._batched = batched

    def current(
        self, table: str, field_: str, keys: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, str]]:
        """By sys_id, what ``fields`` hold where ``field_`` is one of ``keys``.

        A key that no query can hold is not found; its write is then refused with the reason.
        """
        found: dict[str, dict[str, str]] = {}
        lists = list(parts(field_, [key for key in keys if query.is_value(key)]))
        names = tuple(dict.fromkeys(("sys_id", field_, *fields)))
        for start in range(0, len(lists), _AT_ONCE):
            some = lists[start : start + _AT_ONCE]
            for part, rows in zip(some, self._rows(table, field_, some, names), strict=True):
                wanted = set(part)
                for row in rows:
                    if row.get(field_) not in wanted:
                        raise SourceError(
                            f"{table}: the instance does not know the column {field_}; "
                            "run 'vmo-bridge provision'"
                        )
                    found[row["sys_id"]] = {name: str(row[name]) for name in names if name in row}
        return found

    def _rows(
        self, table: str, field_: str, lists: Sequence[list[str]], names: tuple[str, ...]
    ) -> list[Rows]:
        asked = [(query.any_of(field_, part), len(part) * 2) for part in lists]
        if self._batched and len(lists) > 1:
            requests = [self._request(table, names, condition, limit) for condition, limit in asked]
            try:
                answers = self._batches.answers(requests, attempts=3)
            except NoBatches:
                self._batched = False
            else:
                return [self._client.reply(each, table).rows for each in answers]
        return [
            self._client.rows(table, query=condition, fields=names, limit=limit).rows
            for condition, limit in asked
        ]

    def _request(self, table: str, names: tuple[str, ...], condition: str, limit: int) -> Request:
        params = self._client.params(query=condition, fields=names, limit=limit)
        return Request(
            method="GET",
            url=f"/api/now/table/{table}?{urlencode(params, quote_via=quote)}",
        )


def parts(field_: str, keys: Sequence[str]) -> Iterator[list[str]]:
    """The keys in lists that fit into an address, as values of ``field_``."""
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
