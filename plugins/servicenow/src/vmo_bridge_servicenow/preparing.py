"""The part of the connector that prepares an instance for our values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property

from vmo_bridge.plugin import Difference, Package, ProvisionStep, TargetTable
from vmo_bridge_servicenow import compare, provision
from vmo_bridge_servicenow.client import TableClient
from vmo_bridge_servicenow.writer import RecordWriter


class Preparing(ABC):
    """What ``provision`` asks of an instance: plan, make, pack, compare."""

    _client: TableClient

    @cached_property
    @abstractmethod
    def _writer(self) -> RecordWriter: ...

    def provision_plan(self, tables: Sequence[TargetTable]) -> list[ProvisionStep]:
        """What the instance lacks."""
        return provision.plan(self._client, tables)

    def provision(self, step: ProvisionStep) -> None:
        """Make one missing thing over REST (needs the admin role)."""
        provision.make(self._writer, step)

    def package(self, tables: Sequence[TargetTable]) -> Package:
        """An Update Set that holds all of it."""
        return provision.package(self._client, tables)

    def differences(
        self, tables: Sequence[TargetTable], theirs: Sequence[TargetTable]
    ) -> list[Difference]:
        """Fields whose type, length, reference or rights are not what values need."""
        return compare.differences(self._client, tables, theirs)
