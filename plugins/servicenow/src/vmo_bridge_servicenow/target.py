"""One instance as values are written to it: where they can stand, the writes, provisioning."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import httpx

from vmo_bridge.plugin import (
    AccessError,
    Change,
    HourBudget,
    HttpClient,
    Places,
    Receipt,
    SourceError,
    WriteRefused,
    Written,
)
from vmo_bridge_servicenow.auth import SignIn
from vmo_bridge_servicenow.batch import Batches, NoBatches
from vmo_bridge_servicenow.bulk import BulkRecords
from vmo_bridge_servicenow.catalogue import catalogue
from vmo_bridge_servicenow.client import TableClient
from vmo_bridge_servicenow.lookup import Lookup
from vmo_bridge_servicenow.preparing import Preparing
from vmo_bridge_servicenow.settings import ServiceNowSettings
from vmo_bridge_servicenow.writer import RecordWriter

log = logging.getLogger(__name__)

_TICKET_TABLES = ("incident", "sc_req_item", "problem", "change_request")
_GROUP_PATHS = {
    "incident": "caller_id.department",
    "sc_req_item": "request.requested_for.department",
}


class Target(Preparing):
    """The writing half of a connector, and what both halves share: sign-in, client, budget."""

    def __init__(
        self,
        name: str,
        settings: ServiceNowSettings,
        folder: Path,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._tables = catalogue(settings)
        self._sign_in = SignIn(name, settings, folder, transport)
        self._budget = HourBudget(name, settings.calls_per_hour)
        self._http = HttpClient(
            name,
            settings.url,
            auth=self._sign_in,
            timeout=settings.timeout_seconds,
            transport=transport,
            budget=self._budget,
        )
        self._client = TableClient(self._http)

    @cached_property
    def _writer(self) -> RecordWriter:
        return RecordWriter(self.name, self._settings.url, self._sign_in, self._budget)

    @cached_property
    def _lookup(self) -> Lookup:
        return Lookup(self._client, self._batches, batched=self.batch > 1)

    @cached_property
    def _batches(self) -> Batches:
        return Batches(self._http, self._client)

    @property
    def places(self) -> Places:
        """Incidents carry facts of themselves; services and departments the values of theirs."""
        return Places(
            tickets=tuple(each for each in _TICKET_TABLES if each in self._tables),
            services="cmdb_ci_service",
            user_groups="cmn_department",
            service_path=self._settings.service_field,
            user_group_paths=_GROUP_PATHS,
            still_open={"active": "true"},
        )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()
        self._sign_in.close()
        if "_writer" in self.__dict__:
            self._writer.close()

    def current(
        self, table: str, field_: str, keys: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, str]]:
        """What the fields hold now; asked for in lists that fit into an address.

        A key that no query can hold is not found; its write is then refused with the reason.
        """
        return self._lookup.current(table, field_, keys, fields)

    def write(self, change: Change) -> str:
        """Make one change through pysnow."""
        return self._writer.write(change)

    def read_back(self, change: Change, key: str) -> Receipt:
        """What the record holds after the write."""
        return self._writer.read_back(change, key)

    @property
    def batch(self) -> int:
        """How many writes go into one call."""
        return self._settings.batch_size

    def write_many(self, changes: Sequence[Change]) -> list[Written]:
        """Make changes by the Batch API; one by one where the instance takes no batches."""
        try:
            return BulkRecords(self._batches, self._client, self._lookup).write(changes)
        except NoBatches as error:
            log.warning("%s", error)
        return [self._written(each) for each in changes]

    def _written(self, change: Change) -> Written:
        try:
            return Written(key=self.write(change))
        except (WriteRefused, AccessError, SourceError) as error:
            return Written(refused=str(error))

    def read_back_many(
        self, changes: Sequence[Change], keys: Sequence[str]
    ) -> list[Receipt | None]:
        """What the records hold after the writes; None for one that is not there."""
        return BulkRecords(self._batches, self._client, self._lookup).read_back(changes, keys)

    def remove(self, table: str, key: str) -> None:
        """Delete a record of a table of ours."""
        self._writer.remove(table, key)
