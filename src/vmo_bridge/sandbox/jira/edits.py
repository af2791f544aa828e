"""Writing issues: which fields may be set to what, and what the changelog says of it."""

from __future__ import annotations

import json
from typing import Any

from vmo_bridge.sandbox.jira import schema
from vmo_bridge.sandbox.jira.issues import Issues, may_edit
from vmo_bridge.sandbox.jira.render import plain
from vmo_bridge.sandbox.jira.replies import JiraCall, JiraRefused
from vmo_bridge.sandbox.jira.store import Issue, JiraStore, millis
from vmo_bridge.sandbox.servicenow.faults import Faults
from vmo_bridge.sandbox.servicenow.replies import Reply

_COLUMNS = {"summary": "summary", "description": "description", schema.DEMAND: "demand"}


class Edits:
    """Makes, changes, moves and removes issues."""

    def __init__(self, store: JiraStore, issues: Issues, faults: Faults) -> None:
        self._store = store
        self._issues = issues
        self._faults = faults

    def put(self, call: JiraCall, name: str) -> Reply:
        """All fields or none are changed."""
        issue = self._issues.found(name)
        may_edit(call)
        wanted = _wanted(call.body(), json.loads(issue["labels"]))
        errors = {
            key: text for key, value in wanted.items() if (text := self._wrong(call, key, value))
        }
        if errors:
            raise JiraRefused(400, errors=errors)
        self._change(call, issue, wanted)
        return Reply(204)

    def post(self, call: JiraCall) -> Reply:
        """``POST /issue``: project, kind and summary are wanted."""
        may_edit(call)
        fields = dict(call.body().get("fields") or {})
        projects = {schema.project_id(key): key for key in schema.PROJECTS}
        project = _picked(fields.pop("project", None), projects, "key")
        kinds = {schema.TYPES[name]: name for name in schema.types_of(project)} if project else {}
        kind = _picked(fields.pop("issuetype", None), kinds, "name")
        errors = {
            key: text for key, value in fields.items() if (text := self._wrong(call, key, value))
        }
        if not project:
            errors["project"] = "Specify a valid project ID or key"
        if not kind:
            errors["issuetype"] = "Specify a valid issue type"
        if not fields.get("summary"):
            errors["summary"] = "You must specify a summary of the issue."
        if errors:
            raise JiraRefused(400, errors=errors)
        status = next(iter(schema.statuses_of(project)))
        issue = self._store.insert(
            {
                "project": project, "kind": kind, "status": status, "priority": "Medium",
                "category": schema.STATUSES[status][1], "reporter": call.account.user_name,
            },
            call.account.user_name,
        )  # fmt: skip
        self._change(call, issue, fields)
        shown = {
            "id": str(issue["id"]), "key": issue["key"],
            "self": f"{call.base}/rest/api/{call.version}/issue/{issue['id']}",
        }  # fmt: skip
        return Reply(201, shown)

    def delete(self, call: JiraCall, name: str) -> Reply:
        """``DELETE /issue/{key}``."""
        issue = self._issues.found(name)
        may_edit(call)
        self._store.delete(issue["key"], call.account.user_name)
        return Reply(204)

    def move(self, call: JiraCall, name: str) -> Reply:
        """``POST /issue/{key}/transitions``."""
        issue = self._issues.found(name)
        may_edit(call)
        wanted = str((call.body().get("transition") or {}).get("id", ""))
        there = [name for name in schema.statuses_of(issue["project"]) if name != issue["status"]]
        found = [name for name in there if schema.STATUSES[name][0] == wanted]
        if not found:
            raise JiraRefused(400, "It seems that you have tried to perform an illegal operation.")
        category = schema.STATUSES[found[0]][1]
        resolved = millis(self._store.now()) if category == "done" else None
        values = {"status": found[0], "category": category, "resolved": resolved}
        item = _item("status", issue["status"], found[0])
        item |= {"from": schema.STATUSES[issue["status"]][0], "to": wanted}
        self._store.update(issue, values, [item], call.account.user_name)
        return Reply(204)

    def _wrong(self, call: JiraCall, key: str, value: object) -> str:
        hidden = self._faults.take("field_not_on_screen", app=call.app) or ()
        field = schema.FIELDS.get(key)
        if field is None or not field.screen or key in hidden:
            return f"Field '{key}' cannot be set. It is not on the appropriate screen, or unknown."
        if key == "labels":
            spaced = not isinstance(value, list) or any(" " in str(label) for label in value)
            return "The label can't contain spaces." if spaced else ""
        if value is None:
            return "You must specify a summary of the issue." if key == "summary" else ""
        if field.type == "number":
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            return "" if number else "Operation value must be a number"
        if key == "description" and call.version == "3":
            document = isinstance(value, dict) and value.get("type") == "doc"
            text = (
                "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
            )
            return "" if document else text
        return "" if isinstance(value, str) else "Operation value must be a string"

    def _change(self, call: JiraCall, issue: Issue, wanted: dict[str, Any]) -> None:
        values: dict[str, Any] = {}
        custom = json.loads(issue["custom"])
        items = []
        for key, given in wanted.items():
            value = plain(given) if isinstance(given, dict) else given
            if key == "labels":
                old = " ".join(json.loads(issue["labels"]))
                values["labels"], new = json.dumps(value), " ".join(value)
            elif key in _COLUMNS:
                old, new = issue[_COLUMNS[key]], value or ""
                values[_COLUMNS[key]] = new
            else:
                old, new = _text(custom.get(key)), _text(value)
                custom[key] = value
                values["custom"] = json.dumps(custom)
            if old != new:
                items.append(_item(key, old, new))
        if items:
            self._store.update(issue, values, items, call.account.user_name)


def _picked(wanted: object, known: dict[str, str], word: str) -> str:
    """What an object names by its id or by ``word``; "" when it is nothing known."""
    told = wanted if isinstance(wanted, dict) else {}
    name = known.get(str(told.get("id", "")), str(told.get(word, "")))
    return name if name in known.values() else ""


def _wanted(body: dict[str, Any], labels: list[str]) -> dict[str, Any]:
    """Field → new value, from ``fields`` and the verbs of ``update``."""
    found: dict[str, Any] = dict(body.get("fields") or {})
    for key, verbs in (body.get("update") or {}).items():
        for verb in verbs:
            (name, value), *_ = verb.items()
            if name == "set":
                found[key] = value
            elif key == "labels" and name == "add":
                labels = [*labels, *([value] if value not in labels else [])]
                found[key] = labels
            elif key == "labels" and name == "remove":
                labels = [label for label in labels if label != value]
                found[key] = labels
            else:
                raise JiraRefused(400, errors={key: f"Operation '{name}' is not supported."})
    return found


def _item(key: str, old: str, new: str) -> dict[str, Any]:
    field = schema.FIELDS[key]
    return {
        "field": field.name if field.custom else key,
        "fieldtype": "custom" if field.custom else "jira",
        "fieldId": key,
        "from": None,
        "fromString": old,
        "to": None,
        "toString": new,
    }


def _text(value: object) -> str:
    return "" if value is None else f"{value}"
