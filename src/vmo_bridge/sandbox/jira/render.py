"""Issues, people and changes as Jira tells them, by version of the interface and deployment."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from vmo_bridge.sandbox.agency import helpdesk
from vmo_bridge.sandbox.jira import schema
from vmo_bridge.sandbox.jira.accounts import account_id
from vmo_bridge.sandbox.jira.replies import JiraCall
from vmo_bridge.sandbox.jira.store import Issue, JiraStore

Change = tuple[int, int, int, str, list[dict[str, Any]]]
_NAVIGABLE_OFF = {"description", "comment"}


class Renderer:
    """Shows things to one caller."""

    def __init__(self, store: JiraStore, call: JiraCall) -> None:
        self._store = store
        self._call = call
        self._root = f"{call.base}/rest/api/{call.version}"

    def issue(self, issue: Issue, fields: Collection[str], properties: Iterable[str] = ()) -> Any:
        """An issue with the fields asked for; none: id, key and address only."""
        found: dict[str, Any] = {
            "id": str(issue["id"]),
            "key": issue["key"],
            "self": f"{self._root}/issue/{issue['id']}",
        }
        chosen = self._chosen(fields)
        if chosen:
            whole = self._fields(issue)
            found["fields"] = {name: value for name, value in whole.items() if name in chosen}
        wanted = list(properties)
        if wanted:
            kept = self._store.properties(issue["id"])
            every = "*all" in wanted
            found["properties"] = {
                key: value for key, value in kept.items() if every or key in wanted
            }
        return found

    def _chosen(self, fields: Collection[str]) -> set[str]:
        names = [name for name in fields if not name.startswith("-") and name != "id"]
        if any(name.startswith("-") for name in fields) and not names:
            names = ["*all"]
        chosen = {name for name in names if name in schema.FIELDS}
        if "*all" in names:
            chosen = set(schema.FIELDS)
        if "*navigable" in names:
            chosen |= set(schema.FIELDS) - _NAVIGABLE_OFF
        return chosen - {name[1:] for name in fields if name.startswith("-")}

    def _fields(self, issue: Issue) -> dict[str, Any]:
        done = issue["category"] == "done"
        found = {
            "summary": issue["summary"],
            "description": self.text(issue["description"]),
            "issuetype": self.kind(issue["kind"]),
            "status": self.status(issue["status"]),
            "project": self.project(issue["project"]),
            "priority": {
                "self": f"{self._root}/priority/3",
                "id": "3",
                "name": issue["priority"],
            },
            "resolution": self.resolution() if done else None,
            "resolutiondate": self.moment(issue["resolved"]),
            "labels": json.loads(issue["labels"]),
            "reporter": self.user(issue["reporter"]),
            "assignee": self.user(issue["assignee"]) if issue["assignee"] else None,
            "created": self.moment(issue["created"]),
            "updated": self.moment(issue["updated"]),
            "issuelinks": [self._link(issue, link) for link in self._store.links(issue["id"])],
            "comment": {"comments": [], "startAt": 0, "maxResults": 0, "total": 0},
            schema.DEMAND: issue["demand"] or None,
            schema.SERVICE: {"id": "1", "value": issue["service"]} if issue["service"] else None,
            schema.POINTS: None,
            schema.VALUE: None,
            schema.HIDDEN: None,
            schema.SATISFACTION: {"rating": issue["rating"]} if issue["rating"] else None,
            schema.RESOLUTION_TIME: None,
        }
        if issue["project"] == helpdesk.PROJECT[0]:
            found[schema.RESOLUTION_TIME] = self.level(issue)
        if self._call.cloud and issue["parent"]:
            found["parent"] = self._parent(issue["parent"])
        elif not self._call.cloud:
            found[schema.EPIC_LINK] = issue["parent"] or None
        own: dict[str, Any] = json.loads(issue["custom"])
        return found | own

    def resolution(self) -> dict[str, Any]:
        """The one resolution there is."""
        return {"self": f"{self._root}/resolution/10000", "id": "10000", "name": "Done"}

    def transitions(self, issue: Issue) -> list[dict[str, Any]]:
        """Where an issue may go: each status of its project but its own."""
        return [
            {"id": schema.STATUSES[name][0], "name": name, "to": self.status(name)}
            for name in schema.statuses_of(issue["project"])
            if name != issue["status"]
        ]

    def _parent(self, key: str) -> dict[str, Any] | None:
        rows = self._store.named([key])
        if not rows:
            return None
        shown = {
            "summary": rows[0]["summary"],
            "status": self.status(rows[0]["status"]),
            "issuetype": self.kind(rows[0]["kind"]),
        }
        return {"id": str(rows[0]["id"]), "key": key, "fields": shown}

    def _link(self, issue: Issue, link: tuple[int, str, int, int]) -> dict[str, Any]:
        number, kind, inward, outward = link
        name, in_text, out_text = schema.LINKS[kind]
        away = "outwardIssue" if inward == issue["id"] else "inwardIssue"
        other = self._store.named([str(outward if away == "outwardIssue" else inward)])
        shown = {"id": str(other[0]["id"]), "key": other[0]["key"]} if other else {}
        return {
            "self": f"{self._root}/issueLink/{number}",
            "id": str(number),
            "type": {"id": kind, "name": name, "inward": in_text, "outward": out_text},
            away: shown,
        }

    def text(self, value: str) -> Any:
        """A long text: a document in version 3, wiki text in version 2."""
        if self._call.version != "3":
            return value or None
        return document(value) if value else None

    def moment(self, millis: int | None) -> str | None:
        """A moment in the caller's zone, the offset without a colon."""
        if millis is None:
            return None
        local = datetime.fromtimestamp(millis / 1000, UTC).astimezone(self._call.zone)
        return local.strftime("%Y-%m-%dT%H:%M:%S.") + f"{millis % 1000:03d}" + local.strftime("%z")

    def user(self, user_name: str, *, myself: bool = False) -> dict[str, Any]:
        """A person: the Cloud tells an opaque id and hides the address."""
        name, active = self._store.person(user_name)
        found: dict[str, Any] = {"displayName": name, "active": active}
        if self._call.cloud:
            number = account_id(user_name)
            found |= {"accountId": number, "accountType": "atlassian"}
            found["self"] = f"{self._root}/user?accountId={number}"
        else:
            found |= {"name": user_name, "key": user_name}
            found["self"] = f"{self._root}/user?username={user_name}"
        if myself or not self._call.cloud:
            found["emailAddress"] = f"{user_name}@meridian.example"
            found["timeZone"] = self._call.account.time_zone if myself else "UTC"
        return found

    def status(self, name: str) -> dict[str, Any]:
        """A status with its category."""
        number, key = schema.STATUSES[name]
        category, text = schema.CATEGORIES[key]
        root = f"{self._root}/statuscategory/{category}"
        return {
            "self": f"{self._root}/status/{number}",
            "id": number,
            "name": name,
            "statusCategory": {"self": root, "id": category, "key": key, "name": text},
        }

    def kind(self, name: str) -> dict[str, Any]:
        """An issue type."""
        level = 1 if name == "Epic" else 0
        number = schema.TYPES[name]
        found = {
            "self": f"{self._root}/issuetype/{number}", "id": number, "name": name,
            "subtask": False,
        }  # fmt: skip
        return found | ({"hierarchyLevel": level} if self._call.cloud else {})

    def project(self, key: str) -> dict[str, Any]:
        """A project."""
        number = schema.project_id(key)
        desk = key == helpdesk.PROJECT[0]
        return {
            "id": number,
            "key": key,
            "name": schema.PROJECTS[key],
            "projectTypeKey": "service_desk" if desk else "software",
            "self": f"{self._root}/project/{number}",
        }

    def change(self, change: Change, *, epoch: bool = False) -> dict[str, Any]:
        """One entry of a changelog; bulk fetches tell ``created`` as a number."""
        number, _, at, author, items = change
        created: object = at if epoch else self.moment(at)
        shown = items
        if not self._call.cloud:
            shown = [{k: v for k, v in item.items() if k != "fieldId"} for item in items]
        return {
            "id": str(number),
            "author": self.user(author),
            "created": created,
            "items": shown,
        }

    # -- service levels of the desk ----------------------------------------------------------

    def level(self, issue: Issue) -> dict[str, Any]:
        """Time to resolution, one cycle."""
        goal = int(helpdesk.TARGET / timedelta(milliseconds=1))
        stop = issue["resolved"]
        end = stop or int(self._store.now().timestamp() * 1000)
        elapsed = end - issue["created"]
        cycle: dict[str, Any] = {
            "startTime": self.date(issue["created"]),
            "breachTime": self.date(issue["created"] + goal),
            "breached": elapsed > goal,
            "goalDuration": _length(goal),
            "elapsedTime": _length(elapsed),
            "remainingTime": _length(goal - elapsed),
        }
        found: dict[str, Any] = {
            "id": "1", "name": "Time to resolution", "completedCycles": [],
            "slaDisplayFormat": "NEW_SLA_FORMAT",
        }  # fmt: skip
        if stop:
            found["completedCycles"].append(cycle | {"stopTime": self.date(stop)})
        else:
            found["ongoingCycle"] = cycle | {"paused": False, "withinCalendarHours": True}
        return found

    def date(self, millis: int) -> dict[str, Any]:
        """A moment as the service desk tells it."""
        local = datetime.fromtimestamp(millis / 1000, UTC).astimezone(self._call.zone)
        return {
            "iso8601": local.strftime("%Y-%m-%dT%H:%M:%S%z"),
            "jira": self.moment(millis),
            "friendly": local.strftime("%d/%b/%y %I:%M %p"),
            "epochMillis": millis,
        }


def _length(millis: int) -> dict[str, Any]:
    return {"millis": millis, "friendly": f"{millis // 3_600_000}h {millis // 60_000 % 60}m"}


def document(text: str) -> dict[str, Any]:
    """Plain text as an Atlassian document: a paragraph for each block."""
    paragraphs = [
        {"type": "paragraph", "content": [{"type": "text", "text": block}]}
        for block in text.split("\n\n") if block
    ]  # fmt: skip
    return {"type": "doc", "version": 1, "content": paragraphs}


def plain(node: Any) -> str:
    """The text of an Atlassian document."""
    if isinstance(node, dict):
        if node.get("type") == "text":
            return str(node.get("text", ""))
        joint = "\n\n" if node.get("type") == "doc" else ""
        return joint.join(plain(each) for each in node.get("content", []))
    return ""
