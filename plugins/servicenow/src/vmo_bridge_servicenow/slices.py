"""Cut a long read into slices of equal size, by the moments at which rows changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from vmo_bridge.plugin import Slice
from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.client import TableClient
from vmo_bridge_servicenow.reader import window_filter
from vmo_bridge_servicenow.sweep import moment_of
from vmo_bridge_servicenow.tables import Table

_SHORT = timedelta(days=2)
_FEWEST_PAGES = 4
"""Fewer pages than this a slice are not worth the calls that find the cuts."""


def cut(
    client: TableClient,
    table: Table,
    since: datetime | None,
    until: datetime | None,
    *,
    at_once: int,
    page_size: int,
) -> list[Slice]:
    """Slices that meet, [since, until): some ``at_once`` of them, the last with the read's own end.

    A row that changes while they are read moves to the last slice, or to the next read: its
    watermark is the newest change that was read. Cuts only spread the work; a wrong one costs time.
    """
    whole = Slice(stream=table.name, since=since, until=until)
    if at_once <= 1 or _is_short(since, until):
        return [whole]
    where = window_filter(table, since, until)
    total = client.rows(table.name, query=where, fields=("sys_id",), limit=1, count=True).total or 0
    pieces = min(at_once, total // (page_size * _FEWEST_PAGES))
    cuts: list[datetime] = []
    for number in range(1, pieces):
        moment = _moment_at(client, table, where, total * number // pieces)
        before = cuts[-1] if cuts else since
        if moment is not None and (before is None or moment > before):
            cuts.append(moment)
    begins, ends = [since, *cuts], [*cuts, until]
    meeting = zip(begins, ends, strict=True)
    return [Slice(stream=table.name, since=begin, until=end) for begin, end in meeting]


def _is_short(since: datetime | None, until: datetime | None) -> bool:
    """Whether so little can have changed that it is not worth a call to count it."""
    return since is not None and (until or datetime.now(tz=UTC)) - since < _SHORT


def _moment_at(client: TableClient, table: Table, where: str, place: int) -> datetime | None:
    """When the row at a place in the order of change last changed."""
    rows = client.rows(
        table.name,
        query=query.together(where, f"ORDERBY{table.stamp}") + "^ORDERBYsys_id",
        fields=(table.stamp,),
        limit=1,
        offset=place,
    ).rows
    return moment_of(rows[0].get(table.stamp)) if rows else None
