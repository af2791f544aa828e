"""Rebuild records from the raw pages that are held, without asking any source."""

from __future__ import annotations

from dataclasses import dataclass

from vmo_bridge.connectors.contract import Connector
from vmo_bridge.store import Store
from vmo_bridge.store.clock import now
from vmo_bridge.sync.keep import Keeper
from vmo_bridge.sync.people import People
from vmo_bridge.sync.scope import Scope
from vmo_bridge.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What became of the raw records of one stream."""

    source: str
    stream: str
    raw: int
    """Raw records that were normalised anew."""
    changed: int
    """Records that came out otherwise than they were held."""
    quarantined: int
    """Raw records that could not be normalised."""


def renormalise(
    connector: Connector, store: Store, people: People, run_id: int, *, scope: Scope, watch: Watch
) -> list[Rebuilt]:
    """Normalise the latest raw record of every key as the configuration says now.

    A stream is rebuilt in one transaction: until the new is whole, the old is there. What comes
    out the same is left alone, what was otherwise becomes history. Raw records hold pseudonyms
    and only the fields that were asked for: a field that was not needs ``sync --full``.
    """
    scope.check(connector.name, [each.name for each in connector.streams])
    return [
        _rebuild(
            Keeper(
                connector=connector,
                store=store,
                people=people,
                run_id=run_id,
                stream=stream,
                stream_id=store.marks.stream(connector.name, stream.name, stream.kinds).id,
            ),
            watch,
        )
        for stream in connector.streams
        if scope.has(connector.name, stream.name)
    ]


def _rebuild(keeper: Keeper, watch: Watch) -> Rebuilt:
    name, stream = keeper.connector.name, keeper.stream.name
    pages = keeper.store.raw.pages(keeper.stream_id)
    raw = changed = quarantined = 0
    watch.begin(f"{name}:{stream} anew", len(pages))
    with keeper.store.transaction():
        for page in pages:
            kept = keeper.rebuild(page, now())
            raw += kept.read
            changed += kept.changed
            quarantined += kept.quarantined
            watch.advance()
            watch.stop_here()
    watch.end(f"{changed} changed")
    return Rebuilt(
        source=name,
        stream=stream,
        raw=raw,
        changed=changed,
        quarantined=quarantined,
    )
