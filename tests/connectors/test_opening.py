"""Opening the configured connectors."""

from __future__ import annotations

import pytest

from vmo_bridge.connectors.opening import enabled_connectors, open_connector
from vmo_bridge.errors import ConfigError

TEXT = """
[connectors.desk]
plugin = "desk"

[connectors.other]
plugin = "reader"
enabled = false

[connectors.lost]
plugin = "lost"
"""


def test_a_connector_is_opened_by_its_name(configure, make_plugins) -> None:
    settings = configure(TEXT)
    assert open_connector("desk", settings, make_plugins()).name == "desk"
    assert enabled_connectors(settings) == ["desk", "lost"]


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        (TEXT, "dsek", "there is no connectors.dsek; there are: desk, other, lost"),
        ("", "desk", "there are: none"),
        (TEXT, "lost", r"connectors\.lost\.plugin: no plugin offers 'lost' .*desk, reader.*"),
        ('[connectors.desk]\nplugin = "desk"\ncolour = 1', "desk", r"connectors\.desk\.colour"),
    ],
)
def test_what_is_wrong_is_named(configure, make_plugins, text: str, name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        open_connector(name, configure(text), make_plugins())


def test_no_plugins_at_all_is_said(configure) -> None:
    from vmo_bridge.hooks.loader import Plugins

    with pytest.raises(ConfigError, match=r"there are: none\); 'vmo-bridge plugins'"):
        open_connector("desk", configure(TEXT), Plugins([]))
