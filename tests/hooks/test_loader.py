"""Plugins are strangers: each is loaded alone, and a bad one costs only itself."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from vmo_bridge.hooks import loader
from vmo_bridge.hooks.loader import Plugins, load_plugins

HEAD = """
from vmo_bridge.plugin import ConnectorType, Kpi, Rule, RuleParameters, hookimpl
from pydantic import BaseModel


def kpi(name):
    return Kpi(
        name=name, version="1", title="", question="", unit="count", value_type="cost",
        better="lower", reads=(), items="", value="", numerator="", denominator="", note="",
    )


def rule(name):
    return Rule(
        name=name, version="1", title="", question="", parameters=RuleParameters, window_days=1,
        reads=(), fields=(), queries={}, decide=lambda run: [],
    )


def connector(name):
    return ConnectorType(name=name, title="", settings=BaseModel, connect=lambda **_: None)
"""

GOOD = """
@hookimpl
def vmo_kpis():
    return [kpi("good")]
"""

Write = Callable[[str, str], EntryPoint]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a module and give its entry point under a name."""
    monkeypatch.syspath_prepend(tmp_path)
    numbers = itertools.count()

    def written(name: str, code: str) -> EntryPoint:
        module = f"throw_away_{next(numbers)}_{id(numbers)}"
        (tmp_path / f"{module}.py").write_text(HEAD + code)
        monkeypatch.setitem(sys.modules, module, None)
        del sys.modules[module]
        return EntryPoint(name=name, value=module, group="vmo_bridge")

    return written


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_module_of_mine", "ModuleNotFoundError: No module named 'no_such_module"),
        ("def broken(:", "SyntaxError: "),
        ("1 / 0", "ZeroDivisionError: "),
        ("raise SystemExit('I leave')", "SystemExit: I leave"),
        ("@hookimpl\ndef vmo_rulez():\n    return []", "AttributeError: unknown hook 'vmo_rulez'"),
        (
            "@hookimpl\ndef vmo_rules(tables):\n    return []",
            "PluginValidationError: Plugin 'bad'",
        ),
        (
            "@hookimpl\ndef vmo_rules():\n    return 'watermelon'",
            "TypeError: vmo_rules() has to return a list of Rule, not 'watermelon'",
        ),
        (
            "@hookimpl\ndef vmo_rules():\n    return [kpi('x')]",
            "TypeError: vmo_rules() has to return a list of Rule, not [Kpi(",
        ),
        ("@hookimpl\ndef vmo_kpis():\n    yield kpi('x')", "TypeError: vmo_kpis() has to return"),
        ("@hookimpl\ndef vmo_kpis():\n    return None", "TypeError: vmo_kpis() has to return"),
        ("@hookimpl\ndef vmo_kpis():\n    raise SystemExit(3)", "SystemExit: 3"),
        (
            "@hookimpl\ndef vmo_kpis():\n    return [kpi('good')]",
            "ValueError: kpi 'good' is already offered",
        ),
        (
            "@hookimpl\ndef vmo_rules():\n    return [rule('twice'), rule('twice')]",
            "ValueError: rule 'twice' is already offered",
        ),
        (
            "@hookimpl\ndef vmo_connectors():\n    return [connector('c'), connector('c')]",
            "ValueError: connector 'c' is already offered",
        ),
    ],
)
def test_a_broken_plugin_is_a_row_with_a_reason_and_the_good_ones_work(
    write: Write, code: str, reason: str
) -> None:
    last = GOOD.replace("good", "last")
    plugins = Plugins([write("first", GOOD), write("bad", code), write("last", last)])
    assert [row.state for row in plugins.rows] == ["loaded", "broken", "loaded"]
    assert plugins.rows[1].reason.startswith(reason)
    assert plugins.rows[1].offers == ()
    assert list(plugins.kpis) == ["good", "last"]
    assert plugins.rules == {}
    assert plugins.connectors == {}


