"""What targets lack: only what can be made is made, and everything else is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vmo_bridge.connectors.comparing import Difference
from vmo_bridge.connectors.writing import ProvisionStep
from vmo_bridge.errors import ConfigError
from vmo_bridge.publish.provisioning import Target
from vmo_bridge.settings import Settings
from vmo_bridge.watch import Watch

COLUMN = ProvisionStep(what="column incident.u_vmo_a", table="sys_dictionary", values={})
RULE = ProvisionStep(what="access rule", table="rules", values={}, over_rest=False)
UNFIT = Difference(what="incident.u_own", state="differs", detail="its type is wrong")


class Lacking:
    """Adds to a fake writer that something is missing, and that something differs."""

    def provision_plan(self, tables: Any) -> list[ProvisionStep]:
        made = getattr(self, "made", [])
        return [step for step in (COLUMN, RULE) if step not in made]

    def provision(self, step: ProvisionStep) -> None:
        self.made = [*getattr(self, "made", []), step]

    def differences(self, tables: Any, theirs: Any) -> list[Difference]:
        self.theirs = theirs
        return [UNFIT]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(file=tmp_path / "vmo-bridge.toml")


def target(fakes: Any, platform: Any, settings: Settings) -> tuple[Any, Target]:
    kind = type("LackingWriter", (Lacking, fakes.Writer), {})
    writer = kind("desk", platform)
    return writer, Target("desk", writer, settings)


def test_only_what_can_be_made_is_made(fakes: Any, platform: Any, settings: Settings) -> None:
    writer, desk = target(fakes, platform, settings)
    assert desk.make(Watch()) == [COLUMN, RULE]
    assert writer.made == [COLUMN]
    assert desk.steps() == [RULE]


def test_what_is_missing_and_what_differs_is_told(
    fakes: Any, platform: Any, settings: Settings
) -> None:
    _, desk = target(fakes, platform, settings)
    told = [(each.what, each.state, each.detail) for each in desk.differences()]
    assert told == [
        ("column incident.u_vmo_a", "missing", "'provision --apply' makes it, or the Update Set"),
        ("access rule", "missing", "only the Update Set makes it"),
        ("incident.u_own", "differs", "its type is wrong"),
    ]


def test_a_target_that_cannot_compare_tells_what_is_missing(
    fakes: Any, platform: Any, settings: Settings
) -> None:
    desk = Target("desk", fakes.Writer("desk", platform), settings)
    assert desk.differences() == []
    assert desk.package() is None


def test_a_source_that_is_only_read_is_no_target(
    fakes: Any, platform: Any, settings: Settings
) -> None:
    with pytest.raises(ConfigError, match="nothing can be written"):
        Target("desk", fakes.Connector("desk", platform), settings)


def test_fields_of_the_map_that_are_not_ours_are_given_to_compare(
    fakes: Any, platform: Any, settings: Settings
) -> None:
    ticket = fakes.Writer("desk", platform).places.tickets[0]
    fields = {"lost_time": "u_minutes", "watermelon": "u_vmo_w"}
    publish = settings.publish.model_copy(update={"map": {"desk": {ticket: fields}}})
    mapped = settings.model_copy(update={"publish": publish})
    writer, desk = target(fakes, platform, mapped)
    desk.unfit()
    (table,) = writer.theirs
    assert table.table == ticket
    assert [(each.name, each.type) for each in table.columns] == [("u_minutes", "integer")]
