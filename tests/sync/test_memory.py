"""What a connector remembers is there with the page it is remembered of, or not at all."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from vmo_bridge.connectors.contract import Page, Slice, Stream
from vmo_bridge.errors import RetryLater
from vmo_bridge.store import Store
from vmo_bridge.sync import Care, sync_source
from vmo_bridge.sync.people import People
from vmo_bridge.watch import Watch


@pytest.fixture
def remembering(fakes: SimpleNamespace, platform: Any) -> Any:
    """A connector that counts the tickets it has taken, and starts every slice at a place."""

    class Remembering(fakes.Connector):  # type: ignore[misc, name-defined]
        memory: MutableMapping[str, str]
        starts: list[str | None] = []  # noqa: RUF012 - one test, one class

        def remember(self, memory: MutableMapping[str, str]) -> None:
            self.memory = memory

        def slices(
            self, stream: Stream, since: datetime | None, until: datetime | None
        ) -> list[Slice]:
            return [Slice(stream=stream.name, cursor="000000000000|")]

        def read(self, piece: Slice) -> Iterator[Page]:
            self.starts.append(piece.cursor)
            for page in super().read(piece):
                if piece.stream == "tickets":
                    taken = int(self.memory.get("taken", "0")) + len(page.records)
                    self.memory["taken"] = str(taken)
                yield page
            self.memory[piece.stream] = "whole"

    return Remembering(platform)


def synced(connector: Any, store: Store) -> list[str]:
    outcomes = sync_source(
        connector,
        store,
        People(b"key", names=False),
        1,
        care=Care(overlap=timedelta(0)),
        watch=Watch(),
    )
    return [each.problem for each in outcomes if each.problem]


def remembered(store: Store, source: str = "desk") -> dict[str, str]:
    return dict(store.memory(source))


def test_what_is_remembered_is_there_in_the_next_run(
    platform: Any, store: Store, remembering: Any
) -> None:
    for number in range(7):
        platform.ticket(f"{number}", title="t")
    assert synced(remembering, store) == []
    assert remembered(store)["taken"] == "7"
    assert remembered(store)["tickets"] == "whole"
    assert remembered(store, "other") == {}
    assert set(remembering.starts) == {"000000000000|"}, "a slice begins where it says"
    assert synced(remembering, store) == []
    assert remembered(store)["taken"] == "14", "it went on from what it remembered"


def test_a_page_that_was_not_stored_is_not_remembered(
    platform: Any, store: Store, remembering: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        platform.ticket(f"{number}", title="t")
    kept = store.raw._keep_page
    calls = []

    def third_fails(*args: Any) -> int:
        calls.append(args)
        if len(calls) == 2:
            raise OSError("the machine goes down")
        return kept(*args)

    monkeypatch.setattr(store.raw, "_keep_page", third_fails)
    with pytest.raises(OSError, match="goes down"):
        synced(remembering, store)
    (count,) = store._db.execute("select count(*) from ticket").fetchone()
    assert int(remembered(store).get("taken", "0")) == count, "both, or neither"
    assert "tickets" not in remembered(store)


def test_what_a_failed_read_spent_is_remembered(
    platform: Any, store: Store, remembering: Any
) -> None:
    for number in range(7):
        platform.ticket(f"{number}", title="t")
    platform.fail_at["tickets"] = (3, RetryLater("the budget is used up"))
    assert "the budget is used up" in synced(remembering, store)
    assert remembered(store)["taken"] == "6"
    assert "tickets" not in remembered(store)


def test_what_is_forgotten_is_gone(store: Store) -> None:
    memory = store.memory("desk")
    memory.update({"a": "1", "b": "2"})
    with store.transaction():
        memory.save()
    memory.settle()
    del memory["a"]
    memory["b"] = "3"
    with store.transaction():
        memory.save()
    assert remembered(store) == {"b": "3"}
