"""Load plugins one by one: a broken one becomes a row in a report, never a crash."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

import pluggy

from vmo_bridge.hooks import specs
from vmo_bridge.hooks.extensions import ConnectorType, Kpi, Rule

GROUP = "vmo_bridge"
_HOOK_PREFIX = "vmo_"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PluginRow:
    """What became of one entry point."""

    name: str
    distribution: str
    version: str
    state: str
    """loaded, off (by the configuration), broken or missing."""
    reason: str = ""
    offers: tuple[str, ...] = ()
    """What it handed over: ``connector servicenow``, ``rule watermelon``, ``kpi csat``."""


class Plugins:
    """The plugins that are there: what they offer, and the hooks to call them by."""

    def __init__(self, points: Iterable[EntryPoint], *, off: Iterable[str] = ()) -> None:
        self._manager = pluggy.PluginManager(specs.PROJECT)
        self._manager.add_hookspecs(specs)
        self.connectors: dict[str, ConnectorType] = {}
        self.rules: dict[str, Rule] = {}
        self.kpis: dict[str, Kpi] = {}
        switched_off = set(off)
        self.rows = [self._take(point, switched_off) for point in points]
        self.rows += [
            PluginRow(name, "?", "?", "missing", "named under [plugins] off, and not installed")
            for name in sorted(switched_off - {row.name for row in self.rows})
        ]

    @property
    def hook(self) -> pluggy.HookRelay:
        """To call observers: ``plugins.hook.vmo_signal_raised(signal=…)``."""
        return self._manager.hook

    def _take(self, point: EntryPoint, off: set[str]) -> PluginRow:
        distribution = point.dist.name if point.dist else "?"
        version = point.dist.version if point.dist else "?"

        def row(state: str, reason: str = "", offers: Sequence[str] = ()) -> PluginRow:
            return PluginRow(point.name, distribution, version, state, reason, tuple(offers))

        if point.name in off:
            return row("off", "switched off under [plugins] off")
        plugin = None
        try:
            plugin = point.load()
            _refuse_misspelt(plugin)
            self._manager.register(plugin, point.name)
            self._manager.check_pending()
            offers = self._collect(plugin)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's code may raise anything
            # Another plugin of this name, loaded before, stays.
            if plugin is not None and self._manager.get_plugin(point.name) is plugin:
                self._manager.unregister(name=point.name)
            return row("broken", f"{type(error).__name__}: {error}")
        return row("loaded", offers=offers)

    def _collect(self, plugin: object) -> list[str]:
        """Ask one plugin for what it offers; all of it counts, or none."""
        connectors = _offers(plugin, "vmo_connectors", ConnectorType)
        rules = _offers(plugin, "vmo_rules", Rule)
        kpis = _offers(plugin, "vmo_kpis", Kpi)
        _refuse_taken("connector", connectors, self.connectors)
        _refuse_taken("rule", rules, self.rules)
        _refuse_taken("kpi", kpis, self.kpis)
        self.connectors.update((each.name, each) for each in connectors)
        self.rules.update((each.name, each) for each in rules)
        self.kpis.update((each.name, each) for each in kpis)
        return [
            *(f"connector {each.name}" for each in connectors),
            *(f"rule {each.name}" for each in rules),
            *(f"kpi {each.name}" for each in kpis),
        ]


def load_plugins(*, off: Iterable[str] = ()) -> Plugins:
    """Every installed plugin (entry-point group ``vmo_bridge``), in the order of their names."""
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return Plugins(points, off=off)


def _refuse_misspelt(plugin: object) -> None:
    """A hook nobody knows would be silent for ever (pluggy leaves it pending without a word)."""
    known = {name for name, _ in inspect.getmembers(specs, inspect.isfunction)}
    for name, member in inspect.getmembers(plugin, callable):
        marked = getattr(member, f"{specs.PROJECT}_impl", None) is not None
        if name in known and not marked and getattr(member, "__module__", "") != specs.__name__:
            raise AttributeError(f"{name} is not marked: put @hookimpl before it")
        if marked and name not in known:
            hooks = ", ".join(sorted(hook for hook in known if hook.startswith(_HOOK_PREFIX)))
            raise AttributeError(f"unknown hook {name!r}; the hooks are {hooks}")


def _offers(plugin: object, hook: str, kind: type[T]) -> list[T]:
    function: Callable[[], Any] | None = getattr(plugin, hook, None)
    if function is None or getattr(function, f"{specs.PROJECT}_impl", None) is None:
        return []
    offered = function()
    if not isinstance(offered, list) or not all(isinstance(each, kind) for each in offered):
        raise TypeError(f"{hook}() has to return a list of {kind.__name__}, not {offered!r:.80}")
    return offered


def _refuse_taken(what: str, offered: Sequence[Any], taken: dict[str, Any]) -> None:
    names = [each.name for each in offered]
    for name in names:
        if name in taken or names.count(name) > 1:
            raise ValueError(f"{what} {name!r} is already offered by another plugin")
