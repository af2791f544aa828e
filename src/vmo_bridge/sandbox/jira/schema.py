"""Projects, issue types, statuses and fields of the site, and which fields are on the screen."""

from __future__ import annotations

from dataclasses import dataclass

from vmo_bridge.sandbox.agency import helpdesk
from vmo_bridge.sandbox.agency.development import PROJECTS as _DEVELOPMENT

#: Key → name, in the order of their ids.
PROJECTS = {**dict(_DEVELOPMENT.values()), helpdesk.PROJECT[0]: helpdesk.PROJECT[1]}
_DESK_TYPE = "Service Request"
TYPES = {"Epic": "10000", "Story": "10001", "Bug": "10004", _DESK_TYPE: "10009"}
#: Name → id and key of its category.
STATUSES = {
    "To Do": ("10000", "new"),
    "In Progress": ("3", "indeterminate"),
    "In Review": ("10001", "indeterminate"),
    "Done": ("10002", "done"),
    "Waiting for support": ("10010", "new"),
    "Resolved": ("10011", "done"),
}
_DESK_STATUSES = frozenset({"Waiting for support", "Resolved"})
#: Key → id and name.
CATEGORIES = {"new": (2, "To Do"), "indeterminate": (4, "In Progress"), "done": (3, "Done")}
LINKS = {
    "10000": ("Blocks", "is blocked by", "blocks"),
    "10003": ("Relates", "relates to", "relates to"),
}

EPIC_LINK, DEMAND, POINTS = "customfield_10014", "customfield_10010", "customfield_10020"
SATISFACTION, RESOLUTION_TIME = "customfield_10030", "customfield_10031"
SERVICE, VALUE, HIDDEN = "customfield_10050", "customfield_10040", "customfield_10041"


@dataclass(frozen=True, slots=True)
class Field:
    """One field; ``clauses`` are its names in JQL, ``screen`` says whether it can be edited."""

    id: str
    name: str
    type: str
    custom: str = ""
    clauses: tuple[str, ...] = ()
    screen: bool = False


_TYPE = "com.atlassian.jira.plugin.system.customfieldtypes:"
FIELDS = {
    each.id: each
    for each in (
        Field("summary", "Summary", "string", screen=True),
        Field("description", "Description", "string", screen=True),
        Field("issuetype", "Issue Type", "issuetype", clauses=("issuetype", "type")),
        Field("status", "Status", "status"),
        Field("statuscategorychangedate", "Status Category Changed", "datetime"),
        Field("project", "Project", "project"),
        Field("priority", "Priority", "priority"),
        Field("resolution", "Resolution", "resolution"),
        Field("resolutiondate", "Resolved", "datetime", clauses=("resolved", "resolutiondate")),
        Field("labels", "Labels", "array", screen=True),
        Field("reporter", "Reporter", "user"),
        Field("assignee", "Assignee", "user"),
        Field("created", "Created", "datetime", clauses=("created", "createdDate")),
        Field("updated", "Updated", "datetime", clauses=("updated", "updatedDate")),
        Field("parent", "Parent", "issuelink"),
        Field("issuelinks", "Linked Issues", "array"),
        Field("comment", "Comment", "comments-page"),
        Field(EPIC_LINK, "Epic Link", "any", "com.pyxis.greenhopper.jira:gh-epic-link"),
        Field(DEMAND, "ServiceNow demand", "string", f"{_TYPE}textfield", screen=True),
        Field(POINTS, "Story Points", "number", f"{_TYPE}float", screen=True),
        Field(SERVICE, "Affected service", "option", f"{_TYPE}select"),
        Field(VALUE, "VMO Value", "number", f"{_TYPE}float", screen=True),
        Field(HIDDEN, "VMO Note", "string", f"{_TYPE}textarea"),
        Field(
            SATISFACTION, "Satisfaction", "sd-feedback",
            "com.atlassian.servicedesk:sd-request-feedback",
        ),
        Field(
            RESOLUTION_TIME, "Time to resolution", "sd-servicelevelagreement",
            "com.atlassian.servicedesk:sd-sla-field",
        ),
    )
}  # fmt: skip


def described(field: Field) -> dict[str, object]:
    """A field as ``/field`` tells it."""
    number = field.id.rpartition("_")[2]
    clauses = list(field.clauses) or [field.id if not field.custom else f"cf[{number}]"]
    schema: dict[str, object] = {"type": field.type}
    if field.custom:
        schema |= {"custom": field.custom, "customId": int(number)}
        clauses.append(field.name)
    else:
        schema["system"] = field.id
    if field.type == "array":
        schema["items"] = "string" if field.id == "labels" else "issuelinks"
    return {
        "id": field.id,
        "key": field.id,
        "name": field.name,
        "custom": bool(field.custom),
        "orderable": field.screen,
        "navigable": True,
        "searchable": True,
        "clauseNames": clauses,
        "schema": schema,
    }


def statuses_of(project: str) -> list[str]:
    """The statuses an issue of a project may have, the first one first."""
    desk = project == helpdesk.PROJECT[0]
    return [name for name in STATUSES if (name in _DESK_STATUSES) is desk]


def types_of(project: str) -> list[str]:
    """The issue types of a project."""
    desk = project == helpdesk.PROJECT[0]
    return [name for name in TYPES if (name == _DESK_TYPE) is desk]


def project_id(key: str) -> str:
    """The id of a project."""
    return str(10_000 + list(PROJECTS).index(key))
