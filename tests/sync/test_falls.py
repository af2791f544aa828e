"""A sudden fall is not believed: nothing is taken away until a person says that it is true."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from vmo_bridge.records.certificate import Certificate
from vmo_bridge.store import Store
from vmo_bridge.sync import StreamOutcome

Sync = Callable[..., StreamOutcome]


def put(platform: Any, count: int) -> None:
    for number in range(count):
        platform.ticket(f"{number:03}", title=f"t{number}")


def delete(platform: Any, key: str, *, audit: bool = False) -> None:
    platform.clock += 1
    del platform.rows["tickets"][key]
    if audit:
        platform.audit.append(("tickets", key, platform.clock))


def held(store: Store) -> set[str]:
    return {row["ref"].removeprefix("desk/") for row in store.versions.all("ticket")}


def certificate(outcome: StreamOutcome) -> Certificate:
    assert outcome.certificate is not None
    return outcome.certificate


def in_view(store: Store, as_of: datetime, known_at: datetime | None = None) -> set[str]:
    tickets = store.tables(as_of=as_of, known_at=known_at)["tickets"]
    return {ref.removeprefix("desk/") for ref in tickets["ref"].to_pylist()}


def test_a_sudden_fall_takes_nothing_away_and_raises_the_alarm(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 60)
    sync_able(sweep=True)
    for number in range(20, 60):
        delete(platform, f"{number:03}")
    outcome = sync_able(sweep=True)
    assert len(held(store)) == 60
    assert certificate(outcome).grade == "F"
    (alarm,) = store.certificates.alarms()
    assert alarm.startswith("desk:tickets: the source has 20 records where we hold 60")
    assert "--accept desk:tickets" in alarm


def test_a_stream_that_turns_empty_raises_the_alarm_however_small_it_was(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 2)
    sync_able(sweep=True)
    platform.rows["tickets"].clear()
    sync_able()
    assert len(held(store)) == 2
    assert "has 0 records where we hold 2" in store.certificates.alarms()[0]


def test_the_alarm_ends_by_itself_when_the_records_are_back(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 60)
    sync_able(sweep=True)
    kept = dict(platform.rows["tickets"])
    platform.rows["tickets"].clear()
    sync_able()
    assert store.certificates.alarms()
    platform.rows["tickets"].update(kept)
    outcome = sync_able()
    assert store.certificates.alarms() == []
    assert certificate(outcome).grade == "A"


def test_an_accepted_fall_is_taken_for_true_and_a_further_one_is_not(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 100)
    sync_able(sweep=True)
    for number in range(50, 100):
        delete(platform, f"{number:03}")
    sync_able(sweep=True)
    stream = store.marks.streams()[0].id
    store.certificates.accept(stream, 50)
    sync_able(sweep=True)
    assert len(held(store)) == 50
    assert store.certificates.alarms() == []
    for number in range(25, 50):
        delete(platform, f"{number:03}")
    sync_able(sweep=True)
    assert len(held(store)) == 50
    assert store.certificates.alarms()
