"""Page through a table by keyset, until the instance itself says that nothing is left."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

from vmo_bridge.plugin import RetryLater, SourceError, TooSlow
from vmo_bridge_servicenow.client import Overloaded, Reply, Rows, TableClient

log = logging.getLogger(__name__)

_SMALLEST_PAGE = 25
_GROW_AFTER = 10
"""So many good pages in a row, and a page that was made smaller grows again."""


class Keyset:
    """Pages in an order that no change can shake.

    ``query`` gives the encoded query from the present place on; ``took`` looks at the rows of a
    page before they are believed (it raises if they cannot be), and moves the place behind them.
    ``counted``: an end that the instance does not count is none, but an error.
    """

    def __init__(
        self,
        client: TableClient,
        table: str,
        *,
        fields: tuple[str, ...],
        page_size: int,
        query: Callable[[], str],
        took: Callable[[Rows], None],
        counted: bool = False,
    ) -> None:
        self._client = client
        self._table = table
        self._fields = fields
        self._query = query
        self._took = took
        self._counted = counted
        self._page_size = self._largest = page_size
        self._good_pages = 0

    def pages(self) -> Iterator[tuple[Rows, int | None]]:
        """(rows, how many there are in all), the second on the first page only.

        The limit is applied before access rules, so a short or even empty page need not be the
        last: after one the instance is asked how many rows are left. Rows we may not see are
        stepped over by offset, half a page at a time: one of them that changes meanwhile moves to
        the end, and what stood behind it moves forward.
        """
        first, confirm, offset = True, True, 0
        while True:
            reply, limit = self._ask(offset, count=confirm)
            if confirm and not reply.rows and reply.total is None:
                reply = Reply(reply.rows, self._left())
            if reply.rows:
                self._took(reply.rows)
                # On a first page the count is the whole of it, later on what is left of it.
                yield reply.rows, reply.total if first else None
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

    def _left(self) -> int | None:
        """How many rows are left by the Aggregate API, where lists come without a count."""
        total = self._client.count(self._table, self._query())
        if total is None and self._counted:
            raise SourceError(
                f"{self._table}: the instance counts neither its lists nor by the Aggregate API, "
                "so hidden rows cannot be told from the end; give the user the right to it"
            )
        return total

    def _ask(self, offset: int, *, count: bool) -> tuple[Reply, int]:
        """One page, and the limit it was asked for with.

        When the instance runs out of time the page is halved and asked for again.
        """
        while True:
            limit = self._page_size
            try:
                reply = self._client.rows(
                    self._table,
                    query=self._query(),
                    fields=self._fields,
                    limit=limit,
                    offset=offset,
                    count=count,
                )
            except (Overloaded, TooSlow) as error:
                if limit <= _SMALLEST_PAGE:
                    raise RetryLater(f"{error}; even a page of {limit} rows fails") from error
                self._page_size = max(limit // 2, _SMALLEST_PAGE)
                self._good_pages = 0
                log.info("%s: %s; next page %d rows", self._table, error, self._page_size)
            else:
                self._grow()
                return reply, limit

    def _grow(self) -> None:
        self._good_pages += 1
        if self._good_pages >= _GROW_AFTER:
            self._good_pages = 0
            self._page_size = min(self._page_size * 2, self._largest)
