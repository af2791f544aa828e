"""A store, a source that obeys, and one call to sync them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vmo_bridge.store import Store
from vmo_bridge.sync import StreamOutcome, sync_source
from vmo_bridge.sync.people import People
from vmo_bridge.watch import Watch

Sync = Callable[..., dict[str, StreamOutcome]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "vmo-bridge.db", owner="test") as store:
        yield store


@pytest.fixture
def sync(fakes: SimpleNamespace, platform: Any, store: Store) -> Sync:
    """Sync all streams; the outcomes by stream."""

    def synced(*, overlap: int = 0, watch: Watch | None = None) -> dict[str, StreamOutcome]:
        outcomes = sync_source(
            fakes.Connector(platform),
            store,
            People(b"key", names=False),
            1,
            overlap=timedelta(seconds=overlap),
            watch=watch or Watch(),
        )
        return {each.stream: each for each in outcomes}

    return synced
