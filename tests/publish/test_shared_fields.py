"""Fields of the admin's own: what somebody else put there stays, and that is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from vmo_bridge.connectors.opening import target_names
from vmo_bridge.connectors.writing import Places
from vmo_bridge.errors import ConfigError
from vmo_bridge.publish.layout import Layout
from vmo_bridge.records import KpiResult
from vmo_bridge.settings import Settings
from vmo_bridge.settings.publish import PublishSection

MAP = """
[publish.map.desk.incident]
watermelon = "u_unhappy"
lost_time = "u_vmo_minutes"
"""
TAKE_OVER = f"[publish]\ntake_over = true\n{MAP}"
SERVICES = """
[publish.map.desk.services]
csat = "u_satisfaction"
open_signals = "u_signals"
"""
MakeResult = Callable[..., KpiResult]


@pytest.fixture
def mapped(desk: Any) -> Any:
    """The desk with a field of the admin's own, which somebody may have filled."""
    desk.configure(MAP)
    for row in desk.platform.target["incident"].values():
        row |= {"u_unhappy": "", "u_vmo_minutes": ""}
    for row in desk.platform.target["services"].values():
        row |= {"u_satisfaction": "", "u_signals": ""}
    desk.platform.fields["incident"] |= {"u_unhappy", "u_vmo_minutes"}
    desk.platform.fields["services"] |= {"u_satisfaction", "u_signals"}
    return desk


def incident(desk: Any, key: str = "1") -> dict[str, str]:
    return desk.platform.target["incident"][key]


def rows_of(outcome: Any, action: str) -> list[Any]:
    return [row for row in outcome.plan if row.action == action]


# What the map says.


def test_a_map_is_the_whole_list_of_what_is_written(mapped: Any) -> None:
    outcome = mapped.apply()
    assert outcome.delivery.troubled == []
    assert incident(mapped)["u_unhappy"] == "true"
    assert incident(mapped)["u_vmo_minutes"] == "12"
    assert {incident(mapped)[f"u_vmo_{each}"] for each in ("watermelon", "open_signals")} == {""}
    assert {change.table for change in mapped.platform.written} == {"incident"}


def test_the_map_of_another_source_leaves_the_default_names(desk: Any) -> None:
    places = desk.writer.places
    section = PublishSection.model_validate({"map": {"other": {"incident": {"lost_time": "u_x"}}}})
    assert Layout(section, places, "desk").values("incident", {"lost_time": "3"}) == {
        "u_vmo_lost_time": "3"
    }
    assert Layout(section, places, "other").values("incident", {"lost_time": "3"}) == {"u_x": "3"}


def test_an_empty_map_writes_to_none_of_the_targets_own_records(desk: Any) -> None:
    section = PublishSection.model_validate({"map": {"desk": {}}})
    tables = [each.table for each in Layout(section, desk.writer.places, "desk").tables()]
    assert tables == ["u_vmo_kpi_result", "u_vmo_signal"]


def test_only_fields_of_our_own_prefix_are_ever_provisioned(mapped: Any) -> None:
    layout = mapped.publisher().layout
    (table,) = (each for each in layout.tables() if each.table == "incident")
    assert [column.name for column in table.columns] == ["u_vmo_minutes"]
    assert table.show == ("u_unhappy", "u_vmo_minutes"), "people see both"


def test_a_further_field_of_the_admin_is_written_and_not_provisioned() -> None:
    places = Places(
        tickets=("incident",), field_prefix="vmo.", further_fields={"open_signals": "cf_1"}
    )
    layout = Layout(PublishSection(), places)
    assert layout.values("incident", {"open_signals": "2"}) == {
        "vmo.open_signals": "2",
        "cf_1": "2",
    }
    (table,) = (each for each in layout.tables() if each.table == "incident")
    assert "cf_1" not in {column.name for column in table.columns}


