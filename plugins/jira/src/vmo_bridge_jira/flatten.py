"""An issue as it is kept: flat, in UTC, and without anybody's name, whatever its fields hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vmo_bridge_jira import moments
from vmo_bridge_jira.adf import is_document, text_of
from vmo_bridge_jira.search import RawIssue
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
    fields = _dict(issue.get("fields"))
    roles = site.roles
    status, parent = _dict(fields.get("status")), _dict(fields.get("parent"))
    parent_key = parent.get("key") or shown(fields.get(roles.parent or ""))
    rated = next((each for each in roles.satisfaction if fields.get(each)), None)
    rating = _dict(fields.get(rated or ""))
    return {
        "id": str(issue.get("id")),
        "key": issue.get("key"),
        "project": _part(fields.get("project"), "key"),
        "type": _part(fields.get("issuetype"), "name"),
        "summary": without_people(fields.get("summary")),
        "description": without_people(fields.get("description")),
        "status": status.get("name"),
        "status_category": _category_key(status) or site.categories.get(str(status.get("id"))),
        "priority": _part(fields.get("priority"), "name"),
        "resolution": _part(fields.get("resolution"), "name"),
        "resolutiondate": moments.tidy(fields.get("resolutiondate")),
        "created": moments.tidy(fields.get("created")),
        "updated": moments.tidy(fields.get("updated")),
        "reporter": person(fields.get("reporter")),
        "reporter_email": _part(fields.get("reporter"), "emailAddress"),
        "assignee": person(fields.get("assignee")),
        "parent": parent.get("id") or ids.get(str(parent_key)) or None,
        "parent_key": parent_key,
        "links": _links(fields.get("issuelinks")),
        "service": shown(fields.get(roles.service or "")),
        "demand": shown(fields.get(roles.demand or "")),
        "team": shown(fields.get(roles.team or "")),
        "satisfaction_field": rated,
        "satisfaction": rating.get("rating"),
        "satisfaction_comment": _comment(rating.get("comment")),
        "satisfaction_date": moments.tidy(fields.get(roles.satisfaction_date or "")),
        "slas": _cycles(fields, roles.slas),
        "history": None if history is None else _history(history, site),
    }


def parent_keys(issues: Iterable[RawIssue], site: Site) -> list[str]:
    """Keys of epics that are named by key only."""
    found = []
    for issue in issues:
        fields = _dict(issue.get("fields"))
        key = shown(fields.get(site.roles.parent or ""))
        if key and _KEY.fullmatch(key) and not _dict(fields.get("parent")).get("id"):
            found.append(key)
    return list(dict.fromkeys(found))


def person(user: Any) -> str | None:
    """What tells a user from all others, and nothing else of him."""
    for key in ("accountId", "key", "name"):
        value = _dict(user).get(key)
        if isinstance(value, str) and value:
            return value
    return None


def shown(value: Any) -> str | None:
    """What people read in a field of any kind; of several values the first. Never a person."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value) or None
    if isinstance(value, list):
        return next((text for each in value if (text := shown(each))), None)
    if is_document(value):
        return without_people(value) or None
    if not isinstance(value, dict) or {"accountId", "displayName", "emailAddress"} & set(value):
        return None
    return next((text for key in _SHOWN if (text := shown(value.get(key)))), None)


def without_people(text: Any) -> Any:
    """A text in which nobody is named by a mention; of a document its text."""
    if is_document(text):
        text = text_of(text)
    return _MENTION.sub("[~user]", text) if isinstance(text, str) else text


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _part(value: Any, key: str) -> str | None:
    text = _dict(value).get(key)
    return text if isinstance(text, str) else None


def _category_key(status: Mapping[str, Any]) -> str | None:
    """By its key, or its number, which is the same on every site."""
    category = _dict(status.get("statusCategory"))
    return _part(status.get("statusCategory"), "key") or _CATEGORIES.get(str(category.get("id")))


def _comment(value: Any) -> str | None:
    text = value.get("body") if isinstance(value, dict) and "body" in value else value
    text = without_people(text)
    return text if isinstance(text, str) else None


def _links(value: Any) -> list[dict[str, Any]]:
    found = []
    for link in value if isinstance(value, list) else []:
        other = _dict(_dict(link).get("outwardIssue")) or _dict(_dict(link).get("inwardIssue"))
        if other.get("id"):
            found.append(
                {
                    "id": str(_dict(link).get("id")),
                    "type": _part(_dict(link).get("type"), "name"),
                    "issue": str(other["id"]),
                    "key": other.get("key"),
                }
            )
    return found


def _cycles(fields: Mapping[str, Any], slas: Mapping[str, str]) -> list[dict[str, Any]]:
    """Each cycle of each SLA, the running one last."""
    found = []
    for field, name in slas.items():
        sla = _dict(fields.get(field))
        done = sla.get("completedCycles")
        running = _dict(sla.get("ongoingCycle"))
        cycles = [_dict(each) for each in done] if isinstance(done, list) else []
        for number, cycle in enumerate([*cycles, *([running] if running else [])], start=1):
            found.append(
                {
                    "field": field,
                    "name": name,
                    "number": number,
                    "start": _epoch(cycle.get("startTime")),
                    "stop": _epoch(cycle.get("stopTime")),
                    "due": _epoch(cycle.get("breachTime")),
                    "breached": cycle.get("breached"),
                    "paused": cycle.get("paused"),
                }
            )
    return found


def _epoch(value: Any) -> Any:
    return moments.tidy(_dict(value).get("epochMillis"))


def _history(entries: Sequence[Any], site: Site) -> list[dict[str, Any]]:
    """Changes of state and team, in their order; who made them is left out."""
    roles = site.roles
    # Sites have hundreds of fields: they are gone through only where one is the team's.
    team = roles.team and next((e.name for e in site.fields if e.id == roles.team), None)
    found = []
    for entry in entries:
        items = _dict(entry).get("items")
        for item in map(_dict, items if isinstance(items, list) else []):
            name, number = item.get("field"), item.get("fieldId")
            if name == "status" or number == "status":
                kind = "state"
            elif roles.team and (number == roles.team or (number is None and name == team)):
                kind = "team"
            else:
                continue
            change = {
                "id": str(_dict(entry).get("id")),
                "at": moments.tidy(_dict(entry).get("created")),
                "field": kind,
                "from": item.get("fromString"),
                "to": item.get("toString"),
            }
            if kind == "state":
                change["from_category"] = _category(item, "from", site)
                change["to_category"] = _category(item, "to", site)
            found.append(change)
    return sorted(found, key=lambda each: (str(each["at"]), each["id"].zfill(20)))


def _category(item: Mapping[str, Any], end: str, site: Site) -> str | None:
    by_id = site.categories.get(str(item.get(end)))
    return by_id or site.categories.get(str(item.get(f"{end}String")).casefold())
