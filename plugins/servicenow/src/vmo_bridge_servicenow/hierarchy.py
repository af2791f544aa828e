"""Which table extends which, as ``sys_db_object`` says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.client import Rows, TableClient
from vmo_bridge_servicenow.keyset import Keyset

_PAGE = 2000


def parents(client: TableClient) -> dict[str, str]:
    """Table to the one it extends, "" for a root; ``AccessError`` where it may not be read."""
    place: list[str] = []
    found: dict[str, str] = {}

    def took(rows: Rows) -> None:
        place[:] = [str(rows[-1]["sys_id"])]

    keyset = Keyset(
        client,
        "sys_db_object",
        fields=("sys_id", "name", "super_class.name"),
        page_size=_PAGE,
        query=lambda: query.by_key("", place[0] if place else None),
        took=took,
    )
    for rows, _ in keyset.pages():
        found |= {str(row.get("name")): str(row.get("super_class.name") or "") for row in rows}
    return found


def chain(name: str, parents_: Mapping[str, str]) -> Iterator[str]:
    """A table and those it extends, up to the root; a circle ends where it began."""
    seen: set[str] = set()
    while name and name not in seen:
        seen.add(name)
        yield name
        name = parents_.get(name, "")


def family(name: str, parents_: Mapping[str, str]) -> list[str]:
    """A table and all that extend it, directly or not."""
    return sorted({name, *(each for each in parents_ if name in chain(each, parents_))})
