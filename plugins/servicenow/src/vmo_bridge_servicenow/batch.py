"""The Batch API: many requests in one call, each judged by itself; what was left out is sent again.

A batch is answered with 200 whatever became of its items, and after 30 seconds the instance leaves
the rest unserviced.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from vmo_bridge.plugin import AccessError, HttpClient, RetryLater, SourceError
from vmo_bridge_servicenow.client import TableClient

log = logging.getLogger(__name__)

_PATH = "/api/now/v1/batch"
_IDLE_ROUNDS = 3
"""So often in a row nothing at all may be serviced until we leave the instance alone."""


class NoBatches(SourceError):
    """The instance does not take batches from us; single calls do the same, only slower."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request of a batch."""

    method: str
    url: str
    """Path and query."""
    content: Mapping[str, str] | None = None


class Batches:
    """Sends batches to one instance."""

    def __init__(self, http: HttpClient, client: TableClient) -> None:
        self._http = http
        self._client = client

    def answers(self, requests: Sequence[Request], *, attempts: int = 1) -> list[httpx.Response]:
        """The answers in the order of the requests, all of them.

        Raises ``NoBatches`` if the instance refuses the whole, ``RetryLater`` if it does not get
        on with it: of the requests without an answer nothing is known then. ``attempts`` above 1
        is for batches that only read.
        """
        found: dict[int, httpx.Response] = {}
        left = list(range(len(requests)))
        idle = 0
        while left and idle < _IDLE_ROUNDS:
            found |= self._round({number: requests[number] for number in left}, attempts)
            before, left = left, [number for number in left if number not in found]
            idle = idle + 1 if len(left) == len(before) else 0
            if left:
                told = (self._http.name, len(left), len(before))
                log.info("%s: a batch left %d of %d undone", *told)
        if not left:
            return [found[number] for number in range(len(requests))]
        raise RetryLater(
            f"{self._http.name}: batches are left unserviced ({len(left)} of {len(requests)}); "
            "the instance is overloaded, or batch_size is too large"
        )

    def _round(self, requests: Mapping[int, Request], attempts: int) -> dict[int, httpx.Response]:
        body = {
            "batch_request_id": "1",
            "rest_requests": [_item(number, each) for number, each in requests.items()],
        }
        response = self._http.post(_PATH, body, attempts=attempts)
        try:
            content = self._client.content(response, "batch")
        except (AccessError, SourceError) as error:
            raise NoBatches(f"{error}; single calls are made instead") from error
        found = {}
        for each in content.get("serviced_requests") or ():
            number = _number(each)
            if number in requests:
                found[number] = self._answer(each)
        return found

    def _answer(self, item: Mapping[str, Any]) -> httpx.Response:
        try:
            body = base64.b64decode(item.get("body") or "")
            status = int(item["status_code"])
        except (binascii.Error, KeyError, TypeError, ValueError) as error:
            raise RetryLater(
                f"{self._http.name}: an item of a batch has no readable answer"
            ) from error
        if status == 429 or status in (502, 503, 504):
            raise RetryLater(f"{self._http.name}: an item of a batch was answered {status}")
        # The instance names the type of an item only among headers that we do not ask for.
        return httpx.Response(status, headers={"Content-Type": "application/json"}, content=body)


def _item(number: int, request: Request) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": str(number),
        "method": request.method,
        "url": request.url,
        "headers": [
            {"name": "Accept", "value": "application/json"},
            {"name": "Content-Type", "value": "application/json"},
        ],
        "exclude_response_headers": True,
    }
    if request.content is not None:
        item["body"] = base64.b64encode(json.dumps(dict(request.content)).encode()).decode()
    return item


def _number(item: Mapping[str, Any]) -> int:
    text = str(item.get("id", ""))
    return int(text) if text.isascii() and text.isdigit() else -1
