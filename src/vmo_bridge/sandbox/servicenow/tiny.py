"""Short names for long addresses: the way round a 414."""

from __future__ import annotations

import json
import secrets
from urllib.parse import urlsplit

from vmo_bridge.sandbox.servicenow.replies import Refused, Reply, Request

_NAME = "sysparm_tiny"


class TinyUrls:
    """Keeps addresses in memory; they die with the server."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def keep(self, request: Request) -> Reply:
        """``POST /api/now/tinyurl``: the address in the body gets a short name."""
        try:
            address = urlsplit(json.loads(request.body)["url"])
        except (ValueError, KeyError, TypeError, AttributeError):
            detail = "The payload is not valid JSON."
            raise Refused(400, "Exception while reading request", detail) from None
        name = secrets.token_hex(16)
        self._kept[name] = address.query
        return Reply(200, {"result": f"{address.path.rpartition('/')[2]}?{_NAME}={name}"})

    def opened(self, request: Request) -> Request:
        """The request with the parameters its short name stands for."""
        name = dict(request.params).get(_NAME, "")
        if name not in self._kept:
            return request
        query = f"{self._kept[name]}&{request.query}"
        return Request(
            request.method, request.path, query, request.base, request.headers, request.body
        )
