"""The text of an Atlassian document (ADF), in which some fields come; nobody is named in it."""

from __future__ import annotations

from typing import Any

_BLOCKS = frozenset({
    "paragraph", "heading", "codeBlock", "blockquote", "panel", "rule", "tableRow", "listItem",
    "taskItem", "decisionItem", "expand", "nestedExpand",
})  # fmt: skip
_DEEPEST = 100
"""No document of people is nested so deeply; what lies below is left out."""


def is_document(value: Any) -> bool:
    """Whether a value is such a document."""
    return isinstance(value, dict) and value.get("type") == "doc" and "content" in value


def text_of(document: Any) -> str:
    """Its words, a line for each block; mentions, media and cards without what they show."""
    lines = (line.strip() for line in _words(document, 0).splitlines())
    return "\n".join(line for line in lines if line)


def _words(node: Any, depth: int) -> str:
    if not isinstance(node, dict) or depth > _DEEPEST:
        return ""
    kind, parts = str(node.get("type")), node.get("content")
    if not isinstance(parts, list):
        return _leaf(kind, node)
    words = "".join(_words(each, depth + 1) for each in parts)
    if kind in ("tableCell", "tableHeader"):
        return f"{' '.join(words.split())} "
    return f"{words}\n" if kind in _BLOCKS else words


def _leaf(kind: str, node: dict[str, Any]) -> str:
    """What a node without parts says; who is mentioned is not named."""
    if kind in ("emoji", "status"):
        attrs = node.get("attrs")
        shown = attrs if isinstance(attrs, dict) else {}
        return str(shown.get("text") or shown.get("shortName") or "")
    return {"text": str(node.get("text", "")), "mention": "[~user]", "hardBreak": "\n"}.get(
        kind, ""
    )