@pytest.mark.parametrize(
    "field",
    ["state", "incident_state", "approval", "active", "number", "sys_updated_on", "sys_id",
     "priority", "stage", ""],
)  # fmt: skip
def test_a_map_to_a_guarded_field_is_refused_by_its_key(
    field: str, configure: Callable[[str], Settings]
) -> None:
    with pytest.raises(ConfigError, match=r"publish\.map: desk\.incident\.watermelon = ") as told:
        configure(f'[publish.map.desk.incident]\nwatermelon = "{field}"')
    assert repr(field) in str(told.value)


@pytest.mark.parametrize("table", ["pa_scores", "pa_scores_l1"])
def test_scores_of_performance_analytics_are_refused(
    table: str, configure: Callable[[str], Settings]
) -> None:
    with pytest.raises(ConfigError, match=rf"publish\.map: desk\.{table}: scores of Perf"):
        configure(f'[publish.map.desk.{table}]\ncsat = "value"')


def test_a_field_is_mapped_once(configure: Callable[[str], Settings]) -> None:
    with pytest.raises(ConfigError, match=r"desk\.services: 'u_a' is to hold two values"):
        configure('[publish.map.desk.services]\ncsat = "u_a"\nsla = "u_a"')


@pytest.mark.parametrize(
    ("table", "fact", "told"),
    [
        (
            "cmdb_ci",
            "csat",
            r"publish\.map\.desk\.cmdb_ci: no values go there; places are incident",
        ),
        ("incident", "csat", r"publish\.map\.desk\.incident\.csat: is no value; there are waterm"),
        ("services", "watermelon", r"publish\.map\.desk\.services\.watermelon: is no value"),
    ],
)
def test_a_map_to_what_is_not_there_is_refused_by_its_key(
    desk: Any, table: str, fact: str, told: str
) -> None:
    desk.configure(f'[publish.map.desk.{table}]\n{fact} = "u_x"')
    with pytest.raises(ConfigError, match=told):
        desk.publisher()


def test_a_map_for_a_source_that_is_not_configured_is_refused(
    configure: Callable[[str], Settings], make_plugins: Callable[..., Any]
) -> None:
    """Its values would go to fields of the default names, as if it were not there."""
    text = '[connectors.desk]\nplugin = "desk"\n[publish.map.%s.incident]\nlost_time = "u_x"'
    with pytest.raises(ConfigError, match=r"publish\.map\.dekc: there is no such source.*desk"):
        target_names(configure(text % "dekc"), make_plugins())
    assert target_names(configure(text % "desk"), make_plugins()) == ["desk"]


# What stands there.


def test_what_somebody_put_there_stays_and_the_plan_says_so(mapped: Any) -> None:
    incident(mapped)["u_unhappy"] = "see notes"
    outcome = mapped.apply()
    (row,) = rows_of(outcome, "refused")
    assert row.label == "INC1"
    assert "u_unhappy holds 'see notes', which we did not write" in row.reason
    assert "publish.take_over" in row.reason
    assert incident(mapped)["u_unhappy"] == "see notes"
    assert incident(mapped)["u_vmo_minutes"] == "12", "the other field of the record is written"


def test_to_hold_the_same_already_is_no_conflict(mapped: Any) -> None:
    incident(mapped)["u_unhappy"] = "true"
    assert rows_of(mapped.plan(), "refused") == []


def test_take_over_writes_over_it_and_the_receipt_has_it(mapped: Any) -> None:
    incident(mapped)["u_unhappy"] = "see notes"
    mapped.configure(TAKE_OVER)
    mapped.apply()
    assert incident(mapped)["u_unhappy"] == "true"
    (item,) = mapped.store.outbox.of_run(mapped.run, "desk")
    assert item.before["u_unhappy"] == "see notes"


def test_our_own_last_value_may_be_changed(mapped: Any, result: MakeResult) -> None:
    mapped.configure(SERVICES)
    vpn = {"service": "VPN", "service_ref": "desk/vpn"}
    for value, told in ((0.5, "50"), (0.6, "60"), (None, "")):
        mapped.kpis(result(value=value, **vpn))
        outcome = mapped.apply()
        assert rows_of(outcome, "refused") == []
        assert mapped.platform.target["services"]["vpn"]["u_satisfaction"] == told


