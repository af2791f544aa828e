"""An issue as it is kept: flat, in UTC, and without anybody's name, whatever its fields hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vmo_bridge_jira import moments
from vmo_bridge_jira.adf import is_document, text_of
from vmo_bridge_jira.shapes import Entry, Item, Part, RawIssue, User
from vmo_bridge_jira.site import Site

PERSON_FIELDS = ("reporter", "reporter_email", "assignee")

_MENTION = re.compile(r"\[~[^\]\n]{1,200}\]")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*-[0-9]+")
_CATEGORIES = {"2": "new", "4": "indeterminate", "3": "done"}
_SHOWN = ("value", "name", "label", "title", "key")
"""Under which of its keys a value says what people read, first hit counts."""


def flatten(issue: RawIssue, site: Site, history: Any, ids: Mapping[str, str]) -> dict[str, Any]:
    """The raw record of an issue; ``history`` are its changes, None where they are not known.

    What is odd is kept as it is, for the record to be refused by the name of its field. Whatever
    may hold a person is taken apart here: only an opaque id (and the reporter's address, where the
    site shows it) goes on, under names that ``PERSON_FIELDS`` declares.
    """
    fields, roles = issue.values, site.roles
    get = fields.get
    status, parent, reporter = get("status"), get("parent"), get("reporter")
    parent_key = getattr(parent, "key", None) or shown(get(roles.parent))
    rated = _first_of(roles.satisfaction, fields)
    rating = get(rated)
    rating = rating if isinstance(rating, dict) else {}
    return {
        "id": str(issue.id),
        "key": issue.key,
        "project": _part(get("project"), "key"),
        "type": _part(get("issuetype"), "name"),
        "summary": without_people(get("summary")),
        "description": without_people(get("description")),
        "status": getattr(status, "name", None),
        "status_category": _category_key(status)
        or site.categories.get(str(getattr(status, "id", None))),
        "priority": _part(get("priority"), "name"),
        "resolution": _part(get("resolution"), "name"),
        "resolutiondate": moments.tidy(get("resolutiondate")),
        "created": moments.tidy(get("created")),
        "updated": moments.tidy(get("updated")),
        "reporter": person(reporter),
        "reporter_email": _part(reporter, "email_address"),
        "assignee": person(get("assignee")),
        "parent": getattr(parent, "id", None) or ids.get(str(parent_key)) or None,
        "parent_key": parent_key,
        "links": _links(get("issuelinks")),
        "service": shown(get(roles.service)),
        "demand": shown(get(roles.demand)),
        "team": shown(get(roles.team)),
        "satisfaction_field": rated,
        "satisfaction": rating.get("rating"),
        "satisfaction_comment": _comment(rating.get("comment")),
        "satisfaction_date": moments.tidy(get(roles.satisfaction_date)),
        "slas": _cycles(fields, roles.slas),
        "history": None if history is None else _history(history, site),
    }


def parent_keys(issues: Iterable[RawIssue], site: Site) -> list[str]:
    """Keys of epics that are named by key only."""
    found = []
    for issue in issues:
        fields = issue.values
        key = shown(fields.get(site.roles.parent))
        if key and _KEY.fullmatch(key) and not getattr(fields.get("parent"), "id", None):
            found.append(key)
    return list(dict.fromkeys(found))


def person(user: Any) -> str | None:
    """What tells a user from all others, and nothing else of him."""
    if isinstance(user, User):
        for key in (user.account_id, user.key, user.name):
            if isinstance(key, str) and key:
                return key
    return None


def shown(value: Any) -> str | None:
    """What people read in a field of any kind; of several values the first. Never a person."""
    if value is None:
        return None
    if isinstance(value, (str, int, float)):
        return str(value).lower() if isinstance(value, bool) else str(value) or None
    if isinstance(value, list):
        return next((text for each in value if (text := shown(each))), None)
    return _shown_of(value)


def _shown_of(value: Any) -> str | None:
    if isinstance(value, Part):
        return shown(value.name) or shown(value.key)
    if is_document(value):
        return without_people(value) or None
    if not isinstance(value, dict) or {"accountId", "displayName", "emailAddress"} & set(value):
        return None
    return next((text for key in _SHOWN if (text := shown(value.get(key)))), None)


def without_people(text: Any) -> Any:
    """A text in which nobody is named by a mention; of a document its text."""
    if is_document(text):
        text = text_of(text)
    if not isinstance(text, str):
        return text
    return _MENTION.sub("[~user]", text) if "[~" in text else text


def _part(value: Any, name: str) -> str | None:
    """A text of what an issue names; an odd value has no such parts."""
    text = getattr(value, name, None)
    return text if isinstance(text, str) else None


def _first_of(names: Iterable[str], fields: Mapping[Any, Any]) -> str | None:
    """The first of these fields that holds something."""
    for name in names:
        if fields.get(name):
            return name
    return None


def _category_key(status: Any) -> str | None:
    """By its key, or its number, which is the same on every site."""
    category = getattr(status, "status_category", None)
    return _part(category, "key") or _CATEGORIES.get(str(getattr(category, "id", None)))


def _comment(value: Any) -> str | None:
    text = value.get("body") if isinstance(value, dict) and "body" in value else value
    text = without_people(text)
    return text if isinstance(text, str) else None


def _links(value: Any) -> list[dict[str, Any]]:
    found = []
    for link in value if isinstance(value, list) else []:
        other: Any = getattr(link, "outward_issue", None) or getattr(link, "inward_issue", None)
        if getattr(other, "id", None):
            found.append(
                {
                    "id": str(link.id),
                    "type": _part(link.type, "name"),
                    "issue": str(other.id),
                    "key": other.key,
                }
            )
    return found


def _cycles(fields: Mapping[Any, Any], slas: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each cycle of each SLA, the running one last."""
    found = []
    for field, name in slas.items():
        sla = fields.get(field)
        done = getattr(sla, "completed_cycles", None)
        running = getattr(sla, "ongoing_cycle", None)
        cycles = [*(done if isinstance(done, list) else ()), *([running] if running else ())]
        for number, cycle in enumerate(cycles, start=1):
            found.append(
                {
                    "field": field,
                    "name": name,
                    "number": number,
                    "start": _epoch(cycle, "start_time"),
                    "stop": _epoch(cycle, "stop_time"),
                    "due": _epoch(cycle, "breach_time"),
                    "breached": getattr(cycle, "breached", None),
                    "paused": getattr(cycle, "paused", None),
                }
            )
    return found


