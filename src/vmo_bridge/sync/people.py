"""People become keyed pseudonyms at the door, before anything of them is stored."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from functools import lru_cache
from pathlib import Path

from vmo_bridge.connectors.contract import RawRecord, Stream
from vmo_bridge.errors import ConfigError, PluginError
from vmo_bridge.settings import Settings
from vmo_bridge.store import Store

_FINGERPRINT = "people.key.fingerprint"


class People:
    """Replaces what names a person by a pseudonym (HMAC-SHA256, RFC 2104, 80 bits of it)."""

    def __init__(self, key: bytes, *, names: bool) -> None:
        self._names = names

        @lru_cache(maxsize=100_000)
        def pseudonym(value: str) -> str:
            name = _same_person(value)
            return "p" + hmac.new(key, name.encode(), hashlib.sha256).hexdigest()[:20]

        self.pseudonym = pseudonym

    def mask(self, stream: Stream, record: RawRecord) -> RawRecord:
        """The record without names (unless allowed) and with pseudonyms for people."""
        masked = dict(record)
        if not self._names:
            for name in stream.private_fields:
                masked.pop(name, None)
        for name in stream.person_fields:
            value = masked.get(name)
            if type(value) is str:  # asked of every record: what is usual comes first
                if value:
                    masked[name] = self.pseudonym(value)
                continue
            if isinstance(value, (dict, list)):
                # Letting it through would store a person's name: better to read nothing.
                raise PluginError(
                    f"{stream.name}: {name} names a person and is no plain value; "
                    "the connector has to flatten it"
                )
            if value is not None:
                masked[name] = self.pseudonym(str(value))
        return masked


def _same_person(name: str) -> str:
    """An e-mail address is the same in any case (RFC 5321, 2.4 leaves it to the host; all do)."""
    return name.strip().casefold() if "@" in name else name


def load_people(settings: Settings, store: Store) -> People:
    """The pseudonyms with the configured key.

    A missing key file is made for a new store. A store that was filled with another key is
    refused: every person in it would be doubled.
    """
    key = _key(settings, store)
    fingerprint = hmac.new(key, b"vmo-bridge", hashlib.sha256).hexdigest()[:16]
    known = store.runs.fact(_FINGERPRINT)
    if known is None:
        store.runs.set_fact(_FINGERPRINT, fingerprint)
    elif known != fingerprint:
        raise ConfigError(
            f"{settings.file}: people.key: this is not the key that the store {store.path} was "
            "filled with; restore that key, or move the store away and sync anew"
        )
    return People(key, names=settings.people.names)


def _key(settings: Settings, store: Store) -> bytes:
    source = settings.people.key
    if source.file is not None:
        path = settings.path(source.file)
        if not path.exists():
            if store.runs.fact(_FINGERPRINT) is not None:
                raise ConfigError(
                    f"{settings.file}: people.key: {path} is gone; restore it from your backup. "
                    f"A new one would double every person in {store.path}"
                )
            _make_key(path)
    return source.read("people.key", relative_to=settings.file.parent).encode()


def _make_key(path: Path) -> None:
    """Write it under another name first: the key is there as a whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
