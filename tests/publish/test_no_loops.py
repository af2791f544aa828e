"""Our own writes come back with the next sync, and nobody takes them for somebody's edits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vmo_bridge.connectors.abilities import Tally
from vmo_bridge.connectors.contract import Stream
from vmo_bridge.errors import RetryLater
from vmo_bridge.records import KpiResult
from vmo_bridge.sync import Care, StreamOutcome, sync_source
from vmo_bridge.sync.people import People
from vmo_bridge.watch import Watch

MakeResult = Callable[..., KpiResult]


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


@pytest.fixture
def dated(bulk: Any) -> Any:
    """The desk as a source whose records say when they changed, synced before any write."""

    class Dated(type(bulk.writer)):  # type: ignore[misc]
        def changed_at(self, stream: str, record: Mapping[str, Any]) -> datetime:
            return moment(record["updated"])

        def tally(
            self, stream: Stream, windows: Sequence[tuple[datetime | None, datetime | None]]
        ) -> list[Tally]:
            stamps = [moment(row["updated"]) for row in self.platform.rows[stream.name].values()]
            inside = [
                [at for at in stamps if (not since or at >= since) and (not until or at < until)]
                for since, until in windows
            ]
            return [
                Tally(since=since, until=until, count=len(each), newest=max(each, default=None))
                for (since, until), each in zip(windows, inside, strict=True)
            ]

    bulk.writer = Dated(bulk.platform)
    bulk.platform.stamps_writes = True
    bulk.sync()
    # What was held before had no moments.
    for rows in bulk.platform.rows.values():
        for row in rows.values():
            row["updated"] += 100
    bulk.platform.clock += 200
    bulk.sync()
    return bulk


def synced(desk: Any, overlap: int = 0) -> dict[str, StreamOutcome]:
    outcomes = sync_source(
        desk.writer,
        desk.store,
        People(b"key", names=False),
        desk.store.runs.start("sync"),
        care=Care(overlap=timedelta(seconds=overlap)),
        watch=Watch(),
    )
    return {each.stream: each for each in outcomes}


def versions(desk: Any) -> dict[str, int]:
    """How many versions there are of tickets, services and groups, the current ones included."""
    return {
        kind: desk.store._db.execute(
            f"select (select count(*) from {kind}) + (select count(*) from {kind}_history)"
        ).fetchone()[0]
        for kind in ("ticket", "service", "user_group")
    }


def stood_at(desk: Any, stream: str, key: str) -> int:
    """The moment of a record in the ledger."""
    (found,) = desk.store._db.execute(
        "select l.changed_at from ledger l join stream s on s.id = l.stream_id "
        "where s.name = ? and l.key = ?",
        [stream, key],
    ).fetchone()
    return int(found)


def test_a_sync_after_a_publish_reads_our_writes_and_counts_no_change(dated: Any) -> None:
    before = versions(dated)
    dated.apply()
    touched = {change.key for change in dated.platform.written}
    assert touched == {"vpn", "fin", "1"}
    for _ in range(2):
        outcomes = synced(dated)
        assert {name: each.changed for name, each in outcomes.items() if each.changed} == {}
        assert not any(each.problem for each in outcomes.values())
        assert versions(dated) == before


def test_publish_and_sync_come_to_rest(dated: Any, result: MakeResult) -> None:
    dated.kpis(result())
    dated.apply()
    synced(dated)
    dated.platform.written.clear()
    for _ in range(3):
        dated.apply()
        synced(dated)
    assert dated.platform.written == []


def test_the_ledger_has_the_moment_of_our_write_so_that_its_counts_agree(dated: Any) -> None:
    dated.apply()
    synced(dated)
    for stream, key in (("tickets", "1"), ("services", "vpn"), ("groups", "fin")):
        assert stood_at(dated, stream, key) == dated.platform.rows[stream][key]["updated"]
    counts = [each for found in dated.store.certificates.latest() for each in found.counts]
    assert counts
    assert [each.ours for each in counts] == [each.theirs for each in counts]


def test_what_somebody_edits_in_the_same_second_is_read(dated: Any) -> None:
    dated.apply()
    dated.platform.rows["tickets"]["1"]["title"] = "in the same second"
    assert synced(dated)["tickets"].changed == 1
    (ticket,) = dated.store.versions.by_refs(["desk/1"])
    assert ticket["title"] == "in the same second"


def test_what_somebody_edits_in_the_same_second_after_it_was_recognised_is_read(
    dated: Any,
) -> None:
    dated.apply()
    synced(dated)
    dated.platform.rows["tickets"]["1"]["title"] = "in the same second"
    assert synced(dated)["tickets"].changed == 1


def test_what_somebody_edited_before_our_write_is_read(dated: Any) -> None:
    before = versions(dated)["ticket"]
    dated.platform.ticket("1", title="an hour before")
    dated.apply()
    assert synced(dated)["tickets"].changed == 1
    assert versions(dated)["ticket"] == before + 1


def test_what_somebody_edits_after_our_write_is_read(dated: Any) -> None:
    dated.apply()
    dated.platform.ticket("1", title="afterwards")
    assert synced(dated)["tickets"].changed == 1
    dated.platform.ticket("2", state="closed")
    assert synced(dated)["tickets"].changed == 1


def test_what_comes_again_after_it_was_recognised_is_still_recognised(dated: Any) -> None:
    before = versions(dated)
    dated.apply()
    synced(dated)
    assert all(each.changed == 0 for each in synced(dated, overlap=10_000).values())
    assert versions(dated) == before


def test_a_second_write_is_recognised_as_the_first_one_was(dated: Any) -> None:
    before = versions(dated)
    dated.apply()
    dated.platform.survey("s9", "1", {"q2": 30})
    synced(dated)
    dated.apply()
    assert synced(dated)["tickets"].changed == 0
    assert versions(dated) == before


def test_an_undo_is_recognised_as_our_own_as_well(dated: Any) -> None:
    before = versions(dated)
    dated.apply()
    dated.undo(dated.run)
    assert all(each.changed == 0 for each in synced(dated).values())
    assert versions(dated) == before


def test_a_write_of_a_killed_run_is_recognised_once_it_is_settled(dated: Any) -> None:
    before = versions(dated)
    dated.platform.fail_read_back = RetryLater("killed")
    dated.apply()
    dated.platform.fail_read_back = None
    dated.apply()
    assert all(each.changed == 0 for each in synced(dated).values())
    assert versions(dated) == before
