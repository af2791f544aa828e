"""One writer at a time: a lock that names its owner and dies with it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from datetime import datetime
from pathlib import Path
from typing import IO, Self

from vmo_bridge.errors import StoreLocked
from vmo_bridge.store.clock import now


class WriterLock:
    """Held while a process writes to a store.

    The kernel holds it (``flock``), so it ends with the process, however that ends; the file's
    content only tells people who the owner is.
    """

    def __init__(self, store: Path, owner: str) -> None:
        self.path = store.with_name(store.name + ".lock")
        self._owner = owner
        self._file: IO[str] | None = None

    def acquire(self) -> Self:
        """Take the lock or raise ``StoreLocked`` naming owner, process and age."""
        file = self.path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            told = _told(file.read())
            file.close()
            raise StoreLocked(
                f"the store {self.path.with_suffix('')} is being written by {told}; "
                "wait until it has ended, or end it"
            ) from error
        file.truncate(0)
        who = {"owner": self._owner, "pid": os.getpid(), "host": socket.gethostname()}
        file.write(json.dumps({**who, "since": now().isoformat()}))
        file.flush()
        self._file = file
        return self

    def release(self) -> None:
        """Give the lock back; harmless if it is not held."""
        if self._file:
            self._file.close()
            self._file = None


def _told(content: str) -> str:
    try:
        owner = json.loads(content)
        age = now() - datetime.fromisoformat(owner["since"])
        return f"'{owner['owner']}' (process {owner['pid']} on {owner['host']}) since {age} h:m:s"
    except (ValueError, KeyError, TypeError):
        return "another process"
