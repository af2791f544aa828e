"""The one comment of ours on an issue, told from all others by its author and its last line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from vmo_bridge_jira import wiki

if TYPE_CHECKING:
    from vmo_bridge_jira.library import Library

FIELD = "vmo.comment.signals"
MARK = "vmo-bridge"
"""The last line of a comment of ours."""
_PAGE = 50
_WHO = ("accountId", "key", "name")
"""What tells users apart: the first on the Cloud, the others on Data Center."""


class SignalComment:
    """A field of an issue in which a comment stands, in plain text."""

    def __init__(self, library: Library, url: str) -> None:
        self._library = library
        self._url = url

    def read(self, key: str) -> str:
        """What our comment says; empty where there is none. Takes a call for 50 comments."""
        for each in self._ours(key):
            return _said(each.raw)
        return ""

    def write(self, key: str, text: str) -> None:
        """Make our comment or change it in its place; an empty text takes it away."""
        body = f"{wiki.escaped(text)}\n\n{MARK}"
        first, *more = [*self._ours(key)] or [None]
        if first is None and text:
            # In a service project customers would read it; elsewhere it makes no difference.
            self._library.add_comment(key, body, is_internal=True)
            return
        for each in [first, *more]:
            if each is None:
                continue
            # The site may call itself by another address than we do; ours is trusted.
            each.self = f"{self._url}/rest/api/2/issue/{key}/comment/{each.raw['id']}"
            if text and each is first:
                each.update(body=body)
            else:
                each.delete()

    def _ours(self, key: str) -> Iterator[Any]:
        """Our comments, oldest first: more than one only if somebody made us write two."""
        seen: set[str] = set()
        while True:
            page = self._library.comments(key, start_at=len(seen), max_results=_PAGE)
            fresh = [each for each in page if each.raw["id"] not in seen]
            yield from (each for each in fresh if self._is_ours(each.raw))
            seen |= {each.raw["id"] for each in fresh}
            if len(page) < _PAGE or not fresh:
                return

    def _is_ours(self, raw: dict[str, Any]) -> bool:
        """Whether we wrote it; what others wrote is theirs, whatever its last line is."""
        lines = _body(raw).rstrip().splitlines()
        if not lines or lines[-1].strip() != MARK:
            return False
        author = raw.get("author") or {}
        return any(author.get(name) and author[name] == self._me.get(name) for name in _WHO)

    @cached_property
    def _me(self) -> dict[str, Any]:
        return self._library.myself()


def _body(raw: dict[str, Any]) -> str:
    body = raw.get("body")
    return body if isinstance(body, str) else ""


def _said(raw: dict[str, Any]) -> str:
    """The text of a comment of ours, without its last line, as it was before it was escaped."""
    lines = _body(raw).rstrip().splitlines()[:-1]
    return " ".join(wiki.plain("\n".join(lines)).split())
