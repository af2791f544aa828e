"""The connector: ties sign-in, reading, normalising and writing of one instance together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import httpx

from vmo_bridge.plugin import (
    AccessError,
    Budget,
    CheckRow,
    Deletion,
    Page,
    RawRecord,
    Record,
    Seen,
    Slice,
    Stream,
    Tally,
)
from vmo_bridge_servicenow import checking, hierarchy, slices, sweep
from vmo_bridge_servicenow.client import NotInstalled
from vmo_bridge_servicenow.deletions import DeletionReader
from vmo_bridge_servicenow.dictionary import Dictionary
from vmo_bridge_servicenow.normalise import Normaliser
from vmo_bridge_servicenow.reader import TableReader, missing_fields, table_filter
from vmo_bridge_servicenow.settings import ServiceNowSettings
from vmo_bridge_servicenow.target import Target
from vmo_bridge_servicenow.words import Words

_T = TypeVar("_T")


class ServiceNow(Target):
    """One ServiceNow instance: a ``Connector``, and what values are written to."""

    def __init__(
        self,
        name: str,
        settings: ServiceNowSettings,
        folder: Path,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        super().__init__(name, settings, folder, transport=transport)
        self._memory: MutableMapping[str, str] = {}
        self._refused: dict[str, str] = {}
        self._dictionary = Dictionary(name, self._client, self._tables)
        self._normaliser = Normaliser(name, _words(settings), settings.service_field, self._tables)

    @property
    def streams(self) -> Sequence[Stream]:
        """The configured tables, those that others refer to first."""
        return [table.stream for table in self._tables.values()]

    def check(self) -> Iterable[CheckRow]:
        """Ask each table for one row: reach, sign-in, rights, and fields that stay blank."""
        return checking.rows(self._client, self._tables, self._dictionary, self._look_up)

    def slices(self, stream: Stream, since: datetime | None, until: datetime | None) -> list[Slice]:
        """A long read is cut into slices of equal size that meet; a short one is one slice."""
        self._refused.pop(stream.name, None)
        self._look_up(stream.name)
        try:
            return slices.cut(
                self._client,
                self._tables[stream.name],
                since,
                until,
                at_once=self.at_once,
                page_size=self._settings.page_size,
            )
        except AccessError as error:
            self._spare(stream.name, error)
            return [Slice(stream=stream.name, since=since, until=until)]

    def _spare(self, table: str, error: AccessError) -> None:
        """Go on without a table that is not installed, or on which nothing else hangs.

        It is as empty as one whose rows are all hidden; a fall of what was held is an alarm.
        """
        known = self._tables[table]
        if isinstance(error, NotInstalled) and known.part_of:
            return
        if not known.spare:
            raise error
        self._refused[table] = str(error)

    def _spared(self, table: str, pieces: Iterator[_T]) -> Iterator[_T]:
        """What comes of a table; nothing if it is spared. A refusal in the middle is no end."""
        begun = False
        try:
            for each in pieces:
                begun = True
                yield each
        except AccessError as error:
            if begun:
                raise
            self._spare(table, error)

    def _look_up(self, table: str) -> None:
        """Refuse columns of the configuration that the instance does not know."""
        self._dictionary.refresh()
        own = {
            "filters": self._settings.filters.get(table, {}),
            "fields": self._settings.fields.get(table, {}).values(),
        }
        self._dictionary.check(self._tables[table], own)

    @property
    def at_once(self) -> int:
        """How many slices may be read side by side."""
        return self._settings.parallel

    def read(self, piece: Slice) -> Iterator[Page]:
        """The pages of a slice by keyset (sys_updated_on, sys_id)."""
        fields = self._tables[piece.stream].all_fields
        blank = set(fields)
        for page in self._spared(piece.stream, self._reader(piece).pages()):
            if blank:
                blank &= {*missing_fields(page.records, fields)}
                self._memory[f"blank:{piece.stream}"] = ",".join(sorted(blank))
            yield page

    def _reader(self, piece: Slice) -> TableReader:
        table = self._tables[piece.stream]
        return TableReader(self._client, table, piece, self._settings.page_size)

    def remember(self, memory: MutableMapping[str, str]) -> None:
        """Which fields never came (a read of few changes could not tell), and calls made."""
        self._memory = self._budget.memory = self._dictionary.memory = memory

    def notes(self, stream: str) -> Sequence[str]:
        """Whether the table may not be read, and what changed of its columns since last time."""
        refused = [self._refused[stream]] if stream in self._refused else []
        return [*refused, *self._dictionary.notes(stream)]

    def budget(self) -> Budget:
        """The calls of this hour."""
        return self._budget.told()

    def blanks(self, stream: Stream) -> Sequence[str]:
        """Fields that no row of the last read had: not there, or hidden from the user."""
        if stream.name in self._refused:
            return ["the whole table"]
        told = self._memory.get(f"blank:{stream.name}", "")
        return [name for name in told.split(",") if name]

    def changed_at(self, stream: str, record: RawRecord) -> datetime | None:
        """When it changed, by the column by which slices select."""
        return sweep.moment_of(record.get(self._tables[stream].stamp))

    def tally(
        self, stream: Stream, windows: Sequence[tuple[datetime | None, datetime | None]]
    ) -> list[Tally]:
        """How many rows changed in each window, and when the last of them did."""
        try:
            return sweep.tally(self._client, self._tables[stream.name], windows)
        except AccessError as error:
            self._spare(stream.name, error)
            return [Tally(since=since, until=until, count=0) for since, until in windows]

    def sweep(self, stream: Stream) -> Iterator[Sequence[Seen]] | None:
        """The sys_id and moment of every row that the user may see."""
        return self._spared(stream.name, sweep.names(self._client, self._tables[stream.name]))

    def fetch(self, stream: Stream, keys: Sequence[str]) -> Iterator[Page]:
        """The rows of these sys_ids."""
        found = sweep.fetch(self._client, self._tables[stream.name], keys)
        return self._spared(stream.name, found)

    def deletions(self, stream: Stream, since: datetime | None) -> Iterable[Deletion]:
        """What ``sys_audit_delete`` tells of the table and of those that extend it."""
        names = hierarchy.family(stream.name, self._parents)
        return DeletionReader(self._client, names, since).deletions()

    @cached_property
    def _parents(self) -> dict[str, str]:
        """Which table extends which; nothing where it may not be read."""
        try:
            return hierarchy.parents(self._client)
        except AccessError:
            return {}

    def normalise(self, stream: str, record: RawRecord) -> Iterable[Record]:
        """Our records from one row of a table."""
        return self._normaliser.records(stream, record)

    def count(self, stream: Stream) -> int | None:
        """``X-Total-Count`` of the table; what access rules hide may be counted or not."""
        table = self._tables[stream.name]
        try:
            return self._client.rows(
                stream.name, query=table_filter(table), fields=("sys_id",), limit=1, count=True
            ).total
        except AccessError as error:
            self._spare(stream.name, error)
            return 0

    def link(self, stream: str, key: str) -> str:
        """The record's form."""
        return f"{self._settings.url}/{stream}.do?sys_id={key}"


def _words(settings: ServiceNowSettings) -> Words:
    return Words(states=settings.states, priorities=settings.priorities, types=settings.types)
