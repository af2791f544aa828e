"""Where records are shown: their own connectors say it, opened when they are first asked."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from vmo_bridge.connectors.contract import Connector
from vmo_bridge.connectors.opening import opened
from vmo_bridge.errors import VmoBridgeError
from vmo_bridge.hooks.loader import Plugins
from vmo_bridge.settings import Settings
from vmo_bridge.store import Store

log = logging.getLogger(__name__)


class Addresses:
    """Addresses of records of any source, for as long as the ``with`` block lasts.

    No source is called for it: a connector knows how its addresses are made.
    """

    def __init__(self, store: Store, settings: Settings, plugins: Plugins) -> None:
        self._store = store
        self._settings = settings
        self._plugins = plugins
        self._open = ExitStack()
        self._connectors: dict[str, Connector | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def of(self, ref: str) -> str:
        """Where the record is shown; empty where its source is not configured any more."""
        source, _, key = ref.partition("/")
        connector = self._connector(source)
        rows = self._store.versions.by_refs([ref])
        if connector is None or not rows:
            return ""
        _, stream, _ = self._store.raw.origin(rows[0]["page"])
        return connector.link(stream, key)

    def _connector(self, source: str) -> Connector | None:
        if source not in self._connectors:
            try:
                connector = self._open.enter_context(opened(source, self._settings, self._plugins))
            except VmoBridgeError as error:
                log.warning("%s: no links lead to its records: %s", source, error)
                self._connectors[source] = None
            else:
                self._connectors[source] = connector
        return self._connectors[source]
