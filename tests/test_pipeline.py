"""The four stages in a row, and what the diary says of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from vmo_bridge.connectors.opening import open_connector
from vmo_bridge.errors import ConfigError, RetryLater, SecretMissing, StoreLocked
from vmo_bridge.hooks.extensions import Rule, RuleParameters, RuleRun
from vmo_bridge.hooks.loader import Plugins
from vmo_bridge.pipeline import Bridge, target_names
from vmo_bridge.publish.layout import Layout
from vmo_bridge.records import Finding, Worth
from vmo_bridge.settings import Settings
from vmo_bridge.settings.publish import PublishSection
from vmo_bridge.value.formulas import csat
from vmo_bridge.watch import Stopped, Watch

Configure = Callable[[str], Settings]
MakePlugins = Callable[..., Plugins]
Offer = Callable[..., EntryPoint]

DESK = '[connectors.desk]\nplugin = "desk"\n'
FULL = DESK + '[publish]\nmode = "apply"\n[feedback.questions]\ncsat = ["Happy?"]\n'
AS_OF = datetime(2026, 10, 1, tzinfo=UTC)


def _decide(run: RuleRun) -> list[Finding]:
    tickets = run.rows["tickets"]
    if not tickets:
        return []
    return [
        Finding(
            id="busy:all",
            rule="busy",
            title="Busy",
            why="There are tickets.",
            start=run.start,
            end=run.end,
            strength=0.5,
            worth=Worth(hours_per_year=1, cost_per_year=68),
            evidence=tuple(row["ref"] for row in tickets),
            numbers={"tickets": float(len(tickets))},
        )
    ]


BUSY = Rule(
    name="busy",
    version="1",
    title="Busy",
    question="Are there tickets?",
    parameters=RuleParameters,
    window_days=90,
    reads=("ticket",),
    fields=(),
    queries={"tickets": "select ref from tickets where opened_at < $end order by ref"},
    decide=_decide,
)


@pytest.fixture
def filled(platform: Any, fakes: Any) -> Any:
    """A platform with six rated tickets of one service."""
    platform.put("services", "vpn", title="VPN")
    platform.put("questions", "q", text="Happy?", min=1, max=5)
    for number in range(6):
        key = str(number)
        resolved = platform.clock + 1
        platform.ticket(
            key, service="vpn", state="resolved", resolved=resolved, made_sla=True, requester="al"
        )
        platform.survey(f"s{key}", key, {"q": 5 if number else 1}, person=f"p{key}")
    keys = {"incident": platform.rows["tickets"], "services": platform.rows["services"]}
    platform.make_target(Layout(PublishSection(), fakes.Writer.places), keys)
    return platform


@pytest.fixture
def bridged(make_plugins: MakePlugins, configure: Configure) -> Callable[..., Any]:
    @contextmanager
    def opened(text: str = FULL, *more: EntryPoint, watch: Watch | None = None) -> Iterator[Bridge]:
        plugins = make_plugins(*more, rules=[BUSY], kpis=[csat.KPI])
        settings = configure(f"bridge.as_of = {AS_OF.isoformat()}\n{text}")
        with Bridge(settings, plugins, owner="test", watch=watch) as bridge:
            yield bridge

    return opened


def states(bridge: Bridge) -> list[tuple[str, str]]:
    return bridge.store._db.execute("select stage, state from run order by id").fetchall()  # type: ignore[no-any-return]


def test_a_cycle_carries_what_people_said_into_the_records_they_look_at(
    filled: Any, bridged: Any
) -> None:
    with bridged() as bridge:
        outcome = bridge.cycle()
        assert sum(each.changed for each in outcome.sync) == 14
        assert [each.finding.id for each in outcome.detect.new] == ["busy:all"]
        assert not outcome.measure.failed
        assert outcome.publish[0].delivery.troubled == []
        assert list(outcome.seconds) == ["sync", "detect", "measure", "publish"]
        assert states(bridge) == [(stage, "done") for stage in outcome.seconds]
    ticket = filled.target["incident"]["0"]
    assert (ticket["u_vmo_watermelon"], ticket["u_vmo_open_signals"]) == ("true", "1")
    assert filled.target["services"]["vpn"]["u_vmo_csat"] == "83.3"
    keys = {row["u_key"] for row in filled.target["u_vmo_kpi_result"].values()}
    assert keys == {"csat:last-90-days:all:all", "csat:last-90-days:vpn:all"}
    assert filled.closed > 0


def test_a_second_cycle_raises_and_writes_nothing_new(filled: Any, bridged: Any) -> None:
    with bridged() as bridge:
        bridge.cycle()
    filled.written.clear()
    with bridged() as bridge:
        outcome = bridge.cycle()
        assert outcome.detect.new == []
        assert sum(each.changed for each in outcome.sync) == 0
        assert filled.written == []


def test_planning_is_the_default_and_writes_nothing(filled: Any, bridged: Any) -> None:
    with bridged(FULL.replace("apply", "plan")) as bridge:
        outcome = bridge.cycle()
        assert outcome.publish[0].counts()["create"] == 3
        last = bridge.store.runs.last("publish")
        assert last.detail["applied"] is False
    assert filled.written == []


def test_a_source_that_is_away_is_a_note_and_the_other_stages_go_on(
    filled: Any, bridged: Any
) -> None:
    filled.fail_at["tickets"] = (2, RetryLater("it is away"))
    with bridged() as bridge:
        outcome = bridge.cycle()
        assert outcome.detect.signals
        run = bridge.store.runs.last("sync")
        assert run.state == "partly"
        assert run.detail["problems"][0] == "desk:tickets: it is away"
        assert run.detail["read"] == 4


def test_a_stage_that_fails_is_written_down_with_its_reason(
    filled: Any, bridged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bridged() as bridge:
        filled.hidden_tables["u_vmo_kpi_result"] = RetryLater("the target is away")
        bridge.sync()
        bridge.detect()
        bridge.measure()
        with pytest.raises(RetryLater):
            bridge.publish(apply=True)
        run = bridge.store.runs.last("publish")
        assert (run.state, run.detail["error"]) == ("failed", "the target is away")
        monkeypatch.setattr(bridge.store.marks, "advance", lambda *_, **__: 1 / 0)
        filled.ticket("0", title="new")
        with pytest.raises(ZeroDivisionError):
            bridge.sync()
        run = bridge.store.runs.last("sync")
        assert (run.state, run.detail["error"]) == ("failed", "ZeroDivisionError"), "no details"


def test_a_stop_is_written_down_as_an_interruption(filled: Any, bridged: Any) -> None:
    class Impatient(Watch):
        def stopping(self) -> bool:
            return True

    with bridged(watch=Impatient()) as bridge:
        with pytest.raises(Stopped):
            bridge.cycle()
        assert states(bridge) == [("sync", "interrupted")]
    with bridged() as bridge:
        bridge.cycle()
        assert states(bridge)[1:] == [
            (stage, "done") for stage in ("sync", "detect", "measure", "publish")
        ]


def test_looking_back_rewrites_nothing(filled: Any, bridged: Any) -> None:
    with bridged() as bridge:
        bridge.cycle()
        signals, kpis = bridge.store.findings.signals(), bridge.store.findings.kpis()
        back = AS_OF - timedelta(days=300)
        detected, measured = bridge.detect(back), bridge.measure(back)
        assert (detected.saved, detected.signals, detected.new) == (False, [], [])
        assert not measured.saved
        assert bridge.store.findings.signals() == signals
        assert bridge.store.findings.kpis() == kpis
        assert states(bridge)[-2:] == [("detect", "looked"), ("measure", "looked")]
        assert bridge.detect().saved, "the present still counts as such"


def test_observers_hear_of_new_signals_and_published_values(
    filled: Any, bridged: Any, offer: Offer
) -> None:
    heard: list[tuple[str, str]] = []

    def vmo_signal_raised(signal: Any) -> None:
        heard.append(("signal", signal.finding.id))

    def vmo_kpi_published(result: Any, record: str) -> None:
        heard.append((result.kpi, record))

    point = offer("ears", vmo_signal_raised=vmo_signal_raised, vmo_kpi_published=vmo_kpi_published)
    with bridged(FULL, point) as bridge:
        bridge.cycle()
        assert heard == [("signal", "busy:all"), ("csat", "new0"), ("csat", "new1")]
        bridge.cycle()
        assert len(heard) == 3, "nothing is new"


def test_an_observer_that_fails_harms_nothing(
    filled: Any, bridged: Any, offer: Offer, caplog: pytest.LogCaptureFixture
) -> None:
    def vmo_signal_raised(signal: Any) -> None:
        raise RuntimeError("an ear hurts")

    with (
        caplog.at_level(logging.ERROR),
        bridged(FULL, offer("x", vmo_signal_raised=vmo_signal_raised)) as bridge,
    ):
        bridge.cycle()
        assert {state for _, state in states(bridge)} == {"done"}
        assert bridge.store.findings.signals()
    assert "plugin x: its observer failed" in caplog.text


def test_an_observer_that_fails_does_not_silence_the_others(
    filled: Any, bridged: Any, offer: Offer
) -> None:
    heard: list[str] = []

    def failing(signal: Any) -> None:
        raise RuntimeError

    def hearing(signal: Any) -> None:
        heard.append(signal.finding.id)

    points = [offer("a", vmo_signal_raised=hearing), offer("b", vmo_signal_raised=failing)]
    with bridged(FULL, *points) as bridge:
        bridge.cycle()
    assert heard == ["busy:all"]


def test_a_source_that_is_switched_off_is_neither_read_nor_written(
    filled: Any, bridged: Any
) -> None:
    with bridged(FULL + '[connectors.old]\nplugin = "desk"\nenabled = false\n') as bridge:
        outcome = bridge.cycle()
        assert {each.source for each in outcome.sync} == {"desk"}
        assert outcome.publish[0].target == "desk"


def test_without_any_source_the_cure_is_told(bridged: Any) -> None:
    for text in ("", DESK + "enabled = false"):
        with bridged(text) as bridge, pytest.raises(ConfigError, match=r"add \[connectors\.<name>"):
            bridge.sync()


def test_a_source_with_a_mistake_does_not_stop_the_others(filled: Any, bridged: Any) -> None:
    wrong = '[connectors.a]\nplugin = "nobody"\n[connectors.b]\nplugin = "desk"\nsize = 3\n'
    with bridged(wrong + DESK) as bridge:
        outcomes = {each.source: each for each in bridge.sync()}
        assert "connectors.a.plugin: no plugin offers 'nobody' (there are: desk, reader)" in (
            outcomes["a"].problem
        )
        assert "connectors.b.size: there is no such setting" in outcomes["b"].problem
        assert outcomes["desk"].problem == ""


def test_a_source_with_a_mistake_does_not_stop_publishing_to_another(
    filled: Any, bridged: Any
) -> None:
    with bridged('[connectors.a]\nplugin = "nobody"\n' + FULL) as bridge:
        assert [each.target for each in bridge.cycle().publish] == ["desk"]


def test_an_unknown_rule_or_kpi_is_named_by_its_key(filled: Any, bridged: Any) -> None:
    for text, stage, said in (
        ("[rules.buzy]", "detect", r"rules\.buzy: .*there are: busy"),
        ("[rules.busy]\nspeed = 3", "detect", r"rules\.busy\.speed: there is no such setting"),
        ("[kpis.casat]", "measure", r"kpis\.casat: there is no KPI 'casat'; there are: csat"),
        ("[[targets]]\nkpi = 'nps'\nvalue = 1", "measure", r"targets\[0\]\.kpi: .*'nps'"),
    ):
        with bridged(DESK + text) as bridge:
            bridge.sync()
            with pytest.raises(ConfigError, match=said) as caught:
                getattr(bridge, stage)()
            assert str(bridge.settings.file) in str(caught.value)
            assert bridge.store.runs.last(stage).state == "failed"


def test_the_targets_are_those_named_else_all_that_can_be_written_to(
    make_plugins: MakePlugins, configure: Configure
) -> None:
    def targets(text: str) -> list[str]:
        return target_names(configure(text), make_plugins())

    reader = '[connectors.r]\nplugin = "reader"\n'
    second = '[connectors.two]\nplugin = "desk"\n'
    assert targets("") == []
    assert targets(reader) == []
    assert targets(reader + DESK) == ["desk"]
    assert targets(DESK + second) == ["desk", "two"]
    assert targets(DESK + second + '[publish]\nconnectors = ["two", "two"]') == ["two"]
    with pytest.raises(ConfigError, match=r"publish\.connectors: 'x' is not .* there are: desk"):
        targets(DESK + '[publish]\nconnectors = ["x"]')


def test_a_target_that_fails_does_not_stop_another(
    fakes: Any, make_plugins: MakePlugins, configure: Configure, filled: Any
) -> None:
    away = fakes.Platform()
    away.hidden_tables["u_vmo_kpi_result"] = RetryLater("the other target is away")
    plugins = make_plugins(
        rules=[BUSY],
        kpis=[csat.KPI],
        connect=lambda name: fakes.Writer(filled if name == "desk" else away, name),
    )
    settings = configure(
        f"bridge.as_of = {AS_OF.isoformat()}\n" + DESK.replace("desk]", "away]") + FULL
    )
    with Bridge(settings, plugins, owner="test") as bridge:
        bridge.sync()
        bridge.detect()
        bridge.measure()
        with pytest.raises(RetryLater, match="the other target is away"):
            bridge.publish(apply=True)
        run = bridge.store.runs.last("publish")
        assert (run.state, run.detail["error"]) == ("failed", "the other target is away")
        assert filled.written, "the target that is there got its values"


def test_a_source_that_cannot_be_written_to_is_no_target(filled: Any, bridged: Any) -> None:
    reader = '[connectors.r]\nplugin = "reader"\n'
    with bridged(reader) as bridge:
        assert bridge.cycle().publish == []
    named = reader + '[publish]\nconnectors = ["r"]'
    said = r"publish\.connectors: 'r' cannot be written to"
    with bridged(named) as bridge, pytest.raises(ConfigError, match=said):
        bridge.publish(apply=False)


def test_a_missing_key_of_the_people_fails_the_sync_in_words(bridged: Any) -> None:
    with bridged(DESK + '[people]\nkey = { env = "NOT_THERE" }') as bridge:
        with pytest.raises(SecretMissing):
            bridge.sync()
        assert "NOT_THERE" in bridge.store.runs.last("sync").detail["error"]


def test_two_bridges_do_not_write_at_once(bridged: Any) -> None:
    with bridged() as bridge, pytest.raises(StoreLocked, match="'test'"):
        Bridge(bridge.settings, bridge.plugins, owner="second")


def test_now_is_what_was_asked_for_else_configured_else_real(bridged: Any) -> None:
    with bridged() as bridge:
        asked = AS_OF - timedelta(days=1)
        assert bridge.moment(asked) == asked
        assert bridge.moment() == AS_OF
        real = bridge.settings.model_copy(update={"bridge": type(bridge.settings.bridge)()})
        bridge.settings = real
        assert abs(bridge.moment() - datetime.now(tz=UTC)) < timedelta(days=1)


def test_looking_ahead_does_not_turn_the_present_into_the_past(filled: Any, bridged: Any) -> None:
    with bridged() as bridge:
        bridge.sync()
        bridge.detect(AS_OF + timedelta(days=1))
        bridge.measure(AS_OF + timedelta(days=1))
        assert bridge.detect().saved
        assert bridge.measure().saved


def test_a_source_that_nobody_configured_is_told_with_those_that_are(
    configure: Configure, make_plugins: MakePlugins
) -> None:
    with pytest.raises(ConfigError, match=r"there is no connectors\.x; there are: desk"):
        open_connector("x", configure(DESK), make_plugins())


def test_a_stream_that_fails_makes_completeness_not_known(filled: Any, bridged: Any) -> None:
    with bridged() as bridge:
        whole = bridge.cycle().measure.results
        assert {each.completeness for each in whole} == {1.0}
        filled.fail_at["tickets"] = (1, RetryLater("it is away"))
        bridge.sync()
        after = bridge.measure().results
        assert {each.completeness for each in after if each.kpi == "sla_attainment"} <= {None}
        assert any(each.completeness is None for each in after)
