"""The ``jira`` package on our own HTTP client: its calls, our time limits, patience and errors.

The package has no time limit of its own, repeats writes blindly and stumbles over a ``Retry-After``
that is a date. So its session hands every request to ``HttpClient``, and nothing of that remains.
"""

from __future__ import annotations

import io
import json
from typing import Any

import jira
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from vmo_bridge.plugin import SourceError
from vmo_bridge_jira.client import ATTEMPTS, JiraClient


class Library(jira.JIRA):
    """A ``jira.JIRA`` whose requests go through a ``JiraClient``."""

    def __init__(self, client: JiraClient) -> None:
        super().__init__(client.http.url, get_server_info=False, max_retries=0)
        self._session.trust_env = False  # no .netrc, no second opinion on proxies
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Carrier(client))

    def applicationlinks(self, cached: bool = True) -> list[Any]:  # noqa: ARG002 - as the package has it
        """None: to list them takes an admin, and our links lead to no other Jira."""
        return []


class _Carrier(BaseAdapter):
    """Carries prepared requests by our client, and raises our errors."""

    def __init__(self, client: JiraClient) -> None:
        super().__init__()
        self._client = client

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """One request; signing is our client's. Reads and PUTs may be repeated, nothing else."""
        method, url, body = request.method or "GET", request.url or "", request.body
        if not url.startswith(f"{self._client.http.url}/"):
            raise SourceError(
                f"{self._client.name}: the site leads to another address than its own"
            )
        content = json.loads(body) if isinstance(body, (str, bytes)) and body else None
        answer = self._client.http.send(
            method,
            url,
            content=content,
            attempts=ATTEMPTS if method in ("GET", "PUT") else 1,
        )
        path = url.removeprefix(self._client.http.url).partition("?")[0]
        self._client.content(answer, path)
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers = CaseInsensitiveDict(answer.headers)
        response.headers.pop("Content-Encoding", None)  # it is decoded already
        response.raw = io.BytesIO(answer.content)
        response.encoding = "utf-8"
        response.url = url
        response.request = request
        return response

    def close(self) -> None:
        """Nothing of its own is open."""
