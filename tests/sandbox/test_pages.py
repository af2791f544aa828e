"""Home, lists and record pages, with form sections made over REST."""

from __future__ import annotations

from html.parser import HTMLParser

import httpx
import pytest

from vmo_bridge.sandbox.server import SandboxServer


class Page(HTMLParser):
    """Collects headings, links and the labelled values of a form."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.lang = ""
        self.headings: list[str] = []
        self.links: list[str] = []
        self.values: dict[str, str] = {}
        self.labels: list[str] = []
        self._into: list[str] | None = None
        self._field = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.lang = given.get("lang") or self.lang
        if tag == "a":
            self.links.append(given["href"] or "")
        if tag == "dd":
            self._field = given["data-field"] or ""
            self.values[self._field] = ""
        if tag in ("h1", "h2", "dt"):
            self._into = self.labels if tag == "dt" else self.headings
            self._into.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("h1", "h2", "dt"):
            self._into = None
        if tag == "dd":
            self._field = ""

    def handle_data(self, data: str) -> None:
        if self._into is not None:
            self._into[-1] += data
        if self._field:
            self.values[self._field] += data


def page(server: SandboxServer, path: str, status: int = 200) -> Page:
    reply = httpx.get(server.url + path)
    assert reply.status_code == status
    assert reply.headers["Content-Type"].startswith("text/html")
    return Page(reply.text)


def test_home_leads_to_lists_and_lists_to_records(shared: SandboxServer) -> None:
    home = page(shared, "/")
    assert home.lang == "en"
    assert "/incident_list.do" in home.links
    listed = page(shared, "/incident_list.do?sysparm_query=priority=1^ORDERBYnumber")
    assert listed.headings == ["Incident"]
    record = next(link for link in listed.links if link.startswith("/incident.do"))
    assert page(shared, record).headings[0].startswith("INC")
    for link in home.links:
        page(shared, link)


def test_a_record_shows_labels_and_display_values(shared: SandboxServer) -> None:
    row = shared.rows("incident", "state=7")[0]
    form = page(shared, f"/incident.do?number={row['number']}")
    assert form.headings[0] == row["number"]
    assert form.values["state"] == "Closed"
    assert "Short description" in form.labels
    assert form.values["short_description"] == row["short_description"]
    assert f"/sys_user.do?sys_id={row['caller_id']}" in form.links
    by_task = page(shared, f"/task.do?sys_id={row['sys_id']}")
    assert by_task.values == form.values


@pytest.mark.parametrize(
    "path",
    ["/nothing.do", "/incident.do", "/incident.do?number=none", "/sys_user.do?number=INC0010001",
     "/incident.do?sys_id=none", "/incident.do?number=a^ORpriority=1"],
)  # fmt: skip
def test_what_is_not_there_is_said_plainly(path: str, shared: SandboxServer) -> None:
    assert page(shared, path, 404).headings == ["Record not found"]


def test_a_section_made_over_rest_shows_walked_values(
    server: SandboxServer, http: httpx.Client
) -> None:
    def make(table: str, **values: str) -> str:
        reply = http.post(f"/api/now/table/{table}", json=values)
        assert reply.status_code == 201, reply.text
        return reply.json()["result"]["sys_id"]

    for table in ("cmdb_ci_service", "cmn_department"):
        make(
            "sys_dictionary",
            name=table,
            element="u_vmo_csat",
            column_label="VMO satisfaction",
            internal_type="decimal",
        )
    section = make("sys_ui_section", name="incident", caption="Value")
    walked = ("business_service.u_vmo_csat", "caller_id.department.u_vmo_csat", "nonsense.x")
    for position, element in enumerate(walked):
        make("sys_ui_element", sys_ui_section=section, element=element, position=str(position))
    row = server.rows("incident")[0]
    service = f"/api/now/table/cmdb_ci_service/{row['business_service']}"
    assert http.patch(service, json={"u_vmo_csat": "4.2"}).status_code == 200
    form = page(server, f"/incident.do?number={row['number']}")
    assert form.headings == [row["number"], "Value", "Details"]
    assert form.values["business_service.u_vmo_csat"] == "4.2"
    assert form.values["caller_id.department.u_vmo_csat"] == ""
    assert "nonsense.x" not in form.values
    assert any(label.endswith("VMO satisfaction") for label in form.labels)


def test_text_from_records_is_never_markup(server: SandboxServer, http: httpx.Client) -> None:
    row = server.rows("incident")[0]
    evil = "<script>alert(1)</script>"
    http.patch(
        f"/api/now/table/incident/{row['sys_id']}",
        json={"short_description": evil, "work_notes": evil},
    )
    text = httpx.get(f"{server.url}/incident.do?sys_id={row['sys_id']}").text
    assert "<script" not in text
    assert "Activities" in text
    listed = httpx.get(f"{server.url}/incident_list.do?sysparm_query=short_description={evil}").text
    assert "<script" not in listed
