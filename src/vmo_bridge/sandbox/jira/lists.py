"""The small lists of a site: fields, projects and their parts, statuses, kinds, people, work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from vmo_bridge.sandbox.jira import schema
from vmo_bridge.sandbox.jira.accounts import Account
from vmo_bridge.sandbox.jira.render import Renderer
from vmo_bridge.sandbox.jira.replies import JiraCall, JiraRefused, whole
from vmo_bridge.sandbox.jira.store import JiraStore, millis
from vmo_bridge.sandbox.servicenow.replies import Reply

Answer = Callable[[JiraCall], Reply]
#: The one group there is; every account is in it.
GROUP = "jira-users"
_ROLES = ("Administrators", "Developers", "Users")


class Lists:
    """Answers what one asks for once, to understand the rest."""

    def __init__(self, store: JiraStore, accounts: Sequence[Account]) -> None:
        self._store = store
        self._accounts = accounts

    def gets(self, *, cloud: bool) -> dict[str, Answer]:
        """Path → answer of all lists without a name in their path."""
        found: dict[str, Answer] = {
            "myself": lambda call: Reply(
                200, self._renderer(call).user(call.account.user_name, myself=True)
            ),
            "field": lambda _: Reply(200, [schema.described(f) for f in schema.FIELDS.values()]),
            "project": lambda call: Reply(200, self._projects(call)),
            "project/type": self._project_types,
            "projectCategory": lambda _: Reply(200, []),
            "status": lambda call: Reply(
                200, [self._renderer(call).status(name) for name in schema.STATUSES]
            ),
            "resolution": lambda call: Reply(200, [self._renderer(call).resolution()]),
            "role": self._roles,
            "issueLinkType": self._link_types,
            "group/member": self._members,
            "worklog/updated": self._worklogs,
        }
        if cloud:
            found["project/search"] = lambda call: Reply(200, page(call, self._projects(call)))
        return found

    def project(self, call: JiraCall, name: str, part: str) -> Reply:
        """A project by key or id, or its versions and components, of which it has none."""
        keys = {schema.project_id(key): key for key in schema.PROJECTS}
        key = keys.get(name, name)
        if key not in schema.PROJECTS or part not in {"", "version", "component"}:
            raise JiraRefused(404, f"No project could be found with key '{name}'.")
        if part:
            return Reply(200, page(call, []))
        renderer = self._renderer(call)
        kinds = [renderer.kind(kind) for kind in schema.types_of(key)]
        return Reply(200, renderer.project(key) | {"issueTypes": kinds})

    def _renderer(self, call: JiraCall) -> Renderer:
        return Renderer(self._store, call)

    def _projects(self, call: JiraCall) -> list[dict[str, Any]]:
        return [self._renderer(call).project(key) for key in schema.PROJECTS]

    def _project_types(self, _: JiraCall) -> Reply:
        shown = [
            {"key": key, "formattedKey": name, "color": "", "icon": "",
             "descriptionI18nKey": f"jira.project.type.{key}.description"}
            for key, name in (("software", "Software"), ("service_desk", "Service Desk"))
        ]  # fmt: skip
        return Reply(200, shown)

    def _roles(self, call: JiraCall) -> Reply:
        root = f"{call.base}/rest/api/{call.version}/role"
        shown = [
            {"id": number, "name": name, "self": f"{root}/{number}", "description": ""}
            for number, name in enumerate(_ROLES, 10_000)
        ]
        return Reply(200, shown)

    def _link_types(self, _: JiraCall) -> Reply:
        shown = [
            {"id": number, "name": name, "inward": inward, "outward": outward}
            for number, (name, inward, outward) in schema.LINKS.items()
        ]
        return Reply(200, {"issueLinkTypes": shown})

    def _members(self, call: JiraCall) -> Reply:
        group = str(call.asked().get("groupname", ""))
        if group != GROUP:
            raise JiraRefused(404, f"The group named '{group}' does not exist.")
        renderer = self._renderer(call)
        return Reply(200, page(call, [renderer.user(each.user_name) for each in self._accounts]))

    def _worklogs(self, call: JiraCall) -> Reply:
        """Nobody here notes the hours of work."""
        since = whole(call.asked().get("since"), 0)
        until = millis(self._store.now())
        return Reply(200, {"values": [], "since": since, "until": until, "lastPage": True})


def page(call: JiraCall, values: list[Any]) -> dict[str, Any]:
    """A part of a list by ``startAt`` and ``maxResults``."""
    asked = call.asked()
    start = max(0, whole(asked.get("startAt"), 0))
    size = min(max(1, whole(asked.get("maxResults"), 50)), 50)
    return {
        "self": f"{call.base}/rest/api/{call.version}", "startAt": start, "maxResults": size,
        "total": len(values), "isLast": start + size >= len(values),
        "values": values[start : start + size],
    }  # fmt: skip
