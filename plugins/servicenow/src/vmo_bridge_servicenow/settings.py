"""What an admin sets for a ServiceNow source, under ``[connectors.<name>]``."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from vmo_bridge.plugin import SecretSource, is_safe_url
from vmo_bridge_servicenow import mapped, query
from vmo_bridge_servicenow.tables import JOURNALS, TABLES, TICKET_TABLES
from vmo_bridge_servicenow.words import ALL_STATES, INITIATIVES, OUR_STATES, OUR_TYPES, TYPES

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class BasicAuth(_Section):
    """User and password with each request."""

    method: Literal["basic"] = "basic"
    """``basic``, ``oauth-password``, ``oauth-client`` or ``api-key``."""
    user: str
    """Who signs in."""
    password: SecretSource
    """Where the password is kept."""


class OAuthPassword(_Section):
    """OAuth 2.0, grant ``password``, with refresh."""

    method: Literal["oauth-password"]
    """``basic``, ``oauth-password``, ``oauth-client`` or ``api-key``."""
    client_id: str
    """Of the OAuth application registry."""
    client_secret: SecretSource
    """Where the client's secret is kept."""
    user: str
    """Who signs in."""
    password: SecretSource
    """Where the password is kept."""


class OAuthClient(_Section):
    """OAuth 2.0, grant ``client_credentials``."""

    method: Literal["oauth-client"]
    """``basic``, ``oauth-password``, ``oauth-client`` or ``api-key``."""
    client_id: str
    """Of the OAuth application registry."""
    client_secret: SecretSource
    """Where the client's secret is kept."""


class ApiKey(_Section):
    """A key with each request, in the header ``x-sn-apikey``."""

    method: Literal["api-key"]
    """``basic``, ``oauth-password``, ``oauth-client`` or ``api-key``."""
    key: SecretSource
    """Where the key is kept."""


Auth = Annotated[BasicAuth | OAuthPassword | OAuthClient | ApiKey, Field(discriminator="method")]


class FurtherTable(_Section):
    """A table of the admin's own, mapped column by column."""

    kind: Literal["ticket", "initiative", "idea", "service", "team", "user_group"]
    """What its rows are."""
    type: str = ""
    """Of tickets incident, request, problem or change; of initiatives demand, project, improvement
    or epic."""
    fields: dict[str, str] = Field(default_factory=dict)
    """Our field to the column that gives it; may be dot-walked. Without a line the columns of task
    and of the usual lists count."""
    people: list[str] = Field(default_factory=list)
    """Columns that name a person; those of our fields that do are among them anyway."""
    private: list[str] = Field(default_factory=list)
    """Columns that are dropped unless names are allowed."""

    def columns(self) -> dict[str, str]:
        """Our field to its column, the usual ones included."""
        return {**mapped.DEFAULTS[self.kind], **self.fields}

    @model_validator(mode="after")
    def _known(self) -> FurtherTable:
        for name, column in self.fields.items():
            _check_field(self.kind, name, column)
        types = {"ticket": OUR_TYPES, "initiative": INITIATIVES}.get(self.kind, ("",))
        if self.type not in types:
            raise ValueError(f"type = {self.type!r}: a {self.kind} is one of {', '.join(types)}")
        return self


def _check_field(kind: str, name: str, column: str) -> None:
    if name not in mapped.fields_of(kind):
        raise ValueError(
            f"a {kind} has no field {name!r}; it has {', '.join(sorted(mapped.fields_of(kind)))}"
        )
    query.column(column)


