"""What has to be known of a site before it is read: deployment, zone, fields, statuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from vmo_bridge.plugin import AccessError, ConfigError, SourceError
from vmo_bridge_jira import moments
from vmo_bridge_jira.settings import JiraSettings

if TYPE_CHECKING:
    from vmo_bridge_jira.library import Library

SATISFACTION = "com.atlassian.servicedesk:sd-request-feedback"
SATISFACTION_DATE = "com.atlassian.servicedesk:sd-request-feedback-date"
SLA = "com.atlassian.servicedesk:sd-sla-field"

SYSTEM_FIELDS = (
    "summary", "description", "issuetype", "status", "project", "priority", "resolution",
    "resolutiondate", "created", "updated", "reporter", "assignee", "parent", "issuelinks",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class JiraField:
    """A field of the site; ``custom`` is its kind where it is none of Jira's own."""

    id: str
    name: str
    type: str = ""
    custom: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Which fields say what we look for."""

    service: str | None = None
    demand: str | None = None
    team: str | None = None
    parent: str | None = None
    satisfaction: tuple[str, ...] = ()
    satisfaction_date: str | None = None
    slas: Mapping[str, str] = field(default_factory=dict)
    """Id to name."""

    @property
    def ids(self) -> list[str]:
        """All of them."""
        single = (self.service, self.demand, self.team, self.parent, self.satisfaction_date)
        return [*filter(None, single), *self.satisfaction, *self.slas]


@dataclass(frozen=True, kw_only=True)
class Site:
    """One site as its user sees it."""

    cloud: bool
    version: str
    now: datetime
    """By the site's clock."""
    zone: ZoneInfo | None
    """In which queries read a date; None where it is not known."""
    fields: Sequence[JiraField]
    categories: Mapping[str, str]
    """A status's id, and its name in lower case, to the key of its category."""
    statuses: Mapping[str, str] = field(default_factory=dict)
    """A status's name to the key of its category."""
    roles: Roles

    @cached_property
    def team_name(self) -> str | None:
        """How the team's field is called; sites have hundreds of fields to look through."""
        return next((each.name for each in self.fields if each.id == self.roles.team), None)


def look(
    library: Library, settings: JiraSettings, name: str, known: Mapping[str, str] | None = None
) -> Site:
    """Ask for everything; a configured field or project that is not there is an error.

    ``known`` are ids that the fields of some settings had: a field that was only renamed is found
    by it.
    """
    info = server_info(library, name)
    fields = read_fields(library, name)
    for key in settings.projects:
        see_project(library, key, name)
    categories, statuses = _categories(library)
    return Site(
        cloud=is_cloud(info, settings),
        version=str(info.get("version", "")),
        now=_now(info),
        zone=moments.zone(zone_name(library, name)),
        fields=fields,
        categories=categories,
        statuses=statuses,
        roles=find_roles(fields, settings, name, known or {}),
    )


def asked_fields(site: Site) -> list[str]:
    """Ids of all fields that are asked for."""
    return [*SYSTEM_FIELDS, *site.roles.ids]


def server_info(library: Library, name: str) -> dict[str, Any]:
    """What the site says of itself."""
    return _mapping(library.server_info(), "serverInfo", name)


def zone_name(library: Library, name: str) -> object:
    """The time zone in the user's profile, in which queries read dates."""
    return _mapping(library.myself(), "myself", name).get("timeZone")


def is_cloud(info: Mapping[str, Any], settings: JiraSettings) -> bool:
    """Which of the two interfaces is spoken."""
    if settings.deployment == "auto":
        return info.get("deploymentType") == "Cloud"
    return settings.deployment == "cloud"


def see_project(library: Library, key: str, name: str) -> str:
    """A project's name; the Cloud's search gives nothing, without a word, for one that is none."""
    try:
        return str(library.project(key).raw.get("name", key))
    except AccessError as error:
        raise AccessError(
            f"{name}: project {key!r} is not there, or the user may not browse it; "
            f"mend connectors.{name}.projects, or give the right"
        ) from error


