"""The Batch API: many requests in one, and the ids it leaves for another time."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from vmo_bridge.sandbox.server import SandboxServer

BATCH = "/api/now/v1/batch"
INCIDENT = "/api/now/table/incident"


def item(number: object, method: str = "GET", url: str = INCIDENT, **more: Any) -> dict[str, Any]:
    headers = [
        {"name": "Accept", "value": "application/json"},
        {"name": "Content-Type", "value": "application/json"},
    ]
    return {"id": number, "method": method, "url": url, "headers": headers} | more


def encoded(body: object) -> str:
    return base64.b64encode(json.dumps(body).encode()).decode()


def decoded(answer: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(answer["body"]) or "null")


def batch(http: httpx.Client, *items: dict[str, Any]) -> Any:
    reply = http.post(BATCH, json={"batch_request_id": 7, "rest_requests": list(items)})
    assert reply.status_code == 200
    return reply.json()


def test_a_batch_answers_each_item_and_tells_ids_as_text(
    server: SandboxServer, http: httpx.Client
) -> None:
    number = server.rows("incident")[0]["number"]
    body = batch(
        http,
        item(1, url=f"{INCIDENT}?number={number}&sysparm_fields=number"),
        item("2", "POST", body=encoded({"short_description": "batched"})),
        item(3, url="/api/now/table/nonsense", exclude_response_headers=True),
    )
    assert (body["batch_request_id"], body["unserviced_requests"]) == ("7", [])
    one, two, three = body["serviced_requests"]
    assert [each["id"] for each in (one, two, three)] == ["1", "2", "3"]
    assert decoded(one) == {"result": [{"number": number}]}
    assert {"name": "X-Total-Count", "value": "1"} in one["headers"]
    assert (two["status_code"], two["status_text"]) == (201, "Created")
    assert decoded(two)["result"]["short_description"] == "batched"
    assert three["status_code"] == 400
    assert "headers" not in three
    assert [line["operation"] for line in server.write_log()] == ["insert"]


def test_a_batch_is_done_in_the_name_of_its_sender(http: httpx.Client) -> None:
    stranger = [{"name": "Authorization", "value": "Basic bm86Ym9keQ=="}]
    body = batch(http, item(1, headers=stranger))
    assert body["serviced_requests"][0]["status_code"] == 200
    assert http.post(BATCH, json={}, auth=("no", "body")).status_code == 401


def test_a_batch_may_leave_some_items_for_another_time(
    server: SandboxServer, http: httpx.Client
) -> None:
    server.faults.set("batch_partial", [2], times=1)
    server.faults.set("batch_partial", 1, times=1)
    items = [item(number, url=f"{INCIDENT}?sysparm_limit=1") for number in (1, 2, 3)]
    assert batch(http, *items)["unserviced_requests"] == ["2"]
    body = batch(http, *items)
    assert body["unserviced_requests"] == ["3"]
    assert [each["id"] for each in body["serviced_requests"]] == ["1", "2"]
    assert batch(http, *items)["unserviced_requests"] == []


def test_a_broken_item_is_one_reply_of_the_batch(server: SandboxServer, http: httpx.Client) -> None:
    server.faults.set("fail_next", table="incident", times=1)
    first, second = batch(http, item(1), item(2))["serviced_requests"]
    assert (first["status_code"], second["status_code"]) == (500, 200)


@pytest.mark.parametrize("body", ["x", "[]", "{}", '{"rest_requests": [{"id": 1}]}'])
def test_a_batch_that_is_none_is_refused(body: str, http: httpx.Client) -> None:
    assert http.post(BATCH, content=body).status_code == 400
