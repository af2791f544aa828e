"""What a plugin's author gives the suite: a source to read, and ways to change and break it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import pytest

from vmo_bridge.connectors.contract import (
    Connector,
    Page,
    RawRecord,
    Slice,
    Stream,
)
from vmo_bridge.connectors.writing import Change, TargetTable
from vmo_bridge.records import Record
from vmo_bridge.sync.people import People

PEOPLE = People(b"the key of the conformance suite", names=False)
"""Makes pseudonyms as a sync does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A raw record that cannot be normalised: one of the source's own, with some fields changed."""

    stream: str
    field: str
    """The field that the error must name."""
    changes: Mapping[str, Any]
    """What makes it broken; ``None`` takes the field away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where the suite may write.

    On a platform where we make records of our own: a table with a text field that tells them. On
    one where values only go onto records that are there: such a ``record``, and no ``match_field``.
    """

    tables: tuple[TargetTable, ...]
    """Provisioned before anything is written; its first one is written to."""
    match_field: str | None = None
    """The field that tells our records; None where the platform makes none of ours."""
    values: Mapping[str, str]
    """At least two fields, and what is written into them."""
    others: Mapping[str, str]
    """The same fields, and other values for them."""
    absent_key: str
    """Looks like a record's key, and is none."""
    record: tuple[str, str] | None = None
    """(table, key) of a record that is there already, with fields of ``tables`` on it."""

    @property
    def table(self) -> str:
        """The table that is written to."""
        return self.tables[0].table

    @property
    def standing(self) -> str:
        """The key of the record in that table that is there already.

        Raises:
            ValueError: there is none, or it stands in another table.
        """
        if self.record is None or self.record[0] != self.table:
            raise ValueError(
                f"a target without 'match_field' needs a 'record' in {self.table!r}, "
                f"not {self.record!r}"
            )
        return self.record[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source to test a connector on.

    Only ``connect`` has to be given; each of the others makes more of the suite run. The source
    should hold some records a stream and give them in small pages, so that there is something
    to interrupt.
    """

    connect: Callable[[], Connector]
    """A connector of its own, signed in; it is asked for several, all on the same source."""
    page_size: int | None = None
    """No page may hold more."""
    change: Callable[[str, str], None] | None = None
    """``(stream, key)``: change that record over there now, with a new stamp."""
    insert: Callable[[str], tuple[str, str]] | None = None
    """``(text)``: make a record that holds the text; gives (stream, key)."""
    delete: Callable[[str, str], bool] | None = None
    """``(stream, key)``: delete that record over there; False where none of it can be deleted."""
    edit: Callable[[str, str, datetime], None] | None = None
    """``(stream, key, moment)``: change that record at that moment of the source's clock."""
    sized: Callable[[int], Connector] | None = None
    """``(page_size)``: a connector that asks for pages of another size."""
    double: Callable[[], None] | None = None
    """From now on some record comes twice in each answer."""
    repeat_token: Callable[[], None] | None = None
    """From now on each page names itself as the next one."""
    limit: Callable[[int, Literal["seconds", "date"]], None] | None = None
    """``(seconds, form)``: from now on 429, with ``Retry-After`` in that form."""
    refuse_sign_in: Callable[[bool], None] | None = None
    """``(refuse)``: from now on 401 for everybody, or no longer."""
    unreachable: Callable[[], Connector] | None = None
    """A connector whose source is away."""
    wrong_secret: Callable[[], Connector] | None = None
    """A connector that is refused."""
    hide_error: Callable[[], None] | None = None
    """From now on answers look good and carry a failure inside."""
    secrets: Sequence[str] = ()
    """What must never be shown: passwords, tokens, keys."""
    broken: Sequence[Broken] = ()
    target: Target | None = None
    """For connectors that can write."""
    seconds: float = 20.0
    """How long a check, or a failure to connect, may take."""
    streams: Sequence[str] = field(default=())
    """Names of the streams to test; all if empty."""

    def chosen(self, connector: Connector) -> list[Stream]:
        """The streams to test."""
        return [each for each in connector.streams if not self.streams or each.name in self.streams]


class Suite:
    """The fixtures that all parts of the suite share."""

    @pytest.fixture
    def source(self) -> Source:
        """What the suite runs on: a subclass gives it."""
        raise NotImplementedError("give the fixture 'source': see docs/plugins.md")

    @pytest.fixture
    def connector(self, source: Source) -> Iterator[Connector]:
        """One connector, closed at the end."""
        connector = source.connect()
        yield connector
        connector.close()


def need(given: Any, what: str) -> None:
    """Skip a check that the source gives no means for."""
    if not given:
        pytest.skip(f"the source gives no {what}")


def pages_of(connector: Connector, stream: Stream) -> list[Page]:
    """All pages of a stream, slice after slice."""
    return [page for piece in whole(connector, stream) for page in connector.read(piece)]


def whole(connector: Connector, stream: Stream) -> list[Slice]:
    """The slices that together are the whole stream."""
    return connector.slices(stream, None, None)


def rows_of(connector: Connector, stream: Stream) -> list[RawRecord]:
    """All raw records of a stream."""
    return [row for page in pages_of(connector, stream) for row in page.records]


def keys_of(stream: Stream, rows: Sequence[RawRecord]) -> list[str]:
    """The keys of raw records, in their order."""
    return [str(row[stream.key_field]) for row in rows]


def masked(stream: Stream, row: RawRecord) -> RawRecord:
    """A raw record as a sync hands it to ``normalise``: people are pseudonyms."""
    return PEOPLE.mask(stream, row)


def change_of(target: Target, name: str, values: Mapping[str, str] | None = None) -> Change:
    """What gives ``values`` to our record of that name; where none is ours, to the one there."""
    wanted = dict(target.values if values is None else values)
    if target.match_field is not None:
        match = {target.match_field: name}
        return Change(table=target.table, key=None, match=match, values=wanted)
    return Change(table=target.table, key=target.standing, match={}, values=wanted)


def rows_in(pages: Iterable[Page]) -> list[RawRecord]:
    """The raw records of some pages."""
    return [row for page in pages for row in page.records]


def is_utc(moment: datetime) -> bool:
    """Whether a moment is aware, and UTC."""
    return moment.tzinfo is not None and moment.utcoffset() == UTC.utcoffset(None)


def records_in(connector: Connector, stream: Stream, page: Page) -> list[Record]:
    """What the raw records of a page become."""
    return [
        record
        for row in page.records
        for record in connector.normalise(stream.name, masked(stream, row))
    ]


def all_records(connector: Connector, stream: Stream) -> list[Record]:
    """What a whole stream becomes."""
    return [
        record
        for page in pages_of(connector, stream)
        for record in records_in(connector, stream, page)
    ]


def told_by(error: BaseException | None) -> list[str]:
    """What an error and all its causes say."""
    words: list[str] = []
    while error is not None:
        words += [str(error), repr(error)]
        error = error.__cause__ or error.__context__
    return words
