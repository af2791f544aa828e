"""Name all rows of a table, count them by window, fetch some by name: what no change tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from vmo_bridge.plugin import Page, Seen, SourceError, Tally
from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.client import Rows, TableClient
from vmo_bridge_servicenow.keyset import Keyset
from vmo_bridge_servicenow.reader import table_filter, window_filter
from vmo_bridge_servicenow.tables import Table

_NAMES = 5000
"""Rows a page of names and moments: some 400 kB."""
_FETCHED = 50
"""Keys in one query: with 32 letters each they fill an address."""


class NameSweep:
    """The sys_id and moment of every row that we may see, in the order of sys_id.

    Rows inserted behind the place meanwhile are not named: the next read of changes brings them.
    """

    def __init__(self, client: TableClient, table: Table) -> None:
        self._table = table
        self._after: str | None = None
        self._keyset = Keyset(
            client,
            table.name,
            fields=("sys_id", "sys_updated_on", *table.only),
            page_size=_NAMES,
            query=lambda: query.by_key(table_filter(table), self._after),
            took=self._took,
        )

    def batches(self) -> Iterator[Sequence[Seen]]:
        """All names, page by page."""
        for rows, _ in self._keyset.pages():
            yield [
                Seen(key=row["sys_id"], changed_at=moment_of(row.get("sys_updated_on")))
                for row in rows
            ]

    def _took(self, rows: Rows) -> None:
        """Refuse rows that we did not ask for: a sweep that is not whole would bury the living."""
        for column, values in self._table.only.items():
            if any(row.get(column) not in values for row in rows):
                raise SourceError(
                    f"{self._table.name}: the instance ignores the filter on {column}"
                )
        for row in rows:
            name = str(row.get("sys_id", ""))
            before = self._after
            if not name or (before and not (name > before or name.lower() > before.lower())):
                raise SourceError(
                    f"{self._table.name}: rows are not named in the order we asked for "
                    f"({name!r:.40} after {before!r:.40}); nothing was taken away"
                )
            self._after = name


def fetch(client: TableClient, table: Table, keys: Sequence[str]) -> Iterator[Page]:
    """The rows of these sys_ids, as far as they are there."""
    sound = [key for key in keys if query.is_key(key)]
    for begin in range(0, len(sound), _FETCHED):
        part = sound[begin : begin + _FETCHED]
        where = query.together(table_filter(table), query.any_of("sys_id", part))
        rows = client.rows(
            table.name, query=where, fields=table.all_fields, limit=len(part) * 2
        ).rows
        if any(row.get("sys_id") not in part for row in rows):
            raise SourceError(f"{table.name}: the instance sent rows that were not asked for")
        for row in rows:
            for column in table.people:
                if isinstance(row.get(column), dict):
                    row[column] = row[column].get("value")
        yield Page(records=rows, cursor=None)


def tally(
    client: TableClient, table: Table, windows: Sequence[tuple[datetime | None, datetime | None]]
) -> list[Tally]:
    """How many rows changed in each window, and when the last of them: one call a window.

    ``X-Total-Count`` may count rows that access rules hide. Empty where the instance sends none.
    """
    found = []
    for since, until in windows:
        reply = client.rows(
            table.name,
            query=query.together(window_filter(table, since, until), "ORDERBYDESCsys_updated_on"),
            fields=("sys_updated_on",),
            limit=1,
            count=True,
        )
        if reply.total is None:
            return []
        newest = moment_of(reply.rows[0].get("sys_updated_on")) if reply.rows else None
        found.append(Tally(since=since, until=until, count=reply.total, newest=newest))
    return found


def moment_of(text: Any) -> datetime | None:
    """The moment of a stamp; None where it is empty or none."""
    try:
        return query.moment(text) if text else None
    except (ValueError, TypeError):
        return None
