"""A read of everything anew, or of a window: what is asked for and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from vmo_bridge.errors import RetryLater, SourceError
from vmo_bridge.store import Store
from vmo_bridge.sync import StreamOutcome

Sync = Callable[..., StreamOutcome]


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


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


def in_view(store: Store, as_of: datetime, known_at: datetime | None = None) -> set[str]:
    tickets = store.tables(as_of=as_of, known_at=known_at)["tickets"]
    return {ref.removeprefix("desk/") for ref in tickets["ref"].to_pylist()}


def test_a_full_read_takes_what_the_source_has_now_whatever_was_saved(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 7)
    sync_able()
    platform.rows["tickets"]["004"]["title"] = "changed without a stamp"
    delete(platform, "001")
    sync_able()
    outcome = sync_able(full=True)
    assert outcome.read == 6
    assert held(store) == set(platform.rows["tickets"])
    (found,) = store.versions.find("desk/004")
    assert found["title"] == "changed without a stamp"


def test_a_full_read_that_fails_leaves_everything_as_it_was(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 7)
    sync_able()
    platform.fail_at["tickets"] = (2, RetryLater("429"))
    outcome = sync_able(full=True)
    assert outcome.problem == "429"
    assert len(held(store)) == 7
    assert sync_able().problem == ""
    assert len(held(store)) == 7


def test_a_backfill_reads_its_window_and_moves_no_watermark(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 7)
    sync_able()
    (before,) = store.marks.streams()
    platform.rows["tickets"]["002"]["title"] = "mended in place"
    since = moment(platform.rows["tickets"]["002"]["updated"])
    outcome = sync_able(since=since, until=None)
    (after,) = store.marks.streams()
    assert outcome.read == 5
    assert (after.watermark, after.complete_at) == (before.watermark, before.complete_at)
    (found,) = store.versions.find("desk/002")
    assert found["title"] == "mended in place"


def test_an_interrupted_backfill_goes_on_where_it_was(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 9)
    sync_able()
    since = moment(platform.rows["tickets"]["000"]["updated"])
    platform.fail_at["tickets"] = (2, SourceError("trouble"))
    assert sync_able(since=since).problem == "trouble"
    assert sync_able(since=since).read == 6
    assert sync_able().problem == ""
