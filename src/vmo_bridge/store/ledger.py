"""Counts over the ledger: what we hold of each stream, by when it changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlite_utils import Database

from vmo_bridge.store.clock import from_epoch, to_epoch


class Ledger:
    """The ledger of all streams."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def held(self, stream_id: int) -> int:
        """How many raw records of a stream we hold as there, quarantined ones included."""
        (count,) = self._db.execute(
            "select count(*) from ledger where stream_id = ? and gone_at is null", [stream_id]
        ).fetchone()
        return int(count)

    def tally(self, stream_id: int, cuts: Sequence[datetime]) -> list[tuple[int, datetime | None]]:
        """(count, newest change) before the first cut, between each two, and from the last on.

        One pass over the stream's part of the ledger. What has no moment counts as the oldest.
        """
        marks = [to_epoch(each) for each in cuts]
        columns = []
        for since, until in zip([None, *marks], [*marks, None], strict=True):
            within = " and ".join(
                condition
                for condition in (
                    f"at >= {since}" if since is not None else "",
                    f"at < {until}" if until is not None else "",
                )
                if condition
            )
            where = f"filter (where {within})" if within else ""
            columns += [f"count(*) {where}", f"max(changed_at) {where}"]
        row = self._db.execute(
            f"select {', '.join(columns)} from (select changed_at, coalesce(changed_at, 0) as at "
            "from ledger where stream_id = ? and gone_at is null)",
            [stream_id],
        ).fetchone()
        pairs = zip(row[::2], row[1::2], strict=True)
        return [(count, from_epoch(newest)) for count, newest in pairs]
