"""Read a table by keyset, page after page, until the instance itself says that nothing is left."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from vmo_bridge.plugin import Page, RetryLater, Slice, SourceError, TooSlow
from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.client import Overloaded, Reply, Rows, TableClient
from vmo_bridge_servicenow.tables import TABLES, Table

log = logging.getLogger(__name__)

_SMALLEST_PAGE = 25
_GROW_AFTER = 10
"""So many good pages in a row, and a page that was made smaller grows again."""

Place = tuple[str, str]
"""(sys_updated_on, sys_id) of the last row read."""


class TableReader:
    """The pages of one slice of one table."""

    def __init__(self, client: TableClient, piece: Slice, page_size: int) -> None:
        self._client = client
        self._table: Table = TABLES[piece.stream]
        self._name = piece.stream
        self._since = query.literal(piece.since) if piece.since else None
        self._after: Place | None = _place(piece.cursor)
        self._filter = table_filter(self._table)
        if piece.until:
            before = f"sys_updated_on<{query.literal(piece.until)}"
            self._filter = "^".join(part for part in (self._filter, before) if part)
        self._page_size = self._largest = page_size
        self._good_pages = 0

    def pages(self) -> Iterator[Page]:
        """All pages from the slice's cursor on.

        The limit is applied before access rules, so a short or even empty page need not be the
        last: after one the instance is asked how many rows are left. Rows we may not see are
        stepped over by offset, half a page at a time: one of them that changes meanwhile moves to
        the end, and what stood behind it moves forward.
        """
        first, confirm, offset = True, True, 0
        while True:
            reply, limit = self._ask(offset, count=confirm)
            if reply.rows:
                # On a first page the count is the whole of the slice, later on what is left of it.
                yield self._page(reply.rows, expected=reply.total if first else None)
                if reply.total is not None and offset == 0 and reply.total <= len(reply.rows):
                    return
                confirm, offset = len(reply.rows) < limit, 0
            elif not confirm:
                confirm = True
            elif reply.total is None or offset + limit >= reply.total:
                return
            else:
                offset += max(limit // 2, 1)
            first = False

    def _page(self, rows: Rows, *, expected: int | None) -> Page:
        self._believe(rows)
        updated, sys_id = self._after = _of(rows[-1])
        try:
            query.key(sys_id)
            newest = query.moment(updated) if updated else None
        except ValueError:
            raise SourceError(
                f"{self._name}: sys_updated_on of {sys_id!r:.40} is {updated!r:.40}: "
                "not a date-time, or not a sys_id; no page can begin behind it"
            ) from None
        return Page(records=rows, cursor=f"{updated}|{sys_id}", newest=newest, expected=expected)

    def _ask(self, offset: int, *, count: bool) -> tuple[Reply, int]:
        """One page, and the limit it was asked for with.

        When the instance runs out of time the page is halved and asked for again.
        """
        while True:
            limit = self._page_size
            try:
                reply = self._client.rows(
                    self._name,
                    query=query.keyset(self._filter, self._since, self._after),
                    fields=self._table.all_fields,
                    limit=limit,
                    offset=offset,
                    count=count,
                )
            except (Overloaded, TooSlow) as error:
                if limit <= _SMALLEST_PAGE:
                    raise RetryLater(f"{error}; even a page of {limit} rows fails") from error
                self._page_size = max(limit // 2, _SMALLEST_PAGE)
                self._good_pages = 0
                log.info("%s: %s; next page %d rows", self._name, error, self._page_size)
            else:
                self._grow()
                return reply, limit

    def _grow(self) -> None:
        self._good_pages += 1
        if self._good_pages >= _GROW_AFTER:
            self._good_pages = 0
            self._page_size = min(self._page_size * 2, self._largest)

    def _believe(self, rows: Rows) -> None:
        """Refuse rows that we did not ask for.

        An instance that does not know a column of the query ignores that part without a word and
        answers with everything: the order and the filter then no longer hold.
        """
        before = self._after
        for row in rows:
            try:
                place = _of(row)
            except KeyError as error:
                raise SourceError(
                    f"{self._name}: rows come without {error}; give the user the right to read it"
                ) from None
            if before is not None and not _behind(place, before):
                raise SourceError(
                    f"{self._name}: the instance does not keep to the order we asked for "
                    f"({place} after {before}); nothing of this page was taken"
                )
            if self._since and place[0] < self._since:
                raise SourceError(f"{self._name}: the instance ignores 'changed since'")
            before = place
            for column in self._table.people:
                if isinstance(row.get(column), dict):  # pseudonyms are made of plain texts only
                    row[column] = row[column].get("value")
        for column, values in self._table.only.items():
            odd = {str(row.get(column)) for row in rows} - set(values)
            if odd:
                raise SourceError(
                    f"{self._name}: the instance ignores the filter on {column} "
                    f"(it sent {sorted(odd)[:3]}); nothing of this page was taken"
                )


def table_filter(table: Table) -> str:
    """The encoded query of what is of interest in a table."""
    return "^".join(query.any_of(column, values) for column, values in table.only.items())


def _of(row: dict[str, Any]) -> Place:
    return row["sys_updated_on"], row["sys_id"]


def _behind(place: Place, before: Place) -> bool:
    """Whether a row stands behind another; databases differ in whether case counts in a sys_id."""
    if place[0] != before[0]:
        return place[0] > before[0]
    return place[1] > before[1] or place[1].lower() > before[1].lower()


def _place(cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    updated, _, sys_id = cursor.partition("|")
    return updated, sys_id


def missing_fields(rows: Rows, fields: Sequence[str]) -> list[str]:
    """Fields that no row has: unknown there, or not readable for our user."""
    return [each for each in fields if not any(each in row for row in rows)]