def test_a_plugin_counts_as_a_whole_or_not_at_all(write: Write) -> None:
    code = """
@hookimpl
def vmo_rules():
    return [rule("fine")]

@hookimpl
def vmo_kpis():
    return [kpi("good")]

heard = []

@hookimpl
def vmo_signal_raised(signal):
    raise AssertionError("a broken plugin must not be called")
"""
    plugins = Plugins([write("first", GOOD), write("bad", code)])
    assert plugins.rows[1].state == "broken"
    assert plugins.rules == {}
    plugins.hook.vmo_signal_raised(signal=None)


def test_what_plugins_offer_is_told_in_their_rows(write: Write) -> None:
    code = """
@hookimpl
def vmo_connectors():
    return [connector("desk")]

@hookimpl
def vmo_rules():
    return [rule("r1"), rule("r2")]

@hookimpl
def vmo_kpis():
    return [kpi("k")]
"""
    plugins = Plugins([write("all", code)])
    (row,) = plugins.rows
    assert row.offers == ("connector desk", "rule r1", "rule r2", "kpi k")
    assert (row.name, row.distribution, row.version, row.reason) == ("all", "?", "?", "")
    assert list(plugins.rules) == ["r1", "r2"]
    assert list(plugins.connectors) == ["desk"]


def test_a_plugin_that_is_switched_off_is_not_even_imported(write: Write) -> None:
    plugins = Plugins([write("loud", "raise RuntimeError"), write("good", GOOD)], off=["loud"])
    assert [row.state for row in plugins.rows] == ["off", "loaded"]
    assert "switched off" in plugins.rows[0].reason


def test_of_two_plugins_of_one_name_the_first_stays_whole(write: Write) -> None:
    listener = """
heard = []

@hookimpl
def vmo_signal_raised(signal):
    heard.append(signal)
"""
    first = write("same", listener)
    plugins = Plugins([first, write("same", GOOD)])
    assert [row.state for row in plugins.rows] == ["loaded", "broken"]
    plugins.hook.vmo_signal_raised(signal="ping")
    assert sys.modules[first.value].heard == ["ping"]
    assert plugins.kpis == {}


def test_one_module_under_two_names_offers_once(write: Write) -> None:
    first = write("one", GOOD)
    again = EntryPoint(name="two", value=first.value, group="vmo_bridge")
    plugins = Plugins([first, again])
    assert [row.state for row in plugins.rows] == ["loaded", "broken"]
    assert list(plugins.kpis) == ["good"]


def test_an_entry_point_may_lead_to_an_object_inside_a_module(write: Write) -> None:
    code = """
class Face:
    @hookimpl
    def vmo_kpis(self):
        return [kpi("good")]

face = Face()
"""
    module = write("inside", code).value
    plugins = Plugins([EntryPoint(name="inside", value=f"{module}:face", group="vmo_bridge")])
    assert list(plugins.kpis) == ["good"]
    gone = EntryPoint(name="inside", value=f"{module}:mask", group="vmo_bridge")
    assert Plugins([gone]).rows[0].reason.startswith("AttributeError: ")


def test_the_built_in_ones_go_the_same_road() -> None:
    plugins = load_plugins()
    rows = {row.name: row for row in plugins.rows}
    assert list(rows) == sorted(rows)
    assert rows["builtin-rules"].state == "loaded"
    assert rows["builtin-rules"].distribution == "vmo-bridge"
    assert rows["builtin-rules"].version != "?"
    assert "rule watermelon" in rows["builtin-rules"].offers
    assert "kpi csat" in rows["builtin-kpis"].offers
    assert load_plugins(off=["builtin-kpis"]).kpis == {}


def test_without_any_plugin_there_is_nothing_and_no_harm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loader, "entry_points", lambda group: ())
    plugins = load_plugins()
    assert plugins.rows == []
    assert plugins.hook.vmo_kpi_published(result=None, record="") == []


def test_a_hook_that_is_not_marked_is_told_instead_of_being_silent(write: Write) -> None:
    (row,) = Plugins([write("plain", "def vmo_kpis():\n    return [kpi('lost')]\n")]).rows
    assert row.state == "broken"
    assert row.reason == "AttributeError: vmo_kpis is not marked: put @hookimpl before it"
