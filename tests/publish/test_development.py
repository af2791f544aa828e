"""A target like a development tracker: one table for all work, epics, the admin's own fields."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from vmo_bridge.connectors.writing import Places
from vmo_bridge.publish.layout import Layout
from vmo_bridge.records import Initiative
from vmo_bridge.settings import Settings
from vmo_bridge.settings.publish import PublishSection

PLACES = Places(
    tickets=(),
    all_tickets="issue",
    initiatives="epic",
    own_records=False,
    field_prefix="vmo.value.",
    further_fields={"open_signals": "customfield_1"},
)


def epic(key: str, state: str = "in_progress", service: str | None = "vpn") -> Initiative:
    moment = datetime(2026, 9, 1, tzinfo=UTC)
    return Initiative(
        ref=f"desk/{key}",
        id=f"desk:epic:{key}",
        source="desk",
        updated_at=moment,
        type="epic",
        number=f"DEV-{key}",
        state=state,
        original_state=state,
        service_name=service,
        opened_at=moment,
    )


@pytest.fixture
def tracker(desk: Any, fakes: SimpleNamespace) -> Any:
    """The desk of the other tests, seen as a tracker: its tickets stand in one table."""

    class Tracker(fakes.Writer):  # type: ignore[misc, name-defined]
        places = PLACES

    desk.writer = Tracker(desk.platform)
    with desk.store.transaction():
        made = [epic("e1"), epic("e2", state="done"), epic("e3", service=None)]
        desk.store.versions.save(1, desk.now, [(each, 0) for each in made])
    keys = {"issue": ["1", "2", "3"], "epic": ["e1", "e2", "e3"]}
    desk.platform.make_target(Layout(PublishSection(), PLACES), keys)
    for row in desk.platform.target["issue"].values():
        row["customfield_1"] = ""
    for row in desk.platform.target["epic"].values():
        row["customfield_1"] = ""
    for table in ("issue", "epic"):
        desk.platform.fields[table].add("customfield_1")
    return desk


def said(tracker: Any, table: str, key: str) -> dict[str, str]:
    return {name: text for name, text in tracker.platform.target[table][key].items() if text}


def test_no_table_of_kpi_results_is_made_or_written() -> None:
    tables = [each.table for each in Layout(PublishSection(), PLACES).tables()]
    assert tables == ["epic", "issue"]


def test_every_ticket_stands_in_the_one_table_whatever_its_type(tracker: Any) -> None:
    outcome = tracker.apply()
    assert outcome.delivery.troubled == []
    assert {row.table for row in outcome.plan} == {"issue"}
    assert said(tracker, "issue", "1") == {
        "vmo.value.watermelon": "true",
        "vmo.value.lost_time": "12",
        "vmo.value.open_signals": "0",
        "customfield_1": "0",
    }


def test_an_open_epic_carries_the_values_of_its_service_and_its_signals(
    tracker: Any, result: Callable[..., Any], signal: Callable[..., Any]
) -> None:
    of_service = result("csat", 0.5, service="vpn", service_ref="desk/vpn", target=0.8)
    tracker.store.findings.save_kpis(1, [of_service])
    found = [signal("a", "desk/e1", "desk/1"), signal("b", "desk/e2")]
    tracker.store.findings.save_signals(1, tracker.now, found)
    tracker.apply()
    values = said(tracker, "epic", "e1")
    assert values["vmo.value.csat"] == "50"
    assert values["vmo.value.open_signals"] == values["customfield_1"] == "1"
    assert values["vmo.value.kpi_status"].startswith("SLA not known")
    assert said(tracker, "epic", "e2") == {}, "it is done"
    assert said(tracker, "epic", "e3") == {}, "there is nothing to say about it"
    again = tracker.plan()
    assert {row.action for row in again.plan} == {"unchanged"}


def test_an_epic_of_which_nothing_is_to_be_said_any_more_is_emptied(
    tracker: Any, signal: Callable[..., Any]
) -> None:
    tracker.store.findings.save_signals(1, tracker.now, [signal("a", "desk/e3")])
    tracker.apply()
    assert said(tracker, "epic", "e3")["vmo.value.open_signals"] == "1"
    tracker.store.findings.save_signals(2, tracker.now, [signal("a", "desk/e3", state="ended")])
    tracker.apply()
    assert said(tracker, "epic", "e3") == {}


def test_work_that_is_over_is_written_to_only_if_the_configuration_says_so(
    tracker: Any, signal: Callable[..., Any], configure: Callable[[str], Settings]
) -> None:
    tracker.store.findings.save_signals(1, tracker.now, [signal("b", "desk/e2")])
    assert [row for row in tracker.plan().plan if row.table == "epic"] == []
    text = '[connectors.desk]\nplugin = "desk"\n[publish]\nclosed_tickets = true\n'
    (row,) = (each for each in tracker.plan(configure(text)).plan if each.table == "epic")
    assert (row.action, row.key) == ("change", "e2")
