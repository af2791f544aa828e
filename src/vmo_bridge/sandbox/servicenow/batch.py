"""The Batch API: several requests in one, answered one after the other."""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from vmo_bridge.sandbox.servicenow.replies import Dropped, Refused, Reply, Request


def answer(
    request: Request, one: Callable[[Request], Reply], unserviced: Sequence[object] | int = ()
) -> Reply:
    """The reply to a batch: 200 whatever its items come to; ids are told as text.

    ``one`` answers a single request; the ids in ``unserviced``, or so many of the last ones, are
    left for another time.
    """
    try:
        asked = json.loads(request.body)
        items = list(asked["rest_requests"])
        left = _left([str(item["id"]) for item in items], unserviced)
        serviced = [_serviced(request, item, one) for item in items if str(item["id"]) not in left]
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        detail = "The payload is not valid JSON."
        raise Refused(400, "Exception while reading request", detail) from None
    body = {
        "batch_request_id": str(asked.get("batch_request_id", "")),
        "serviced_requests": serviced,
        "unserviced_requests": left,
    }
    return Reply(200, body)


def _left(ids: list[str], unserviced: Sequence[object] | int) -> list[str]:
    if isinstance(unserviced, int):
        return ids[-unserviced:] if unserviced else []
    named = {str(each) for each in unserviced}
    return [each for each in ids if each in named]


def _serviced(
    batch: Request, item: Mapping[str, Any], one: Callable[[Request], Reply]
) -> dict[str, Any]:
    begun = time.monotonic()
    path, _, query = str(item["url"]).partition("?")
    # An item is asked in the name of who sent the batch, whatever it says itself.
    own = {str(each["name"]).lower(): str(each["value"]) for each in item.get("headers", [])}
    headers = own | {
        name: batch.headers[name]
        for name in ("authorization", "x-sn-apikey")
        if name in batch.headers
    }
    body = base64.b64decode(item.get("body", ""))
    try:
        reply = one(Request(str(item["method"]), path, query, batch.base, headers, body))
    except Dropped:
        # No connection of its own could break.
        reply = Refused(500, "Internal Server Error").reply()
    told: dict[str, Any] = {
        "id": str(item["id"]),
        "body": base64.b64encode(reply.content()).decode(),
        "status_code": reply.status,
        "status_text": HTTPStatus(reply.status).phrase,
        "execution_time": round((time.monotonic() - begun) * 1000),
    }
    if not item.get("exclude_response_headers"):
        pairs = {"Content-Type": reply.media_type} | reply.headers
        told["headers"] = [{"name": name, "value": value} for name, value in pairs.items()]
    return told
