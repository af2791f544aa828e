"""Sync one source: pull each of its streams, reconcile it, certify what is held."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import msgspec

from vmo_bridge.connectors.abilities import Metered, Noting, Remembering
from vmo_bridge.connectors.contract import Connector, Stream
from vmo_bridge.errors import AccessError, PluginError, RetryLater, SignInError, SourceError
from vmo_bridge.store import Store
from vmo_bridge.store.marks import StreamMark
from vmo_bridge.store.memory import Memory
from vmo_bridge.sync.keep import Keeper
from vmo_bridge.sync.outcome import StreamOutcome
from vmo_bridge.sync.people import People
from vmo_bridge.sync.pull import Pull
from vmo_bridge.sync.reconcile import Reconciliation
from vmo_bridge.sync.scope import Care, Scope
from vmo_bridge.watch import Watch

log = logging.getLogger(__name__)

BUDGET = "budget."
"""The fact that says how the calls of a source stood after its last sync: this and its name."""


def sync_source(
    connector: Connector,
    store: Store,
    people: People,
    run_id: int,
    *,
    care: Care,
    watch: Watch,
    scope: Scope = Scope(),  # noqa: B008 - frozen
) -> list[StreamOutcome]:
    """Read the streams of a source; a stream that fails is noted, and the others go on.

    A source that is away, or refuses to let us in, is not asked for its other streams.
    """
    scope.check(connector.name, [each.name for each in connector.streams])
    memory = store.memory(connector.name)
    if isinstance(connector, Remembering):
        connector.remember(memory)
    visit = _Visit(connector, store, people, memory, run_id, care, watch, scope)
    try:
        return [
            visit.stream(stream)
            for stream in connector.streams
            if scope.has(connector.name, stream.name)
        ]
    finally:
        if isinstance(connector, Metered):
            told = msgspec.json.encode(connector.budget()).decode()
            store.runs.set_fact(f"{BUDGET}{connector.name}", told)


@dataclass(slots=True)
class _Visit:
    """One sync of one source."""

    connector: Connector
    store: Store
    people: People
    memory: Memory
    run_id: int
    care: Care
    watch: Watch
    scope: Scope
    gone: str = ""
    """Why the source is not asked any more."""

    def stream(self, stream: Stream) -> StreamOutcome:
        """Pull, reconcile and certify one stream."""
        outcome = StreamOutcome(source=self.connector.name, stream=stream.name)
        mark = self.store.marks.stream(self.connector.name, stream.name, stream.kinds)
        keeper = Keeper(
            connector=self.connector,
            store=self.store,
            people=self.people,
            run_id=self.run_id,
            stream=stream,
            stream_id=mark.id,
        )
        reconciliation = Reconciliation(
            keeper=keeper, mark=mark, outcome=outcome, care=self.care, watch=self.watch
        )
        if not self.gone:
            self._read(keeper, mark, outcome, reconciliation)
            if isinstance(self.connector, Noting):
                outcome.notes += self.connector.notes(stream.name)
        outcome.problem = outcome.problem or self.gone
        self._end(mark, outcome)
        reconciliation.certify()
        return outcome

    def _read(
        self,
        keeper: Keeper,
        mark: StreamMark,
        outcome: StreamOutcome,
        reconciliation: Reconciliation,
    ) -> None:
        pull = Pull(
            connector=self.connector,
            store=self.store,
            keeper=keeper,
            memory=self.memory,
            stream=keeper.stream,
            mark=mark,
            outcome=outcome,
            watch=self.watch,
        )
        try:
            if self.scope.is_backfill:
                pull.window(self.scope)
                return
            if self.scope.full:
                pull.anew()
            else:
                pull.changes(self.care.overlap)
            reconciliation.run(sweep=self.scope.sweep or self.scope.full)
        except (RetryLater, SignInError) as error:
            self.gone = str(error)
        except (AccessError, SourceError, PluginError) as error:
            outcome.problem = str(error)

    def _end(self, mark: StreamMark, outcome: StreamOutcome) -> None:
        """Tell what there is to tell, and keep why a stream is not whole."""
        told = f"{outcome.source}:{outcome.stream}"
        for note in outcome.notes:
            log.warning("%s: %s", told, note)
        if outcome.problem:
            log.warning("%s: %s", told, outcome.problem)
        with self.store.transaction():
            if outcome.problem:
                self.store.marks.fail(mark.id, outcome.problem)
            self.memory.save()
        self.memory.settle()
