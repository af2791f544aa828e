"""The connector: ties sign-in, reading, normalising and writing of one site together."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from vmo_bridge.plugin import (
    Budget,
    Change,
    CheckRow,
    Difference,
    HourBudget,
    HttpClient,
    Page,
    Places,
    ProvisionStep,
    RawRecord,
    Receipt,
    Record,
    Seen,
    Slice,
    Stream,
    Tally,
    TargetTable,
    WriteRefused,
)
from vmo_bridge_jira import blanks, comments, links, moments, site, slicing, sweep
from vmo_bridge_jira.checks import Checks
from vmo_bridge_jira.client import JiraClient, SignIn
from vmo_bridge_jira.cloud import CloudSearch
from vmo_bridge_jira.counting import Counter, Window
from vmo_bridge_jira.drift import Drift
from vmo_bridge_jira.flatten import PERSON_FIELDS
from vmo_bridge_jira.limits import Limits, resume_at
from vmo_bridge_jira.moments import EPOCH
from vmo_bridge_jira.normalise import Normaliser
from vmo_bridge_jira.ratings import RatingComments
from vmo_bridge_jira.reader import Flattener, read_slice
from vmo_bridge_jira.search import Search
from vmo_bridge_jira.server import ServerSearch
from vmo_bridge_jira.settings import JiraSettings
from vmo_bridge_jira.shapes import PLAIN, Reader, reader_of
from vmo_bridge_jira.site import Site
from vmo_bridge_jira.writer import PROPERTY, IssueWriter

if TYPE_CHECKING:
    from vmo_bridge_jira.library import Library

FIELDS = Stream(name="fields", kinds=("question",), key_field="id")
ISSUES = Stream(
    name="issues",
    kinds=("ticket", "initiative", "span", "link", "feedback", "answer", "sla_outcome"),
    key_field="id",
    person_fields=PERSON_FIELDS,
)
CLOUD_AT_ONCE, SERVER_AT_ONCE = 4, 2
"""A Data Center is often one machine that people work on, too."""


class Jira:
    """One Jira site: a ``Connector`` and a ``Writer``."""

    def __init__(
        self,
        name: str,
        settings: JiraSettings,
        folder: Path,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._limits = Limits(name)
        self._calls = HourBudget(name, settings.calls_per_hour)
        self._http = HttpClient(
            name,
            settings.url,
            auth=SignIn(name, settings, folder, self._limits),
            timeout=settings.timeout_seconds,
            transport=transport,
            resume_at=resume_at,
            budget=self._calls,
        )
        self._client = JiraClient(self._http)
        self._normaliser = Normaliser(name, settings)
        self._drift = Drift(name, settings)
        self._looked: Site | None = None
        self._lock = threading.Lock()

    @cached_property
    def _library(self) -> Library:
        from vmo_bridge_jira.library import Library  # noqa: PLC0415 - slow to import

        return Library(self._client)

    @cached_property
    def _cloud(self) -> bool:
        if self._settings.deployment != "auto":
            return self._settings.deployment == "cloud"
        return site.is_cloud(site.server_info(self._library, self.name), self._settings)

    @cached_property
    def _writer(self) -> IssueWriter:
        return IssueWriter(self._client, self._library, self._limits, cloud=self._cloud)

    @property
    def places(self) -> Places:
        """Issues carry facts of themselves, epics the values of their service; in our property."""
        return Places(
            tickets=(),
            all_tickets="issue",
            initiatives="epic",
            demand_field=links.FIELD,
            comment_field=comments.FIELD if self._settings.comments else None,
            own_records=False,
            field_prefix=f"{PROPERTY}.",
            further_fields={str(fact): name for fact, name in self._settings.value_fields.items()},
        )

    @property
    def streams(self) -> Sequence[Stream]:
        """The fields (for the questions in them), then the issues."""
        return (FIELDS, ISSUES)

    def check(self) -> Iterable[CheckRow]:
        """Reach, sign-in, projects, fields, the scope, and whether value fields can be edited."""
        return Checks(
            self.name, self._library, self._settings, search=self._search, scope=self.scope
        ).rows()

    @property
    def scope(self) -> str:
        """The JQL of what is read, whenever it changed."""
        keys = ", ".join(f'"{key}"' for key in self._settings.projects)
        own = self._settings.jql
        parts = [f"project in ({keys})" if keys else "", f"({own})" if own else ""]
        return " AND ".join(part for part in parts if part)

    def slices(self, stream: Stream, since: datetime | None, until: datetime | None) -> list[Slice]:
        """Everything that changed since then; from the beginning in slices to be read at once."""
        if stream.name == FIELDS.name:
            return [Slice(stream=stream.name, since=since, until=until)]
        self._drift.begin()
        self._looked = None
        windows: list[Window] = [(since, until)]
        if since is None and self.at_once > 1:
            seen = self._look()
            search = self._search(seen.cloud, changelogs=False)
            counter = Counter(search, self.scope, seen.zone, name=self.name)
            windows = slicing.windows(counter, until, seen.now, self.at_once)
        return [Slice(stream=stream.name, since=begin, until=end) for begin, end in windows]

    @property
    def at_once(self) -> int:
        """As the settings say, else as the deployment bears."""
        if self._settings.parallel:
            return self._settings.parallel
        return CLOUD_AT_ONCE if self._cloud else SERVER_AT_ONCE

    def read(self, piece: Slice) -> Iterator[Page]:
        """The pages of a slice."""
        if piece.stream == FIELDS.name:
            return self._read_fields(piece)
        return self._read_issues(piece)

    def _read_issues(self, piece: Slice) -> Iterator[Page]:
        flattener, size = self._flattener(self._look()), self._settings.page_size
        for page in read_slice(flattener, piece, name=self.name, scope=self.scope, size=size):
            self._drift.read(page.records, first=piece.since is None)
            yield page

    def _look(self) -> Site:
        """Once for all slices of a read."""
        with self._lock:
            if self._looked is None:
                self._looked = self._look_anew()
                self._drift.look(self._looked)
            return self._looked

    def _look_anew(self) -> Site:
        return site.look(self._library, self._settings, self.name, self._drift.known_ids())

    def remember(self, memory: MutableMapping[str, str]) -> None:
        """Take the memory of earlier runs: calls of the hour, and how fields and statuses were."""
        self._drift.memory = self._calls.memory = memory

    def budget(self) -> Budget:
        """Calls of this hour; ``left`` is what the site said last, which counts by other spans."""
        told = self._calls.told()
        return replace(told, allowed=self._settings.calls_per_hour, left=self._limits.left)

    def notes(self, stream: str) -> Sequence[str]:
        """What is different over there than when issues were read before."""
        return self._drift.notes if stream == ISSUES.name else []

    def blanks(self, stream: Stream) -> Sequence[str]:
        """Fields that we ask for and that no issue has; asked for when it is called."""
        if stream.name == FIELDS.name:
            return []
        seen = self._look_anew()
        search = self._search(seen.cloud, changelogs=False)
        return blanks.blanks(seen, search, self.scope)

    def _read_fields(self, piece: Slice) -> Iterator[Page]:
        """All of them each time, for no field tells when it changed; stamped as since ever."""
        if piece.until is not None and piece.until <= EPOCH:
            return
        rows = [row for row in self._field_rows() if row["id"] > (piece.cursor or "")]
        size = self._settings.page_size
        for start in range(0, len(rows), size):
            page = rows[start : start + size]
            yield Page(records=page, cursor=page[-1]["id"], newest=EPOCH)

    def _field_rows(self) -> list[RawRecord]:
        return [
            {"id": each.id, "name": each.name, "type": each.type, "custom": each.custom}
            for each in site.read_fields(self._library, self.name)
        ]

    def _search(self, cloud: bool, reader: Reader = PLAIN, *, changelogs: bool = True) -> Search:
        if cloud:
            return CloudSearch(self._client, reader)
        return ServerSearch(self._client, reader, changelogs=changelogs)

    def changed_at(self, stream: str, record: RawRecord) -> datetime | None:
        """When an issue was updated; no field tells."""
        try:
            found = moments.moment(record.get("updated")) if stream == ISSUES.name else None
        except ValueError:
            return None
        return found.replace(microsecond=0) if found else None

    def tally(self, stream: Stream, windows: Sequence[Window]) -> list[Tally]:
        """Issues by when they were updated; exactly on Data Center, roughly on the Cloud."""
        if stream.name == FIELDS.name:
            return []
        seen = self._look_anew()
        search = self._search(seen.cloud, changelogs=False)
        return Counter(search, self.scope, seen.zone, name=self.name).tallies(windows)

    def sweep(self, stream: Stream) -> Iterator[Sequence[Seen]] | None:
        """The id of every field or issue."""
        if stream.name == FIELDS.name:
            fields = site.read_fields(self._library, self.name)
            return iter([[Seen(key=each.id) for each in fields]])
        seen = self._look_anew()
        search = self._search(seen.cloud, changelogs=False)
        return sweep.sweep(seen, search, name=self.name, scope=self.scope)

    def fetch(self, stream: Stream, keys: Sequence[str]) -> Iterator[Page]:
        """Fields or issues by their ids, a hundred at most a page."""
        if stream.name == FIELDS.name:
            wanted = set(keys)
            rows = [row for row in self._field_rows() if row["id"] in wanted]
            return iter([Page(records=rows, cursor=None)] if rows else [])
        return sweep.fetch(self._flattener(self._look_anew()), keys, scope=self.scope)

    def _flattener(self, seen: Site) -> Flattener:
        asked = self._settings.rating_comments and seen.roles.satisfaction
        ratings = RatingComments(self._client, self._drift.tell) if asked else None
        search = self._search(seen.cloud, reader_of(seen, site.asked_fields(seen)))
        return Flattener(seen, search, ratings)

    def normalise(self, stream: str, record: RawRecord) -> Iterable[Record]:
        """Our records from one raw issue or field."""
        return self._normaliser.records(stream, record)

    def count(self, stream: Stream) -> int | None:
        """Exactly, or None: see ``CloudSearch.count``."""
        if stream.name == FIELDS.name:
            return len(site.read_fields(self._library, self.name))
        return self._search(self._cloud).count(self.scope)

    def link(self, stream: str, key: str) -> str:
        """The issue by its id, which stays when it moves to another project; /browse wants keys."""
        if stream == FIELDS.name:
            return f"{self._settings.url}/secure/admin/ViewCustomFields.jspa#{key}"
        return f"{self._settings.url}/issues/?jql=id%3D{key}"

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def current(
        self, table: str, field_: str, keys: Sequence[str], fields: Sequence[str]
    ) -> dict[str, dict[str, str]]:
        """What the issues hold now."""
        return self._writer.current(table, field_, keys, fields)

    def write(self, change: Change) -> str:
        """Write values to one issue."""
        return self._writer.write(change)

    def read_back(self, change: Change, key: str) -> Receipt:
        """What the issue holds after the write."""
        return self._writer.read_back(change, key)

    def provision_plan(
        self,
        tables: Sequence[TargetTable],  # noqa: ARG002 - whatever it is, nothing can be made
    ) -> list[ProvisionStep]:
        """Nothing: a property needs no making, and a field is an admin's to make (see check)."""
        return []

    def differences(
        self,
        tables: Sequence[TargetTable],  # noqa: ARG002 - our property needs no making
        theirs: Sequence[TargetTable],
    ) -> list[Difference]:
        """Fields of the admin's own that the site does not have."""
        return self._writer.absent(theirs)

    def provision(self, step: ProvisionStep) -> None:
        """Nothing can be made."""
        raise WriteRefused(f"{self.name}: {step.what}: fields of Jira are made by its admin")
