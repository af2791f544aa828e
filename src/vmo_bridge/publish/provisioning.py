"""What the targets lack for our values: planned, made, packed, and compared with what is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from vmo_bridge.connectors.comparing import Comparing, Difference
from vmo_bridge.connectors.contract import Connector
from vmo_bridge.connectors.opening import opened, target_names
from vmo_bridge.connectors.writing import Package, Packaging, ProvisionStep, TargetTable
from vmo_bridge.errors import ConfigError
from vmo_bridge.hooks.loader import Plugins
from vmo_bridge.publish.layout import Layout
from vmo_bridge.publish.stage import writable
from vmo_bridge.settings import Settings
from vmo_bridge.watch import Watch


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in which a target is not as the plan needs it."""

    target: str
    difference: Difference


class Target:
    """One target that values are written to, and what it has to have for them."""

    def __init__(self, name: str, connector: Connector, settings: Settings) -> None:
        writer = writable(connector)
        if writer is None:
            raise ConfigError(f"{name}: nothing can be written to this source")
        self.name = name
        self._writer = writer
        self._layout = Layout(settings.publish, writer.places, name)

    @property
    def tables(self) -> Sequence[TargetTable]:
        """What it has to have."""
        return self._layout.tables()

    def steps(self) -> list[ProvisionStep]:
        """What is missing, in the order in which it can be made."""
        return self._writer.provision_plan(self.tables)

    def make(self, watch: Watch) -> list[ProvisionStep]:
        """Make what can be made from here; the whole plan is returned. Safe to repeat."""
        steps = self.steps()
        possible = [step for step in steps if step.over_rest]
        if possible:
            watch.begin(f"provision {self.name}", len(possible))
            for step in possible:
                self._writer.provision(step)
                watch.advance()
            watch.end()
        return steps

    def package(self) -> Package | None:
        """All of it as a file; None where the target takes none."""
        if not isinstance(self._writer, Packaging):
            return None
        return self._writer.package(self.tables)

    def unfit(self) -> list[Difference]:
        """Fields that cannot hold our values, and what this user may not see."""
        if not isinstance(self._writer, Comparing):
            return []
        return self._writer.differences(self.tables, self._layout.admins_own())

    def differences(self) -> list[Difference]:
        """What is missing, what cannot hold our values, and what this user may not see."""
        missing = [
            Difference(what=step.what, state="missing", detail=_cure(step)) for step in self.steps()
        ]
        return missing + self.unfit()


def _cure(step: ProvisionStep) -> str:
    if step.over_rest:
        return "'provision --apply' makes it, or the Update Set"
    return "only the Update Set makes it"


@contextmanager
def target(name: str, settings: Settings, plugins: Plugins) -> Iterator[Target]:
    """One target, signed in as long as it is used."""
    with opened(name, settings, plugins) as connector:
        yield Target(name, connector, settings)


def make_missing(
    settings: Settings, plugins: Plugins, *, apply: bool, watch: Watch
) -> list[ProvisionStep]:
    """What all targets lack; made as far as it can be, if told to."""
    steps: list[ProvisionStep] = []
    for name in target_names(settings, plugins):
        with target(name, settings, plugins) as each:
            steps += each.make(watch) if apply else each.steps()
    return steps


def all_differences(settings: Settings, plugins: Plugins) -> list[Finding]:
    """In what the targets are not as the plan needs them."""
    found: list[Finding] = []
    for name in target_names(settings, plugins):
        with target(name, settings, plugins) as each:
            found += [Finding(name, difference) for difference in each.differences()]
    return found


def packed(settings: Settings, plugins: Plugins, only: str | None) -> Package:
    """The file for the one target that takes one, or for the one that is named."""
    names = target_names(settings, plugins)
    if only is not None and only not in names:
        raise ConfigError(f"{only!r} is no target; there are: {', '.join(names) or 'none'}")
    found: dict[str, Package] = {}
    for name in [only] if only else names:
        with target(name, settings, plugins) as each:
            package = each.package()
        if package is not None:
            found[name] = package
    if len(found) != 1:
        told = f"several targets take one ({', '.join(found)}); name one by --target"
        raise ConfigError(told if found else "no target takes an Update Set")
    return next(iter(found.values()))
