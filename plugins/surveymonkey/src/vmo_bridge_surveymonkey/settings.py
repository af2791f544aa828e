"""What an admin sets for a SurveyMonkey account, under ``[connectors.<name>]``."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from vmo_bridge.plugin import SecretSource, is_safe_url

HOSTS = {
    "us": "https://api.surveymonkey.com",
    "eu": "https://api.eu.surveymonkey.com",
    "ca": "https://api.surveymonkey.ca",
}
"""The three sites; an account lives on one of them."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class VariablesSection(_Model):
    """Which custom variables of a survey's address say what an answer is about."""

    ticket: str | None = None
    """The custom variable that holds the number of a ticket."""
    service: str | None = None
    """The custom variable that names the service."""
    user_group: str | None = None
    """The custom variable that names the user group."""
    person: str | None = None
    """The custom variable that names the respondent; an e-mail address leads to a user."""


class QuestionsSection(_Model):
    """Which questions say what an answer is about."""

    ticket: str | None = None
    """The question that asks for the number of a ticket, by its text."""
    service: str | None = None
    """The question that asks for the service, by its text."""
    user_group: str | None = None
    """The question that asks for the user group, by its text."""


class SurveyMonkeySettings(_Model):
    """One SurveyMonkey account."""

    region: Literal["us", "eu", "ca"] = "us"
    """Where the account lives: ``us``, ``eu`` or ``ca``."""
    url: str | None = None
    """The address of the interface, instead of the region's."""
    token: SecretSource
    """Where the access token is kept."""
    surveys: list[str] = Field(default_factory=list)
    """The surveys that are read, by title or id; empty: all."""
    leave_out: list[str] = Field(default_factory=list)
    """Surveys that are not read, by title or id."""
    calls_a_day: int = Field(default=500, ge=1)
    """The calls that may be spent a day; less where the account itself has less left."""
    calls_a_minute: int = Field(default=120, ge=1)
    """The calls that may be spent a minute."""
    page_size: int = Field(default=100, ge=1, le=100)
    """Responses a call; SurveyMonkey gives 100 at most."""
    timeout_seconds: float = Field(default=60, gt=0)
    """How long an answer may take."""
    variables: VariablesSection = VariablesSection()
    questions: QuestionsSection = QuestionsSection()

    @field_validator("url")
    @classmethod
    def _safe(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if not is_safe_url(value):
            raise ValueError("not https, or with a user in it; use https or a loopback address")
        if urlsplit(value).query or urlsplit(value).fragment:
            raise ValueError("has a ? or # in it; write the base address only")
        return value.rstrip("/?#").removesuffix("/v3")

    @property
    def address(self) -> str:
        """The base address; paths under it begin with ``/v3``."""
        return self.url or HOSTS[self.region]
