"""Read what changed in a table: the pages of a slice, each believed only after a look at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from vmo_bridge.plugin import Page, Slice, SourceError
from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.client import Rows, TableClient
from vmo_bridge_servicenow.keyset import Keyset
from vmo_bridge_servicenow.tables import Table

Place = tuple[str, str]
"""(stamp, sys_id) of the last row read."""


class TableReader:
    """The pages of one slice of one table, in the order (stamp, sys_id)."""

    def __init__(self, client: TableClient, table: Table, piece: Slice, page_size: int) -> None:
        self._table = table
        self._name = table.name
        self._since = query.literal(piece.since) if piece.since else None
        self._until = query.literal(piece.until) if piece.until else None
        self._after: Place | None = _place(piece.cursor)
        self._filter = query.together(table_filter(table), _before(table, piece.since, piece.until))
        self._newest: datetime | None = None
        self._keyset = Keyset(
            client,
            self._name,
            fields=self._table.all_fields,
            page_size=page_size,
            query=lambda: query.keyset(table.stamp, self._filter, self._since, self._after),
            took=self._took,
        )

    def pages(self) -> Iterator[Page]:
        """All pages from the slice's cursor on."""
        for rows, expected in self._keyset.pages():
            assert self._after is not None  # noqa: S101 - there are rows
            updated, sys_id = self._after
            yield Page(
                records=rows,
                cursor=f"{updated}|{sys_id}",
                newest=self._newest,
                expected=expected,
            )

    def _took(self, rows: Rows) -> None:
        self._believe(rows)
        updated, sys_id = self._after = self._of(rows[-1])
        try:
            query.key(sys_id)
            self._newest = query.moment(updated) if updated else None
        except ValueError:
            raise SourceError(
                f"{self._name}: {self._table.stamp} of {sys_id!r:.40} is {updated!r:.40}: "
                "not a date-time, or not a sys_id; no page can begin behind it"
            ) from None

    def _believe(self, rows: Rows) -> None:
        """Refuse rows that we did not ask for.

        An instance that does not know a column of the query ignores that part without a word and
        answers with everything: the order and the filter then no longer hold.
        """
        before = self._after
        for row in rows:
            try:
                place = self._of(row)
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
            if self._until and place[0] >= self._until:
                raise SourceError(f"{self._name}: the instance ignores 'changed before'")
            before = place
        make_plain(self._table, rows)
        for column, values in self._table.only.items():
            odd = {str(row.get(column)) for row in rows} - set(values)
            if odd:
                raise SourceError(
                    f"{self._name}: the instance ignores the filter on {column} "
                    f"(it sent {sorted(odd)[:3]}); nothing of this page was taken"
                )

    def _of(self, row: dict[str, Any]) -> Place:
        return row[self._table.stamp], row["sys_id"]


def make_plain(table: Table, rows: Rows) -> None:
    """Take references to people out of their links: pseudonyms are made of plain texts only."""
    for row in rows:
        for column in table.people:
            if isinstance(row.get(column), dict):
                row[column] = row[column].get("value")


def table_filter(table: Table) -> str:
    """The encoded query of what is of interest in a table."""
    return "^".join(query.any_of(column, values) for column, values in table.only.items())


def window_filter(table: Table, since: datetime | None, until: datetime | None) -> str:
    """The encoded query of what is of interest and changed in a window."""
    after = f"{table.stamp}>={query.literal(since)}" if since else ""
    return query.together(table_filter(table), after, _before(table, since, until))


def _before(table: Table, since: datetime | None, until: datetime | None) -> str:
    """The end of a window.

    Rows without a stamp belong to the window without a beginning, and are never "before" anything
    where the database holds NULL for them.
    """
    if until is None:
        return ""
    before = f"{table.stamp}<{query.literal(until)}"
    return before if since else f"{before}^OR{table.stamp}ISEMPTY"


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


def missing_fields(rows: Sequence[Mapping[str, Any]], fields: Sequence[str]) -> list[str]:
    """Fields that no row has: unknown there, or not readable for our user."""
    return [each for each in fields if not any(each in row for row in rows)]
