"""Write many records in one call by the Batch API, and read them back as lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import httpx

from vmo_bridge.plugin import (
    AccessError,
    Change,
    Receipt,
    SignInError,
    SourceError,
    Written,
)
from vmo_bridge_servicenow import query, sweep
from vmo_bridge_servicenow.batch import Batches, Request
from vmo_bridge_servicenow.client import TableClient
from vmo_bridge_servicenow.lookup import Lookup
from vmo_bridge_servicenow.writer import STAMP


class BulkRecords:
    """Writes records of one instance by the batch."""

    def __init__(self, batches: Batches, client: TableClient, lookup: Lookup) -> None:
        self._batches = batches
        self._client = client
        self._lookup = lookup

    def write(self, changes: Sequence[Change]) -> list[Written]:
        """Make the changes; a change without a key makes a record, which was looked for before."""
        flaws = [_flaw(each) for each in changes]
        sound = [each for each, flaw in zip(changes, flaws, strict=True) if not flaw]
        answers = iter(self._batches.answers([_request(each) for each in sound]) if sound else ())
        return [
            Written(refused=flaw) if flaw else self._written(each, next(answers))
            for each, flaw in zip(changes, flaws, strict=True)
        ]

    def _written(self, change: Change, answer: httpx.Response) -> Written:
        try:
            content = self._client.content(answer, _name(change))
        except SignInError:
            raise
        except (AccessError, SourceError) as error:
            return Written(refused=str(error))
        result = content.get("result")
        key = result.get("sys_id") if isinstance(result, dict) else None
        if not key or (change.key and key != change.key):
            return Written(refused=f"{_name(change)}: the answer to the write names no record")
        return Written(key=str(key))

    def read_back(self, changes: Sequence[Change], keys: Sequence[str]) -> list[Receipt | None]:
        """What the records hold now of the fields that were written; None: not there."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        for table in dict.fromkeys(each.table for each in changes):
            of_table = [
                (each, key) for each, key in zip(changes, keys, strict=True) if each.table == table
            ]
            names = {name: None for each, _ in of_table for name in (*each.match, *each.values)}
            rows = self._lookup.current(
                table, "sys_id", [key for _, key in of_table], (*names, STAMP)
            )
            found |= {(table, key): row for key, row in rows.items()}
        seen_at = datetime.now(tz=UTC)
        return [
            _receipt(each, key, found.get((each.table, key)), seen_at)
            for each, key in zip(changes, keys, strict=True)
        ]


def _receipt(
    change: Change, key: str, row: dict[str, str] | None, seen_at: datetime
) -> Receipt | None:
    if row is None:
        return None
    stored = {name: row[name] for name in (*change.match, *change.values) if name in row}
    return Receipt(
        key=key, stored=stored, seen_at=seen_at, changed_at=sweep.moment_of(row.get(STAMP))
    )


def _request(change: Change) -> Request:
    path = f"/api/now/table/{change.table}"
    if change.key is None:
        content = {**change.match, **change.values}
        return Request(method="POST", url=f"{path}?sysparm_fields=sys_id", content=content)
    return Request(
        method="PATCH", url=f"{path}/{change.key}?sysparm_fields=sys_id", content=change.values
    )


def _flaw(change: Change) -> str:
    """Why a change cannot even be sent; empty if it can."""
    try:
        query.column(change.table)
        if change.key is not None:
            query.key(change.key)
    except ValueError as error:
        return str(error)
    if change.key is None and not change.match:
        return f"{change.table}: a new record needs a key of ours"
    return ""


def _name(change: Change) -> str:
    told = change.key or next(iter(change.match.values()), "")
    return f"{change.table}/{told}"
