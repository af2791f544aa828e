"""A target with its records, a store with tickets and results, and one call to publish."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from vmo_bridge.publish import stage
from vmo_bridge.publish.layout import Layout
from vmo_bridge.publish.stage import Publisher, PublishOutcome
from vmo_bridge.publish.switch import KillSwitch
from vmo_bridge.publish.undo import Undo, UndoOutcome
from vmo_bridge.records import Finding, KpiResult, Signal, Worth
from vmo_bridge.settings import Settings
from vmo_bridge.settings.publish import PublishSection
from vmo_bridge.store import Store, contests, outbox
from vmo_bridge.sync import Care, sync_source
from vmo_bridge.sync.people import People
from vmo_bridge.watch import Watch

QUESTIONS = """
[connectors.desk]
plugin = "desk"
[feedback.questions]
csat = ["Happy?"]
lost_time = ["Minutes lost?"]
"""


@pytest.fixture
def settings(configure: Callable[[str], Settings]) -> Settings:
    return configure(QUESTIONS)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with Store(settings.store_path, owner="test") as store:
        yield store


@pytest.fixture(scope="session")
def result(fakes: SimpleNamespace) -> Callable[..., KpiResult]:
    end = fakes.at(fakes.noon)

    def made(kpi: str = "csat", value: float | None = 0.5, **given: Any) -> KpiResult:
        values: dict[str, Any] = {
            "kpi": kpi,
            "version": "1",
            "window": "last-90-days",
            "start": end - timedelta(days=90),
            "end": end,
            "service": None,
            "user_group": None,
            "service_ref": None,
            "user_group_ref": None,
            "value": value,
            "unit": "share",
            "numerator": None if value is None else value * 10,
            "denominator": None if value is None else 10.0,
            "n": 10 if value is not None else 2,
            "target": None,
            "status": "no-target" if value is not None else "too-few",
            "completeness": 1.0,
            "data_as_of": end,
            "grade": "A",
        }
        return KpiResult(**values | given)

    return made


@pytest.fixture(scope="session")
def signal(fakes: SimpleNamespace) -> Callable[..., Signal]:
    moment = fakes.at(fakes.noon)

    def made(name: str, *evidence: str, state: str = "open", **given: Any) -> Signal:
        finding = Finding(
            id=f"rule:{name}",
            rule="rule",
            title="t",
            why="w",
            start=moment,
            end=moment,
            strength=0.5,
            worth=Worth(hours_per_year=1, cost_per_year=1),
            evidence=evidence or ("desk/none",),
            numbers={},
            **given,
        )
        return Signal(finding=finding, state=state, raised_at=moment, seen_at=moment)

    return made


class Clock:
    """Our own clock, as far as publishing asks it."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 24, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def later(self, **passed: float) -> None:
        self.moment += timedelta(**passed)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands still until a test says how much later it is."""
    clock = Clock()
    for module in (stage, contests, outbox):
        monkeypatch.setattr(module, "now", clock)
    return clock


class Desk:
    """The platform together with our store of it."""

    def __init__(
        self,
        store: Store,
        configure: Callable[[str], Settings],
        platform: Any,
        writer: Any,
    ) -> None:
        self.store, self.platform, self.writer = store, platform, writer
        self._configure = configure
        self.settings = configure(QUESTIONS)
        self.told: list[tuple[str, str]] = []
        self.heard: list[KpiResult] = []
        self.run = 0
        """The last run that applied or undid anything."""
        self.now = datetime.fromtimestamp(platform.clock, tz=UTC) + timedelta(days=1)

    def configure(self, text: str) -> None:
        """Publish by these settings from now on."""
        self.settings = self._configure(QUESTIONS + text)

    def sync(self) -> None:
        people = People(b"key", names=False)
        outcomes = sync_source(
            self.writer, self.store, people, 1, care=Care(overlap=timedelta()), watch=Watch()
        )
        assert not any(each.problem or each.quarantined for each in outcomes)

    def provision(self) -> None:
        """Make the fields, and show in the target's tables what stands in its streams."""
        rows = self.platform.rows
        keys = {"incident": rows["tickets"], "services": rows["services"], "groups": rows["groups"]}
        self.platform.make_target(Layout(PublishSection(), self.writer.places), keys)

    def publisher(self, settings: Settings | None = None, *, retry: bool = False) -> Publisher:
        settings = settings or self.settings
        return Publisher(self.store, settings, "desk", self.writer, as_of=self.now, retry=retry)

    def plan(self, settings: Settings | None = None) -> PublishOutcome:
        return self.publisher(settings).plan()

    def apply(self, watch: Watch | None = None, *, retry: bool = False) -> PublishOutcome:
        self.run = self.store.runs.start("publish")

        def told(result: KpiResult, key: str) -> None:
            self.told.append((result.kpi, key))
            self.heard.append(result)

        return self.publisher(retry=retry).apply(self.run, watch or Watch(), told)

    def undo(self, run: int, *, apply: bool = True) -> UndoOutcome:
        undo = Undo(self.store, self.settings, "desk", self.writer)
        if not apply:
            return undo.plan(run)
        self.run = self.store.runs.start("undo")
        return undo.apply(run, self.run, Watch())

    def resume(self) -> None:
        KillSwitch(self.settings).resume()

    def kpis(self, *results: KpiResult) -> None:
        self.store.findings.save_kpis(1, results)

    def results(self) -> dict[str, dict[str, str]]:
        """The records of KPI results over there, by our key."""
        return {row["u_key"]: row for row in self.platform.target["u_vmo_kpi_result"].values()}

    def target(self) -> Any:
        """All that stands over there."""
        return copy.deepcopy(self.platform.target)

    def said(self, table: str, key: str) -> dict[str, str]:
        """What people read on a record: our fields that hold anything."""
        row = self.platform.target[table][key]
        return {name.removeprefix("u_vmo_"): text for name, text in row.items() if text}


@pytest.fixture
def desk(
    store: Store,
    configure: Callable[[str], Settings],
    platform: Any,
    fakes: SimpleNamespace,
) -> Desk:
    """Three tickets of a service; the first one a watermelon, the second one rated well."""
    platform.put("groups", "fin", title="Finance")
    platform.put("services", "vpn", title="VPN")
    platform.put("questions", "q1", text="Happy?", min=1, max=5)
    platform.put("questions", "q2", text="Minutes lost?")
    for key in ("1", "2", "3"):
        resolved = platform.clock + 1
        platform.ticket(key, state="resolved", resolved=resolved, made_sla=True, service="vpn")
    platform.survey("s1", "1", {"q1": 2, "q2": 12.5})
    platform.survey("s2", "2", {"q1": 5})
    desk = Desk(store, configure, platform, fakes.Writer(platform))
    desk.sync()
    desk.provision()
    return desk


@pytest.fixture
def bulk(desk: Desk, fakes: SimpleNamespace) -> Desk:
    """The desk as a target that takes many changes at once and removes what we made."""
    desk.writer = fakes.BulkWriter(desk.platform)
    return desk
