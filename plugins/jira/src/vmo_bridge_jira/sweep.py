"""Names all issues of a site without reading them, and fetches some by their ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vmo_bridge.plugin import Page, Seen
from vmo_bridge_jira.moments import LATEST
from vmo_bridge_jira.place import stamp
from vmo_bridge_jira.reader import Flattener
from vmo_bridge_jira.search import SWEPT, Search
from vmo_bridge_jira.site import Site, asked_fields
from vmo_bridge_jira.walk import Route, Walk


def sweep(site: Site, search: Search, *, name: str, scope: str) -> Iterator[Sequence[Seen]]:
    """All of them, in the order in which they were created, which nothing changes.

    With when each changed, unless the site gives that in too small pages: then ids alone.
    """
    bare = search.bare_ids(scope)
    if bare is not None:
        for ids in bare:
            yield [Seen(key=key) for key in ids]
        return
    route = Route(scope=scope, by="created", fields=SWEPT, zone=site.zone, moving_since=LATEST)
    for issues, _ in Walk(search, route, name=name, size=search.largest_page).batches():
        yield [
            Seen(
                key=str(each.id),
                changed_at=stamp(each, "updated", name).replace(microsecond=0),
            )
            for each in issues
        ]


def fetch(flattener: Flattener, keys: Sequence[str], *, scope: str) -> Iterator[Page]:
    """The raw records of these ids, as far as they are there and in the scope."""
    ids = [key for key in dict.fromkeys(keys) if key.isascii() and key.isdigit()]
    search, fields = flattener.search, asked_fields(flattener.site)
    for start in range(0, len(ids), search.most_named):
        found = search.named(scope, ids[start : start + search.most_named], fields)
        if found:
            yield Page(records=flattener.records(found), cursor=None)
