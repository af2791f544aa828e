"""Sign-in: basic, OAuth or API key, for httpx (bulk reads) and pysnow's session (writes)."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import httpx

from vmo_bridge.plugin import RetryLater, SignInError, is_loopback_url, retry_moment
from vmo_bridge_servicenow.settings import (
    ApiKey,
    BasicAuth,
    OAuthClient,
    OAuthPassword,
    ServiceNowSettings,
)

_EARLY_SECONDS = 60
"""A token is renewed this long before it ends, so that no request is sent with a dying one."""


class SignIn(httpx.Auth):
    """Signs each request; keeps and renews the OAuth token.

    A 401 on a token is answered once with a fresh one: it may have been revoked early.
    """

    def __init__(
        self,
        name: str,
        settings: ServiceNowSettings,
        folder: Path,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._name = name
        self._url = settings.url
        self._auth = settings.auth
        self._folder = folder
        # Kept open: closing it would close a shared transport under an answer still being read.
        self._client = httpx.Client(
            transport=transport, timeout=15.0, trust_env=not is_loopback_url(settings.url)
        )
        self._token = ""
        self._refresh = ""
        self._ends = 0.0
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Sign one request of httpx."""
        request.headers.update(self.headers())
        response = yield request
        if response.status_code == 401 and self.renews:
            self.forget(request.headers.get("Authorization", ""))
            request.headers.update(self.headers())
            yield request

    def headers(self) -> dict[str, str]:
        """The header that signs a request now."""
        if isinstance(self._auth, ApiKey):
            return {"x-sn-apikey": self._secret("key")}
        if isinstance(self._auth, BasicAuth):
            pair = f"{self._auth.user}:{self._secret('password')}"
            return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        with self._lock:
            if time.monotonic() > self._ends - _EARLY_SECONDS:
                self._take(self._ask())
            return {"Authorization": f"Bearer {self._token}"}

    @property
    def renews(self) -> bool:
        """Whether a refused sign-in may pass with a fresh token."""
        return isinstance(self._auth, (OAuthPassword, OAuthClient))

    def forget(self, refused: str) -> None:
        """Drop the token that was refused (the header's value), so that a new one is asked for.

        Not one that another thread has got meanwhile.
        """
        with self._lock:
            if refused == f"Bearer {self._token}":
                self._ends = 0.0

    def _secret(self, field: str) -> str:
        source = getattr(self._auth, field)
        key = f"connectors.{self._name}.auth.{field}"
        secret: str = source.read(key, relative_to=self._folder)
        return secret

    def _ask(self) -> dict[str, Any]:
        """Get a token: by refresh where there is one, else (or if that is refused) by the grant."""
        if self._refresh:
            reply = self._post({"grant_type": "refresh_token", "refresh_token": self._refresh})
            if reply.status_code == 200:
                return self._content(reply)
            self._refresh = ""
        if isinstance(self._auth, OAuthPassword):
            grant = {
                "grant_type": "password",
                "username": self._auth.user,
                "password": self._secret("password"),
            }
        else:
            grant = {"grant_type": "client_credentials"}
        return self._content(self._post(grant))

    def _post(self, grant: dict[str, str]) -> httpx.Response:
        assert isinstance(self._auth, (OAuthPassword, OAuthClient))  # noqa: S101 - others need none
        form = {
            **grant,
            "client_id": self._auth.client_id,
            "client_secret": self._secret("client_secret"),
        }
        try:
            return self._client.post(f"{self._url}/oauth_token.do", data=form)
        except httpx.RequestError as error:
            raise RetryLater(
                f"{self._name}: {self._url} cannot be reached for a token; "
                "check the address and the network"
            ) from error

    def _content(self, reply: httpx.Response) -> dict[str, Any]:
        status = reply.status_code
        page = status == 200 and "json" not in reply.headers.get("Content-Type", "")
        if status >= 500 or status == 429 or page:
            raise RetryLater(
                f"{self._name}: {self._url} answers {'a web page' if page else status} for a token",
                retry_at=retry_moment(reply.headers),
            )
        try:
            content: dict[str, Any] = reply.json()
            content["access_token"]
            float(content.get("expires_in") or 0)
        except (ValueError, KeyError, TypeError):
            raise SignInError(
                f"{self._name}: {self._url} gave no token ({status}); "
                "check client id, secrets, user and the OAuth application registry"
            ) from None
        return content

    def _take(self, content: dict[str, Any]) -> None:
        self._token = str(content["access_token"])
        self._refresh = str(content.get("refresh_token") or self._refresh)
        self._ends = time.monotonic() + float(content.get("expires_in") or 0)
