"""Calls to one account: paid from the budget, judged before they are believed."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec

from vmo_bridge.plugin import AccessError, HttpClient, RetryLater, SignInError, SourceError
from vmo_bridge_surveymonkey.budget import MARGIN, Budget, Clock
from vmo_bridge_surveymonkey.settings import SurveyMonkeySettings

_ATTEMPTS = 3
_A_MINUTE = timedelta(seconds=70)
"""A limit that ends sooner is waited for; a longer one is told, and the next run goes on."""


_REFUSED = {"1010", "1011", "1012", "1013"}
"""Errors that mean the token, whatever the status."""
_LIMITED = "1040"


class Gone(SourceError):
    """What was asked for is not there any more."""


class SignIn(httpx.Auth):
    """Signs each request with the access token."""

    def __init__(self, name: str, settings: SurveyMonkeySettings, folder: Path) -> None:
        self._key = f"connectors.{name}.token"
        self._source = settings.token
        self._folder = folder

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign one request."""
        token = self._source.read(self._key, relative_to=self._folder)
        request.headers["Authorization"] = f"bearer {token}"
        yield request


class Client:
    """Asks for JSON; every call is counted."""

    def __init__(self, http: HttpClient, budget: Budget, clock: Clock) -> None:
        self.name = http.name
        self.budget = budget
        self._http = http
        self._clock = clock

    def get(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The object that a path gives; raises ``Gone``, ``AccessError`` or ``SourceError``.

        A failure that may pass is tried again, and each try is paid for.
        """
        failures = 0
        while True:
            self.budget.spend()
            try:
                response = self._http.get(path, params, attempts=1)
                self.budget.learn(response.headers)
                return self._content(response, path)
            except RetryLater as failure:
                failures += 1
                limited = failure.retry_at is not None
                if limited:
                    self.budget.day()
                if failures >= _ATTEMPTS or (limited and not self._soon(failure)):
                    raise
                self.budget.wait_until(failure.retry_at or self._clock() + MARGIN)

    def _soon(self, failure: RetryLater) -> bool:
        return failure.retry_at is not None and failure.retry_at <= self._clock() + _A_MINUTE

    def _content(self, response: httpx.Response, path: str) -> dict[str, Any]:
        kind = response.headers.get("Content-Type", "")
        if "json" not in kind:
            raise RetryLater(
                f"{self.name}: {path}: a web page instead of data (status "
                f"{response.status_code}, {kind or 'no type'}); the service may be in maintenance"
            )
        try:
            content = msgspec.json.decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise SourceError(f"{self.name}: {path}: the answer is cut off or not JSON") from error
        if not isinstance(content, dict):
            raise SourceError(f"{self.name}: {path}: the answer is not an object")
        if response.status_code >= 400 or "error" in content or "errmsg" in content:
            raise self._refusal(response, content, path)
        return content

    def _refusal(
        self, response: httpx.Response, content: Mapping[str, Any], path: str
    ) -> Exception:
        error = content.get("error")
        envelope = error if isinstance(error, dict) else {"message": content.get("errmsg") or error}
        text = " ".join(str(envelope.get(part) or "") for part in ("name", "message")).strip()
        status, number = response.status_code, str(envelope.get("id") or "")
        shown = f"{self.name}: {path}: {text[:300] or 'no reason given'} (status {status})"
        if number in _REFUSED or "revoked access" in text:
            return SignInError(f"{shown}; make a new token")
        if number == _LIMITED:
            return RetryLater(shown, retry_at=self.budget.resume_at(response.headers))
        if status == 404:
            return Gone(shown)
        if status == 403:
            return AccessError(f"{shown}; give the app of the token the scope for it")
        return SourceError(shown)
