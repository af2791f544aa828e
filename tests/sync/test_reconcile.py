"""What no read can see is found: deletions, lost records, falls that are not to be believed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmo_bridge.errors import AccessError, RetryLater, SourceError
from vmo_bridge.records.certificate import Certificate
from vmo_bridge.store import Store
from vmo_bridge.store.clock import now
from vmo_bridge.sync import Care, StreamOutcome
from vmo_bridge.watch import Stopped, Watch

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


def certificate(outcome: StreamOutcome) -> Certificate:
    assert outcome.certificate is not None
    return outcome.certificate


def in_view(store: Store, as_of: datetime, known_at: datetime | None = None) -> set[str]:
    tickets = store.tables(as_of=as_of, known_at=known_at)["tickets"]
    return {ref.removeprefix("desk/") for ref in tickets["ref"].to_pylist()}


def test_a_whole_read_whose_counts_agree_and_whose_records_were_named_is_grade_a(
    platform: Any, sync_able: Sync
) -> None:
    put(platform, 7)
    it = certificate(sync_able(sweep=True))
    assert (it.grade, it.reasons) == ("A", ())
    assert (it.theirs, it.ours, it.missing, it.extra, it.hidden) == (7, 7, 0, 0, 0)
    assert sum(each.theirs for each in it.counts) == 7
    assert [each.theirs for each in it.counts] == [each.ours for each in it.counts]


def test_before_the_first_sweep_the_certificate_says_that_nobody_looked_for_deletions(
    platform: Any, sync_able: Sync
) -> None:
    put(platform, 7)
    it = certificate(sync_able(care=Care(sweep_every=None)))
    assert it.grade == "B"
    assert "not named one by one yet" in it.reasons[0]


def test_a_deletion_that_the_source_tells_of_becomes_a_tombstone_with_its_moment_and_proof(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 7)
    sync_able()
    delete(platform, "003", audit=True)
    outcome = sync_able(care=Care(overlap=timedelta(minutes=5)))
    assert outcome.gone == 1
    assert held(store) == {"000", "001", "002", "004", "005", "006"}
    stone = store.tombstones.of("desk/003")
    assert stone is not None
    assert (stone.state, stone.proof, stone.gone_at) == ("deleted", "audit", moment(platform.clock))
    assert certificate(outcome).gone == 1


def test_a_deleted_record_still_stands_in_the_days_before_it_was_deleted(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 3)
    sync_able()
    day = moment(platform.clock)
    platform.clock += 3600
    delete(platform, "001", audit=True)
    sync_able(care=Care(overlap=timedelta(minutes=5)))
    after = moment(platform.clock)
    assert in_view(store, day) == {"000", "001", "002"}
    assert in_view(store, after) == {"000", "002"}
    # As we knew it before we learned of the deletion:
    store._db.execute("update tombstone set seen_at = seen_at + 1000")
    assert in_view(store, after, known_at=now()) == {"000", "001", "002"}


def test_a_deletion_that_nobody_tells_of_is_found_by_the_sweep_and_called_missing(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 7)
    sync_able()
    delete(platform, "003")
    outcome = sync_able(sweep=True)
    assert outcome.gone == 1
    assert "003" not in held(store)
    stone = store.tombstones.of("desk/003")
    assert stone is not None
    assert (stone.state, stone.proof) == ("missing", "")
    assert certificate(outcome).grade == "A"


def test_counts_that_disagree_have_all_records_named_before_it_is_time(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 7)
    sync_able(care=Care(sweep_every=None))
    delete(platform, "003")
    sync_able(care=Care(sweep_every=None))
    assert "003" not in held(store)


def test_counts_that_go_on_disagreeing_cost_a_sweep_an_hour_at_most(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 7)
    sync_able()
    delete(platform, "003")
    it = certificate(sync_able())
    assert (it.grade, it.surplus) == ("D", 1)
    store._db.execute("update stream set swept_at = swept_at - 3600")
    assert certificate(sync_able()).grade == "A"
    assert "003" not in held(store)


def test_the_first_whole_read_is_proved_by_a_sweep_and_the_next_sweep_is_a_day_later(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 7)
    first = certificate(sync_able())
    assert first.grade == "A"
    assert certificate(sync_able()).swept_at == first.swept_at
    store._db.execute("update stream set swept_at = swept_at - 24 * 3600")
    later = certificate(sync_able())
    assert later.swept_at is not None
    assert later.swept_at > now() - timedelta(hours=1)


def test_what_was_missing_gets_its_proof_when_the_source_tells_it_later(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 4)
    sync_able()
    delete(platform, "001")
    sync_able(sweep=True)
    platform.audit.append(("tickets", "001", platform.clock))
    sync_able(care=Care(overlap=timedelta(minutes=5)))
    stone = store.tombstones.of("desk/001")
    assert stone is not None
    assert (stone.state, stone.gone_at) == ("deleted", moment(platform.clock))


def test_a_record_that_comes_back_is_there_again_and_an_old_deletion_is_not_believed_twice(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 4)
    sync_able()
    row = dict(platform.rows["tickets"]["001"])
    delete(platform, "001", audit=True)
    care = Care(overlap=timedelta(minutes=5))
    sync_able(care=care)
    assert "001" not in held(store)
    platform.rows["tickets"]["001"] = row  # undeleted, with the stamp it had
    sync_able(care=care, sweep=True)
    assert "001" in held(store)
    sync_able(care=care)
    assert "001" in held(store)


def test_a_record_that_came_back_changed_is_there_again_without_a_sweep(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 4)
    sync_able(sweep=True)
    row = dict(platform.rows["tickets"]["001"])
    delete(platform, "001")
    sync_able(sweep=True)
    platform.rows["tickets"]["001"] = row
    platform.ticket("001", title="again")
    sync_able()
    assert "001" in held(store)


def test_a_record_that_is_made_anew_before_we_heard_of_its_deletion_is_not_buried(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    care = Care(overlap=timedelta(minutes=5), sweep_every=None)
    put(platform, 3)
    sync_able(care=care)
    delete(platform, "001", audit=True)
    platform.ticket("001", title="made anew", tick=5)
    outcome = sync_able(care=care)
    assert outcome.gone == 0
    assert "001" in held(store)


def test_a_record_that_is_made_anew_with_an_older_moment_is_held_as_it_is_now(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    care = Care(overlap=timedelta(minutes=5))
    put(platform, 3)
    sync_able(care=care)
    delete(platform, "001", audit=True)
    sync_able(care=care)
    platform.ticket("001", title="made anew", tick=0)
    platform.rows["tickets"]["001"]["updated"] -= 100
    sync_able(care=care)
    (found,) = store.versions.find("desk/001")
    assert found["title"] == "made anew"
    assert "001" in held(store)


def test_a_record_that_no_read_brought_is_found_by_the_sweep_and_fetched(
    platform: Any, able: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 7)
    sync_able()
    # Committed late, far behind the overlap.
    old = {**platform.rows["tickets"]["000"], "key": "late", "number": "INClate"}
    platform.rows["tickets"]["late"] = old
    outcome = sync_able(sweep=True)
    assert able.fetched == ["late"]
    assert "late" in held(store)
    assert certificate(outcome).grade == "A"


def test_a_change_that_no_read_brought_is_found_by_its_moment_and_fetched(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 7)
    sync_able()
    row = platform.rows["tickets"]["002"]
    row["title"], row["updated"] = "restored from a copy", row["updated"] - 1000
    sync_able(sweep=True)
    (found,) = store.versions.find("desk/002")
    assert found["title"] == "restored from a copy"


def test_hidden_records_are_told_and_are_no_gap(platform: Any, able: Any, sync_able: Sync) -> None:
    put(platform, 7)
    able.hidden = frozenset({"005"})
    read = able.read
    able.read = lambda piece: (
        type(page)(
            records=[row for row in page.records if row["key"] != "005"],
            cursor=page.cursor,
            newest=page.newest,
        )
        for page in read(piece)
    )
    it = certificate(sync_able(sweep=True))
    assert it.hidden == 1
    assert it.lacking == 0
    assert it.grade == "B"
    assert "hidden from our user" in it.reasons[0]


def test_what_a_sweep_leaves_out_and_still_comes_when_asked_for_is_not_buried(
    platform: Any, able: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 7)
    sync_able()
    able.hidden = frozenset({"004"})  # an index that lags
    sync_able(sweep=True)
    assert "004" in held(store)
    delete(platform, "004")
    sync_able(sweep=True)
    assert "004" not in held(store)


def test_a_sweep_that_breaks_off_buries_nobody(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 7)
    sync_able(care=Care(sweep_every=None))

    def trouble(stream: str, number: int) -> None:
        if stream == "sweep tickets" and number == 3:
            raise SourceError("cut off in the middle")

    platform.before_page = trouble
    outcome = sync_able(sweep=True)
    assert outcome.problem == "cut off in the middle"
    assert len(held(store)) == 7
    it = certificate(outcome)
    assert it.swept_at is None
    assert it.grade == "D"


def test_a_sweep_can_be_stopped_and_the_next_one_begins_anew(
    platform: Any, store: Store, sync_able: Sync
) -> None:
    put(platform, 7)
    sync_able()
    delete(platform, "001")

    class Stopping(Watch):
        def stopping(self) -> bool:
            return True

    with pytest.raises(Stopped):
        sync_able(sweep=True, watch=Stopping())
    assert len(held(store)) == 7
    sync_able(sweep=True)
    assert len(held(store)) == 6


def test_a_refused_audit_is_told_and_stops_nothing(
    platform: Any, able: Any, sync_able: Sync
) -> None:
    put(platform, 7)
    sync_able()
    able.audit_refused = AccessError("no right to sys_audit_delete")
    outcome = sync_able()
    assert outcome.problem == ""
    assert outcome.notes == ["deletions are not told: no right to sys_audit_delete"]


def test_what_changes_while_we_read_is_unread_and_no_gap(
    platform: Any, able: Any, sync_able: Sync
) -> None:
    put(platform, 7)
    tally = able.tally

    def late(stream: Any, windows: Any) -> Any:
        platform.ticket("new", title="came while we counted", tick=120)
        return tally(stream, windows)

    able.tally = late
    it = certificate(sync_able(care=Care(sweep_every=None)))
    assert (it.unread, it.lacking, it.surplus) == (1, 0, 0)
    assert it.oldest_unread == moment(platform.clock - 120)


def test_a_stream_that_could_not_be_read_says_so_in_its_certificate(
    platform: Any, sync_able: Sync
) -> None:
    put(platform, 7)
    sync_able(sweep=True)
    platform.fail_at["tickets"] = (1, RetryLater("it sleeps"))
    it = certificate(sync_able())
    assert it.grade == "D"
    assert it.reasons[0] == "not read this time: it sleeps"
    assert it.oldest_unread is not None


def test_quarantined_records_and_blank_fields_cap_the_grade(
    platform: Any, able: Any, sync_able: Sync
) -> None:
    put(platform, 7)
    platform.ticket("bad", broken="no number")
    able.fields_blank = ("u_cost",)
    it = certificate(sync_able(sweep=True))
    assert it.quarantined == 1
    assert it.blanks == ("u_cost",)
    assert it.grade == "D"
    assert any("u_cost" in reason for reason in it.reasons)


def test_a_key_that_names_a_person_is_swept_by_its_pseudonym_and_fetched_by_its_own(
    platform: Any, able: Any, store: Store, sync_able: Sync, fakes: Any
) -> None:
    stream = platform.streams[0]
    platform.streams = (
        type(stream)(name="tickets", kinds=stream.kinds, key_field="key", person_fields=("key",)),
    )
    put(platform, 3)
    sync_able()
    platform.rows["tickets"]["late"] = {
        **platform.rows["tickets"]["000"],
        "key": "late",
        "number": "INClate",
    }
    delete(platform, "001")
    sync_able(sweep=True)
    assert able.fetched == ["late"]
    keys = {key for (key,) in store._db.execute("select key from ledger")}
    assert not keys & {"000", "001", "002", "late"}
    assert store.ledger.held(1) == 3


def test_what_a_raw_record_no_longer_tells_of_is_no_longer_there(
    platform: Any, store: Store, sync: Any
) -> None:
    platform.survey("s1", None, {"q1": 4, "q2": 5})
    sync()
    assert len(list(store.versions.all("answer"))) == 2
    platform.survey("s1", None, {"q1": 4})
    sync()
    (left,) = store.versions.all("answer")
    assert left["ref"].endswith("q1")
    platform.survey("s1", None, {"q1": 4, "q2": 3})
    sync()
    assert {row["value"] for row in store.versions.all("answer")} == {4, 3}


# The law.

KEYS = st.sampled_from([f"k{number}" for number in range(8)])
STEP = st.one_of(
    st.tuples(st.just("edit"), KEYS, st.integers(0, 2)),
    st.tuples(st.just("delete"), KEYS, st.booleans()),
    st.tuples(st.just("restore"), KEYS),
    st.tuples(st.just("slip in"), KEYS, st.integers(0, 5000)),
    st.tuples(st.just("sync"), st.booleans(), st.integers(0, 4)),
)


@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEP, max_size=25))
def test_after_any_edits_deletions_and_failures_a_sweep_ends_with_what_the_source_has(
    steps: list[tuple[Any, ...]], platform: Any, able: Any, store: Store, sync_able: Sync
) -> None:
    for table in ("ticket", "ticket_history", "ledger", "stream", "slice", "tombstone"):
        store._db.execute(f"delete from {table}")
    rows, bin_ = platform.rows["tickets"], {}
    rows.clear()
    platform.audit.clear()
    for number, (what, *how) in enumerate(steps):
        if what == "edit":
            platform.ticket(how[0], title=f"edit {number}", tick=how[1])
        elif what == "delete" and how[0] in rows:
            bin_[how[0]] = rows[how[0]]
            delete(platform, how[0], audit=how[1])
        elif what == "restore" and how[0] in bin_ and how[0] not in rows:
            platform.clock += 1
            rows[how[0]] = bin_.pop(how[0])
        elif what == "slip in":
            platform.ticket(how[0], title=f"slipped in {number}", tick=0)
            rows[how[0]]["updated"] -= how[1]
        elif what == "sync":
            if how[1]:
                platform.fail_at["tickets"] = (how[1], SourceError("trouble"))
            sync_able(sweep=how[0])
            platform.fail_at.clear()
            platform.clock += 1
    accepting = Care(overlap=timedelta(minutes=5), alarm_share=1.0)
    assert sync_able(care=accepting).problem == ""
    for stream in store.marks.streams():
        store.certificates.accept(stream.id, 0)
    it = certificate(sync_able(care=accepting, sweep=True))
    assert it.grade == "A", it
    assert {row["ref"]: row["title"] for row in store.versions.all("ticket")} == {
        f"desk/{key}": row["title"] for key, row in rows.items()
    }
    assert in_view(store, now()) == set(rows)


def test_a_source_that_fails_when_asked_for_blank_fields_is_certified_as_not_whole(
    platform: Any, able: Any, sync_able: Sync
) -> None:
    put(platform, 7)

    def away(stream: Any) -> Any:
        raise RetryLater("away when its fields were looked at")

    able.blanks = away
    outcome = sync_able()
    assert outcome.problem == "away when its fields were looked at"
    assert certificate(outcome).grade == "D"


def test_a_source_that_failed_is_not_asked_for_blank_fields(
    platform: Any, able: Any, sync_able: Sync
) -> None:
    put(platform, 7)
    asked: list[Any] = []
    able.blanks = lambda stream: asked.append(stream) or ()
    platform.fail_at["tickets"] = (2, RetryLater("away"))
    outcome = sync_able()
    assert (outcome.problem, asked) == ("away", [])
