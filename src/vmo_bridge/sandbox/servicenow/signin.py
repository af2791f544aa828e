"""Sign-in to the instance: Basic, API key, and the OAuth token endpoint."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmo_bridge.sandbox.servicenow.access import Credentials, User
from vmo_bridge.sandbox.servicenow.faults import Faults
from vmo_bridge.sandbox.servicenow.instance import Clock
from vmo_bridge.sandbox.servicenow.replies import Reply

ACCESS_SECONDS = 1_800
REFRESH_SECONDS = 8_640_000


@dataclass(frozen=True, slots=True)
class _Token:
    user: User
    until: datetime


class SignIn:
    """Knows users and tokens; tokens live in memory and die with the server."""

    def __init__(self, credentials: Credentials, clock: Clock, faults: Faults) -> None:
        self._credentials = credentials
        self._faults = faults
        self._clock = clock
        self._access: dict[str, _Token] = {}
        self._refresh: dict[str, _Token] = {}
        self._lock = threading.Lock()

    def user(self, headers: Mapping[str, str], key: str = "") -> User | None:
        """Who sends these headers; None when nobody the instance knows. ``key``: an API key."""
        key = headers.get("x-sn-apikey", key)
        if key:
            return next((u for u in self._credentials.users if _same(u.api_key, key)), None)
        scheme, _, value = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            return self._checked(*_name_and_password(value))
        if scheme.lower() == "bearer":
            if self._faults.take("token_expired"):
                return None
            with self._lock:
                return self._alive(self._access.get(value.strip()))
        return None

    def token(self, form: Mapping[str, str], authorization: str = "") -> Reply:
        """The token endpoint: grants password, client_credentials and refresh_token.

        The client names itself in the form or by Basic sign-in, as OAuth libraries do (pysnow's).
        """
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "basic" and "client_secret" not in form:
            name, secret = _name_and_password(value)
            form = {**form, "client_id": name, "client_secret": secret}
        user = self._granted(form)
        if user is None:
            return Reply(401, {"error": "server_error", "error_description": "access_denied"})
        seconds = int(self._faults.take("token_seconds") or ACCESS_SECONDS)
        body = {
            "access_token": self._issue(self._access, user, seconds),
            "scope": "useraccount",
            "token_type": "Bearer",
            "expires_in": seconds - 1,
        }
        renewable = form.get("grant_type") == "password"
        if renewable and not self._faults.take("no_refresh_token"):
            body["refresh_token"] = self._issue(self._refresh, user, REFRESH_SECONDS)
        return Reply(200, body)

    def _granted(self, form: Mapping[str, str]) -> User | None:
        known = self._credentials
        if not _same(known.client_id, form.get("client_id", "")) or not _same(
            known.client_secret, form.get("client_secret", "")
        ):
            return None
        match form.get("grant_type"):
            case "password":
                return self._checked(form.get("username", ""), form.get("password", ""))
            case "client_credentials":
                return known.user(known.client_user)
            case "refresh_token" if not self._faults.take("refresh_refused"):
                with self._lock:
                    return self._alive(self._refresh.get(form.get("refresh_token", "")))
        return None

    def _issue(self, tokens: dict[str, _Token], user: User, seconds: int) -> str:
        text = secrets.token_urlsafe(48)
        with self._lock:
            tokens[text] = _Token(user, self._clock() + timedelta(seconds=seconds))
        return text

    def _alive(self, token: _Token | None) -> User | None:
        return token.user if token is not None and self._clock() < token.until else None

    def _checked(self, name: str, password: str) -> User | None:
        user = self._credentials.user(name)
        return user if user is not None and _same(user.password, password) else None


def _name_and_password(value: str) -> tuple[str, str]:
    try:
        name, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, password


def _same(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())
