"""What an admin sets for a ServiceNow source, under ``[connectors.<name>]``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from vmo_bridge.plugin import SecretSource, is_safe_url
from vmo_bridge_servicenow.tables import TABLES


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BasicAuth(_Section):
    """User and password with each request."""

    method: Literal["basic"] = "basic"
    user: str
    password: SecretSource


class OAuthPassword(_Section):
    """OAuth 2.0, grant ``password``, with refresh."""

    method: Literal["oauth-password"]
    client_id: str
    client_secret: SecretSource
    user: str
    password: SecretSource


class OAuthClient(_Section):
    """OAuth 2.0, grant ``client_credentials``."""

    method: Literal["oauth-client"]
    client_id: str
    client_secret: SecretSource


Auth = Annotated[BasicAuth | OAuthPassword | OAuthClient, Field(discriminator="method")]


class ServiceNowSettings(_Section):
    """One ServiceNow instance."""

    url: str
    """``https://<instance>.service-now.com``; http only on this machine."""
    auth: Auth
    tables: list[str] = Field(default_factory=lambda: list(TABLES))
    """Which tables are read."""
    page_size: int = Field(default=1000, ge=10, le=10_000)
    """Rows a request; it shrinks by itself when the instance runs out of time."""
    timeout_seconds: float = Field(default=65, gt=0)
    """The instance gives up on a request after 60 s by its own rule."""
    service_field: Literal["business_service", "cmdb_ci"] = "business_service"
    """The ticket field that names the service."""
    states: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Table to (its own word to ours); added to the defaults."""

    @field_validator("url")
    @classmethod
    def _safe(cls, value: str) -> str:
        if not is_safe_url(value):
            raise ValueError("not https; use https or a loopback address")
        return value.rstrip("/")

    @field_validator("tables")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        for table in value:
            if table not in TABLES:
                raise ValueError(f"table {table!r} is not read; known are {', '.join(TABLES)}")
        return [table for table in TABLES if table in value]

    @field_validator("states")
    @classmethod
    def _our_words(cls, value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        ours = ("new", "in_progress", "on_hold", "resolved", "closed", "canceled", "other")
        for table, words in value.items():
            for theirs, word in words.items():
                if word not in ours:
                    raise ValueError(
                        f"{table}.{theirs} = {word!r} is not one of our states: {', '.join(ours)}"
                    )
        return value
