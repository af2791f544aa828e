"""Single issues: reading and editing, changelogs, bulk fetches, properties, links, feedback."""

from __future__ import annotations

import json
from typing import Any

from vmo_bridge.sandbox.agency import helpdesk
from vmo_bridge.sandbox.jira import schema
from vmo_bridge.sandbox.jira.render import Renderer
from vmo_bridge.sandbox.jira.replies import JiraCall, JiraRefused, whole, words
from vmo_bridge.sandbox.jira.search import Search
from vmo_bridge.sandbox.jira.store import Issue, JiraStore
from vmo_bridge.sandbox.servicenow.replies import Reply

_LONGEST = 32_768


class Issues:
    """Everything that names its issues."""

    def __init__(self, store: JiraStore, search: Search) -> None:
        self._store = store
        self._search = search

    def found(self, name: str) -> Issue:
        """An issue by id or key; 404 when there is none."""
        rows = self._store.named([name])
        if not rows:
            raise JiraRefused(404, "Issue does not exist or you do not have permission to see it.")
        return rows[0]

    def read(self, call: JiraCall, name: str) -> Reply:
        """One issue, all fields unless some are named."""
        issue, asked = self.found(name), call.asked()
        renderer = Renderer(self._store, call)
        fields = words(asked.get("fields")) or ["*all"]
        shown = renderer.issue(issue, fields, words(asked.get("properties")))
        shown |= self._search.expanded(call, renderer, issue, asked, search=False)
        return Reply(200, shown)

    def transitions(self, call: JiraCall, name: str) -> Reply:
        """``/issue/{key}/transitions``."""
        issue = self.found(name)
        shown = Renderer(self._store, call).transitions(issue)
        return Reply(200, {"expand": "transitions", "transitions": shown})

    def changelog(self, call: JiraCall, name: str) -> Reply:
        """``/issue/{key}/changelog``: oldest first, by offset."""
        issue, asked = self.found(name), call.asked()
        start = max(0, whole(asked.get("startAt"), 0))
        size = min(max(1, whole(asked.get("maxResults"), 100)), 100)
        changes = self._store.changes([issue["id"]])
        renderer = Renderer(self._store, call)
        page = [renderer.change(each) for each in changes[start : start + size]]
        last = start + size >= len(changes)
        body = {
            "self": f"{call.base}/rest/api/{call.version}/issue/{issue['key']}/changelog",
            "startAt": start, "maxResults": size, "total": len(changes), "isLast": last,
            "values": page,
        }  # fmt: skip
        return Reply(200, body)

    def edit_meta(self, call: JiraCall, name: str) -> Reply:
        """``/issue/{key}/editmeta``: the fields of the edit screen; none for who may not edit."""
        self.found(name)
        hidden = self._search.faults.take("field_not_on_screen", app=call.app) or ()
        shown = {
            each.id: {
                "required": each.id == "summary", "schema": schema.described(each)["schema"],
                "name": each.name, "key": each.id, "operations": ["set"],
            }
            for each in schema.FIELDS.values()
            if each.screen and each.id not in hidden and call.account.may_edit
        }  # fmt: skip
        return Reply(200, {"fields": shown})

    # -- many at a time ----------------------------------------------------------------------

    def bulk_fetch(self, call: JiraCall) -> Reply:
        """``/issue/bulkfetch``: at most 100, by id; errors beside the rest."""
        asked = call.body()
        names = words(asked.get("issueIdsOrKeys"))
        if not 1 <= len(names) <= 100:
            raise JiraRefused(400, "issueIdsOrKeys: between 1 and 100 ids or keys.")
        rows = self._store.named(names)
        known = {row["key"] for row in rows} | {str(row["id"]) for row in rows}
        renderer = Renderer(self._store, call)
        fields = words(asked.get("fields")) or ["*navigable"]
        properties = words(asked.get("properties"))
        message = "Issue does not exist or you do not have permission to see it."
        missing = [name for name in names if name.upper() not in known]
        body = {
            "issues": [renderer.issue(row, fields, properties) for row in rows],
            "issueErrors": [{"id": name, "errorMessage": message} for name in missing],
        }
        return Reply(200, body)

    def bulk_changelogs(self, call: JiraCall) -> Reply:
        """``/changelog/bulkfetch``: at most 1,000 issues; ``created`` is a number here."""
        asked = call.body()
        names, wanted = words(asked.get("issueIdsOrKeys")), words(asked.get("fieldIds"))
        if not 1 <= len(names) <= 1000 or len(wanted) > 10:
            raise JiraRefused(400, "Between 1 and 1000 issues, at most 10 field ids.")
        size = min(max(1, whole(asked.get("maxResults"), 1000)), 10_000)
        start = whole(asked.get("nextPageToken"), 0)
        changes = []
        for each in self._store.changes([row["id"] for row in self._store.named(names)]):
            items = [item for item in each[4] if not wanted or item["fieldId"] in wanted]
            if items:
                changes.append((*each[:4], items))
        renderer = Renderer(self._store, call)
        logs: dict[int, list[Any]] = {}
        for each in changes[start : start + size]:
            logs.setdefault(each[1], []).append(renderer.change(each, epoch=True))
        body: dict[str, Any] = {
            "issueChangeLogs": [
                {"issueId": str(issue), "changeHistories": log} for issue, log in logs.items()
            ]
        }
        if start + size < len(changes):
            body["nextPageToken"] = str(start + size)
        return Reply(200, body)

    # -- properties and links ----------------------------------------------------------------

    def properties(self, call: JiraCall, name: str) -> Reply:
        """The keys of an issue's properties."""
        kept = self._store.properties(self.found(name)["id"])
        root = f"{call.base}/rest/api/{call.version}/issue/{name}/properties"
        return Reply(200, {"keys": [{"self": f"{root}/{key}", "key": key} for key in kept]})

    def property(self, call: JiraCall, name: str, key: str) -> Reply:
        """Read, keep or drop one property."""
        issue = self.found(name)
        if call.method == "PUT":
            may_edit(call)
            try:
                value = json.loads(call.raw)
            except ValueError:
                raise JiraRefused(400, "The property value is not valid JSON.") from None
            if len(call.raw) > _LONGEST or len(key) > 255:
                raise JiraRefused(400, f"The property value is longer than {_LONGEST} characters.")
            new = self._store.set_property(issue, key, json.dumps(value), call.account.user_name)
            return Reply(201 if new else 200)
        kept = self._store.properties(issue["id"])
        if key not in kept:
            raise JiraRefused(404, f"The property {key} does not exist.")
        if call.method == "DELETE":
            may_edit(call)
            self._store.drop_property(issue, key, call.account.user_name)
            return Reply(204)
        return Reply(200, {"key": key, "value": kept[key]})

    def link(self, call: JiraCall) -> Reply:
        """``POST /issueLink``."""
        may_edit(call)
        asked = call.body()
        wanted = asked.get("type") or {}
        kinds = [
            number for number, (name, _, _) in schema.LINKS.items()
            if wanted.get("name") == name or wanted.get("id") == number
        ]  # fmt: skip
        if not kinds:
            raise JiraRefused(404, f"No issue link type with name '{wanted.get('name')}' found.")
        ends = [asked.get(side) or {} for side in ("inwardIssue", "outwardIssue")]
        inward, outward = (self.found(str(end.get("key") or end.get("id"))) for end in ends)
        self._store.link(kinds[0], inward, outward, call.account.user_name)
        return Reply(201)

    # -- the service desk --------------------------------------------------------------------

    def request(self, call: JiraCall, name: str, part: str) -> Reply:
        """``/rest/servicedeskapi/request/{key}`` with ``/sla`` and ``/feedback``."""
        rows = self._store.named([name])
        if not rows or rows[0]["project"] != helpdesk.PROJECT[0]:
            raise JiraRefused(404, "The request does not exist or you may not see it.")
        issue, renderer = rows[0], Renderer(self._store, call)
        if part == "sla":
            values = [renderer.level(issue)]
            page = {"size": 1, "start": 0, "limit": 50, "isLastPage": True, "values": values}
            return Reply(200, page)
        if part == "feedback":
            if call.method != "GET":
                raise JiraRefused(403, "Only the reporter of the request may give feedback.")
            if not issue["rating"]:
                raise JiraRefused(404, "No feedback was given for the request.")
            body = {"type": "csat", "rating": issue["rating"]}
            return Reply(200, body | {"comment": {"body": issue["comment"]}})
        body = {
            "issueId": str(issue["id"]), "issueKey": issue["key"], "serviceDeskId": "1",
            "requestTypeId": "1", "createdDate": renderer.date(issue["created"]),
            "reporter": renderer.user(issue["reporter"]),
            "currentStatus": {"status": issue["status"]},
        }  # fmt: skip
        return Reply(200, body)


def may_edit(call: JiraCall) -> None:
    """403 for accounts that may only read."""
    if not call.account.may_edit:
        raise JiraRefused(403, "You do not have permission to edit issues in this project.")
