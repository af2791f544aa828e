"""The law of the sync: whatever happens over there and on the way, store and source end the same.

Random edits, inserts, deletions (with and without an audit row) and changes committed late are
thrown at a sandbox over real HTTP, before and between pages, together with time-outs, cut bodies,
web pages, lost connections and refused sign-ins.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmo_bridge.hooks.loader import load_plugins
from vmo_bridge.pipeline import Bridge
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.settings import load_settings
from vmo_bridge.sync import Scope

pytestmark = pytest.mark.e2e

CONFIG = """\
[connectors.desk]
plugin = "servicenow"
url = "{url}"
page_size = 10
parallel = {parallel}
tables = ["incident"]
[connectors.desk.auth]
method = "basic"
user = "vmo.bridge"
password = {{ file = "password" }}
[sync]
alarm_share = 1.0
"""
KEYS = st.integers(0, 39).map(lambda number: f"{number:032x}")
STAMP = "%Y-%m-%d %H:%M:%S"
CHANGE = st.one_of(
    st.tuples(st.just("update"), KEYS),
    st.tuples(st.just("insert"), KEYS),
    st.tuples(st.just("delete"), KEYS),
    st.tuples(st.just("wipe"), KEYS),
    st.tuples(st.just("slip in"), KEYS, st.integers(1, 5_000_000)),
)
FAULT = st.sampled_from(
    [
        ("timeout", "500"),
        ("timeout", "200_error"),
        ("timeout", "string_row"),
        ("timeout", "truncated"),
        ("html_200", "maintenance"),
        ("fail_next", True),
        ("unauthorised", True),
        ("limit_before_acl", "off"),
    ]
)
SYNC = st.fixed_dictionaries(
    {
        "fault": st.none() | st.tuples(FAULT, st.integers(0, 4)),
        "between": st.lists(CHANGE, max_size=3),
        "sweep": st.booleans(),
    }
)
STEPS = st.lists(CHANGE | SYNC, max_size=14)


@dataclass
class World:
    """A sandbox with forty possible incidents, and a store of it."""

    server: SandboxServer
    folder: Path
    model: dict[str, str]
    store: int = 0
    edits: int = 0
    bridge_config: Path = field(init=False)

    def begin(self, parallel: int) -> None:
        """A new store and the first twenty-five incidents."""
        self.server.faults.clear()
        self.server._instance.db.execute("delete from task where sys_class_name = 'incident'")
        self.server._instance.db.execute("delete from sys_audit_delete")
        start = datetime.now(tz=UTC) - timedelta(days=60)
        self.server.load(
            "incident",
            (self._row(f"{number:032x}", start + timedelta(days=number)) for number in range(25)),
        )
        self.store += 1
        home = self.folder / f"{self.store}"
        home.mkdir()
        (home / "password").write_text(self.server.auth()[1])
        self.bridge_config = home / "vmo-bridge.toml"
        self.bridge_config.write_text(CONFIG.format(url=self.server.url, parallel=parallel))

    def _row(self, key: str, moment: datetime) -> dict[str, str]:
        self.edits += 1
        return {
            **self.model,
            "sys_id": key,
            "number": f"INC{int(key, 16):07}",
            "short_description": f"edit {self.edits}",
            "sys_updated_on": moment.strftime(STAMP),
            "sys_created_on": (moment - timedelta(days=1)).strftime(STAMP),
            "opened_at": (moment - timedelta(days=1)).strftime(STAMP),
        }

    def change(self, what: str, key: str, *how: int) -> None:
        """One thing that happens over there."""
        there = bool(self.server.rows("incident", f"sys_id={key}"))
        self.edits += 1
        if what == "update" and there:
            values = {"short_description": f"edit {self.edits}"}
            self._do("update", key, values)
        elif what == "insert" and not there:
            self.server.load("incident", [self._row(key, datetime.now(tz=UTC))])
        elif what == "delete" and there:
            self._do("delete", key)
        elif what == "wipe":  # as the table cleaner does: no audit
            self.server._instance.db.execute("delete from task where sys_id = ?", [key])
        elif what == "slip in" and not there:
            moment = datetime.now(tz=UTC) - timedelta(seconds=how[0])
            self.server.load("incident", [self._row(key, moment)])

    def _do(self, operation: str, key: str, values: dict[str, str] | None = None) -> None:
        self.server.change(
            {"operation": operation, "table": "incident", "sys_id": key, "values": values or {}}
        )

    def sync(self, *, sweep: bool = False) -> list[Any]:
        loaded = load_settings(self.bridge_config)
        with Bridge(loaded, load_plugins(), owner="law") as bridge:
            return bridge.sync(Scope(sweep=sweep))

    def troubled_sync(self, step: dict[str, Any]) -> None:
        """A sync into which things happen, and which may fail."""
        faults = self.server.faults
        if step["fault"]:
            (name, value), skip = step["fault"]
            faults.set(name, value, table="incident", skip=skip, times=1)
        for at, change in enumerate(step["between"]):
            faults.set(
                "mutate_between_pages",
                lambda change=change: self.change(*change),
                table="incident",
                skip=at,
                times=1,
            )
        self.sync(sweep=step["sweep"])
        faults.clear()

    def held(self) -> dict[str, str]:
        loaded = load_settings(self.bridge_config)
        with Bridge(loaded, load_plugins(), owner="law") as bridge:
            return {
                row["ref"].partition("/")[2]: row["title"]
                for row in bridge.store.versions.all("ticket")
            }

    def there(self) -> dict[str, str]:
        rows = self.server.rows("incident")
        return {row["sys_id"]: row["short_description"] for row in rows}


@pytest.fixture(scope="module")
def world(agency: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    import shutil

    folder = tmp_path_factory.mktemp("law")
    shutil.copytree(agency, folder / "sandbox")
    with SandboxServer(folder / "sandbox") as server:
        yield World(server, folder, dict(server.rows("incident")[0]))


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, parallel=st.sampled_from([1, 3]))
def test_whatever_happens_store_and_source_end_the_same(
    world: World, steps: list[Any], parallel: int
) -> None:
    world.begin(parallel)
    for step in steps:
        if isinstance(step, dict):
            world.troubled_sync(step)
        else:
            world.change(*step)
    world.sync()
    (outcome,) = world.sync(sweep=True)
    assert outcome.problem == ""
    assert world.held() == world.there()
    assert outcome.certificate.ours == outcome.certificate.theirs == len(world.there())
    assert (outcome.certificate.lacking, outcome.certificate.surplus) == (0, 0)
