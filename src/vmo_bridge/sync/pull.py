"""Pull one stream: from its marks, page by page, to its watermark; rows and cursors together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from vmo_bridge.connectors.abilities import SideBySide
from vmo_bridge.connectors.contract import Connector, Page, Slice, Stream
from vmo_bridge.errors import PluginError, VmoBridgeError
from vmo_bridge.store import Store
from vmo_bridge.store.clock import now
from vmo_bridge.store.marks import SliceMark, StreamMark
from vmo_bridge.store.memory import Memory
from vmo_bridge.sync.keep import Keeper, Kept
from vmo_bridge.sync.outcome import StreamOutcome
from vmo_bridge.sync.parallel import pages_at_once
from vmo_bridge.sync.scope import Scope
from vmo_bridge.watch import Watch

_A_TRANSACTION = 10_000
"""Rows of one transaction: keys have no order, so each row writes to another page of an index, and
a commit of 1,000 rows costs nearly as much as one of 10,000. A killed read repeats as many."""


@dataclass(slots=True, kw_only=True)
class Pull:
    """The read of one stream."""

    connector: Connector
    store: Store
    keeper: Keeper
    memory: Memory
    stream: Stream
    mark: StreamMark
    outcome: StreamOutcome
    watch: Watch
    _kept: list[Kept] = field(default_factory=list)
    _span: AbstractContextManager[None] | None = None
    _started: bool = False

    def changes(self, overlap: timedelta) -> None:
        """Go on with what was interrupted, or else read what changed since the last whole read."""
        unfinished = self._pieces()
        if unfinished:
            self.store.marks.resume(self.mark.id)
            self._read(self._pieces())
            self._complete()
            if not all(piece.done for piece in unfinished):
                return
            # Only the end was missing: what changed since then is still to be read.
            self.mark = self.store.marks.stream(
                self.connector.name, self.stream.name, self.stream.kinds
            )
        since = self.mark.watermark
        self._begin(since - overlap if since else None, None)
        self._read(self._pieces())
        self._complete()

    def window(self, scope: Scope) -> None:
        """Read a window beside the stream's own way; an interrupted one goes on where it was."""
        pieces = self._pieces(backfill=True)
        if not pieces or (pieces[0].since, pieces[-1].until) != (scope.since, scope.until):
            self.store.marks.end_backfill(self.mark.id)
            self._begin(scope.since, scope.until, backfill=True)
        self._read(self._pieces(backfill=True))
        with self.remembered():
            self.store.marks.end_backfill(self.mark.id)

    def anew(self) -> None:
        """Read everything, whatever was read before; what is held stays until it is replaced."""
        self.store.marks.forget(self.mark.id)
        self._begin(None, None)
        self._read(self._pieces())
        self._complete()

    @contextmanager
    def remembered(self) -> Iterator[None]:
        """One transaction for what is done inside and what the connector remembers of it."""
        with self.store.transaction():
            yield
            self.memory.save()
        self.memory.settle()

    def _pieces(self, *, backfill: bool = False) -> list[SliceMark]:
        pieces = self.store.marks.slices(self.mark.id)
        return [piece for piece in pieces if piece.backfill == backfill]

    def _begin(
        self, since: datetime | None, until: datetime | None, *, backfill: bool = False
    ) -> None:
        slices = self.connector.slices(self.stream, since, until)
        self.store.marks.begin(
            self.mark.id,
            [(each.since, each.until, each.cursor) for each in slices],
            backfill=backfill,
        )

    def _complete(self) -> None:
        with self.remembered():
            self.store.marks.complete(self.mark.id)

    def _read(self, slices: Sequence[SliceMark]) -> None:
        pieces = [piece for piece in slices if not piece.done]
        at_once = self.connector.at_once if isinstance(self.connector, SideBySide) else 1
        self._started = False
        try:
            for piece, page in pages_at_once(pieces, self._pages, at_once):
                self._take(piece, page)
        finally:
            self._commit()  # also after trouble, or a stop: what came before it is whole
            if self._started:
                self.watch.end(f"{self.outcome.changed} new or changed")

    def _take(self, piece: SliceMark, page: Page | None) -> None:
        """Keep a page, or note the end of a slice (None); commit when enough is kept."""
        if page is not None and not self._started:
            self.watch.begin(f"{self.connector.name}:{self.stream.name}", page.expected)
            self._started = True
        with self._spanning():
            if page is None:
                self.store.marks.finish_slice(piece.id)
                return
            self._kept.append(self.keeper.keep(page.records, now()))
            self.store.marks.advance(piece.id, cursor=page.cursor, newest=page.newest)
        self.watch.advance(len(page.records))
        if sum(each.read for each in self._kept) >= _A_TRANSACTION:
            self._commit()
        self.watch.stop_here()

    def _pages(self, piece: SliceMark) -> Iterator[Page]:
        """The pages of a slice; a connector's own mistake costs this stream only."""
        try:
            yield from self.connector.read(
                Slice(
                    stream=self.stream.name,
                    since=piece.since,
                    until=piece.until,
                    cursor=piece.cursor,
                )
            )
        except VmoBridgeError:
            raise
        except Exception as error:
            raise PluginError(f"the connector stumbled: {type(error).__name__}: {error}") from error

    @contextmanager
    def _spanning(self) -> Iterator[None]:
        """Inside a transaction that spans many pages; where one fails, none of them is kept."""
        if self._span is None:
            self._span = self.remembered()
            self._span.__enter__()
        try:
            yield
        except BaseException as error:
            span, self._span = self._span, None
            self._kept.clear()
            span.__exit__(type(error), error, error.__traceback__)
            raise

    def _commit(self) -> None:
        """Save what is new on the pages taken, together with their cursors."""
        span, self._span = self._span, None
        kept, self._kept = self._kept, []
        if span is not None:
            span.__exit__(None, None, None)
        for each in kept:
            self.outcome.add(each)
