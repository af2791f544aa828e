"""What people wrote with a rating comes along, and costs a call for rated issues only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from vmo_bridge.plugin import Slice
from vmo_bridge.sandbox.server import SandboxServer

Connect = Callable[..., Any]


def rows(connector: Any) -> dict[str, Any]:
    pages = connector.read(Slice(stream="issues"))
    return {row["id"]: row for page in pages for row in page.records}


def rated(server: SandboxServer) -> dict[str, str]:
    """Id to comment of each issue with a rating."""
    found = server.jira.store.select("WHERE rating > 0")
    return {str(row["id"]): row["comment"] for row in found}


def test_each_rating_has_its_comment_and_no_other_issue_is_asked_for(
    server: SandboxServer, connect: Connect, deployment: str, wire: Any
) -> None:
    (one, *_) = server.jira.store.select("WHERE rating > 0")
    words = "Thanks, [~jdoe], but it took long"
    server.jira.store.update(one, {"comment": words}, [], "admin")
    found = rows(connect(deployment))
    kept = {key: row["satisfaction_comment"] for key, row in found.items() if row["satisfaction"]}
    expected = rated(server) | {str(one["id"]): "Thanks, [~user], but it took long"}
    assert {key: kept[key] or "" for key in kept} == expected
    assert len(wire.of("/feedback")) == len(expected)
    assert all(each.headers["X-ExperimentalApi"] == "opt-in" for each in wire.of("/feedback"))


def test_who_does_not_want_them_is_not_asked_for_them(
    connect: Connect, deployment: str, wire: Any
) -> None:
    found = rows(connect(deployment, rating_comments=False))
    assert wire.of("/feedback") == []
    assert {row["satisfaction_comment"] for row in found.values()} == {None}


def test_a_rating_whose_feedback_is_gone_or_odd_stays_a_rating(
    connect: Connect, deployment: str, wire: Any
) -> None:
    for answer in (httpx.Response(404, json={}), httpx.Response(200, json=[1])):
        wire.answer = lambda request, answer=answer: (
            answer if request.url.path.endswith("/feedback") else None
        )
        found = [row for row in rows(connect(deployment)).values() if row["satisfaction"]]
        assert found
        assert {row["satisfaction_comment"] for row in found} == {None}


def test_a_right_that_is_missing_is_told_and_asked_for_once(
    connect: Connect, deployment: str, wire: Any
) -> None:
    refusal = httpx.Response(403, json={"errorMessage": "Agents only."})
    wire.answer = lambda request: refusal if request.url.path.endswith("/feedback") else None
    connector = connect(deployment, page_size=500)
    rows(connector)
    assert len(wire.of("/feedback")) == 1
    (note,) = connector.notes("issues")
    assert note.startswith("what people wrote with their ratings is not read: ")
    assert "Agents only." in note
