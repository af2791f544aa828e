"""Finds fields that we ask for and that no issue has: hidden from us, or on no screen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vmo_bridge.plugin import SourceError
from vmo_bridge_jira.client import Refused
from vmo_bridge_jira.search import Search, WalkBroken
from vmo_bridge_jira.shapes import RawIssue
from vmo_bridge_jira.site import SYSTEM_FIELDS, Site, asked_fields

_LOOKED_AT = 50
_BAD_REQUEST = 400
_MAY_LACK = frozenset({"parent"})
"""Fields of Jira's own that come only where they hold something."""


def blanks(site: Site, search: Search, scope: str) -> list[str]:
    """Names and ids; what the newest issues lack is asked for by a query before it is told.

    Fields of Jira's own may be empty everywhere, but a field that is hidden does not come at all.
    The old field of the epic is empty wherever ``parent`` took its place.
    """
    found = _first(search, scope, asked_fields(site), _LOOKED_AT)
    if not found:
        return []
    rows = [each.values for each in found if isinstance(each.fields, dict)]
    names = {each.id: each.name for each in site.fields}
    hidden = [
        field for field in SYSTEM_FIELDS
        if field not in _MAY_LACK and not any(field in row for row in rows)
    ]  # fmt: skip
    lacked = [
        field for field in dict.fromkeys(site.roles.ids)
        if field != site.roles.parent and not any(_filled(row, field) for row in rows)
    ]  # fmt: skip
    empty = [field for field in lacked if not _anywhere(search, scope, field)]
    return [f"{names.get(field, field)} ({field})" for field in [*hidden, *empty]]


def _filled(row: Mapping[str, object], field: str) -> bool:
    return row.get(field) not in (None, "", [], {})


def _anywhere(search: Search, scope: str, field: str) -> bool:
    """Whether any issue has it, by a query; where that is refused, any of a service desk's newest.

    Queries do not know each kind of field of a service desk, and a field that is hidden not at all.
    """
    number = field.removeprefix("customfield_")
    clause = f"cf[{number}]" if number.isdigit() else field
    for condition in (f"{clause} is not EMPTY", "projectType = service_desk"):
        try:
            found = _first(search, f"{scope} AND {condition}", [field], _LOOKED_AT)
        except Refused as error:
            if error.status != _BAD_REQUEST:
                raise
        else:
            return any(_filled(each.values, field) for each in found)
    return False


def _first(search: Search, jql: str, fields: Sequence[str], size: int) -> list[RawIssue]:
    try:
        return search.page(f"{jql} ORDER BY updated DESC", fields, size, None).issues
    except WalkBroken as error:
        raise SourceError(str(error)) from error
