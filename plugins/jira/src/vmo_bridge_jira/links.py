"""The link of ours from an issue to the demand that it is for, in another system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vmo_bridge.plugin import WriteRefused

if TYPE_CHECKING:
    from vmo_bridge_jira.library import Library

FIELD = "vmo.link.demand"
GLOBAL_ID = "vmo-bridge:demand"
"""Jira keeps one link of it on an issue: made again, it is changed."""
_APPLICATION = {"type": "vmo-bridge", "name": "VMO Bridge"}
_LONGEST = 255


class DemandLink:
    """A field of an issue in which a link stands: the demand's number, a blank, its address."""

    def __init__(self, library: Library, url: str) -> None:
        self._library = library
        self._url = url

    def read(self, key: str) -> str:
        """What the link says; empty where there is none of ours. Takes one call."""
        for each in self._ours(key):
            shown = each.raw.get("object") or {}
            return f"{shown.get('title', '')} {shown.get('url', '')}"
        return ""

    def write(self, key: str, text: str) -> None:
        """Make or change the link; an empty text takes it away."""
        if not text:
            for each in self._ours(key):
                # The site may call itself by another address than we do; ours is trusted.
                each.self = f"{self._url}/rest/api/2/issue/{key}/remotelink/{each.raw['id']}"
                each.delete()
            return
        number, _, address = text.rpartition(" ")
        if urlsplit(address).scheme not in ("https", "http"):
            raise WriteRefused(f"issue {key}: {address!r:.60} is no address that a link can have")
        self._library.add_remote_link(
            key,
            {"url": address, "title": (number or address)[:_LONGEST]},
            globalId=GLOBAL_ID,
            application=_APPLICATION,
            relationship="demand",
        )

    def _ours(self, key: str) -> list[Any]:
        links = self._library.remote_links(key)
        return [each for each in links if each.raw.get("globalId") == GLOBAL_ID]
