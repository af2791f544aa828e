"""Requests and replies of the instance's interfaces, and its error envelopes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from vmo_bridge.sandbox.servicenow.access import User


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it came in; header names in lower case."""

    method: str
    path: str
    query: str
    base: str
    headers: Mapping[str, str]
    body: bytes = b""
    params: tuple[tuple[str, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        """Read the parameters once."""
        pairs = tuple(parse_qsl(self.query, keep_blank_values=True))
        object.__setattr__(self, "params", pairs)


@dataclass(frozen=True, slots=True)
class Call:
    """One request that is signed in. ``base`` is the instance's address as the caller sees it."""

    method: str
    path: str
    base: str
    params: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    user: User
    zone: ZoneInfo
    version: str = "v2"

    def param(self, name: str, default: str = "") -> str:
        """The last value given; an empty one counts as absent."""
        values = [value for key, value in self.params if key == name and value]
        return values[-1] if values else default

    def flag(self, name: str, *, default: bool = False) -> bool:
        """A boolean parameter in any case."""
        value = self.param(name).lower()
        return value == "true" if value else default


@dataclass(slots=True)
class Reply:
    """What goes back: ``body`` is JSON material, or ready bytes."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = "application/json;charset=UTF-8"

    def content(self) -> bytes:
        """The body as it goes over the wire."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Refused(Exception):
    """The call ends with an error envelope."""

    def __init__(
        self,
        status: int,
        message: str,
        detail: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.detail = detail
        self.headers = dict(headers or {})

    def reply(self) -> Reply:
        """The envelope."""
        body = {"error": {"message": self.message, "detail": self.detail}, "status": "failure"}
        return Reply(self.status, body, self.headers)


class Dropped(Exception):
    """The connection ends without a reply."""


def json_object(call: Call) -> dict[str, Any]:
    """The object a write sends; of a list the first one, for it is one record a call."""
    if not call.headers.get("content-type", "").startswith("application/json"):
        raise Refused(415, "Unsupported Media Type", "Content-Type must be application/json")
    try:
        body = json.loads(call.body or b"{}")
    except ValueError:
        body = None
    if isinstance(body, list) and body:
        body = body[0]
    if not isinstance(body, dict):
        raise Refused(400, "Exception while reading request", "The payload is not valid JSON.")
    return body


def not_authenticated() -> Refused:
    """401: no or wrong sign-in."""
    return Refused(
        401,
        "User Not Authenticated",
        "Required to provide Auth information",
        {"WWW-Authenticate": 'BASIC realm="Service-now"'},
    )


def no_record() -> Refused:
    """404: missing, or hidden by an access rule; the platform does not say which."""
    return Refused(
        404, "No Record found", "Record doesn't exist or ACL restricts the record retrieval"
    )


def invalid_table(table: str) -> Refused:
    """400: no such table."""
    return Refused(400, f"Invalid table {table}", f"Table {table} does not exist")


def no_resource(path: str) -> Refused:
    """400: no such interface."""
    return Refused(400, "Requested URI does not represent any resource", path)


def query_too_long() -> Refused:
    """400: the links to other pages would be longer than a header may be."""
    return Refused(
        400,
        "The requested query is too long to build the response pagination header URLs",
        "Set sysparm_suppress_pagination_header to true",
    )


def no_method(method: str) -> Refused:
    """405: the interface does not know the method."""
    return Refused(405, "Method not supported", f"{method} method not supported for API")


def may_not_query() -> Refused:
    """403: a table the caller may not read."""
    return Refused(403, "Insufficient rights to query records")


def operation_failed(detail: str) -> Refused:
    """403: a write was refused."""
    return Refused(403, "Operation Failed", detail)


def write_acl() -> Refused:
    """403: a write was refused by an access rule."""
    return operation_failed("ACL Exception Insert/Update Failed due to security constraints")


def timed_out() -> Refused:
    """500: the transaction ran longer than its quota."""
    message = "Transaction cancelled: maximum execution time exceeded"
    return Refused(
        500,
        message,
        f"{message} Check logs for error trace or enable glide.rest.debug property to verify "
        "REST request processing",
    )
