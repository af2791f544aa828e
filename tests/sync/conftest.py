"""A store, a source that obeys, and one call to sync them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vmo_bridge.connectors.abilities import Deletion, Seen, Tally
from vmo_bridge.connectors.contract import Page, Stream
from vmo_bridge.errors import VmoBridgeError
from vmo_bridge.store import Store
from vmo_bridge.sync import Care, Scope, StreamOutcome, sync_source
from vmo_bridge.sync.people import People
from vmo_bridge.watch import Watch

Sync = Callable[..., dict[str, StreamOutcome]]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "vmo-bridge.db", owner="test") as store:
        yield store


@pytest.fixture
def sync(fakes: SimpleNamespace, platform: Any, store: Store) -> Sync:
    """Sync all streams; the outcomes by stream."""

    def synced(*, overlap: int = 0, watch: Watch | None = None) -> dict[str, StreamOutcome]:
        outcomes = sync_source(
            fakes.Connector(platform),
            store,
            People(b"key", names=False),
            1,
            care=Care(overlap=timedelta(seconds=overlap)),
            watch=watch or Watch(),
        )
        return {each.stream: each for each in outcomes}

    return synced


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def make_able(base: type[Any]) -> type[Any]:  # noqa: C901 - a class of small methods
    """The fake connector of the tests, with every ability; ``platform.audit`` holds deletions."""

    class Able(base):  # type: ignore[misc]
        hidden: frozenset[str] = frozenset()
        """Keys that are counted and never named."""
        audit_refused: VmoBridgeError | None = None
        fields_blank: tuple[str, ...] = ()
        fetched: list[str]

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.fetched = []

        def changed_at(self, stream: str, record: Mapping[str, Any]) -> datetime | None:
            return _moment(record["updated"])

        def tally(
            self, stream: Stream, windows: Sequence[tuple[datetime | None, datetime | None]]
        ) -> list[Tally]:
            rows = self.platform.rows[stream.name].values()
            found = []
            for since, until in windows:
                stamps = [
                    row["updated"]
                    for row in rows
                    if (since is None or _moment(row["updated"]) >= since)
                    and (until is None or _moment(row["updated"]) < until)
                ]
                newest = _moment(max(stamps)) if stamps else None
                found.append(Tally(since=since, until=until, count=len(stamps), newest=newest))
            return found

        def count(self, stream: Stream) -> int | None:
            super().count(stream)
            return len(self.platform.rows[stream.name])

        def sweep(self, stream: Stream) -> Iterator[Sequence[Seen]] | None:
            return self._sweep(stream)

        def _sweep(self, stream: Stream) -> Iterator[Sequence[Seen]]:
            for number, (key, row) in enumerate(sorted(self.platform.rows[stream.name].items())):
                self.platform.before_page(f"sweep {stream.name}", number)
                if key not in self.hidden:
                    yield [Seen(key=key, changed_at=_moment(row["updated"]))]

        def fetch(self, stream: Stream, keys: Sequence[str]) -> Iterator[Page]:
            self.fetched += keys
            rows = self.platform.rows[stream.name]
            yield Page(records=[dict(rows[key]) for key in keys if key in rows], cursor=None)

        def deletions(self, stream: Stream, since: datetime | None) -> Iterable[Deletion]:
            if self.audit_refused:
                raise self.audit_refused
            return [
                Deletion(key=key, at=_moment(at), proof="audit")
                for name, key, at in getattr(self.platform, "audit", [])
                if name == stream.name and (since is None or _moment(at) >= since)
            ]

        def blanks(self, stream: Stream) -> Sequence[str]:
            return self.fields_blank

    return Able


@pytest.fixture
def able(fakes: SimpleNamespace, platform: Any) -> Any:
    """A connector of the platform's tickets with every ability."""
    platform.streams = (platform.streams[3],)
    platform.audit = []
    return make_able(fakes.Connector)(platform)


@pytest.fixture
def sync_able(able: Any, store: Store) -> Callable[..., StreamOutcome]:
    """Sync the tickets by the able connector; ``sweep`` and the like as in ``Scope``."""

    def synced(
        care: Care = Care(overlap=timedelta(0)),  # noqa: B008 - frozen
        watch: Watch | None = None,
        **scope: Any,
    ) -> StreamOutcome:
        (outcome,) = sync_source(
            able,
            store,
            People(b"key", names=False),
            1,
            care=care,
            watch=watch or Watch(),
            scope=Scope(**scope),
        )
        return outcome

    return synced
