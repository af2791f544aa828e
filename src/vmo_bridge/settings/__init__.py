"""The configuration: one TOML file and the environment become one typed ``Settings``."""

from vmo_bridge.settings.loading import load_settings, validate_section
from vmo_bridge.settings.model import ConnectorEntry, Settings
from vmo_bridge.settings.secrets import SecretSource

__all__ = ["ConnectorEntry", "SecretSource", "Settings", "load_settings", "validate_section"]