def test_what_somebody_wrote_over_our_value_stays(mapped: Any, result: MakeResult) -> None:
    mapped.configure(SERVICES)
    vpn = {"service": "VPN", "service_ref": "desk/vpn"}
    mapped.kpis(result(value=0.5, **vpn))
    mapped.apply()
    mapped.platform.target["services"]["vpn"]["u_satisfaction"] = "49"
    mapped.kpis(result(value=0.6, **vpn))
    (row,) = rows_of(mapped.apply(), "refused")
    assert "holds '49', which we did not write" in row.reason
    mapped.platform.target["services"]["vpn"]["u_satisfaction"] = ""
    mapped.apply()
    assert mapped.platform.target["services"]["vpn"]["u_satisfaction"] == "60"


def test_our_value_is_ours_also_where_the_field_beside_it_was_not_kept(
    mapped: Any, result: MakeResult, clock: Any
) -> None:
    """One write of two fields, of which an access rule dropped one."""
    mapped.configure(SERVICES)
    vpn = {"service": "VPN", "service_ref": "desk/vpn"}
    mapped.platform.drop.add("u_signals")
    mapped.kpis(result(value=0.5, **vpn))
    assert mapped.apply().delivery.troubled
    assert mapped.platform.target["services"]["vpn"]["u_satisfaction"] == "50"
    mapped.kpis(result(value=0.6, **vpn))
    assert rows_of(mapped.apply(), "refused") == []
    assert mapped.platform.target["services"]["vpn"]["u_satisfaction"] == "60"


def test_a_field_that_a_rule_reverted_is_not_ours(mapped: Any, clock: Any) -> None:
    mapped.platform.revert["u_unhappy"] = "by rule"
    assert mapped.apply().delivery.troubled
    clock.later(days=30)
    (row,) = rows_of(mapped.plan(), "refused")
    assert "u_unhappy holds 'by rule', which we did not write" in row.reason


def test_what_somebody_puts_there_between_plan_and_write_stays(mapped: Any) -> None:
    seen = []

    def meanwhile(call: str) -> None:
        seen.append(call)
        # The plan has looked; the second look comes.
        if seen.count("current") == 2 and call == "current":
            incident(mapped)["u_unhappy"] = "call her"

    mapped.platform.at_call = meanwhile
    delivery = mapped.apply().delivery
    assert incident(mapped)["u_unhappy"] == "call her"
    assert incident(mapped)["u_vmo_minutes"] == "12", "what is ours is written all the same"
    assert delivery.stored == 1
    assert incident(mapped)["u_unhappy"] == "call her"
    (change,) = mapped.platform.written
    assert set(change.values) == {"u_vmo_minutes"}


def test_where_nothing_is_left_to_write_the_item_is_told_as_changed_meanwhile(
    mapped: Any,
) -> None:
    mapped.configure('[publish.map.desk.incident]\nwatermelon = "u_unhappy"\n')
    seen = []

    def meanwhile(call: str) -> None:
        seen.append(call)
        if seen == ["current", "current"]:
            incident(mapped)["u_unhappy"] = "call her"

    mapped.platform.at_call = meanwhile
    delivery = mapped.apply().delivery
    ((item, reason),) = delivery.moved
    assert (item.key, reason) == ("1", "u_unhappy: changed by somebody since it was planned")
    assert (delivery.stored, delivery.troubled, mapped.platform.written) == (0, [], [])


def test_a_value_that_undo_put_back_is_somebodys_again(mapped: Any) -> None:
    incident(mapped)["u_unhappy"] = "see notes"
    mapped.configure(TAKE_OVER)
    mapped.apply()
    mapped.undo(mapped.run)
    assert incident(mapped)["u_unhappy"] == "see notes"
    mapped.configure(MAP)
    mapped.resume()
    (row,) = rows_of(mapped.apply(), "refused")
    assert "holds 'see notes', which we did not write" in row.reason
    assert incident(mapped)["u_unhappy"] == "see notes"
