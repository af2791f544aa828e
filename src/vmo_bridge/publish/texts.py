"""Texts as they may stand over there: nobody is notified or named, nothing is run, all fits."""

from __future__ import annotations

import hashlib
import re

_PART = r"[^\s@<>()\[\]:;,'\"]"
# Looked for only where a word begins: a long one without an @ is not searched from each letter.
_EMAIL = re.compile(rf"(?<!{_PART}){_PART}+@{_PART}+\.{_PART}+")
_MENTION = re.compile(r"@(?=[\w\[{(<])|\[~(?=[^\]\s\u2060])")
_CODE = re.compile(r"\[(?=/?code\b)", re.IGNORECASE)
_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_JOINER = "\u2060"
"""A character that nobody sees: what it stands behind is no mention and no tag any more."""

CUT = "…"


def neutral(text: str, longest: int | None = None) -> str:
    """A text that mentions nobody and gives no address away, cut visibly to fit.

    E-mail addresses are replaced; ``@name`` and ``[~name]`` lose their power to notify; ``[code]``
    loses its own to be rendered as HTML (in journals of ServiceNow). Fields of the type string are
    escaped where they are shown; ours are of no other type.
    """
    if not text or text.isalnum():
        return _cut(text, longest)
    found = _CONTROL.sub("", text)
    found = _EMAIL.sub("(e-mail address)", found)
    found = _MENTION.sub(lambda mark: mark[0] + _JOINER, found)
    found = _CODE.sub(f"[{_JOINER}", found)
    return _cut(found, longest)


def _cut(text: str, longest: int | None) -> str:
    if not longest or len(text) <= longest:
        return text
    return text[: longest - len(CUT)].rstrip() + CUT


def fitting_key(key: str, longest: int) -> str:
    """A key of ours that its field can hold: a long one ends in a digest of all of it."""
    if not longest or len(key) <= longest:
        return key
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return f"{key[: longest - len(digest) - 1]}~{digest}"
