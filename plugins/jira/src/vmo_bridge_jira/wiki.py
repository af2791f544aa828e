"""Plain text as Jira's wiki markup and back: nothing in it is rendered, linked or notified."""

from __future__ import annotations

import re

_MARKUP = re.compile(
    r"[{}\[\]*_^~|!]"
    r"|(?<![^\W_])[-+]|[-+](?![^\W_])"  # within a word they are what they are
    r"|\?(?=\?)|(?<=\?)\?"
    r"|\((?=[^\s()]{1,4}\))"  # emoticons: (x), (on), (*r)
    r"|(?<=[:;])[()]"
    r"|(?<=^h[1-6])\.|(?<=^bq)\.|^\#"
)
_ENTITIES = (("&", "&amp;"), ("\\", "&#92;"))
"""A backslash can not be escaped by another: two of them break the line."""
_ESCAPED = re.compile(r"\\([^\sA-Za-z0-9])")


def escaped(text: str) -> str:
    """A line of plain text as markup that shows it as it is."""
    for sign, entity in _ENTITIES:
        text = text.replace(sign, entity)
    return _MARKUP.sub(lambda sign: f"\\{sign[0]}", text)


def plain(markup: str) -> str:
    """The text that ``escaped`` was given; also where a site dropped escapes it does not need."""
    text = _ESCAPED.sub(r"\1", markup)
    for sign, entity in reversed(_ENTITIES):
        text = text.replace(entity, sign)
    return text
