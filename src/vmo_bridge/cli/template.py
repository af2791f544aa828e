"""The commented configuration that ``init`` writes; config/vmo-bridge.toml is an example of it."""

from __future__ import annotations

import json
from importlib.resources import files

import jinja2


def render_config(*, name: str, url: str, user: str, password_env: str) -> str:
    """The TOML for one ServiceNow source."""
    source = files(__package__).joinpath("vmo-bridge.toml.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=False,  # noqa: S701 - it is TOML; values pass the filter `quoted`
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["quoted"] = _quoted
    return environment.from_string(source).render(
        name=name, url=url, user=user, password_env=password_env
    )


def _quoted(text: str) -> str:
    """A TOML basic string: what JSON escapes is what TOML wants escaped, line breaks too."""
    return json.dumps(text, ensure_ascii=False)
