"""The store as the stages see it: its parts, one transaction for them all, one writer."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from vmo_bridge.settings.model import FeedbackSection
from vmo_bridge.store.certificates import Certificates
from vmo_bridge.store.contests import Contests
from vmo_bridge.store.database import damage_told, open_database
from vmo_bridge.store.findings import Findings
from vmo_bridge.store.ledger import Ledger
from vmo_bridge.store.lock import WriterLock
from vmo_bridge.store.marks import Marks
from vmo_bridge.store.memory import Memory
from vmo_bridge.store.outbox import Outbox
from vmo_bridge.store.raw import RawPages
from vmo_bridge.store.runs import Runs
from vmo_bridge.store.sweeps import Sweep
from vmo_bridge.store.tombstones import Tombstones
from vmo_bridge.store.versions import Versions

if TYPE_CHECKING:
    import pyarrow as pa


_ALWAYS = datetime.max.replace(tzinfo=UTC)
"""Later than anything was seen, even by a clock that was set back since."""


class Store:
    """An open store; use it as a context manager.

    ``owner`` names who writes (``vmo-bridge sync``) and takes the writer's lock; without it the
    store is read only, beside any writer.
    """

    def __init__(self, path: Path, *, owner: str | None = None) -> None:
        self.path = path
        self._lock = None
        if owner is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = WriterLock(path, owner).acquire()
        try:
            self._db = open_database(path, write=owner is not None)
        except BaseException:
            self._release()
            raise
        self.raw = RawPages(self._db)
        self.ledger = Ledger(self._db)
        self.versions = Versions(self._db)
        self.tombstones = Tombstones(self._db)
        self.certificates = Certificates(self._db)
        self.marks = Marks(self._db)
        self.runs = Runs(self._db)
        self.findings = Findings(self._db)
        self.outbox = Outbox(self._db)
        self.contests = Contests(self._db)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, then give the lock back."""
        self._db.close()
        self._release()

    def _release(self) -> None:
        if self._lock:
            self._lock.release()

    def sweep(self, stream_id: int) -> Sweep:
        """An empty sweep of a stream, to be filled; one at a time."""
        return Sweep(self._db, stream_id)

    def memory(self, source: str) -> Memory:
        """What the connector of a source remembers."""
        return Memory(self._db, source)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: what is done inside is there as a whole afterwards, or not at all."""
        with damage_told(self.path), self._db.atomic():
            yield

    def tables(
        self,
        *,
        as_of: datetime,
        known_at: datetime | None = None,
        feedback: FeedbackSection | None = None,
        only: Collection[str] | None = None,
    ) -> dict[str, pa.Table]:
        """The documented views (docs/tables.md) as Arrow tables.

        ``as_of``: how the world stood then; ``known_at``: as we knew it then (None: now);
        ``feedback``: what the configuration says of questions and answers; ``only``: these views.
        """
        from vmo_bridge.store.views import Views  # noqa: PLC0415 - pyarrow is slow to import

        with damage_told(self.path):
            return Views(self._db).tables(
                as_of=as_of,
                known_at=known_at or _ALWAYS,
                feedback=feedback or FeedbackSection(),
                only=only,
            )
