"""References, labels, related lists, access rules and Update Sets, as the instance takes them."""

from __future__ import annotations

from collections.abc import Callable
from xml.sax.saxutils import escape

import httpx
import pytest

from vmo_bridge.errors import ConfigError
from vmo_bridge.sandbox.server import SandboxServer

API = "/api/now/table"
ROLE, RULE, LINK = "a" * 32, "b" * 32, "c" * 32
Connect = Callable[..., httpx.Client]


def row(table: str, **values: str) -> str:
    fields = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in values.items())
    return f'<{table} action="INSERT_OR_UPDATE">{fields}</{table}>'


def made_set(*rows: str) -> bytes:
    """An Update Set as others may write it, with a change for each row."""
    changes = "".join(
        f'<sys_update_xml action="INSERT_OR_UPDATE"><name>change {number}</name>'
        f"<payload><![CDATA[<record_update>{each}</record_update>]]></payload>"
        "<payload_hash>-1</payload_hash><remote_update_set>x</remote_update_set></sys_update_xml>"
        for number, each in enumerate(rows)
    )
    head = row("sys_remote_update_set", sys_id="x", state="loaded")
    return f'<unload unload_date="2026-01-01 00:00:00">{head}{changes}</unload>'.encode()


def field_rule(element: str = "u_vmo_score") -> tuple[str, ...]:
    """A column on incidents, that a role alone may write."""
    return (
        row("sys_dictionary", name="incident", element=element, internal_type="integer",
            sys_id="d" * 32),
        row("sys_user_role", name="u_vmo_bridge_writer", sys_id=ROLE),
        row("sys_security_acl", name=f"incident.{element}", operation="write", active="true",
            sys_id=RULE),
        row("sys_security_acl_role", sys_security_acl=RULE, sys_user_role=ROLE, sys_id=LINK),
    )  # fmt: skip


@pytest.mark.parametrize("table", ["sys_security_acl", "sys_security_acl_role"])
@pytest.mark.parametrize("user", ["admin", "vmo.bridge", "vmo.reader"])
def test_access_rules_are_not_written_over_rest_by_anybody(
    server: SandboxServer, connect: Connect, table: str, user: str
) -> None:
    http = connect(server, user)
    reply = http.post(f"{API}/{table}", json={"name": "incident", "operation": "write"})
    assert reply.status_code == 403
    assert "ACL Exception" in reply.json()["error"]["detail"]
    there = server.rows(table)[0]["sys_id"]
    assert http.patch(f"{API}/{table}/{there}", json={"name": "x"}).status_code == 403
    assert http.delete(f"{API}/{table}/{there}").status_code == 403
    assert http.post(f"/api/now/import/imp_{table}", json={"name": "x"}).status_code == 403
    assert server.write_log() == []


def test_only_admins_see_access_rules(shared: SandboxServer, connect: Connect) -> None:
    assert connect(shared).get(f"{API}/sys_security_acl").json()["result"]
    assert connect(shared, "vmo.reader").get(f"{API}/sys_security_acl").status_code == 403


@pytest.mark.parametrize("reference", ["", "no_such_table"])
def test_a_reference_leads_to_a_table_that_is_there(
    http: httpx.Client, server: SandboxServer, reference: str
) -> None:
    column = {"name": "incident", "element": "u_about", "internal_type": "reference"}
    reply = http.post(f"{API}/sys_dictionary", json=column | {"reference": reference})
    assert reply.status_code == 403
    assert "a reference leads to a table" in reply.json()["error"]["detail"]
    assert server.rows("sys_dictionary", "element=u_about") == []


def test_a_new_column_has_a_label_that_a_hint_can_be_added_to(
    http: httpx.Client, server: SandboxServer
) -> None:
    column = {"name": "incident", "element": "u_score", "column_label": "Score"}
    http.post(f"{API}/sys_dictionary", json=column)
    (label,) = server.rows("sys_documentation", "name=incident^element=u_score")
    assert (label["label"], label["language"], label["hint"]) == ("Score", "en", "")
    http.patch(f"{API}/sys_documentation/{label['sys_id']}", json={"hint": "How <good> it is"})
    incident = server.rows("incident")[0]["sys_id"]
    http.patch(f"{API}/incident/{incident}", json={"u_score": "7"})
    page = http.get(f"/incident.do?sys_id={incident}").text
    assert '<dt title="How &lt;good&gt; it is">Score</dt>' in page


