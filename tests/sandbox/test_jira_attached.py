"""Links to other places and comments of issues: their routes, who may, and what is noted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from vmo_bridge.sandbox.jira.store import JiraStore
from vmo_bridge.sandbox.server import SandboxServer

jira = pytest.importorskip("jira")

LINKS, COMMENTS = "/rest/api/2/issue/CASE-1/remotelink", "/rest/api/2/issue/CASE-1/comment"


def link(title: str = "DMND1", global_id: str | None = "ours") -> dict[str, Any]:
    shown = {"url": "https://example.org/1", "title": title}
    return {"object": shown} | ({"globalId": global_id} if global_id else {})


def noted(server: SandboxServer) -> list[tuple[object, object]]:
    return [(line["table"], line["operation"]) for line in server.write_log()]


@pytest.fixture(params=["cloud", "center"])
def site(request: pytest.FixtureRequest) -> httpx.Client:
    client: httpx.Client = request.getfixturevalue(request.param)
    return client


def test_a_link_with_a_known_global_id_is_changed_and_not_made_again(
    site: httpx.Client, server: SandboxServer
) -> None:
    made, again = (site.post(LINKS, json=link(title)) for title in ("DMND1", "DMND2"))
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json()["id"] == again.json()["id"]
    (held,) = site.get(LINKS).json()
    assert (held["globalId"], held["object"]["title"]) == ("ours", "DMND2")
    assert site.get(LINKS, params={"globalId": "ours"}).json() == held
    assert site.get(held["self"]).json() == held
    assert noted(server) == [("jira.remotelink", "insert"), ("jira.remotelink", "update")]


def test_links_without_a_global_id_are_made_each_time(site: httpx.Client) -> None:
    for _ in range(2):
        assert site.post(LINKS, json=link(global_id=None)).status_code == 201
    assert len(site.get(LINKS).json()) == 2


def test_a_link_goes_by_its_id_or_its_global_id(site: httpx.Client, server: SandboxServer) -> None:
    first = site.post(LINKS, json=link(global_id="a")).json()["id"]
    site.post(LINKS, json=link(global_id="b"))
    changed = site.put(f"{LINKS}/{first}", json=link("DMND3", "a"))
    assert changed.status_code == 204
    assert site.get(f"{LINKS}/{first}").json()["object"]["title"] == "DMND3"
    assert site.delete(f"{LINKS}/{first}").status_code == 204
    assert site.delete(LINKS, params={"globalId": "b"}).status_code == 204
    assert site.get(LINKS).json() == []
    assert noted(server)[-2:] == [("jira.remotelink", "delete")] * 2


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", LINKS, {"object": {"url": "https://example.org"}}, 400),
        ("POST", LINKS, link("x" * 256), 400),
        ("DELETE", LINKS, None, 400),
        ("PUT", LINKS, None, 405),
        ("GET", f"{LINKS}/999", None, 404),
        ("GET", f"{LINKS}?globalId=none", None, 404),
        ("POST", LINKS.replace("CASE-1", "CASE-99999"), link(), 404),
        ("POST", COMMENTS, {"body": "  "}, 400),
        ("POST", COMMENTS.replace("/2/", "/3/"), {"body": "no document"}, 400),
        ("PUT", f"{COMMENTS}/999", {"body": "x"}, 404),
        ("POST", f"{COMMENTS}/999", {"body": "x"}, 405),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_kept(
    cloud: httpx.Client, server: SandboxServer, method: str, path: str, body: Any, status: int
) -> None:
    assert cloud.request(method, path, json=body).status_code == status
    assert server.write_log() == []


def test_a_comment_is_made_changed_and_taken_away(
    site: httpx.Client, server: SandboxServer
) -> None:
    made = site.post(COMMENTS, json={"body": "first"})
    assert (made.status_code, made.json()["author"]["displayName"]) == (201, "VMO Bridge")
    changed = site.put(f"{COMMENTS}/{made.json()['id']}", json={"body": "second"})
    assert (changed.status_code, changed.json()["body"]) == (200, "second")
    page = site.get(COMMENTS).json()
    assert (page["total"], [each["body"] for each in page["comments"]]) == (1, ["second"])
    assert site.delete(f"{COMMENTS}/{made.json()['id']}").status_code == 204
    assert site.get(COMMENTS).json()["comments"] == []
    operations = ["insert", "update", "delete"]
    assert noted(server) == [("jira.comment", each) for each in operations]


def test_version_3_speaks_of_comments_in_documents(cloud: httpx.Client) -> None:
    paragraph = {"type": "paragraph", "content": [{"type": "text", "text": "a word"}]}
    document = {"type": "doc", "version": 1, "content": [paragraph]}
    path = COMMENTS.replace("/2/", "/3/")
    assert cloud.post(path, json={"body": document}).json()["body"] == document
    assert cloud.get(COMMENTS).json()["comments"][0]["body"] == "a word"


def test_comments_come_in_pages_oldest_first_or_last_first(cloud: httpx.Client) -> None:
    for number in range(105):
        cloud.post(COMMENTS, json={"body": f"{number}"})
    page = cloud.get(COMMENTS).json()
    assert (page["total"], page["maxResults"], len(page["comments"])) == (105, 100, 100)
    rest = cloud.get(COMMENTS, params={"startAt": 100}).json()["comments"]
    assert [each["body"] for each in rest] == ["100", "101", "102", "103", "104"]
    newest = cloud.get(COMMENTS, params={"orderBy": "-created", "maxResults": 1}).json()
    assert [each["body"] for each in newest["comments"]] == ["104"]


def test_who_may_only_read_attaches_nothing(
    server: SandboxServer, connect: Callable[..., httpx.Client]
) -> None:
    auth = server.jira.auth("vmo.reader")
    reader = connect(server, auth=auth, base_url=server.jira.url)
    assert reader.post(LINKS, json=link()).status_code == 403
    assert reader.post(COMMENTS, json={"body": "x"}).status_code == 403
    assert reader.get(LINKS).json() == []
    assert server.write_log() == []


def test_either_moves_the_issue(cloud: httpx.Client, server: SandboxServer) -> None:
    for path, body in ((LINKS, link()), (COMMENTS, {"body": "x"})):
        before = server.jira.store.named(["CASE-1"])[0]["updated"]
        cloud.post(path, json=body)
        assert server.jira.store.named(["CASE-1"])[0]["updated"] > before


def test_a_site_made_before_there_were_attachments_gets_room_for_them(
    server: SandboxServer,
) -> None:
    store: JiraStore = server.jira.store
    store._instance.db.execute("drop table _jira_attached")
    store.make_room()
    assert store.attached("comment", 1) == []


@pytest.mark.parametrize("deployment", ["cloud", "center"])
def test_the_jira_package_links_and_comments(deployment: str, server: SandboxServer) -> None:
    options = {"max_retries": 0, "timeout": (5, 60)}
    if deployment == "cloud":
        client = jira.JIRA(server.jira.url, basic_auth=server.jira.auth(), **options)
    else:
        client = jira.JIRA(server.jira.server_url, token_auth=server.jira.pat(), **options)
    client.add_simple_link("CASE-1", {"url": "https://example.org", "title": "DMND1"})
    (made,) = client.remote_links("CASE-1")
    assert client.remote_link("CASE-1", made.id).object.title == "DMND1"
    made.delete()
    comment = client.add_comment("CASE-1", "first")
    comment.update(body="second")
    assert [each.body for each in client.comments("CASE-1")] == ["second"]
    comment.delete()
    assert client.remote_links("CASE-1") == client.comments("CASE-1") == []
    client.close()