class ServiceNowSettings(_Section):
    """One ServiceNow instance."""

    url: str
    """``https://<instance>.service-now.com``; http only on this machine."""
    auth: Auth
    """How the user signs in, under ``[connectors.NAME.auth]``."""
    tables: list[str] = Field(default_factory=lambda: list(TABLES))
    """Which tables are read."""
    page_size: int = Field(default=1000, ge=10, le=10_000)
    """Rows a request; it shrinks by itself when the instance runs out of time."""
    batch_size: int = Field(default=50, ge=1, le=200)
    """Writes in one call of the Batch API, which the instance ends after 30 s; 1: single calls."""
    parallel: int = Field(default=4, ge=1, le=16)
    """How many slices of a long read are asked for at once."""
    calls_per_hour: int | None = Field(default=None, ge=1)
    """No more calls than this in an hour of UTC; empty: no limit of ours."""
    timeout_seconds: float = Field(default=65, gt=0)
    """The instance gives up on a request after 60 s by its own rule."""
    filters: dict[str, dict[str, list[str]]] = Field(default_factory=dict)
    """Table to column to the values that are of interest; other rows are neither read nor counted.
    """
    fields: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Table to our field to the column that gives it instead of the usual one; may be dot-walked.
    """
    further_tables: dict[str, FurtherTable] = Field(default_factory=dict)
    """Tables of your own, each under ``[connectors.NAME.further_tables.TABLE]``."""
    journals: bool = False
    """Read the comments and work notes of tickets, too: many rows, and what people write."""
    service_field: str = Field(default="business_service", pattern=r"^[a-z][a-z0-9_.]*$")
    """The ticket field that names the service: ``business_service``, ``cmdb_ci`` or your own."""
    states: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Table to (its own word to ours); added to the defaults."""
    priorities: dict[str, Annotated[int, Field(ge=1, le=5)]] = Field(default_factory=dict)
    """Its own word to ours, 1 (critical) to 5 (planning); added to the defaults."""
    types: dict[str, str] = Field(default_factory=dict)
    """Table to our word for what it holds: incident, request, problem or change."""

    @field_validator("url")
    @classmethod
    def _safe(cls, value: str) -> str:
        if not is_safe_url(value):
            raise ValueError(
                "not https, or with a user in it; use https (or a loopback address), "
                "and name the user under auth"
            )
        if urlsplit(value).path.strip("/") or urlsplit(value).query or urlsplit(value).fragment:
            raise ValueError("goes on behind the host; write https://<instance> only")
        return value.rstrip("/?#")

    @field_validator("tables")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        for table in value:
            if table not in TABLES:
                raise ValueError(f"table {table!r} is not read; known are {', '.join(TABLES)}")
        return [table for table in TABLES if table in value]

    @field_validator("filters")
    @classmethod
    def _plain_filters(
        cls, value: dict[str, dict[str, list[str]]]
    ) -> dict[str, dict[str, list[str]]]:
        for conditions in value.values():
            for column, values in conditions.items():
                query.any_of(column, values)
        return value

    @model_validator(mode="after")
    def _tickets_for_journals(self) -> ServiceNowSettings:
        further = [each for each in self.further_tables.values() if each.kind == "ticket"]
        if self.journals and not further and not {*self.tables} & {*TICKET_TABLES}:
            raise ValueError(
                "journals = true: no table of tickets is read whose journals could be; "
                f"add one of {', '.join(TICKET_TABLES)} to tables"
            )
        return self

    @model_validator(mode="after")
    def _known_tables(self) -> ServiceNowSettings:
        built_in = {**TABLES, **JOURNALS}
        for name in self.further_tables:
            if name in built_in or not _NAME.fullmatch(name):
                raise ValueError(
                    f"further_tables.{name}: is read already, or is no table's name; "
                    "what is read already can be given other columns under fields"
                )
        known = [*self.tables, *self.further_tables, *(JOURNALS if self.journals else ())]
        for section, tables in (("filters", self.filters), ("fields", self.fields)):
            for name in tables:
                if name not in known:
                    raise ValueError(f"{section}.{name}: is not read; read are {', '.join(known)}")
        for name, columns in self.fields.items():
            kinds = built_in[name].kinds if name in built_in else (self.further_tables[name].kind,)
            if kinds[0] not in mapped.KINDS:
                raise ValueError(f"fields.{name}: its columns cannot be chosen")
            for ours, column in columns.items():
                _check_field(kinds[0], ours, column)
        return self

    @field_validator("types")
    @classmethod
    def _our_types(cls, value: dict[str, str]) -> dict[str, str]:
        for table, word in value.items():
            if table not in TYPES or word not in OUR_TYPES:
                raise ValueError(
                    f"{table} = {word!r}: a table of {', '.join(TYPES)} can hold "
                    f"{', '.join(OUR_TYPES)}"
                )
        return value

    @field_validator("states")
    @classmethod
    def _our_words(
        cls, value: dict[str, dict[str, str]], info: ValidationInfo
    ) -> dict[str, dict[str, str]]:
        for table, words in value.items():
            # Of a further table any of our words; which ones fit its kind is the admin's to know.
            further = ALL_STATES if table in info.data.get("further_tables", {}) else ()
            ours = OUR_STATES.get(table, further)
            if not ours:
                raise ValueError(f"{table!r} has no states; known are {', '.join(OUR_STATES)}")
            for theirs, word in words.items():
                if word not in ours:
                    raise ValueError(
                        f"{table}.{theirs} = {word!r} is not one of our states: {', '.join(ours)}"
                    )
        return value