def _epoch(cycle: Any, end: str) -> Any:
    millis = getattr(getattr(cycle, end, None), "epoch_millis", None)
    return None if millis is None else moments.tidy(millis)


def _history(entries: Sequence[Any], site: Site) -> list[dict[str, Any]]:
    """Changes of state and team, in their order; who made them is left out."""
    team = site.roles.team
    found = []
    for entry in entries:
        items = entry.items if isinstance(entry, Entry) else None
        for item in items if isinstance(items, list) else ():
            if not isinstance(item, Item):
                continue
            name, number = item.field, item.field_id
            if name == "status" or number == "status":
                found.append(_change(entry, item, "state", site))
            elif team and (number == team or (number is None and name == site.team_name)):
                found.append(_change(entry, item, "team", site))
    return sorted(found, key=_place) if len(found) > 1 else found


def _change(entry: Entry, item: Item, field: str, site: Site) -> dict[str, Any]:
    change = {
        "id": str(entry.id),
        "at": moments.tidy(entry.created),
        "field": field,
        "from": item.from_string,
        "to": item.to_string,
    }
    if field == "state":
        change["from_category"] = _category(item.from_, item.from_string, site)
        change["to_category"] = _category(item.to, item.to_string, site)
    return change


def _place(change: Mapping[str, Any]) -> tuple[str, str]:
    return str(change["at"]), change["id"].zfill(20)


def _category(status: Any, name: Any, site: Site) -> str | None:
    return site.categories.get(str(status)) or site.categories.get(str(name).casefold())
