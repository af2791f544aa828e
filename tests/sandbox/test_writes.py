"""Inserts, updates, deletions, and tables and columns made over REST."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar

import httpx
import pytest

from vmo_bridge.sandbox.server import SandboxServer

Connect = Callable[..., httpx.Client]
INCIDENT = "/api/now/table/incident"


@pytest.fixture
def row(server: SandboxServer) -> dict[str, str]:
    return server.rows("incident", "state=7")[0]


def change(http: httpx.Client, row: dict[str, str], **params: str) -> Callable[..., Any]:
    def changed(**values: object) -> dict[str, Any]:
        reply = http.patch(f"{INCIDENT}/{row['sys_id']}", json=values, params=params)
        assert reply.status_code == 200, reply.text
        return reply.json()["result"]

    return changed


def test_an_insert_gives_201_a_location_and_a_number(
    http: httpx.Client, server: SandboxServer
) -> None:
    last = max(r["number"] for r in server.rows("incident"))
    reply = http.post(INCIDENT, json={"short_description": "New", "made_up": "x"})
    result = reply.json()["result"]
    assert reply.status_code == 201
    assert reply.headers["Location"].endswith(f"/api/now/table/incident/{result['sys_id']}")
    assert result["number"] == f"INC{int(last[3:]) + 1:07d}"
    assert "made_up" not in result
    assert result["sys_class_name"] == "incident"
    assert result["sys_created_by"] == result["sys_updated_by"] == "vmo.bridge"
    assert result["sys_mod_count"] == "0"
    assert result["active"] == "true"
    assert http.get(reply.headers["Location"]).json()["result"] == result


def test_an_own_sys_id_is_kept_in_its_case(http: httpx.Client) -> None:
    own = "ABCDEF0123456789ABCDEF0123456789"
    reply = http.post(INCIDENT, json=[{"sys_id": own}, {"short_description": "ignored"}])
    assert reply.json()["result"]["sys_id"] == own
    assert http.get(f"{INCIDENT}/{own}").status_code == 200


def test_an_update_leaves_a_stamp_and_a_line_in_the_log(
    http: httpx.Client, server: SandboxServer, row: dict[str, str]
) -> None:
    result = change(http, row)(close_notes="Read again")
    assert result["sys_updated_on"] > row["sys_updated_on"]
    assert result["sys_updated_by"] == "vmo.bridge"
    assert int(result["sys_mod_count"]) == int(row["sys_mod_count"]) + 1
    (line,) = server.write_log()
    assert (line["user"], line["table"], line["operation"]) == ("vmo.bridge", "incident", "update")
    assert line["sys_id"] == row["sys_id"]
    assert line["changes"]["close_notes"] == [row["close_notes"], "Read again"]


def test_an_update_that_changes_nothing_leaves_no_trace(
    http: httpx.Client, server: SandboxServer, row: dict[str, str]
) -> None:
    result = change(http, row)(close_notes=row["close_notes"], unknown="x", number=row["number"])
    assert result["sys_mod_count"] == row["sys_mod_count"]
    assert result["sys_updated_on"] == row["sys_updated_on"]
    assert server.write_log() == []


def test_a_task_is_updated_under_its_real_class(
    http: httpx.Client, server: SandboxServer, row: dict[str, str]
) -> None:
    url = f"/api/now/table/task/{row['sys_id']}"
    assert http.put(url, json={"close_notes": "By way of task"}).status_code == 200
    assert server.write_log()[0]["table"] == "incident"


def test_values_are_brought_into_the_columns_shape(http: httpx.Client, row: dict[str, str]) -> None:
    result = change(http, row)(
        short_description="x" * 300,
        knowledge=True,
        notify="2",
        reassignment_count="many",
        child_incidents=3,
        caller_id={"value": row["opened_by"]},
        severity=None,
        business_impact=None,
    )
    assert result["short_description"] == "x" * 160
    assert result["knowledge"] == "true"
    assert result["notify"] == "2"
    assert result["reassignment_count"] == ""
    assert result["child_incidents"] == "3"
    assert result["caller_id"]["value"] == row["opened_by"]
    assert result["severity"] == row["severity"]


def test_an_empty_value_clears_a_field_but_no_choice(
    http: httpx.Client, row: dict[str, str]
) -> None:
    result = change(http, row)(close_notes="", state="", assigned_to="", knowledge="")
    assert result["close_notes"] == result["assigned_to"] == ""
    assert result["state"] == row["state"]
    assert result["knowledge"] == "false"


def test_display_values_are_understood_when_announced(
    server: SandboxServer, connect: Connect, row: dict[str, str]
) -> None:
    admin = connect(server, "admin")
    result = change(admin, row, sysparm_input_display_value="true")(
        state="In Progress",
        assignment_group="Data Platform",
        opened_at="2026-03-02 08:00:00",
        cmdb_ci="no such thing",
    )
    assert result["state"] == "2"
    assert result["opened_at"] == "2026-03-02 13:00:00"
    group = server.rows("sys_user_group", "name=Data Platform")[0]["sys_id"]
    assert result["assignment_group"]["value"] == group
    assert result["cmdb_ci"]["value"] == "no such thing"


def test_a_comment_goes_to_the_journal(
    http: httpx.Client, server: SandboxServer, row: dict[str, str]
) -> None:
    assert change(http, row)(comments="Please look again")["comments"] == ""
    (entry,) = server.rows("sys_journal_field", f"element_id={row['sys_id']}")
    assert (entry["element"], entry["value"]) == ("comments", "Please look again")
    assert server.write_log()[0]["changes"]["comments"] == ["", "Please look again"]


def test_a_deletion_is_filed_under_the_real_class(
    http: httpx.Client, server: SandboxServer, row: dict[str, str]
) -> None:
    reply = http.delete(f"/api/now/table/task/{row['sys_id']}")
    assert (reply.status_code, reply.content) == (204, b"")
    assert http.get(f"{INCIDENT}/{row['sys_id']}").status_code == 404
    (filed,) = server.rows("sys_audit_delete")
    assert filed["tablename"] == "incident"
    assert filed["documentkey"] == row["sys_id"]
    assert filed["display_value"] == row["number"]


def test_the_answer_to_a_write_may_be_declined(http: httpx.Client, row: dict[str, str]) -> None:
    reply = http.patch(
        f"{INCIDENT}/{row['sys_id']}",
        json={"close_notes": "x"},
        headers={"X-no-response-body": "true"},
    )
    assert (reply.status_code, reply.content) == (200, b"")


class TestProvisioning:
    COLUMN: ClassVar = {
        "name": "incident",
        "element": "u_vmo_score",
        "column_label": "VMO score",
        "internal_type": "decimal",
    }

    def test_a_new_column_is_there_at_once_for_the_class_and_below(
        self, http: httpx.Client, row: dict[str, str]
    ) -> None:
        column = self.COLUMN | {"name": "task"}
        assert http.post("/api/now/table/sys_dictionary", json=column).status_code == 201
        assert change(http, row)(u_vmo_score="4.25")["u_vmo_score"] == "4.25"
        found = http.get(INCIDENT, params={"sysparm_query": "u_vmo_score>4"}).json()["result"]
        assert [r["sys_id"] for r in found] == [row["sys_id"]]
        problem = http.get("/api/now/table/problem?sysparm_limit=1").json()["result"][0]
        assert problem["u_vmo_score"] == ""

    def test_siblings_may_have_a_column_of_the_same_name(self, http: httpx.Client) -> None:
        for table in ("incident", "problem"):
            column = self.COLUMN | {"name": table}
            assert http.post("/api/now/table/sys_dictionary", json=column).status_code == 201
        change_request = http.get("/api/now/table/change_request?sysparm_limit=1").json()
        assert "u_vmo_score" not in change_request["result"][0]

    def test_a_yes_or_no_column_starts_with_no(self, http: httpx.Client) -> None:
        column = {"name": "incident", "element": "u_vmo_red", "internal_type": "boolean"}
        http.post("/api/now/table/sys_dictionary", json=column)
        row = http.get(f"{INCIDENT}?sysparm_limit=1").json()["result"][0]
        assert row["u_vmo_red"] == "false"

    def test_a_new_table_is_real_and_closed_to_readers(
        self, http: httpx.Client, server: SandboxServer, connect: Connect
    ) -> None:
        table = {"name": "u_vmo_kpi_result", "label": "KPI result"}
        assert http.post("/api/now/table/sys_db_object", json=table).status_code == 201
        for element in ("u_key", "u_value"):
            column = {"name": "u_vmo_kpi_result", "element": element}
            assert http.post("/api/now/table/sys_dictionary", json=column).status_code == 201
        made = http.post("/api/now/table/u_vmo_kpi_result", json={"u_key": "a", "u_value": "1"})
        assert made.status_code == 201
        listed = http.get("/api/now/table/u_vmo_kpi_result?u_key=a").json()["result"]
        assert listed == [made.json()["result"]]
        assert set(listed[0]) >= {"sys_id", "sys_updated_on", "sys_mod_count", "u_key", "u_value"}
        reader = connect(server, "vmo.reader")
        assert reader.get("/api/now/table/u_vmo_kpi_result").status_code == 404
        assert reader.get("/api/now/stats/u_vmo_kpi_result").status_code == 404
        described = server.rows("sys_dictionary", "name=u_vmo_kpi_result^elementISEMPTY")
        assert described[0]["internal_type"] == "collection"

    def test_a_new_class_extends_what_it_names(self, http: httpx.Client) -> None:
        table = {"name": "u_vmo_task", "label": "VMO task", "super_class": "task"}
        assert http.post("/api/now/table/sys_db_object", json=table).status_code == 201
        made = http.post("/api/now/table/u_vmo_task", json={"short_description": "x"}).json()
        sys_id = made["result"]["sys_id"]
        assert http.get(f"/api/now/table/task/{sys_id}").status_code == 200

    @pytest.mark.parametrize(
        ("table", "values"),
        [
            ("sys_dictionary", {"name": "incident", "element": "vmo_score"}),
            ("sys_dictionary", {"name": "incident", "element": "u_Score"}),
            ("sys_dictionary", {"name": "incident", "element": "u__score"}),
            ("sys_dictionary", {"name": "nothing", "element": "u_score"}),
            ("sys_db_object", {"name": "kpi_result"}),
            ("sys_db_object", {"name": "u_a b"}),
            ("sys_db_object", {}),
        ],
    )
    def test_names_keep_the_platforms_rules(
        self, http: httpx.Client, server: SandboxServer, table: str, values: dict[str, str]
    ) -> None:
        reply = http.post(f"/api/now/table/{table}", json=values)
        assert reply.status_code == 403
        assert reply.json()["error"]["message"] == "Operation Failed"
        assert server.write_log() == []

    def test_nothing_can_be_made_twice(self, http: httpx.Client) -> None:
        for table, values in (
            ("sys_dictionary", self.COLUMN),
            ("sys_db_object", {"name": "u_twice"}),
        ):
            assert http.post(f"/api/now/table/{table}", json=values).status_code == 201
            again = http.post(f"/api/now/table/{table}", json=values)
            assert "Unique Key violation" in again.json()["error"]["detail"]

    def test_columns_of_an_applications_own_table_need_no_prefix(self, http: httpx.Client) -> None:
        table = {"name": "x_acme_vmo_kpi"}
        column = {"name": "x_acme_vmo_kpi", "element": "score"}
        assert http.post("/api/now/table/sys_db_object", json=table).status_code == 201
        assert http.post("/api/now/table/sys_dictionary", json=column).status_code == 201

    def test_a_choice_can_be_added_and_shows_its_label(
        self, http: httpx.Client, row: dict[str, str]
    ) -> None:
        column = {"name": "incident", "element": "u_light", "internal_type": "string"}
        http.post("/api/now/table/sys_dictionary", json=column)
        choice = {"name": "incident", "element": "u_light", "value": "r", "label": "Red"}
        created = http.post("/api/now/table/sys_choice", json=choice).json()["result"]
        change(http, row)(u_light="r")
        url = f"{INCIDENT}/{row['sys_id']}?sysparm_display_value=true&sysparm_fields=u_light"
        assert http.get(url).json()["result"] == {"u_light": "Red"}
        url_choice = f"/api/now/table/sys_choice/{created['sys_id']}"
        http.patch(url_choice, json={"label": "Crimson"})
        assert http.get(url).json()["result"] == {"u_light": "Crimson"}
        http.delete(url_choice)
        assert http.get(url).json()["result"] == {"u_light": "r"}


def test_the_dictionary_describes_every_table_that_is_served(reading: httpx.Client) -> None:
    def listed(table: str) -> list[dict[str, str]]:
        params = {"sysparm_exclude_reference_link": "true"}
        return reading.get(f"/api/now/table/{table}", params=params).json()["result"]

    tables = listed("sys_db_object")
    parents = {t["name"]: t["super_class"] for t in tables}
    names = {t["sys_id"]: t["name"] for t in tables}
    own: dict[str, set[str]] = {name: set() for name in parents}
    for column in listed("sys_dictionary"):
        own[column["name"]].add(column["element"])
    for name in parents:
        chain = [name]
        while parents[chain[-1]]:
            chain.append(names[parents[chain[-1]]])
        expected = set().union(*(own[each] for each in chain)) - {""}
        assert "" in own[name]
        rows = reading.get(f"/api/now/table/{name}?sysparm_limit=1").json()["result"]
        if rows:
            assert set(rows[0]) == expected, name
    assert "short_description" not in own["incident"]
    assert re.fullmatch("[0-9a-f]{32}", parents["incident"])
