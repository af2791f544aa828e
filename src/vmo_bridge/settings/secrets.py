"""Where a secret is kept: the environment, a file or the OS keyring, never the TOML itself."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import BaseModel, model_validator

from vmo_bridge.errors import SecretMissing


class SecretSource(BaseModel, extra="forbid", frozen=True):
    """A pointer to a secret: exactly one of ``env``, ``file`` or ``keyring``."""

    env: str | None = None
    """Name of an environment variable."""
    file: Path | None = None
    """A file that holds the secret and nothing else; relative to the configuration."""
    keyring: str | None = None
    """``service/user`` in the keyring of the operating system."""

    @model_validator(mode="before")
    @classmethod
    def _refuse_plain_text(cls, given: Any) -> Any:
        if not isinstance(given, (dict, SecretSource)):
            # The value itself must not be repeated: it may be the secret.
            raise ValueError(
                "a secret does not stand in the configuration; write where it is kept, as "
                '{ env = "NAME" }, { file = "path" } or { keyring = "service/user" }'
            )
        return given

    @model_validator(mode="after")
    def _exactly_one(self) -> SecretSource:
        if sum(each is not None for each in (self.env, self.file, self.keyring)) != 1:
            raise ValueError("name exactly one of env, file or keyring")
        if self.keyring is not None and self.keyring.count("/") != 1:
            # Not repeated either: a secret may have been put here by mistake.
            raise ValueError("keyring has to be written as 'service/user'")
        return self

    def read(self, key: str, *, relative_to: Path | None = None) -> str:
        """Get the secret; ``key`` is the dotted setting, named where the secret is missing.

        Raises ``SecretMissing``; the message holds the place, never the value.
        """
        if self.env is not None:
            value, place = os.environ.get(self.env, ""), f"environment variable {self.env}"
        elif self.file is not None:
            path = (relative_to or Path()) / self.file.expanduser()
            value, place = _read_file(path), f"file {path}"
        else:
            value, place = _read_keyring(key, self.keyring or ""), f"keyring entry {self.keyring}"
        if not value:
            raise SecretMissing(
                f"{key}: {place} is empty, no text or not there; put the secret there"
            )
        return value


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _read_keyring(key: str, entry: str) -> str:
    try:
        import keyring  # noqa: PLC0415 - optional, and slow to import
        import keyring.errors  # noqa: PLC0415 - as above
    except ImportError as error:
        raise SecretMissing(
            f"{key}: the package 'keyring' is not installed; "
            "install vmo-bridge[keyring], or keep the secret in the environment or a file"
        ) from error
    service, user = entry.split("/")
    try:
        return keyring.get_password(service, user) or ""
    except keyring.errors.KeyringError as error:
        raise SecretMissing(
            f"{key}: the keyring of this machine cannot be asked ({type(error).__name__}); "
            "open it, or keep the secret in the environment or a file"
        ) from error
