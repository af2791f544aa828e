"""What an admin sets for a ServiceNow source, under ``[connectors.<name>]``."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from vmo_bridge.plugin import SecretSource, is_safe_url
from vmo_bridge_servicenow.tables import TABLES
from vmo_bridge_servicenow.words import OUR_STATES, OUR_TYPES, TYPES


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
    parallel: int = Field(default=4, ge=1, le=16)
    """How many slices of a long read are asked for at once."""
    calls_per_hour: int | None = Field(default=None, ge=1)
    """No more calls than this in an hour of UTC; empty: no limit of ours."""
    timeout_seconds: float = Field(default=65, gt=0)
    """The instance gives up on a request after 60 s by its own rule."""
    service_field: Literal["business_service", "cmdb_ci"] = "business_service"
    """The ticket field that names the service."""
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
    def _our_words(cls, value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for table, words in value.items():
            if table not in OUR_STATES:
                raise ValueError(f"{table!r} has no states; known are {', '.join(OUR_STATES)}")
            ours = OUR_STATES[table]
            for theirs, word in words.items():
                if word not in ours:
                    raise ValueError(
                        f"{table}.{theirs} = {word!r} is not one of our states: {', '.join(ours)}"
                    )
        return value