def test_a_record_page_shows_its_related_lists_and_no_record_of_others(
    http: httpx.Client, server: SandboxServer
) -> None:
    lists = {"name": "cmdb_ci_service", "view": "Default view"}
    key = http.post(f"{API}/sys_ui_related_list", json=lists).json()["result"]["sys_id"]
    for place in ("incident.business_service", "incident.no_such", "nothing.at_all"):
        entry = {"list_id": key, "related_list": place}
        assert http.post(f"{API}/sys_ui_related_list_entry", json=entry).status_code == 201
    incident = next(each for each in server.rows("incident") if each["business_service"])
    service = incident["business_service"]
    page = http.get(f"/cmdb_ci_service.do?sys_id={service}").text
    count = len(server.rows("incident", f"business_service={service}"))
    assert f"{count} records</a>" in page
    other = next(each for each in server.rows("incident") if each["business_service"] != service)
    assert other["number"] not in page
    assert page.count('id="related-') == 1, "what leads nowhere shows nothing"


def test_a_rule_of_a_field_lets_its_role_write_it_and_nobody_else_but_admins(
    server: SandboxServer, connect: Connect
) -> None:
    server.take_update_set(made_set(*field_rule()))
    incident = server.rows("incident")[0]
    path = f"{API}/incident/{incident['sys_id']}"
    held = []
    for user, score in (("vmo.writer", "1"), ("vmo.reader", "2"), ("admin", "3")):
        reply = connect(server, user).patch(path, json={"u_vmo_score": score, "category": user})
        assert reply.status_code == 200
        held.append((reply.json()["result"]["u_vmo_score"], reply.json()["result"]["category"]))
    assert held == [("1", incident["category"]), ("1", "vmo.reader"), ("3", "admin")]


def test_a_rule_of_a_field_opens_no_other_way(server: SandboxServer, connect: Connect) -> None:
    server.take_update_set(made_set(*field_rule()))
    incident = server.rows("incident")[0]
    writer = connect(server, "vmo.writer")
    path = f"{API}/incident/{incident['sys_id']}"
    assert writer.delete(path).status_code == 403
    assert writer.post(f"{API}/incident", json={"u_vmo_score": "1"}).status_code == 403
    staged = {"number": incident["number"], "u_vmo_score": "5", "category": "mine"}
    writer.post("/api/now/import/imp_incident", json=staged)
    (after,) = server.rows("incident", f"sys_id={incident['sys_id']}")
    assert (after["u_vmo_score"], after["category"]) == ("5", incident["category"])
    count = len(server.rows("incident"))
    new = writer.post("/api/now/import/imp_incident", json={"u_vmo_score": "1"}).json()
    assert new["result"][0]["status"] == "error"
    assert len(server.rows("incident")) == count


def test_a_rule_of_a_table_without_its_role_hides_it(
    server: SandboxServer, connect: Connect
) -> None:
    table = row("sys_db_object", name="u_vmo_thing", label="Thing", sys_id="e" * 32)
    rule = row("sys_security_acl", name="u_vmo_thing", operation="read", active="true", sys_id=RULE)
    server.take_update_set(made_set(table, field_rule()[1], rule, field_rule()[3]))
    assert connect(server, "vmo.writer").get(f"{API}/u_vmo_thing").status_code == 200
    assert connect(server, "vmo.reader").get(f"{API}/u_vmo_thing").status_code == 403


def test_an_update_set_is_taken_in_whole_or_not_at_all(server: SandboxServer) -> None:
    wrong = row("no_such_table", sys_id=RULE)
    with pytest.raises(ConfigError, match="there is no table 'no_such_table'"):
        server.take_update_set(made_set(*field_rule(), wrong))
    assert server.rows("sys_user_role", "name=u_vmo_bridge_writer") == []
    assert server.rows("sys_dictionary", "element=u_vmo_score") == []
    assert server.take_update_set(made_set(*field_rule())) == 4
    assert server.take_update_set(made_set(*field_rule())) == 4, "a second time changes nothing"
    assert len(server.rows("sys_user_role", "name=u_vmo_bridge_writer")) == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"<unload", "not well-formed"),
        (b"<export/>", "its root is 'export'"),
        (b'<unload unload_date="x"/>', "does not hold one sys_remote_update_set"),
        (made_set("<delete_multiple/>"), "does more than insert or update"),
        (made_set(row("sys_user_role", sys_id="7")), "'7' is no sys_id"),
    ],
)
def test_an_update_set_that_is_not_in_order_is_refused(
    server: SandboxServer, content: bytes, told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        server.take_update_set(content)
