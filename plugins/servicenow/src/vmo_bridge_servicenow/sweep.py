"""Name all rows of a table, count them by window, fetch some by name: what no change tells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from vmo_bridge.plugin import Page, Seen, SourceError, Tally
from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.client import Rows, TableClient
from vmo_bridge_servicenow.keyset import Keyset
from vmo_bridge_servicenow.reader import make_plain, table_filter, window_filter
from vmo_bridge_servicenow.tables import Table

_NAMES = 5000
"""Rows a page of names and moments: some 400 kB."""
_FETCHED = 50
"""Keys in one query: with 32 letters each they fill an address."""


class _ByName:
    """Rows in the order of sys_id.

    Rows inserted behind the place meanwhile do not come: the next read of changes brings them.
    """

    def __init__(
        self,
        client: TableClient,
        table: Table,
        filter_: str,
        *,
        fields: tuple[str, ...],
        page_size: int,
        counted: bool,
    ) -> None:
        self._table = table
        self._after: str | None = None
        self._keyset = Keyset(
            client,
            table.name,
            fields=fields,
            page_size=page_size,
            query=lambda: query.by_key(filter_, self._after),
            took=self._took,
            counted=counted,
        )

    def pages(self) -> Iterator[Rows]:
        """All of them, page by page."""
        return (rows for rows, _ in self._keyset.pages())

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


def names(client: TableClient, table: Table) -> Iterator[Sequence[Seen]]:
    """The sys_id and moment of every row that we may see."""
    fields = ("sys_id", table.stamp, *table.only)
    filter_ = table_filter(table)
    for rows in _ByName(
        client, table, filter_, fields=fields, page_size=_NAMES, counted=True
    ).pages():
        yield [Seen(key=row["sys_id"], changed_at=moment_of(row.get(table.stamp))) for row in rows]


def fetch(client: TableClient, table: Table, keys: Sequence[str]) -> Iterator[Page]:
    """The rows of these sys_ids, as far as they are there."""
    sound = [key for key in keys if query.is_key(key)]
    for begin in range(0, len(sound), _FETCHED):
        part = sound[begin : begin + _FETCHED]
        where = query.together(table_filter(table), query.any_of("sys_id", part))
        for rows in _ByName(
            client, table, where, fields=table.all_fields, page_size=_FETCHED, counted=False
        ).pages():
            if any(row.get("sys_id") not in part for row in rows):
                raise SourceError(f"{table.name}: the instance sent rows that were not asked for")
            make_plain(table, rows)
            yield Page(records=rows, cursor=None)


def tally(
    client: TableClient, table: Table, windows: Sequence[tuple[datetime | None, datetime | None]]
) -> list[Tally]:
    """How many rows changed in each window, and when the last of them: one call a window.

    ``X-Total-Count`` may count rows that access rules hide; where the instance sends none, the
    Aggregate API is asked. Empty where it may not be, either.
    """
    found = []
    for since, until in windows:
        where = window_filter(table, since, until)
        reply = client.rows(
            table.name,
            query=query.together(where, f"ORDERBYDESC{table.stamp}"),
            fields=(table.stamp,),
            limit=1,
            count=True,
        )
        total = client.count(table.name, where) if reply.total is None else reply.total
        if total is None:
            return []
        newest = moment_of(reply.rows[0].get(table.stamp)) if reply.rows else None
        found.append(Tally(since=since, until=until, count=total, newest=newest))
    return found


def moment_of(text: Any) -> datetime | None:
    """The moment of a stamp; None where it is empty or none."""
    try:
        return query.moment(text) if text else None
    except (ValueError, TypeError):
        return None