def read_fields(library: Library, name: str) -> list[JiraField]:
    """Every field of the site, by id."""
    rows = library.fields()
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceError(f"{name}: field: the answer is no list of fields")
    found = []
    for row in rows:
        schema = row.get("schema") or {}
        found.append(
            JiraField(
                id=str(row.get("id", "")),
                name=str(row.get("name", "")),
                type=str(schema.get("type", "")),
                custom=str(schema.get("custom", "")),
            )
        )
    return sorted(found, key=lambda each: each.id)


def named_roles(site: Site) -> Iterator[tuple[str, JiraField]]:
    """What each field is looked for as: its setting, or its kind, or the SLA's name."""
    fields = {each.id: each for each in site.fields}
    roles = site.roles
    single = {
        "service_field": roles.service, "demand_field": roles.demand, "team_field": roles.team,
        "parent_field": roles.parent, "satisfaction date": roles.satisfaction_date,
    }  # fmt: skip
    yield from ((role, fields[key]) for role, key in single.items() if key)
    yield from ((f"satisfaction {key}", fields[key]) for key in roles.satisfaction)
    yield from ((f"SLA {label}", fields[key]) for key, label in roles.slas.items())


def find_roles(
    fields: Sequence[JiraField],
    settings: JiraSettings,
    name: str,
    known: Mapping[str, str] | None = None,
) -> Roles:
    """The fields that the settings name, and those that are known by their kind."""
    by_kind = {
        kind: tuple(each.id for each in fields if each.custom == kind)
        for kind in (SATISFACTION, SATISFACTION_DATE)
    }
    given = {
        setting: find_field(
            fields, wanted, f"connectors.{name}.{setting}", (known or {}).get(setting)
        )
        for setting, wanted in configured_fields(settings)
        if not setting.startswith("value_fields")
    }
    parents = [each.id for each in fields if _called(each, settings.parent_field)]
    parents += [each.id for each in fields if each.id == (known or {}).get("parent_field")]
    slas = {
        each.id: each.name
        for each in fields
        if each.custom == SLA and each.name in settings.sla_fields
    }
    return Roles(
        service=given.get("service_field"),
        demand=given.get("demand_field"),
        team=given.get("team_field"),
        parent=parents[0] if parents else None,
        satisfaction=by_kind[SATISFACTION],
        satisfaction_date=next(iter(by_kind[SATISFACTION_DATE]), None),
        slas=slas,
    )


def configured_fields(settings: JiraSettings) -> Iterator[tuple[str, str]]:
    """(setting, name or id) of each field that has to be there."""
    for setting in ("service_field", "demand_field", "team_field"):
        wanted = getattr(settings, setting)
        if wanted:
            yield setting, wanted
    for fact, wanted in settings.value_fields.items():
        yield f"value_fields.{fact}", wanted


def find_field(
    fields: Sequence[JiraField], wanted: str, setting: str, known: str | None = None
) -> str:
    """The id of a field by its name or id; several of one name are told, and none is taken.

    One that is called so no more is found by the id it had (``known``).
    """
    found = [each.id for each in fields if each.id == wanted]
    found = found or [each.id for each in fields if _called(each, wanted)]
    found = found or [each.id for each in fields if each.id == known]
    if not found:
        raise AccessError(
            f"{setting}: the site has no field {wanted!r} that the user may see; "
            "mend the name, or give the right"
        )
    if len(found) > 1:
        raise ConfigError(
            f"{setting}: {wanted!r} is the name of {' and '.join(found)}; write the id instead"
        )
    return found[0]


def _called(each: JiraField, wanted: str) -> bool:
    return each.name.casefold() == wanted.casefold() or each.id == wanted


def _categories(library: Library) -> tuple[dict[str, str], dict[str, str]]:
    """By id and name in lower case, and by name: a changelog names them without their category."""
    found: dict[str, str] = {}
    names: dict[str, str] = {}
    for status in library.statuses():
        raw = status.raw
        key, name = str((raw.get("statusCategory") or {}).get("key", "")), str(raw.get("name", ""))
        found[str(raw.get("id", ""))] = key
        found.setdefault(name.casefold(), key)
        names.setdefault(name, key)
    return found, names


def _now(info: Mapping[str, Any]) -> datetime:
    try:
        return moments.moment(info.get("serverTime"))
    except ValueError:
        return datetime.now(tz=UTC)


def _mapping(content: Any, what: str, name: str) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise SourceError(f"{name}: {what}: the answer is not an object")
    return content
