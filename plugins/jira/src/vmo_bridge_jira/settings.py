"""What an admin sets for a Jira site, under ``[connectors.<name>]``."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from vmo_bridge.plugin import SecretSource, is_safe_url
from vmo_bridge_jira.words import (
    INITIATIVE_STATES,
    INITIATIVE_TYPES,
    TICKET_STATES,
    TICKET_TYPES,
)

Fact = Literal["watermelon", "lost_time", "open_signals", "csat", "sla", "kpi_status"]

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'(?:[^'\\]|\\.)*'")
_ORDER = re.compile(r"\border\s+by\b", re.IGNORECASE)


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class TokenAuth(_Section):
    """Cloud: e-mail address and API token with each request."""

    method: Literal["token"]
    """``token`` (Cloud) or ``pat`` (Data Center)."""
    email: str
    """The user's address at Atlassian."""
    token: SecretSource
    """Where the API token is kept; it ends after a year at most."""


class PatAuth(_Section):
    """Data Center: a personal access token with each request."""

    method: Literal["pat"]
    """``token`` (Cloud) or ``pat`` (Data Center)."""
    token: SecretSource
    """Where the personal access token is kept."""


Auth = Annotated[TokenAuth | PatAuth, Field(discriminator="method")]


class JiraSettings(_Section):
    """One Jira site."""

    url: str
    """``https://<site>.atlassian.net``, or the base address of Data Center with its path."""
    auth: Auth
    """How the user signs in, under ``[connectors.NAME.auth]``."""
    deployment: Literal["auto", "cloud", "server"] = "auto"
    """Which interface is spoken; ``auto`` asks the site (``serverInfo``)."""
    projects: list[str] = Field(default_factory=list)
    """Keys of the projects that are read."""
    jql: str | None = None
    """More conditions, or instead of projects; without ``ORDER BY``."""
    page_size: int = Field(default=100, ge=10, le=1000)
    """Issues a request; the site may give fewer, and it shrinks when the site runs out of time."""
    parallel: int | None = Field(default=None, ge=1, le=8)
    """Slices of a first read that are read at once; by itself 4 on the Cloud, 2 on Data Center."""
    calls_per_hour: int | None = Field(default=None, ge=1)
    """Most requests in an hour, over all runs; what is left waits for the next hour."""
    timeout_seconds: float = Field(default=60, gt=0)
    """How long an answer may take."""
    types: dict[str, str] = Field(default_factory=dict)
    """Issue type to our word (bug, story, epic …); added to the defaults, any other is a task."""
    states: dict[str, str] = Field(default_factory=dict)
    """Status to our word for tickets; before the status's category counts."""
    initiative_states: dict[str, str] = Field(default_factory=dict)
    """Status to our word for epics and other initiatives; the same way."""
    priorities: dict[str, Annotated[int, Field(ge=1, le=5)]] = Field(default_factory=dict)
    """Priority to 1 (critical) to 5 (planning); added to the defaults."""
    service_field: str | None = None
    """Name or id of the field that names the service."""
    services: dict[str, str] = Field(default_factory=dict)
    """Project key to the service its issues are about, where no field says so."""
    demand_field: str | None = None
    """Name or id of the field that holds the number of a demand in ServiceNow."""
    team_field: str | None = None
    """Name or id of the field that names the team; its history becomes spans."""
    parent_field: str = "Epic Link"
    """Name or id of the field with the epic's key, where an issue has no ``parent``."""
    number_pattern: str = r"\b(?:DMND|INC|RITM|PRB|CHG)[0-9]{7,}\b"
    """What in summary and description is taken for the number of another record."""
    sla_fields: dict[str, Literal["resolution", "response"]] = {
        "Time to resolution": "resolution",
        "Time to first response": "response",
    }
    """Name of an SLA field of Jira Service Management to its target; replaces the default."""
    rating_comments: bool = True
    """Read what people wrote with a rating: one request for each rated issue that is read."""
    value_fields: dict[Fact, str] = Field(default_factory=dict)
    """Fact (watermelon, lost_time, open_signals, csat, sla, kpi_status) to the field for it."""

    comments: bool = False
    """Keep one comment on each epic that is evidence of an open signal; Jira mails watchers."""

    @field_validator("url")
    @classmethod
    def _safe(cls, value: str) -> str:
        if not is_safe_url(value):
            raise ValueError(
                "not https, or with a user in it; use https (or a loopback address), "
                "and name the user under auth"
            )
        if urlsplit(value).query or urlsplit(value).fragment:
            raise ValueError("has a ? or # in it; write the base address only")
        return value.rstrip("/?#")

    @field_validator("projects")
    @classmethod
    def _keys(cls, value: list[str]) -> list[str]:
        for key in value:
            if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", key):
                raise ValueError(f"{key!r} is not the key of a project, such as 'CASE'")
        return list(dict.fromkeys(value))

    @field_validator("jql")
    @classmethod
    def _no_order(cls, value: str | None) -> str | None:
        if value is None:
            return None
        bare = _QUOTED.sub("", value)
        if _ORDER.search(bare):
            raise ValueError("has ORDER BY in it; leave it out, the order is the reader's")
        if bare.count("(") != bare.count(")"):
            raise ValueError("has a parenthesis without its other half")
        return value.strip() or None

    @field_validator("number_pattern")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        return value

    @field_validator("types")
    @classmethod
    def _our_types(cls, value: dict[str, str]) -> dict[str, str]:
        return _ours(value, (*TICKET_TYPES, *INITIATIVE_TYPES), "types")

    @field_validator("states")
    @classmethod
    def _our_states(cls, value: dict[str, str]) -> dict[str, str]:
        return _ours(value, TICKET_STATES, "states")

    @field_validator("initiative_states")
    @classmethod
    def _our_initiative_states(cls, value: dict[str, str]) -> dict[str, str]:
        return _ours(value, INITIATIVE_STATES, "states of initiatives")

    @model_validator(mode="after")
    def _bounded(self) -> JiraSettings:
        if not self.projects and not self.jql:
            raise ValueError("names neither projects nor jql; one of them says what is read")
        return self


def _ours(value: dict[str, str], known: tuple[str, ...], what: str) -> dict[str, str]:
    for theirs, word in value.items():
        if word not in known:
            raise ValueError(f"{theirs} = {word!r} is not one of our {what}: {', '.join(known)}")
    return value
