"""The responses of one survey in the order of their last change, though they change meanwhile.

Pages are not asked for by number: a response that changes moves to the end, and what stood behind
it moves forward, over the border of a page. Instead each page begins at the last second that was
seen, and what was already given of that second is left out. Only a second that holds more than a
page is read by page numbers, again and again until nothing new turns up in it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from vmo_bridge.plugin import Page, SourceError
from vmo_bridge_surveymonkey.client import Client
from vmo_bridge_surveymonkey.flatten import Flattener
from vmo_bridge_surveymonkey.moments import EPOCH, moment, second

_A_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where reading stands: a second, and the responses of it that were given already."""

    survey: str
    second: str = EPOCH
    given: frozenset[str] = frozenset()

    def cursor(self) -> str:
        """As the core keeps it."""
        return "|".join((self.survey, self.second, ",".join(sorted(self.given))))

    @classmethod
    def of(cls, cursor: str) -> Place:
        """From what ``cursor`` gave."""
        survey, when, given = cursor.split("|")
        return cls(survey, when, frozenset(filter(None, given.split(","))))


@dataclass(frozen=True, slots=True)
class _Row:
    """A response with its id and the second of its last change."""

    id: str
    second: str
    content: Mapping[str, Any]


class ResponseReader:
    """The pages of one survey's responses."""

    def __init__(
        self, client: Client, flattener: Flattener, page_size: int, until: datetime | None
    ) -> None:
        self._client = client
        self._flattener = flattener
        self._size = page_size
        self._until = second(until) if until else None
        self._early = True

    def pages(self, place: Place) -> Iterator[Page]:
        """All pages from a place on; raises ``Gone`` where the survey is not there any more."""
        first = place == Place(place.survey)
        while True:
            rows, total, more = self._ask(place, 1)
            if not rows:
                return
            after = _behind(place, rows)
            fresh = [row for row in rows if row.id not in place.given and self._wanted(row)]
            if fresh:
                expected = total if first and self._until is None else None
                yield self._page(fresh, after, expected)
            first = False
            if not more or not self._wanted(rows[-1]):
                return
            if after.second == place.second:
                after = yield from self._crowded(after)
            place = after

    def _crowded(self, place: Place) -> Generator[Page, None, Place]:
        """A second that holds more than a page; ends with the place behind it."""
        news = True
        while news:
            news = False
            for row_set in self._numbered(place):
                fresh = [row for row in row_set if row.id not in place.given]
                if fresh:
                    news = True
                    place = replace(place, given=place.given | {row.id for row in fresh})
                    yield self._page(fresh, place, None)
        following = moment(place.second) + _A_SECOND
        return Place(place.survey, second(following))

    def _numbered(self, place: Place) -> Iterator[list[_Row]]:
        """The pages of one second."""
        number, more = 1, True
        while more:
            rows, _, more = self._ask(place, number)
            yield [row for row in rows if row.second == place.second]
            more = more and bool(rows) and rows[-1].second == place.second
            number += 1

    def _wanted(self, row: _Row) -> bool:
        return self._until is None or row.second < self._until

    def _page(self, rows: Sequence[_Row], place: Place, expected: int | None) -> Page:
        return Page(
            records=[self._flattener.flat(row.content) for row in rows],
            cursor=place.cursor(),
            newest=moment(rows[-1].second),
            expected=expected,
        )

    def _ask(self, place: Place, number: int) -> tuple[list[_Row], int | None, bool]:
        """(rows, how many the query has in all, whether there is a next page).

        Whether a beginning is itself part of what was "modified after" it is not documented: it is
        asked for a second early, until a response of that second shows that it is.
        """
        early = self._early and place.second > EPOCH
        begin = second(moment(place.second) - _A_SECOND) if early else place.second
        content = self._client.get(
            f"/v3/surveys/{place.survey}/responses/bulk",
            {
                "page": str(number),
                "per_page": str(self._size),
                "sort_by": "date_modified",
                "sort_order": "ASC",
                "start_modified_at": begin,
            },
        )
        links, total = content.get("links"), content.get("total")
        rows = self._believed(content.get("data"), place.survey, begin)
        if early and rows and rows[0].second == begin:
            self._early = False
            return self._ask(place, number)
        return (
            rows,
            total if isinstance(total, int) else None,
            isinstance(links, dict) and bool(links.get("next")),
        )

    def _believed(self, data: Any, survey: str, begin: str) -> list[_Row]:
        """The rows, if they keep to the order and the beginning that were asked for."""
        told = f"{self._client.name}: survey {survey}"
        if not isinstance(data, list):
            raise SourceError(f"{told}: the answer has no list of responses")
        rows = []
        for content in data:
            try:
                when = second(moment(content["date_modified"]))
                rows.append(_Row(str(content["id"]), when, content))
            except (KeyError, TypeError, ValueError, OverflowError) as error:
                raise SourceError(
                    f"{told}: a response has no id or no date_modified that is a date-time; "
                    "no page can begin behind it"
                ) from error
        moments = [begin, *(row.second for row in rows)]
        if any(later < earlier for earlier, later in pairwise(moments)):
            raise SourceError(f"{told}: the responses do not keep to the order we asked for")
        return rows


def _behind(place: Place, rows: Sequence[_Row]) -> Place:
    """The place behind the last of the rows."""
    last = rows[-1].second
    given = {row.id for row in rows if row.second == last}
    if last == place.second:
        given |= place.given
    return Place(place.survey, last, frozenset(given))
