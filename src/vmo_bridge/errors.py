"""Every error of VMO Bridge, grouped by what the operator does next.

::

    VmoBridgeError
    ├── ConfigError          mend the configuration
    │   └── SecretMissing        give the secret
    ├── SignInError          sign in again: the credentials were refused
    ├── AccessError          ask for a right: signed in, but not allowed
    ├── RetryLater           wait: the source is away, or asks us to slow down
    │   └── TooSlow              no answer in time; asking for less may help
    ├── SourceError          the source answered, and the answer cannot be trusted
    ├── RecordError          one record is skipped (quarantined), the rest goes on
    ├── WriteRefused         one write was refused by the platform
    ├── StoreError           look after the store
    │   ├── StoreLocked          wait for the other writer
    │   └── StoreDamaged         restore a copy; nothing was overwritten
    └── PluginError          mend or remove a plugin

A message says what, which value, and what to do. It never holds a secret or personal data.
"""

from __future__ import annotations

from datetime import datetime


class VmoBridgeError(Exception):
    """Whatever a person can do something about; the command line shows it without a traceback."""

    exit_code = 1


class ConfigError(VmoBridgeError):
    """A setting is wrong; the message names file, dotted key, value and cure."""

    exit_code = 2


class SecretMissing(ConfigError):
    """A secret that the configuration points to is not there."""


class SignInError(VmoBridgeError):
    """The source refused the credentials."""

    exit_code = 3


class AccessError(VmoBridgeError):
    """Signed in, but a table, a field or an interface is not allowed."""

    exit_code = 3


class RetryLater(VmoBridgeError):
    """The source is away or limits us.

    ``retry_at`` is the moment (aware UTC) from which a retry makes sense, if the source named one.
    """

    exit_code = 4

    def __init__(self, message: str, *, retry_at: datetime | None = None) -> None:
        super().__init__(message)
        self.retry_at = retry_at


class TooSlow(RetryLater):
    """The source did not answer in time; asking for less may help."""


class SourceError(VmoBridgeError):
    """The source's answer is broken, incomplete or against its own documentation."""

    exit_code = 4


class RecordError(VmoBridgeError):
    """One raw record cannot be normalised; ``reason`` is kept with it in quarantine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WriteRefused(VmoBridgeError):
    """The platform refused one write; the message holds its words."""


class StoreError(VmoBridgeError):
    """The store cannot be used as asked."""

    exit_code = 5


class StoreLocked(StoreError):
    """Another process writes to the store."""


class StoreDamaged(StoreError):
    """The store's file is not a whole VMO Bridge store; it was left as it is."""


class PluginError(VmoBridgeError):
    """A plugin does not do what the hooks ask of it."""
