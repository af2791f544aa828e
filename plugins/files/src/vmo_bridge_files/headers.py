"""Header names: when two are the same, which are personal, and which column means what."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from difflib import get_close_matches

ROLES = (
    "id", "answered_at", "invited_at", "started_at", "changed_at", "person", "email", "ticket",
    "service", "user_group",
)  # fmt: skip
"""What a column can mean, besides a question."""

TIMES = ("answered_at", "invited_at", "started_at", "changed_at")
"""Those of them that hold moments."""

PERSONAL = frozenset({
    "name", "full name", "first name", "last name", "firstname", "lastname", "surname",
    "recipientfirstname", "recipientlastname", "your name", "respondent", "respondent name",
    "user", "username", "user name", "login", "email", "e-mail", "email address",
    "e-mail address", "mail", "recipientemail", "phone", "phone number", "telephone", "mobile",
    "ip", "ip address", "ipaddress", "ip-address", "latitude", "longitude", "locationlatitude",
    "locationlongitude", "externalreference", "externaldatareference",
})  # fmt: skip
"""Headers that form tools add for people and places: dropped unless a setting names them."""

_ZERO_WIDTH = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff"))
_SUFFIX = re.compile(r"[ ._]?\(?\d{1,2}\)?$")


def plain(header: str) -> str:
    """A header without what does not tell it apart: case, blanks of any kind, a closing ``*``."""
    text = " ".join(header.translate(_ZERO_WIDTH).split())
    return text.rstrip("* ").casefold() or text


def unique(names: list[str]) -> list[str]:
    """The plain names, each that comes again with its number: ``comment``, ``comment (2)``."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] < 2 or not name else f"{name} ({seen[name]})")
    return found


def position(wanted: str, names: list[str]) -> int | None:
    """Where a column stands: under its name, else under that name with a number behind it.

    Form tools number a title that stands twice (``Email``, ``Email2``). One that could be two
    columns is none.
    """
    name = plain(wanted)
    if name in names:
        return names.index(name)
    numbered = [at for at, each in enumerate(names) if _SUFFIX.sub("", each) == name]
    return numbered[0] if len(numbered) == 1 else None


def nearest(wanted: str, headers: list[str]) -> str:
    """The header that was most likely meant; empty if none comes near."""
    by_name = {plain(each): each for each in headers}
    close = get_close_matches(plain(wanted), list(by_name), n=1, cutoff=0.5)
    return by_name[close[0]] if close else ""


def column_key(name: str) -> str:
    """The key of a column in refs and ids: readable, and the same in every file and order."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40].strip("-")
    return f"{slug or 'column'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
