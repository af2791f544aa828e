"""The check of an instance: each table asked for one row, in seconds, before anything is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from vmo_bridge.plugin import (
    AccessError,
    CheckRow,
    ConfigError,
    RetryLater,
    SignInError,
    SourceError,
)
from vmo_bridge_servicenow.client import NotInstalled, TableClient
from vmo_bridge_servicenow.dictionary import Dictionary
from vmo_bridge_servicenow.reader import missing_fields
from vmo_bridge_servicenow.tables import Table


def rows(
    client: TableClient,
    tables: Mapping[str, Table],
    dictionary: Dictionary,
    look_up: Callable[[str], None],
) -> Iterator[CheckRow]:
    """What can be said of the columns and of each table.

    ``look_up`` refuses columns of the configuration that the instance does not know.
    """
    yield from _columns(tables, dictionary, look_up)
    for table in tables.values():
        try:
            yield _table(client, table)
        except (RetryLater, SignInError) as error:
            yield CheckRow(what=table.name, state="failed", detail=str(error))
            return
        except (AccessError, SourceError) as error:
            yield _refused(table, error)


def _columns(
    tables: Mapping[str, Table], dictionary: Dictionary, look_up: Callable[[str], None]
) -> Iterator[CheckRow]:
    """Whether columns can be looked up; a mistake in one of the configuration is named."""
    what = "columns"
    try:
        for table in tables:
            look_up(table)
    except (RetryLater, SignInError):
        return  # told of the first table
    except (ConfigError, SourceError) as error:
        yield CheckRow(what=what, state="failed", detail=str(error))
        return
    if dictionary.refused:
        detail = f"columns cannot be looked up before they are asked for: {dictionary.refused}"
        yield CheckRow(what=what, state="warning", detail=detail)


def _table(client: TableClient, table: Table) -> CheckRow:
    fields = table.all_fields
    reply = client.rows(table.name, fields=fields, limit=1, count=True)
    if not reply.rows:
        seen = "it is empty, or every row is hidden from the user"
        return CheckRow(what=table.name, state="warning", detail=seen)
    absent = missing_fields(reply.rows, fields)
    if absent:
        detail = f"not there, or hidden from the user: {', '.join(absent)}"
        needed = {"sys_id", table.stamp, *table.only}
        return CheckRow(
            what=table.name, state="failed" if needed & {*absent} else "warning", detail=detail
        )
    return CheckRow(what=table.name, state="ok", detail=f"{reply.total} rows")


def _refused(table: Table, error: AccessError | SourceError) -> CheckRow:
    """A table that is not there or may not be read; a failure only where others need it."""
    if isinstance(error, NotInstalled) and table.part_of:
        detail = f"not there: it comes with {table.part_of}"
        return CheckRow(what=table.name, state="warning", detail=detail)
    spared = isinstance(error, AccessError) and table.spare
    return CheckRow(what=table.name, state="warning" if spared else "failed", detail=str(error))
