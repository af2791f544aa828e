"""Reads the issues of a slice: page by page, each with its histories, flat and without names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmo_bridge.plugin import Page, RawRecord, Slice, VmoBridgeError
from vmo_bridge_jira.flatten import flatten, parent_keys
from vmo_bridge_jira.ratings import RatingComments
from vmo_bridge_jira.search import Search
from vmo_bridge_jira.shapes import RawIssue
from vmo_bridge_jira.site import Site, asked_fields
from vmo_bridge_jira.walk import Route, Walk

_MOVING = timedelta(hours=1)
"""What changed so shortly ago may stand in the index where it stood before: no place is built on
it, and it is allowed to be out of order."""


class Flattener:
    """Makes raw records of issues, with what has to be asked for beside them."""

    def __init__(self, site: Site, search: Search, ratings: RatingComments | None = None) -> None:
        """``ratings``: where the words that came with a rating are asked for."""
        self._ratings = ratings
        self.site = site
        self.search = search
        self._ids: dict[str, str] = {}

    def records(self, issues: Sequence[RawIssue]) -> list[RawRecord]:
        """One for each issue."""
        team = self.site.roles.team
        histories = self.search.histories(issues, ["status", *([team] if team else [])])
        self._learn(issues)
        if self._ratings:
            self._ratings.add(issues, self.site.roles.satisfaction)
        return [flatten(each, self.site, histories.get(str(each.id)), self._ids) for each in issues]

    def _learn(self, issues: Sequence[RawIssue]) -> None:
        """The ids of the epics that issues of this page name by their keys."""
        self._ids |= {str(each.key): str(each.id) for each in issues}
        missing = [key for key in parent_keys(issues, self.site) if key not in self._ids]
        if missing:
            found: Mapping[str, str] = self.search.ids(missing)
            self._ids |= dict.fromkeys(missing, "") | dict(found)


def read_slice(
    flattener: Flattener, piece: Slice, *, name: str, scope: str, size: int
) -> Iterator[Page]:
    """All pages from the slice's cursor on, in the order in which issues were updated."""
    site = flattener.site
    route = Route(
        scope=scope,
        by="updated",
        fields=asked_fields(site),
        zone=site.zone,
        window=(piece.since, piece.until),
        cursor=piece.cursor,
        moving_since=site.now - _MOVING,
    )
    walk = Walk(flattener.search, route, name=name, size=size)
    for batch in _gathered(walk):
        records = flattener.records(batch.issues)
        yield Page(
            records=records, cursor=batch.cursor, newest=batch.newest, expected=batch.expected
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """Issues, and how far the walk had come with them."""

    issues: list[RawIssue]
    cursor: str
    newest: datetime | None
    expected: int | None


def _gathered(walk: Walk) -> Iterator[_Batch]:
    """Batches put together up to a page: the Cloud's search gives a hundred, its changelogs more.

    What was met before a failure is still given.
    """
    held: _Batch | None = None
    try:
        for issues, expected in walk.batches():
            if held and len(held.issues) + len(issues) > walk.size:
                yield held
                held = None
            held = _Batch(
                issues=[*held.issues, *issues] if held else issues,
                cursor=walk.cursor,
                newest=walk.newest,
                expected=held.expected if held else expected,
            )
            if len(held.issues) >= walk.size:
                yield held
                held = None
    except VmoBridgeError:
        if held:
            yield held
        raise
    if held:
        yield held
