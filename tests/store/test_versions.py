"""Every version of a record is kept, points to its payload, and the newest one counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from vmo_bridge.errors import PluginError
from vmo_bridge.records import RECORD_TYPES, Person, Service, Team, Ticket
from vmo_bridge.store import Store
from vmo_bridge.store.raw import raw_row
from vmo_bridge.store.schema import KINDS, shape

NewTicket = Callable[..., Ticket]


def seen(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def history(store: Store) -> list[tuple[str, str, int]]:
    query = "select ref, state, valid_from from ticket_history order by ref, valid_from, rowid"
    return [tuple(row) for row in store._db.execute(query).fetchall()]


def current(store: Store) -> dict[str, str]:
    return {row["ref"]: row["state"] for row in store.versions.all("ticket")}


def test_what_is_replaced_becomes_history(store: Store, new_ticket: NewTicket) -> None:
    for moment, state in ((10, "new"), (20, "in_progress"), (30, "resolved")):
        store.versions.save(1, seen(moment), [(new_ticket(updated=moment, state=state), 0)])
    assert current(store) == {"desk/1": "resolved"}
    assert history(store) == [("desk/1", "new", 10), ("desk/1", "in_progress", 20)]


def test_an_older_copy_that_comes_late_does_not_win(store: Store, new_ticket: NewTicket) -> None:
    store.versions.save(1, seen(50), [(new_ticket(updated=30, state="resolved"), 0)])
    store.versions.save(2, seen(60), [(new_ticket(updated=20, state="new"), 0)])
    assert current(store) == {"desk/1": "resolved"}
    assert history(store) == [("desk/1", "new", 20)]


def test_of_two_copies_of_one_second_the_one_seen_last_wins(
    store: Store, new_ticket: NewTicket
) -> None:
    store.versions.save(1, seen(50), [(new_ticket(updated=30, state="new"), 0)])
    store.versions.save(2, seen(50), [(new_ticket(updated=30, state="resolved"), 0)])
    assert current(store) == {"desk/1": "resolved"}


@pytest.mark.parametrize("order", [(10, 20, 30), (30, 20, 10), (20, 30, 10)])
def test_a_ref_many_times_on_a_page_keeps_each_version_and_the_newest_counts(
    store: Store, new_ticket: NewTicket, order: tuple[int, ...]
) -> None:
    page = [(new_ticket(updated=each, state=f"s{each}"), at) for at, each in enumerate(order)]
    store.versions.save(1, seen(50), [*page, (new_ticket("2", updated=5), 3)])
    assert current(store) == {"desk/1": "s30", "desk/2": "new"}
    assert history(store) == [("desk/1", "s10", 10), ("desk/1", "s20", 20)]


def test_every_version_leads_to_the_payload_it_came_from(
    store: Store, new_ticket: NewTicket
) -> None:
    stream = store.marks.stream("desk", "tickets", ["ticket"])
    for round_ in range(3):
        rows = [raw_row(key, {"key": key, "round": round_}) for key in "abc"]
        page = store.raw.keep(stream.id, 1, seen(round_), rows)
        placed = [
            (new_ticket(row.key, updated=round_, title=f"{row.key}{round_}"), at)
            for at, row in enumerate(rows)
        ]
        store.versions.save(page, seen(round_), placed)
    found = [
        row
        for table in ("ticket", "ticket_history")
        for row in store._db.query(f"select * from {table}")
    ]
    assert len(found) == 9
    for row in found:
        payload = store.raw.payload(row["page"], row["position"])
        assert f"{payload['key']}{payload['round']}" == row["title"]
        assert row["ref"] == f"desk/{payload['key']}"


def test_a_transaction_that_fails_takes_back_records_payload_and_cursor(
    store: Store, new_ticket: NewTicket
) -> None:
    stream = store.marks.stream("desk", "tickets", ["ticket"])
    (piece,) = store.marks.begin(stream.id, [(None, None, None)])

    def fail_at_the_end() -> None:
        page = store.raw.keep(stream.id, 1, seen(1), [raw_row("1", {"a": 1})])
        store.versions.save(page, seen(1), [(new_ticket(), 0)])
        store.raw.quarantine(stream.id, page, [(0, "x", "why")], [], seen(1))
        store.marks.advance(piece.id, cursor="here", newest=seen(1))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), store.transaction():
        fail_at_the_end()
    assert store.versions.counts()["ticket"] == 0
    assert store.ledger.held(stream.id) == 0
    assert store.raw.quarantined() == []
    assert store._db.execute("select count(*) from raw_page").fetchone() == (0,)
    assert store.marks.slices(stream.id)[0].cursor is None


def test_a_time_without_a_zone_is_refused(store: Store, new_ticket: NewTicket) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the point
    with pytest.raises(PluginError, match="has no zone"):
        store.versions.save(1, seen(1), [(new_ticket(updated_at=naive), 0)])
    with pytest.raises(PluginError, match="has no zone"):
        store.versions.save(1, seen(1), [(new_ticket(resolved_at=naive), 0)])


def test_records_are_found_by_ref_readable_id_and_number(
    store: Store, new_ticket: NewTicket
) -> None:
    team = Team(ref="desk/t", id="desk:team:t", source="desk", updated_at=seen(1), name="Network")
    store.versions.save(1, seen(1), [(new_ticket(), 0), (team, 1)])
    for name in ("desk/1", "desk:incident:INC1", "INC1"):
        assert [(row["kind"], row["ref"]) for row in store.versions.find(name)] == [
            ("ticket", "desk/1")
        ]
    assert store.versions.find("desk:team:t")[0]["kind"] == "team"
    assert store.versions.find("INC") == []


def test_records_of_any_kind_come_in_the_order_asked_for_with_what_people_call_them(
    store: Store, new_ticket: NewTicket
) -> None:
    common = {"source": "desk", "updated_at": seen(1)}
    service = Service(ref="desk/s", id="desk:service:s", name="Payroll", **common)
    nobody = Person(ref="desk/p0ff", id="desk:person:p0ff", **common)
    store.versions.save(1, seen(1), [(new_ticket(), 0), (service, 1), (nobody, 2)])
    refs = ["desk/s", "desk/gone", "desk/1", "desk/p0ff"]
    assert [row["ref"] for row in store.versions.by_refs(refs)] == ["desk/s", "desk/1", "desk/p0ff"]
    assert store.versions.labels(refs) == {
        "desk/s": "Payroll",
        "desk/1": "INC1",
        "desk/p0ff": "p0ff",
    }
    assert store.versions.counts() == {
        **dict.fromkeys(KINDS, 0),
        "ticket": 1,
        "service": 1,
        "person": 1,
    }


@pytest.mark.parametrize("kind", [each.kind for each in RECORD_TYPES])
def test_each_kind_has_a_table_and_a_history_of_the_same_columns(store: Store, kind: str) -> None:
    expected = shape(kind).all_columns
    assert [column.name for column in store._db[kind].columns] == expected
    assert [column.name for column in store._db[f"{kind}_history"].columns] == expected


@pytest.mark.parametrize("column", ["priority", "scale_min"])
@pytest.mark.parametrize(
    "value", [None, 0, -(2**63), 2**63 - 1, 1.0, 1.5, 2.0**63, -1e300, 1e999, "", "x", "1", "12x",
              " 1", "1e3", "0x1", b"", b"1", b"x"],
)  # fmt: skip
def test_a_number_s_column_refuses_just_what_that_of_an_older_store_does(
    column: str, value: object
) -> None:
    kind = "ticket" if column == "priority" else "answer"
    type_ = "integer" if column == "priority" else "real"
    db = sqlite3.connect(":memory:")
    db.execute(f"create table now ({shape(kind).column_sql(column)})")
    check = f"check (typeof({column}) in ('{type_}', 'null'))"
    db.execute(f"create table before ({column} {type_} {check})")

    def taken(table: str) -> list[tuple[object, ...]]:
        try:
            db.execute(f"insert into {table} values (?)", [value])
        except sqlite3.IntegrityError:
            return []
        return db.execute(f"select {column}, typeof({column}) from {table}").fetchall()

    assert taken("now") == taken("before")
    db.close()
