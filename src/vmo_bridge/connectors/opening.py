"""Open the configured connectors: find the plugin, check its settings, connect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from vmo_bridge.connectors.contract import Connector
from vmo_bridge.errors import ConfigError
from vmo_bridge.hooks.loader import Plugins
from vmo_bridge.settings import Settings, validate_section


def open_connector(name: str, settings: Settings, plugins: Plugins) -> Connector:
    """The connector configured as ``[connectors.<name>]``; raises ``ConfigError``."""
    entry = settings.connectors.get(name)
    if entry is None:
        known = ", ".join(settings.connectors) or "none"
        raise ConfigError(f"{settings.file}: there is no connectors.{name}; there are: {known}")
    kind = plugins.connectors.get(entry.plugin)
    if kind is None:
        known = ", ".join(sorted(plugins.connectors)) or "none"
        raise ConfigError(
            f"{settings.file}: connectors.{name}.plugin: no plugin offers {entry.plugin!r} "
            f"(there are: {known}); 'vmo-bridge plugins' says what was loaded and why not"
        )
    own = validate_section(
        kind.settings, entry.own, file=settings.file, prefix=f"connectors.{name}"
    )
    connector = kind.connect(name=name, settings=own, folder=settings.file.parent)
    return cast("Connector", connector)


def enabled_connectors(settings: Settings) -> list[str]:
    """The names of the sources that are switched on, in the order of the configuration."""
    return [name for name, entry in settings.connectors.items() if entry.enabled]


@contextmanager
def opened(name: str, settings: Settings, plugins: Plugins) -> Iterator[Connector]:
    """An open connector, closed afterwards."""
    connector = open_connector(name, settings, plugins)
    try:
        yield connector
    finally:
        connector.close()


def target_names(settings: Settings, plugins: Plugins) -> list[str]:
    """The sources that values are written back to: those named, else all that can be written to."""
    names = enabled_connectors(settings)
    for name in settings.publish.connectors:
        if name not in names:
            raise ConfigError(
                f"{settings.file}: publish.connectors: {name!r} is not a source that is switched "
                f"on; there are: {', '.join(names) or 'none'}"
            )
    for name in settings.publish.map:
        if name not in settings.connectors:
            raise ConfigError(
                f"{settings.file}: publish.map.{name}: there is no such source; there are: "
                f"{', '.join(settings.connectors) or 'none'}"
            )
    if settings.publish.connectors:
        return list(dict.fromkeys(settings.publish.connectors))
    kinds = {name: plugins.connectors.get(settings.connectors[name].plugin) for name in names}
    return [name for name, kind in kinds.items() if kind is not None and kind.writes]
