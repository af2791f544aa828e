"""What ``sys_audit_delete`` tells of a table: filed under the real class of each deleted row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from vmo_bridge.plugin import Deletion, SourceError
from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.client import Rows, TableClient
from vmo_bridge_servicenow.keyset import Keyset
from vmo_bridge_servicenow.sweep import moment_of

AUDIT = "sys_audit_delete"
_PAGE = 1000
_FIELDS = ("sys_id", "tablename", "documentkey", "sys_created_on")


class DeletionReader:
    """The deletions of a table's rows from a moment on, in the order in which they were noted.

    The audit is no proof of the contrary: rows are kept for a limited time, some tables and the
    table cleaner leave none, and without the role for it the answer is an empty list.
    """

    def __init__(self, client: TableClient, names: list[str], since: datetime | None) -> None:
        self._names = names
        self._since = query.literal(since) if since else None
        self._after: tuple[str, str] | None = None
        self._keyset = Keyset(
            client,
            AUDIT,
            fields=_FIELDS,
            page_size=_PAGE,
            query=self._query,
            took=self._took,
        )

    def deletions(self) -> Iterator[Deletion]:
        """All of them; a row without key or moment tells nothing."""
        for rows, _ in self._keyset.pages():
            for row in rows:
                at = moment_of(row.get("sys_created_on"))
                if at is not None and row.get("documentkey"):
                    yield Deletion(key=row["documentkey"], at=at, proof=AUDIT)

    def _query(self) -> str:
        filter_ = query.any_of("tablename", self._names)
        if self._after is None:
            since = f"sys_created_on>={self._since}" if self._since else ""
            where = query.together(filter_, since)
        else:
            at, key = self._after
            where = "^NQ".join(
                [
                    query.together(filter_, f"sys_created_on>{at}"),
                    query.together(filter_, f"sys_created_on={at}", f"sys_id>{query.key(key)}"),
                ]
            )
        return f"{where}^ORDERBYsys_created_on^ORDERBYsys_id"

    def _took(self, rows: Rows) -> None:
        """Refuse what was not asked for: it would bury the rows of other tables."""
        for row in rows:
            place = (str(row.get("sys_created_on", "")), str(row.get("sys_id", "")))
            if row.get("tablename") not in self._names:
                raise SourceError(f"{AUDIT}: the instance ignores the filter on tablename")
            if not all(place) or (self._since and place[0] < self._since):
                raise SourceError(f"{AUDIT}: the instance ignores the filter on sys_created_on")
            if self._after and not place > self._after:
                raise SourceError(f"{AUDIT}: the instance does not keep to the order we asked for")
            self._after = place
