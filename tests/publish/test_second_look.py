"""Just before a write the record is looked at again: it may be gone, closed, changed or right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from vmo_bridge.publish.columns import KEY
from vmo_bridge.records import KpiResult

MakeResult = Callable[..., KpiResult]


@pytest.fixture
def meanwhile(desk: Any) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Something happens over there once: after the plan was made, before the second look.

    It is the first look at a table that was looked at before.
    """

    def happens(event: Callable[[], None]) -> None:
        seen: list[str] = []
        honest = desk.writer.current

        def current(table: str, *rest: Any) -> Any:
            if table in seen and "done" not in seen:
                seen.append("done")
                event()
            seen.append(table)
            return honest(table, *rest)

        desk.writer.current = current

    yield happens
    assert "current" in vars(desk.writer), "the test let nothing happen"


def incident(desk: Any) -> dict[str, str]:
    return desk.platform.target["incident"]["1"]


def tables_written(desk: Any) -> set[str]:
    return {change.table for change in desk.platform.written}


def test_a_record_that_is_gone_is_not_written_and_told(desk: Any, meanwhile: Any) -> None:
    meanwhile(lambda: desk.platform.target["incident"].pop("1"))
    delivery = desk.apply().delivery
    ((item, reason),) = delivery.troubled
    assert item.key == "1"
    assert reason == (
        "the record was deleted since it was planned, or our user may not see it any more"
    )
    assert "incident" not in tables_written(desk)
    assert "1" not in desk.platform.target["incident"]


def test_a_field_that_vanished_is_not_written_and_told(desk: Any, meanwhile: Any) -> None:
    meanwhile(lambda: incident(desk).pop("u_vmo_watermelon"))
    ((_, reason),) = desk.apply().delivery.troubled
    assert "no field u_vmo_watermelon; run 'vmo-bridge provision'" in reason
    assert "incident" not in tables_written(desk)
    assert incident(desk)["u_vmo_lost_time"] == "", "one record is written as a whole, or not"


@pytest.fixture
def with_states(desk: Any) -> Any:
    """Tickets say whether they are still open, as places of real platforms do."""
    desk.writer.places = replace(desk.writer.places, still_open={"active": "true"})
    for row in desk.platform.target["incident"].values():
        row["active"] = "true"
    return desk


def test_a_ticket_that_was_closed_meanwhile_is_not_touched(
    with_states: Any, meanwhile: Any
) -> None:
    desk = with_states
    meanwhile(lambda: incident(desk).update(active="false"))
    delivery = desk.apply().delivery
    ((item, reason),) = delivery.moved
    assert (item.key, reason) == (
        "1",
        "closed meanwhile (active is 'false'); publish.closed_tickets is off",
    )
    assert delivery.troubled == []
    assert tables_written(desk) == {"services", "groups"}, "the others are written as planned"
    (row,) = (row for row in desk.plan().plan if row.table == "incident")
    assert (row.action, row.reason) == ("refused", reason)


def test_a_ticket_that_was_closed_meanwhile_is_written_where_that_is_allowed(
    with_states: Any, meanwhile: Any
) -> None:
    desk = with_states
    desk.configure("[publish]\nclosed_tickets = true")
    meanwhile(lambda: incident(desk).update(active="false"))
    assert desk.apply().delivery.moved == []
    assert incident(desk)["u_vmo_watermelon"] == "true"
    assert incident(desk)["active"] == "false"


def test_a_state_that_our_user_may_not_see_closes_nothing(with_states: Any) -> None:
    for row in with_states.platform.target["incident"].values():
        del row["active"]
    with_states.apply()
    assert incident(with_states)["u_vmo_watermelon"] == "true"


def test_what_stood_there_last_is_what_undo_puts_back(desk: Any, meanwhile: Any) -> None:
    meanwhile(lambda: incident(desk).update(u_vmo_lost_time="99"))
    desk.apply()
    assert incident(desk)["u_vmo_lost_time"] == "12"
    (item,) = (
        each for each in desk.store.outbox.of_run(desk.run, "desk") if each.table == "incident"
    )
    assert item.before["u_vmo_lost_time"] == "99"
    desk.undo(desk.run)
    assert incident(desk)["u_vmo_lost_time"] == "99"


def test_what_holds_it_already_is_not_written_again(desk: Any, meanwhile: Any) -> None:
    def written_by_another() -> None:
        incident(desk).update(
            u_vmo_watermelon="true", u_vmo_lost_time="12.0", u_vmo_open_signals="0"
        )

    meanwhile(written_by_another)
    delivery = desk.apply().delivery
    assert [(item.key, reason) for item, reason in delivery.moved] == [("1", "holds it already")]
    assert "incident" not in tables_written(desk)


def test_only_what_still_differs_is_written(desk: Any, meanwhile: Any) -> None:
    meanwhile(lambda: incident(desk).update(u_vmo_watermelon="true"))
    desk.apply()
    (change,) = (each for each in desk.platform.written if each.table == "incident")
    assert set(change.values) == {"u_vmo_lost_time", "u_vmo_open_signals"}


def test_a_record_that_was_made_meanwhile_is_changed_and_not_made_twice(
    desk: Any, result: MakeResult, meanwhile: Any
) -> None:
    desk.kpis(result())
    key = "csat:last-90-days:all:all"
    table = desk.platform.target["u_vmo_kpi_result"]

    def another_made_it() -> None:
        fields = desk.platform.fields["u_vmo_kpi_result"]
        table["theirs"] = {**dict.fromkeys(fields, ""), KEY: key, "u_value": "0.1"}

    meanwhile(another_made_it)
    desk.apply()
    assert list(table) == ["theirs"]
    assert table["theirs"]["u_value"] == "0.5"
    desk.undo(desk.run)
    assert table["theirs"]["u_value"] == "0.1", "it is not ours to take away"
