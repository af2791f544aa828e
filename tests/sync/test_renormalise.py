"""Records are rebuilt from raw pages: as the mapping says now, asking no source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from vmo_bridge.store import Store
from vmo_bridge.sync import Scope
from vmo_bridge.sync.people import People
from vmo_bridge.sync.renormalise import Rebuilt, renormalise
from vmo_bridge.watch import Stopped, Watch


@pytest.fixture
def rebuild(able: Any, store: Store) -> Callable[..., Rebuilt]:
    def rebuilt(watch: Watch | None = None) -> Rebuilt:
        def never(*_: object) -> None:
            raise AssertionError("the source was asked")

        able.read = able.sweep = able.tally = able.count = never
        (found,) = renormalise(
            able, store, People(b"key", names=False), 2, scope=Scope(), watch=watch or Watch()
        )
        return found

    return rebuilt


def put(platform: Any, count: int) -> None:
    for number in range(count):
        platform.ticket(f"{number:03}", title=f"t{number}")


def mapping(able: Any, change: Callable[[Any], list[Any]]) -> None:
    normalise = able.normalise
    able.normalise = lambda stream, raw: [
        new for record in normalise(stream, raw) for new in change(record)
    ]


def test_what_comes_out_the_same_is_left_alone(
    platform: Any, store: Store, sync_able: Any, rebuild: Any
) -> None:
    put(platform, 7)
    sync_able()
    assert (rebuild().raw, rebuild().changed) == (7, 0)
    assert store._db.execute("select count(*) from ticket_history").fetchone() == (0,)


def test_a_changed_mapping_is_applied_and_what_was_becomes_history(
    platform: Any, able: Any, store: Store, sync_able: Any, rebuild: Any
) -> None:
    put(platform, 7)
    sync_able()
    mapping(able, lambda ticket: [msgspec.structs.replace(ticket, priority=1)])
    found = rebuild()
    assert (found.raw, found.changed, found.quarantined) == (7, 7, 0)
    assert {row["priority"] for row in store.versions.all("ticket")} == {1}
    assert store._db.execute("select count(*) from ticket_history").fetchone() == (7,)
    place = next(store.versions.all("ticket"))
    assert store.raw.payload(place["page"], place["position"])["key"] == "000"


def test_only_the_latest_raw_record_of_each_key_counts(
    platform: Any, store: Store, sync_able: Any, rebuild: Any
) -> None:
    put(platform, 7)
    sync_able()
    platform.ticket("003", title="newer")
    sync_able()
    assert rebuild().raw == 7
    (row,) = store.versions.find("desk/003")
    assert row["title"] == "newer"


def test_what_was_in_quarantine_is_let_out_once_it_can_be_read(
    platform: Any, able: Any, store: Store, sync_able: Any, rebuild: Any
) -> None:
    put(platform, 3)
    platform.ticket("bad", broken="no number")
    sync_able()
    assert len(store.raw.quarantined()) == 1
    normalise = able.normalise
    able.normalise = lambda stream, raw: normalise(
        stream, {name: value for name, value in raw.items() if name != "broken"}
    )
    rebuild()
    assert store.raw.quarantined() == []
    assert len(list(store.versions.all("ticket"))) == 4


def test_records_that_are_no_longer_told_of_are_no_longer_there(
    platform: Any, able: Any, store: Store, sync_able: Any, rebuild: Any
) -> None:
    put(platform, 3)
    sync_able()
    mapping(able, lambda ticket: [] if ticket.ref == "desk/001" else [ticket])
    rebuild()
    assert {row["ref"] for row in store.versions.all("ticket")} == {"desk/000", "desk/002"}


def test_until_the_new_is_whole_the_old_is_there(
    platform: Any, able: Any, store: Store, sync_able: Any, rebuild: Any
) -> None:
    put(platform, 7)
    sync_able()
    mapping(able, lambda ticket: [msgspec.structs.replace(ticket, priority=1)])

    class StopAtSecond(Watch):
        steps = 0

        def advance(self, steps: int = 1) -> None:
            self.steps += steps

        def stopping(self) -> bool:
            return self.steps > 1

    with pytest.raises(Stopped):
        rebuild(StopAtSecond())
    assert {row["priority"] for row in store.versions.all("ticket")} == {None}
