"""The lines that a document owes its readers: one for every setting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined


def setting_lines(model: type[BaseModel], prefix: str, *, leave_out: str = "") -> Iterator[str]:
    """A line of a Markdown table for each setting: dotted key, default, meaning."""
    for name, field in model.model_fields.items():
        if name == leave_out:
            continue
        annotation = field.annotation
        key = f"{prefix}{name}"
        if isinstance(annotation, type) and annotation.__name__.endswith("Section"):
            yield from setting_lines(annotation, f"{key}.")
            continue
        if not field.description:
            raise AssertionError(f"{key} has no description")
        shown = field.get_default(call_default_factory=True)
        if isinstance(shown, BaseModel):
            told = ", ".join(f"{k} = {v}" for k, v in shown.model_dump(exclude_none=True).items())
            shown = f"{{ {told} }}"
        if isinstance(shown, list) and shown:
            shown = "all that the plugin knows"
        meaning = " ".join(field.description.split()).replace("``", "`")
        yield f"| `{key}` | {shown_default(shown)} | {meaning} |"


def shown_default(value: Any) -> str:
    """How a document shows a default."""
    if value is PydanticUndefined:
        return "(has to be given)"
    if value is None:
        return ""
    if value in ((), [], {}, ""):
        return "(empty)"
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{shown.replace('|', chr(92) + '|')}`"  # a bare one would end the cell
