"""Opens what a command needs: settings, plugins, the bridge to write, the store to read."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vmo_bridge.cli.progress import watching
from vmo_bridge.errors import StoreError

if TYPE_CHECKING:
    from vmo_bridge.hooks.loader import Plugins
    from vmo_bridge.pipeline import Bridge
    from vmo_bridge.settings import Settings


def load(config: Path) -> tuple[Settings, Plugins]:
    """The settings and the plugins they allow."""
    from vmo_bridge.hooks.loader import load_plugins
    from vmo_bridge.settings import load_settings

    log_to(logging.ERROR)  # what goes wrong stands in the command's own output
    settings = load_settings(config)
    return settings, load_plugins(off=settings.plugins.off)


@contextmanager
def bridge(config: Path, verb: str) -> Iterator[Bridge]:
    """An open bridge that shows its progress."""
    from vmo_bridge.pipeline import Bridge

    settings, plugins = load(config)
    if verb in ("detect", "measure", "publish", "undo") and not settings.store_path.exists():
        raise StoreError(
            f"there is no store at {settings.store_path} yet; 'vmo-bridge sync' makes it"
        )
    with (
        watching() as watch,
        Bridge(settings, plugins, owner=f"vmo-bridge {verb}", watch=watch) as it,
    ):
        yield it


def log_to(level: int, file: Path | None = None) -> None:
    """Send the log to standard error or to a file; libraries speak up from WARNING on."""
    handler: logging.Handler = (
        logging.FileHandler(file, encoding="utf-8") if file else logging.StreamHandler()
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("vmo_bridge", "vmo_bridge_servicenow"):
        logging.getLogger(name).setLevel(level)
    # A retry that helps is nobody's concern, and one that does not ends in our own words.
    logging.getLogger("stamina").setLevel(logging.ERROR)
