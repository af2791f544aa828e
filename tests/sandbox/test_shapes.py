"""What answers look like: values, references, display values, headers, pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from vmo_bridge.sandbox.server import SandboxServer

Connect = Callable[..., httpx.Client]

ONE = "/api/now/table/incident?sysparm_limit=1"


def first(client: httpx.Client, url: str) -> dict[str, Any]:
    return client.get(url).json()["result"][0]


def test_every_plain_value_is_a_string_and_every_key_is_there(reading: httpx.Client) -> None:
    row = first(reading, f"{ONE}&sysparm_exclude_reference_link=True")
    assert all(isinstance(value, str) for value in row.values())
    assert row["rfc"] == ""
    assert row["active"] in ("true", "false")
    assert row["comments"] == row["work_notes"] == ""
    assert {"caller_id", "sys_class_name", "business_stc", "number"} <= set(row)


def test_a_reference_is_an_object_and_an_empty_one_is_not(reading: httpx.Client) -> None:
    row = first(reading, ONE)
    caller = row["caller_id"]
    assert caller["link"] == f"{reading.base_url}/api/now/table/sys_user/{caller['value']}".replace(
        "//api", "/api"
    )
    assert reading.get(caller["link"]).json()["result"]["sys_id"] == caller["value"]
    assert row["rfc"] == ""


def test_a_duration_is_a_date_of_1970(reading: httpx.Client) -> None:
    row = first(reading, f"{ONE}&sysparm_query=resolved_atISNOTEMPTY")
    assert re.fullmatch(r"19[67]\d-\d\d-\d\d \d\d:\d\d:\d\d", row["calendar_duration"])
    assert row["calendar_duration"].startswith("1970-01-0")
    assert int(row["calendar_stc"]) > 0


def test_display_values_replace_values(reading: httpx.Client) -> None:
    query = "&sysparm_query=state=7&sysparm_display_value=true"
    row = first(reading, ONE + query)
    assert row["state"] == "Closed"
    assert set(row["caller_id"]) == {"display_value", "link"}
    assert "Hour" in row["calendar_duration"] or "Minute" in row["calendar_duration"]
    plain = first(reading, f"{ONE}{query}&sysparm_exclude_reference_link=true")
    assert plain["caller_id"] == row["caller_id"]["display_value"]
    assert plain["sys_class_name"] == "Incident"


def test_all_gives_both_and_the_known_oddities(reading: httpx.Client) -> None:
    row = first(reading, f"{ONE}&sysparm_query=resolved_atISNOTEMPTY&sysparm_display_value=all")
    assert row["number"] == {
        "display_value": row["number"]["value"],
        "value": row["number"]["value"],
    }
    assert set(row["caller_id"]) == {"display_value", "value", "link"}
    assert row["hold_reason"] == {"display_value": None, "value": ""}
    assert row["activity_due"] == {"display_value": "UNKNOWN", "value": ""}
    assert row["calendar_stc"]["display_value"].replace(",", "") == row["calendar_stc"]["value"]


def test_dates_are_shown_in_the_users_zone(shared: SandboxServer, connect: Connect) -> None:
    url = f"{ONE}&sysparm_display_value=all&sysparm_query=numberSTARTSWITHINC^opened_at<2026-02-01"
    row = first(connect(shared, "vmo.reader"), url)
    shown, value = row["opened_at"]["display_value"], row["opened_at"]["value"]
    assert shown != value
    assert first(connect(shared), url)["opened_at"]["display_value"] == value


def test_chosen_fields_come_alone_and_unknown_ones_are_ignored(reading: httpx.Client) -> None:
    fields = "number,nonsense,caller_id.department.name,caller_id.nonsense,caller_id.department"
    row = first(reading, f"{ONE}&sysparm_fields={fields}")
    assert list(row) == ["number", "caller_id.department.name", "caller_id.department"]
    assert isinstance(row["caller_id.department.name"], str)
    assert set(row["caller_id.department"]) == {"link", "value"}


def test_empty_parameters_count_as_absent(reading: httpx.Client) -> None:
    empty = "&sysparm_fields=&sysparm_view=&sysparm_display_value=&sysparm_offset=&sysparm_query="
    assert first(reading, ONE + empty) == first(reading, ONE)


def test_a_task_is_any_of_its_classes_with_the_columns_of_task_only(
    reading: httpx.Client, shared: SandboxServer
) -> None:
    rows = reading.get("/api/now/table/task?sysparm_fields=sys_class_name,number").json()["result"]
    assert {r["sys_class_name"] for r in rows} == {
        "incident",
        "problem",
        "change_request",
        "sc_req_item",
        "dmn_demand",
    }
    incident = shared.rows("incident", "number=INC0010001")[0]
    row = reading.get(f"/api/now/table/task/{incident['sys_id']}").json()["result"]
    assert "caller_id" not in row
    assert row["number"] == "INC0010001"
    assert reading.get(f"/api/now/table/problem/{incident['sys_id']}").status_code == 404


def test_pages_are_linked_first_prev_next_last(reading: httpx.Client) -> None:
    reply = reading.get(
        "/api/now/table/incident?sysparm_query=priority=1&sysparm_limit=5&sysparm_offset=5"
    )
    total = int(reply.headers["X-Total-Count"])
    links = {rel: url for url, rel in re.findall(r'<([^>]*)>;rel="(\w+)"', reply.headers["Link"])}
    assert list(links) == ["first", "prev", "next", "last"]
    assert "sysparm_query=priority%3D1" in links["next"]
    offsets = {rel: int(httpx.URL(url).params["sysparm_offset"]) for rel, url in links.items()}
    assert offsets == {"first": 0, "prev": 0, "next": 10, "last": (total - 1) // 5 * 5}
    follow = reading.get(links["next"]).json()["result"]
    assert len(follow) == 5


def test_the_link_header_is_left_out_when_asked_or_useless(reading: httpx.Client) -> None:
    assert "Link" not in reading.get(f"{ONE}&sysparm_suppress_pagination_header=true").headers
    assert "Link" not in reading.get("/api/now/table/cmdb_ci_service").headers
    assert "X-Total-Count" not in reading.get(f"{ONE}&sysparm_no_count=TRUE").headers


def test_a_table_without_a_match_is_empty_in_v2_and_missing_in_v1(reading: httpx.Client) -> None:
    query = "table/incident?sysparm_query=number=none"
    assert reading.get(f"/api/now/{query}").json() == {"result": []}
    assert reading.get(f"/api/now/v2/{query}").json() == {"result": []}
    assert reading.get(f"/api/now/v1/{query}").status_code == 404


def test_head_says_the_same_without_a_body(reading: httpx.Client) -> None:
    reply = reading.head(ONE)
    assert reply.status_code == 200
    assert reply.content == b""
    assert reply.headers["X-Total-Count"]


def test_ten_thousand_rows_are_the_default_limit(reading: httpx.Client) -> None:
    reply = reading.get("/api/now/table/metric_instance?sysparm_fields=sys_id")
    assert len(reply.json()["result"]) == 10_000 < int(reply.headers["X-Total-Count"])


def test_replies_may_not_be_cached(reading: httpx.Client) -> None:
    headers = reading.get(ONE).headers
    assert "no-store" in headers["Cache-Control"]
    assert headers["X-Is-Logged-In"] == "true"
    assert headers["Content-Type"] == "application/json;charset=UTF-8"
    assert not [name for name in headers if name.lower().startswith("x-ratelimit")]


class TestAggregates:
    def test_counts_and_extremes_are_strings(
        self, reading: httpx.Client, shared: SandboxServer
    ) -> None:
        reply = reading.get(
            "/api/now/stats/incident",
            params={
                "sysparm_count": "true",
                "sysparm_max_fields": "sys_updated_on,nonsense",
                "sysparm_min_fields": "priority",
                "sysparm_avg_fields": "reassignment_count,short_description",
                "sysparm_sum_fields": "reassignment_count",
                "sysparm_query": "priority=2",
            },
        )
        rows = shared.rows("incident", "priority=2")
        moves = [int(r["reassignment_count"]) for r in rows]
        assert reply.json() == {
            "result": {
                "stats": {
                    "count": str(len(rows)),
                    "avg": {"reassignment_count": f"{sum(moves) / len(moves):.4f}"},
                    "min": {"priority": "2"},
                    "max": {"sys_updated_on": max(r["sys_updated_on"] for r in rows)},
                    "sum": {"reassignment_count": str(sum(moves))},
                }
            }
        }

    def test_groups_name_their_fields(self, reading: httpx.Client, shared: SandboxServer) -> None:
        url = "/api/now/stats/task?sysparm_count=true&sysparm_group_by=sys_class_name"
        groups = reading.get(url).json()["result"]
        found = {g["groupby_fields"][0]["value"]: g["stats"]["count"] for g in groups}
        assert found["incident"] == str(len(shared.rows("incident")))
        shown = reading.get(f"{url}&sysparm_display_value=all").json()["result"]
        assert {g["groupby_fields"][0]["display_value"] for g in shown} >= {"Incident", "Problem"}

    def test_groups_may_be_walked_filtered_and_ordered(self, reading: httpx.Client) -> None:
        url = (
            "/api/now/stats/incident?sysparm_count=true&sysparm_group_by=caller_id.department"
            "&sysparm_display_value=true&sysparm_having=count^priority^>^300"
            "&sysparm_order_by=COUNT"
        )
        groups = reading.get(url).json()["result"]
        counts = [int(g["stats"]["count"]) for g in groups]
        assert counts == sorted(counts, reverse=True)
        assert min(counts) > 300
        assert all(
            not re.fullmatch("[0-9a-f]{32}", g["groupby_fields"][0]["value"]) for g in groups
        )
        down = f"{url}&sysparm_order_by=caller_id.department^DESC"
        ids = [g["groupby_fields"][0]["value"] for g in reading.get(down).json()["result"]]
        assert len(ids) == len(groups)

    @pytest.mark.parametrize("query", ["", "number=none"])
    def test_nothing_asked_or_nothing_there_is_still_an_answer(
        self, query: str, reading: httpx.Client
    ) -> None:
        reply = reading.get(f"/api/now/stats/incident?sysparm_query={query}")
        assert reply.json() == {"result": {"stats": {}}}
        reply = reading.get(
            "/api/now/stats/incident?sysparm_query=number=none&sysparm_max_fields=opened_at"
        )
        assert reply.json() == {"result": {"stats": {"max": {"opened_at": ""}}}}
