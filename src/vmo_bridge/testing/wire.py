"""A wire to a source that tests cut, limit and close: real answers, and some that are not."""

from __future__ import annotations

import email.utils
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx


class Wire:
    """What is set here holds for every transport it has opened, from the next request on."""

    def __init__(self) -> None:
        self.change: Callable[[Any], Any] | None = None
        """What becomes of the JSON of a good answer."""
        self._cut = False
        self._refuses = False
        self._limit: tuple[int, str] | None = None

    def open(self) -> httpx.BaseTransport:
        """A transport of its own, for one connector."""
        return _Carrier(self)

    def cut(self) -> None:
        """Answers end in the middle, with a good status."""
        self._cut = True

    def limit(self, seconds: int, form: Literal["seconds", "date"]) -> None:
        """429 for everybody, with ``Retry-After`` in one of its two forms."""
        self._limit = seconds, form

    def refuse_sign_in(self, refuse: bool) -> None:
        """401 for everybody, or no longer."""
        self._refuses = refuse

    def instead(self) -> httpx.Response | None:
        """What is answered without asking the source."""
        if self._refuses:
            return httpx.Response(401, json={"error": {"message": "User Not Authenticated"}})
        if self._limit:
            seconds, form = self._limit
            moment = datetime.now(tz=UTC) + timedelta(seconds=seconds)
            date = email.utils.format_datetime(moment, usegmt=True)
            headers = {"Retry-After": str(seconds) if form == "seconds" else date}
            return httpx.Response(429, headers=headers, json={"error": "rate limit"})
        return None

    def after(self, answer: httpx.Response) -> httpx.Response:
        """What becomes of an answer of the source."""
        kind = answer.headers.get("Content-Type", "")
        if answer.status_code != 200 or "json" not in kind or not (self._cut or self.change):
            return answer
        body = answer.read()
        if self.change:
            body = json.dumps(self.change(json.loads(body))).encode()
        if self._cut:
            body = body[: len(body) * 2 // 3]
        kept = {
            name: value
            for name, value in answer.headers.items()
            if name.lower() not in {"content-length", "content-encoding", "transfer-encoding"}
        }
        return httpx.Response(200, headers=kept, content=body)


class _Carrier(httpx.HTTPTransport):
    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        given = self._wire.instead()
        return given or self._wire.after(super().handle_request(request))
