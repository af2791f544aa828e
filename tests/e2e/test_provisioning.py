"""The Update Set, from the command to a publish by a user with no right but the writer's role."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.e2e


def compared(site: Any) -> tuple[int, list[dict[str, str]]]:
    code, out, err = site.end("provision", "--check", "--format", "json")
    assert not err or code == 0, err
    return code, json.loads(out)


def test_an_update_set_that_was_taken_in_lets_the_writer_publish(site: Any) -> None:
    file = site.config.parent / "set.xml"
    assert f"wrote {file}" in site.run("provision", "--update-set", str(file))
    assert site.server.write_log() == [], "a file is written, and nothing else"
    code, rows = compared(site)
    assert code == 1
    assert {row["state"] for row in rows} == {"missing"}

    site.server.take_update_set(file.read_bytes())
    assert compared(site) == (0, [])
    assert "all there" in site.run("provision", "--check")
    assert "nothing is missing" in site.run("provision")
    checked = {row["what"]: row for row in site.json("check")}
    assert checked["value fields"]["state"] == "ok"

    for verb in ("sync", "detect", "measure"):
        site.run(verb)
    _, password = site.server.auth("vmo.writer")
    (site.config.parent / "writer.secret").write_text(password)
    text = site.config.read_text().replace('user = "vmo.bridge"', 'user = "vmo.writer"')
    text = text.replace('{ env = "SANDBOX_PASSWORD" }', '{ file = "writer.secret" }')
    site.config.write_text(text)
    before = len(site.server.write_log())
    site.run("publish", "--apply")
    log = site.server.write_log()[before:]
    assert {line["user"] for line in log} == {"vmo.writer"}
    assert {line["table"] for line in log} >= {"u_vmo_kpi_result", "cmdb_ci_service", "incident"}
    changed = {name for line in log if line["operation"] == "update" for name in line["changes"]}
    assert all(name.startswith(("u_vmo_", "sys_")) for name in changed), "our fields alone"
    about = site.server.rows("u_vmo_kpi_result", "u_service_recordISNOTEMPTY")
    assert about, "results lead to the record of their service"
    service = about[0]["u_service_record"]
    page = httpx.get(f"{site.server.url}/cmdb_ci_service.do?sys_id={service}").text
    assert "VMO KPI result" in page
    assert "Target" in page


def test_what_rest_made_and_what_it_cannot_make_is_told(site: Any) -> None:
    told = site.run("provision", "--apply")
    assert "+ column incident.u_vmo_watermelon (VMO watermelon)" in told
    assert "! access rule: write incident.u_vmo_watermelon for u_vmo_bridge_writer" in told
    written = len(site.server.write_log())
    again = site.run("provision", "--apply")
    assert "+ " not in again
    assert len(site.server.write_log()) == written
    code, rows = compared(site)
    assert code == 1
    assert all(row["detail"] == "only the Update Set makes it" for row in rows)
    code, out, _ = site.end("provision", "--check", "--format", "csv")
    assert code == 1
    assert list(csv.DictReader(io.StringIO(out))) == rows


def test_fields_of_the_admins_own_map_are_checked_and_never_made(site: Any) -> None:
    own = '\n[publish.map.helpdesk.incident]\nlost_time = "u_minutes"\nwatermelon = "u_vmo_green"\n'
    site.config.write_text(site.config.read_text() + own)
    plan = [each["what"] for each in site.json("provision")]
    assert "column incident.u_vmo_green (VMO watermelon)" in plan
    assert not any("u_minutes (" in what for what in plan), "a field of theirs is theirs to make"
    site.run("provision", "--apply")
    _, rows = compared(site)
    told = next(row for row in rows if row["what"] == "incident.u_minutes")
    assert told["state"] == "missing"
    assert "change publish.map" in told["detail"]
    code, out, _ = site.end("check", "--format", "json")
    failed = [row["what"] for row in json.loads(out) if row["state"] == "failed"]
    assert (code, failed) == (1, ["incident.u_minutes"])

    column = {"name": "incident", "element": "u_minutes", "internal_type": "integer"}
    site.server.change({"operation": "insert", "table": "sys_dictionary", "values": column})
    site.run("check")
