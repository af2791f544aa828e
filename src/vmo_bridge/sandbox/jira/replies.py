"""One signed-in call to Jira, and its error envelope."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from vmo_bridge.sandbox.jira.accounts import Account
from vmo_bridge.sandbox.servicenow.replies import Reply


class JiraRefused(Exception):
    """The call ends with ``{"errorMessages": […], "errors": {…}}``."""

    def __init__(
        self,
        status: int,
        *messages: str,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(*messages)
        self.status = status
        self.messages = list(messages)
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})

    def reply(self) -> Reply:
        """The envelope."""
        body = {"errorMessages": self.messages, "errors": self.errors}
        return Reply(self.status, body, self.headers)


@dataclass(frozen=True, slots=True)
class JiraCall:
    """One request. ``base`` is the address of the site, context path included.

    ``version`` is 2 or 3; ``cloud`` tells the deployment, ``app`` the switches that apply.
    """

    method: str
    base: str
    version: str
    cloud: bool
    account: Account
    params: tuple[tuple[str, str], ...]
    raw: bytes

    @property
    def zone(self) -> ZoneInfo:
        """The caller's profile zone."""
        return ZoneInfo(self.account.time_zone)

    @property
    def app(self) -> str:
        """Name of the deployment for switches."""
        return "jira" if self.cloud else "jiradc"

    def body(self) -> dict[str, Any]:
        """The JSON object that was sent."""
        try:
            found = json.loads(self.raw or b"{}")
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise JiraRefused(400, "Invalid request payload. Refer to the REST API documentation.")
        return found

    def asked(self) -> dict[str, Any]:
        """Parameters of a search or fetch, from the body of a POST or from the query."""
        if self.method == "POST":
            return {key: value for key, value in self.body().items() if value not in (None, "")}
        found: dict[str, Any] = {}
        for key, value in self.params:
            if value:
                found[key] = f"{found[key]},{value}" if key in found else value
        return found


def words(value: object) -> list[str]:
    """A list, or a text with commas, as its parts."""
    parts = value if isinstance(value, list) else str(value or "").split(",")
    return [str(part).strip() for part in parts if str(part).strip()]


def whole(value: object, default: int) -> int:
    """A number given as text or number."""
    try:
        return default if value is None else int(str(value))
    except ValueError:
        raise JiraRefused(400, f"'{value}' is not a number.") from None
