"""Read the configuration; a mistake names the file, the dotted key, the value and the cure."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from vmo_bridge.errors import ConfigError
from vmo_bridge.settings.model import Settings

Model = TypeVar("Model", bound=BaseModel)

_SECRET_WORDS = ("password", "secret", "token", "key", "credential")


def load_settings(path: Path) -> Settings:
    """Read ``path`` (TOML) and the environment; raises ``ConfigError``."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such file; make one with 'vmo-bridge --config {path} init'"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path}: cannot be read ({error}); mend the file or its rights"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}; mend that line") from error
    content.pop("file", None)
    _refuse_unknown_variables()
    try:
        settings = Settings(**content)
    except SettingsError as error:
        raise ConfigError(f"the environment (VMO_…): {error}; write the value as JSON") from None
    except ValidationError as error:
        # Not "from error": the text of pydantic's error repeats values, which may be secrets.
        raise ConfigError(_report(error, path, prefix="")) from None
    return settings.model_copy(update={"file": path.absolute()})


def _refuse_unknown_variables() -> None:
    """A mistyped variable would be ignored: an admin would believe that writing is off."""
    sections = [name for name in Settings.model_fields if name != "file"]
    for variable in os.environ:
        section = variable.removeprefix("VMO_").partition("__")[0].lower()
        if variable.startswith("VMO_") and "__" in variable and section not in sections:
            close = get_close_matches(section, sections, n=1)
            cure = f"did you mean VMO_{close[0].upper()}__…?" if close else "remove it"
            raise ConfigError(
                f"environment variable {variable}: there is no section {section!r}; {cure}"
            )


def validate_section(
    model: type[Model], content: Mapping[str, Any], *, file: Path, prefix: str
) -> Model:
    """Check a part of the configuration against a plugin's own model; raises ``ConfigError``."""
    try:
        return model.model_validate(dict(content), context={"file": file})
    except ValidationError as error:
        # Not "from error", as above.
        raise ConfigError(_report(error, file, prefix=prefix, model=model)) from None


def _report(
    error: ValidationError, file: Path, *, prefix: str, model: type[BaseModel] = Settings
) -> str:
    return "\n".join(_line(each, file, prefix, model) for each in error.errors())


def _line(detail: ErrorDetails, file: Path, prefix: str, model: type[BaseModel]) -> str:
    where = ".".join(part for part in (prefix, *map(str, detail["loc"])) if part)
    variable = "VMO_" + where.replace(".", "__").upper()
    if variable in os.environ:
        return f"environment variable {variable}: {_shown(detail)}{_said(detail)}"
    if detail["type"] == "extra_forbidden":
        return f"{file}: {where}: there is no such setting{_suggest(detail, model)}"
    if detail["type"] == "missing":
        return f"{file}: {where}: is missing; add it"
    return f"{file}: {where}: {_shown(detail)}{_said(detail)}"


def _said(detail: ErrorDetails) -> str:
    return detail["msg"].removeprefix("Value error, ")


def _shown(detail: ErrorDetails) -> str:
    """The value, unless it may be a secret or is a whole section (which may hold one)."""
    keys = [str(part).lower() for part in detail["loc"]]
    secret = any(word in key for key in keys for word in _SECRET_WORDS)
    value = detail["input"]
    credentials_in_address = isinstance(value, str) and "://" in value and "@" in value
    if secret or credentials_in_address or isinstance(value, (dict, list)):
        return ""
    return f"{value!r:.80} is not right: "


def _suggest(detail: ErrorDetails, model: type[BaseModel]) -> str:
    *path, wrong = (str(part) for part in detail["loc"])
    known = _names_at(model, path)
    close = get_close_matches(wrong, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; remove it, or use one of: {', '.join(sorted(known))}" if known else "; remove it"


def _names_at(model: type[BaseModel], path: list[str]) -> list[str]:
    """The names of the settings of the section at ``path``, as far as the model tells."""
    for part in path:
        field = model.model_fields.get(part)
        annotation = field.annotation if field else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return [name for name in model.model_fields if name != "file"]
