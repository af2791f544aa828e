"""What a source tells of a read that is whole, and what it remembers of it."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from vmo_bridge.errors import SourceError
from vmo_bridge.pipeline import Bridge
from vmo_bridge.store import Store
from vmo_bridge.sync import Care, StreamOutcome, sync_source
from vmo_bridge.sync.people import People
from vmo_bridge.watch import Watch


@pytest.fixture
def talking(fakes: SimpleNamespace, platform: Any) -> type[Any]:
    """A source that counts its reads, and tells of its tickets."""

    class Talking(fakes.Connector):  # type: ignore[misc]  # the class is made by a fixture
        def remember(self, memory: MutableMapping[str, str]) -> None:
            self.memory = memory

        def notes(self, stream: str) -> Sequence[str]:
            reads = int(self.memory.get("reads", "0")) + 1
            self.memory["reads"] = str(reads)
            return [f"read {reads} times"] if stream == "tickets" else []

    return Talking


def synced(connector: Any, store: Store) -> dict[str, StreamOutcome]:
    outcomes = sync_source(
        connector,
        store,
        People(b"key", names=False),
        1,
        care=Care(overlap=timedelta()),
        watch=Watch(),
    )
    return {each.stream: each for each in outcomes}


def test_notes_stand_beside_the_outcome_and_in_the_log_and_are_no_problem(
    talking: type[Any], platform: Any, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="vmo_bridge")
    platform.ticket("1")
    outcomes = synced(talking(platform), store)
    assert outcomes["tickets"].notes == ["read 4 times"]
    assert outcomes["groups"].notes == []
    assert not any(each.problem for each in outcomes.values())
    assert [each.getMessage() for each in caplog.records] == ["desk:tickets: read 4 times"]


def test_notes_are_told_of_a_stream_that_failed_too(
    talking: type[Any], platform: Any, store: Store
) -> None:
    platform.ticket("1")
    platform.fail_at["tickets"] = (1, SourceError("one file is broken"))
    outcome = synced(talking(platform), store)["tickets"]
    assert (outcome.problem, outcome.notes) == ("one file is broken", ["read 4 times"])


def test_a_source_without_notes_tells_none(
    fakes: SimpleNamespace, platform: Any, store: Store
) -> None:
    platform.ticket("1")
    assert not any(each.notes for each in synced(fakes.Connector(platform), store).values())


def test_the_diary_keeps_the_notes(
    talking: type[Any], platform: Any, configure: Any, make_plugins: Any
) -> None:
    plugins = make_plugins(connect=lambda name: talking(platform, name))
    with Bridge(configure('[connectors.desk]\nplugin = "reader"\n'), plugins, owner="test") as it:
        it.sync()
        run = it.store.runs.last("sync")
    assert run is not None
    assert run.detail["notes"] == ["desk:tickets: read 4 times"]
    assert run.state == "done"
