"""What the configuration changes of a KPI, and what it may not."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from vmo_bridge.cli import vmo_bridge
from vmo_bridge.errors import ConfigError
from vmo_bridge.value.builtin import vmo_kpis
from vmo_bridge.value.measure import chosen_kpis

KPIS = {kpi.name: kpi for kpi in vmo_kpis()}
PRIVATE = sorted(name for name, kpi in KPIS.items() if kpi.private)


@pytest.mark.parametrize("name", PRIVATE)
@pytest.mark.parametrize("least", [1, 4])
def test_nobody_can_ask_for_what_fewer_than_five_say(configure, name, least):
    settings = configure(f"[kpis.{name}]\nmin_n = {least}\n")
    with pytest.raises(ConfigError, match=rf"kpis\.{name}\.min_n: {least} .*write 5 or more"):
        chosen_kpis(settings, KPIS)


def test_a_higher_floor_and_a_lower_one_for_tickets_are_the_admins_to_choose(configure):
    settings = configure("[kpis.csat]\nmin_n = 20\n[kpis.mttr_median]\nmin_n = 1\n")
    chosen = {kpi.name: kpi.min_n for kpi in chosen_kpis(settings, KPIS)}
    assert (chosen["csat"], chosen["mttr_median"], chosen["nps"]) == (20, 1, 5)


def test_what_is_not_said_stays_as_the_kpi_has_it(configure):
    settings = configure("[kpis.backlog_size]\nenabled = true\n[kpis.csat]\nenabled = false\n")
    chosen = {kpi.name: kpi.min_n for kpi in chosen_kpis(settings, KPIS)}
    assert chosen["backlog_size"] == 0
    assert "csat" not in chosen


def test_a_private_kpi_that_is_off_may_say_what_it_likes(configure):
    chosen = chosen_kpis(configure("[kpis.csat]\nenabled = false\nmin_n = 1\n"), KPIS)
    assert "csat" not in {kpi.name for kpi in chosen}


def test_the_commands_say_what_to_write(tmp_path):
    path = tmp_path / "vmo-bridge.toml"
    path.write_text("[kpis.csat]\nmin_n = 1\n", encoding="utf-8")
    result = CliRunner().invoke(vmo_bridge, ["--config", str(path), "check"])
    assert isinstance(result.exception, ConfigError)
    assert f"{path}: kpis.csat.min_n: 1 would show what single people say" in str(result.exception)
