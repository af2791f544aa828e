"""The link to a demand and the comment on signals: one of each, kept true, and taken away again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.plugin import Change, RetryLater, WriteRefused
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge_jira import wiki

Connect = Callable[..., Any]
LINK, COMMENT, SIGNALS = "vmo.link.demand", "vmo.comment.signals", "vmo.value.open_signals"
ADDRESS = "https://desk.example.org/dmn_demand.do?sys_id=1&view=x"
DEMAND = f"DMND0001011 {ADDRESS}"
SAID = "An open signal names this as evidence: “[a] {b} *c* @\u2060d, FIN-31 … x_y” (feedback-x)."


@pytest.fixture
def key(server: SandboxServer) -> str:
    return str(server.jira.store.select("WHERE kind = 'Epic' LIMIT 1")[0]["id"])


def of(key: str, values: dict[str, str]) -> Change:
    return Change(table="epic", key=key, match={}, values=values)


def links(server: SandboxServer, key: str) -> list[dict[str, Any]]:
    return [each.content for each in server.jira.store.attached("remotelink", int(key))]


def bodies(server: SandboxServer, key: str) -> list[str]:
    return [each.content["body"] for each in server.jira.store.attached("comment", int(key))]


def noted(server: SandboxServer, table: str) -> list[object]:
    return [line["operation"] for line in server.write_log() if line["table"] == table]


def by_somebody(server: SandboxServer, key: str, body: str) -> None:
    (issue,) = server.jira.store.named([key])
    server.jira.store.attach("comment", issue, {"body": body}, "admin", to=None)


def test_a_link_leads_to_the_demand_and_comes_back_as_it_was_written(
    server: SandboxServer, connect: Connect, deployment: str, key: str
) -> None:
    writer = connect(deployment)
    change = of(key, {LINK: DEMAND, SIGNALS: "1"})
    assert writer.current("epic", "sys_id", [key], [LINK])[key] == {"sys_id": key, LINK: ""}
    assert writer.write(change) == key
    assert dict(writer.read_back(change, key).stored) == {LINK: DEMAND, SIGNALS: "1"}
    assert writer.current("epic", "sys_id", [key], [LINK])[key][LINK] == DEMAND
    (link,) = links(server, key)
    assert link["object"] == {"url": ADDRESS, "title": "DMND0001011"}
    assert link["relationship"] == "demand"


def test_there_is_never_a_second_link(
    server: SandboxServer, connect: Connect, deployment: str, key: str
) -> None:
    writer = connect(deployment)
    for number in ("DMND1", "DMND1", "DMND2"):
        writer.write(of(key, {LINK: f"{number} {ADDRESS}"}))
    (link,) = links(server, key)
    assert link["object"]["title"] == "DMND2"


def test_an_empty_text_takes_our_link_away_and_no_other(
    server: SandboxServer, connect: Connect, deployment: str, key: str
) -> None:
    theirs = {"globalId": "theirs", "object": {"url": "https://example.org", "title": "Wiki"}}
    (issue,) = server.jira.store.named([key])
    server.jira.store.attach("remotelink", issue, theirs, "admin", to=None)
    writer = connect(deployment)
    writer.write(of(key, {LINK: DEMAND}))
    for _ in range(2):
        writer.write(of(key, {LINK: ""}))
    assert dict(writer.read_back(of(key, {LINK: ""}), key).stored) == {LINK: ""}
    assert links(server, key) == [theirs]


def test_links_and_comments_are_only_asked_for_where_they_are_named(
    server: SandboxServer, connect: Connect, wire: Any, deployment: str
) -> None:
    ids = [str(row["id"]) for row in server.jira.store.select("WHERE kind = 'Epic'")]
    writer = connect(deployment)
    writer.current("epic", "sys_id", ids, [SIGNALS])
    assert wire.of("remotelink") == wire.of("comment") == wire.of("myself") == []
    writer.current("epic", "sys_id", ids[:2], [SIGNALS, LINK])
    assert len(wire.of("remotelink")) == 2
    assert wire.of("comment") == []


def test_there_is_one_comment_and_it_changes_in_its_place(
    server: SandboxServer, connect: Connect, deployment: str, key: str
) -> None:
    writer = connect(deployment)
    for text in ("one", "one, two", SAID):
        change = of(key, {COMMENT: text})
        writer.write(change)
        assert dict(writer.read_back(change, key).stored) == {COMMENT: text}
    (body,) = bodies(server, key)
    assert body.splitlines()[-1] == "vmo-bridge"
    assert "\\[a\\] \\{b\\} \\*c\\*" in body
    assert "FIN-31" in body
    assert noted(server, "jira.comment") == ["insert", "update", "update"]
    for _ in range(2):
        writer.write(of(key, {COMMENT: ""}))
    assert bodies(server, key) == []
    assert writer.current("epic", "sys_id", [key], [COMMENT])[key][COMMENT] == ""


def test_customers_of_a_portal_do_not_read_the_comment(
    connect: Connect, wire: Any, key: str
) -> None:
    connect("cloud").write(of(key, {COMMENT: "one"}))
    (sent,) = (each for each in wire.of("/comment") if each.method == "POST")
    properties = json.loads(sent.content)["properties"]
    assert properties == [{"key": "sd.public.comment", "value": {"internal": True}}]


def test_what_somebody_else_wrote_is_theirs_whatever_it_ends_with(
    server: SandboxServer, connect: Connect, deployment: str, key: str
) -> None:
    quoted = "they say:\n\nvmo-bridge"
    by_somebody(server, key, quoted)
    writer = connect(deployment)
    assert writer.current("epic", "sys_id", [key], [COMMENT])[key][COMMENT] == ""
    writer.write(of(key, {COMMENT: "ours"}))
    writer.write(of(key, {COMMENT: ""}))
    assert bodies(server, key) == [quoted]


def test_our_comment_is_found_behind_many_others(
    server: SandboxServer, connect: Connect, deployment: str, key: str
) -> None:
    for number in range(120):
        by_somebody(server, key, f"{number}")
    writer = connect(deployment)
    writer.write(of(key, {COMMENT: "first"}))
    writer.write(of(key, {COMMENT: "second"}))
    assert bodies(server, key)[120:] == ["second\n\nvmo-bridge"]


def test_a_site_that_pages_no_comments_is_read_to_its_end(
    server: SandboxServer, connect: Connect, wire: Any, key: str
) -> None:
    whole = [{"id": f"{number}", "body": "x", "author": {}} for number in range(60)]

    def all_at_once(request: httpx.Request) -> httpx.Response | None:
        is_list = request.url.path.endswith("/comment")
        return httpx.Response(200, json={"comments": whole}) if is_list else None

    wire.answer = all_at_once
    assert connect("cloud").current("epic", "sys_id", [key], [COMMENT])[key][COMMENT] == ""
    assert len(wire.of("/comment")) == 2


def test_where_links_cannot_be_read_the_values_still_are(
    connect: Connect, wire: Any, deployment: str, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    def disabled(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("remotelink"):
            return None
        words = {"errorMessages": ["Issue linking is currently disabled."], "errors": {}}
        return httpx.Response(403, json=words)

    wire.answer = disabled
    writer = connect(deployment)
    for _ in range(2):
        found = writer.current("epic", "sys_id", [key], [SIGNALS, LINK])
        assert found == {key: {"sys_id": key, SIGNALS: ""}}
    (told,) = (each for each in caplog.messages if LINK in each)
    assert "Issue linking is currently disabled" in told
    change = of(key, {SIGNALS: "1", LINK: DEMAND})
    writer.write(change)
    assert dict(writer.read_back(change, key).stored) == {SIGNALS: "1"}
    with pytest.raises(WriteRefused, match="Issue linking is currently disabled"):
        writer.write(of(key, {LINK: DEMAND}))


@pytest.mark.parametrize("values", [{LINK: DEMAND}, {COMMENT: "x"}])
def test_nobody_who_may_only_read_links_or_comments(
    server: SandboxServer, connect: Connect, deployment: str, key: str, values: dict[str, str]
) -> None:
    with pytest.raises(WriteRefused, match="do not have permission to edit"):
        connect(deployment, "vmo.reader").write(of(key, values))
    assert server.write_log() == []


@pytest.mark.parametrize("text", ["DMND1", "DMND1 javascript:alert(1)"])
def test_what_is_no_address_is_no_link(
    server: SandboxServer, connect: Connect, key: str, text: str
) -> None:
    with pytest.raises(WriteRefused, match="no address that a link can have"):
        connect("cloud").write(of(key, {LINK: text}))
    assert server.write_log() == []


@pytest.mark.parametrize("values", [{LINK: DEMAND}, {COMMENT: "ours"}])
def test_a_lost_reply_leaves_one_behind_and_the_next_write_makes_no_other(
    server: SandboxServer, connect: Connect, deployment: str, key: str, values: dict[str, str]
) -> None:
    app = "jira" if deployment == "cloud" else "jiradc"
    writer = connect(deployment)
    server.faults.set("drop_reply_after_commit", app=app, times=1)
    with pytest.raises(RetryLater, match="cannot be reached"):
        writer.write(of(key, values))
    writer.write(of(key, values))
    assert dict(writer.read_back(of(key, values), key).stored) == values
    assert len(links(server, key)) + len(bodies(server, key)) == 1


def test_comments_have_a_place_only_if_they_are_asked_for(connect: Connect) -> None:
    places = connect("cloud").places
    assert (places.demand_field, places.comment_field) == (LINK, None)
    assert connect("cloud", comments=True).places.comment_field == COMMENT


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("feedback-without-ticket x_1", "feedback-without-ticket x\\_1"),
        ("-gone- and +new+", "\\-gone\\- and \\+new\\+"),
        ("[~admin] {color:red} !x.png! |a|", "\\[\\~admin\\] \\{color:red\\} \\!x.png\\! \\|a\\|"),
        ("a\\b & c", "a&#92;b &amp; c"),
        ("(x) (a longer thought) :)", "\\(x) (a longer thought) :\\)"),
        ("really?? yes?", "really\\?\\? yes?"),
        ("h1. no heading", "h1\\. no heading"),
    ],
)
def test_plain_text_is_no_markup(text: str, markup: str) -> None:
    assert wiki.escaped(text) == markup
    assert wiki.plain(markup) == text


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_every_line_comes_back_as_it_was(text: str) -> None:
    assert wiki.plain(wiki.escaped(text)) == text
