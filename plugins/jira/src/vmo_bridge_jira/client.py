"""JSON of one site over HTTP: what is no answer is refused, and told in Jira's own words."""

from __future__ import annotations

import base64
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_origin

import httpx
import msgspec

from vmo_bridge.plugin import AccessError, HttpClient, RetryLater, SourceError
from vmo_bridge_jira.limits import Limits
from vmo_bridge_jira.settings import JiraSettings, PatAuth
from vmo_bridge_jira.shapes import ANYTHING, Reader

T = TypeVar("T")

ATTEMPTS = 3
_SERVICE_DESK = "/rest/servicedeskapi/"


class Refused(SourceError):
    """The site answered that it will not: ``status`` says how."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NotThere(AccessError):
    """The site answered that it has no such thing, or not for us (404)."""


class JiraClient:
    """Asks one site; every answer is judged before it is believed."""

    def __init__(self, http: HttpClient) -> None:
        self.http = http
        self.name = http.name

    def get(
        self, path: str, params: Mapping[str, str] | None = None, reader: Reader = ANYTHING
    ) -> Any:
        """What a GET gives, decoded by ``reader``."""
        return self.content(self.http.get(path, params), path, reader)

    def post(self, path: str, content: Mapping[str, Any], reader: Reader = ANYTHING) -> Any:
        """What a POST gives that only reads: it is repeated like a GET."""
        return self.content(self.http.post(path, content, attempts=ATTEMPTS), path, reader)

    def content(self, response: httpx.Response, what: str, reader: Reader = ANYTHING) -> Any:
        """The decoded body of an answer that is one; ``AccessError``, ``Refused``, ``RetryLater``.

        Where a site is down or asks for a sign-in, a web page comes with status 200.
        """
        body = response.content
        kind = response.headers.get("Content-Type", "")
        if response.status_code >= 400:
            raise self._refusal(response.status_code, body, what)
        if not body:
            return None
        if "json" not in kind:
            raise RetryLater(
                f"{self.name}: {what}: the site answers a web page instead of data "
                f"(status {response.status_code}, {kind or 'no type'}); it may be in maintenance, "
                "or ask for a sign-in in the browser"
            )
        try:
            return reader.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceError(f"{self.name}: {what}: the answer is cut off or not JSON") from error

    def mapping(self, content: Any, what: str) -> dict[str, Any]:
        """An answer that has to be an object."""
        return self.answer(content, dict[str, Any], what)

    def answer(self, content: Any, kind: type[T], what: str) -> T:
        """An answer that has to be an object of a kind."""
        if not isinstance(content, get_origin(kind) or kind):
            raise SourceError(f"{self.name}: {what}: the answer is not an object")
        return content

    def _refusal(self, status: int, body: bytes, what: str) -> Exception:
        shown = f"{self.name}: {what}: {words(body) or 'no reason given'} (status {status})"
        if status == 403:
            return AccessError(f"{shown}; give the user the right to it, or leave it out")
        if status == 404:
            return NotThere(f"{shown}; it is not there, or the user may not see it")
        return Refused(shown, status)


def words(body: bytes) -> str:
    """What an error's envelope says; a web page says nothing."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    if not isinstance(content, dict):
        return ""
    messages, errors = content.get("errorMessages"), content.get("errors")
    said = [str(each) for each in messages] if isinstance(messages, list) else []
    if isinstance(errors, dict):
        said += [f"{field}: {text}" for field, text in errors.items()]
    said += [str(content[key]) for key in ("message", "errorMessage") if content.get(key)]
    return " ".join(said)[:300]


class SignIn(httpx.Auth):
    """Signs each request with the secret, which is read when it is first needed.

    It is the one place that every request and every answer passes, so ``limits`` are kept here.
    """

    def __init__(self, name: str, settings: JiraSettings, folder: Path, limits: Limits) -> None:
        self._limits = limits
        self._name = name
        self._auth = settings.auth
        self._folder = folder

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Basic (e-mail and API token) for the Cloud, bearer for Data Center.

        Raises ``RetryLater`` instead of sending what a limit would refuse.
        """
        self._limits.before(request.method, request.url.path)
        request.headers["Authorization"] = self._header()
        if _SERVICE_DESK in request.url.path:
            request.headers["X-ExperimentalApi"] = "opt-in"  # or older sites refuse some calls
        response = yield request
        self._limits.after(request.method, request.url.path, response.status_code, response.headers)

    def _header(self) -> str:
        secret = self._auth.token.read(
            f"connectors.{self._name}.auth.token", relative_to=self._folder
        )
        if isinstance(self._auth, PatAuth):
            return f"Bearer {secret}"
        pair = f"{self._auth.email}:{secret}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"
