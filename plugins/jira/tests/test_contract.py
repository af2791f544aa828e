"""The conformance suite on the sandbox, as Cloud and as Data Center."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vmo_bridge.plugin import TargetTable
from vmo_bridge.sandbox.jira.store import millis
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.testing import Broken, ConnectorContract, Source, Target, Wire
from vmo_bridge_jira.connector import Jira


def source_on(  # noqa: C901 - a list of small hooks
    deployment: str, server: SandboxServer, settings: Callable[..., Any], folder: Path
) -> Source:
    """Everything the suite asks for; we make no issues, so values go onto one that is there."""
    store = server.jira.store
    wire = Wire()

    def connect(**more: object) -> Jira:
        return Jira("dev", settings(deployment, **more), folder, transport=wire.open())

    def change(stream: str, key: str) -> None:
        if stream == "issues":
            (issue,) = store.named([key])
            store.update(issue, {"labels": '["touched"]'}, [], "admin")

    def edit(stream: str, key: str, moment: datetime) -> None:
        if stream == "issues":
            at = millis(moment)
            with store._instance.writing() as db:
                sql = "update _jira_issue set updated = ?, touched = ? where id = ?"
                db.execute(sql, [at, at, key])

    def twice(body: Any) -> Any:
        if isinstance(body, dict) and body.get("issues"):
            return {**body, "issues": [*body["issues"], body["issues"][0]]}
        return body

    def insert(text: str) -> tuple[str, str]:
        now = millis(datetime(2026, 1, 1, tzinfo=UTC))
        issue = store.select("LIMIT 1")[0] | {
            "id": 99_999, "key": "CASE-9999", "project": "CASE", "kind": "Story",
            "description": text, "created": now, "updated": now, "touched": now,
        }  # fmt: skip
        store.load([issue])
        return "issues", "99999"

    def delete(stream: str, key: str) -> bool:
        if stream == "issues":
            (issue,) = store.named([key])
            store.delete(issue["key"])
        return stream == "issues"

    def wrong_secret() -> Jira:
        (folder / "wrong").write_text("hunter2-not-this-one")
        wrong = {"token": {"file": "wrong"}}
        if deployment == "cloud":
            return connect(auth={"method": "token", "email": "a@meridian.example", **wrong})
        return connect(auth={"method": "pat", **wrong})

    account = server.jira.account("vmo.bridge")
    return Source(
        connect=connect,
        page_size=10,
        change=change,
        edit=edit,
        sized=lambda size: connect(page_size=size),
        double=lambda: setattr(wire, "change", twice),
        repeat_token=lambda: server.faults.set("repeated_token", True, app="jira"),
        limit=wire.limit,
        refuse_sign_in=wire.refuse_sign_in,
        insert=insert,
        delete=delete,
        unreachable=lambda: connect(url="http://127.0.0.1:9"),
        wrong_secret=wrong_secret,
        hide_error=wire.cut,
        secrets=(account.token, account.pat, "hunter2-not-this-one"),
        broken=(
            Broken(stream="issues", field="created", changes={"created": "01.02.2026"}),
            Broken(stream="issues", field="type", changes={"type": None}),
            Broken(stream="issues", field="status", changes={"status": ""}),
            Broken(stream="issues", field="satisfaction", changes={"satisfaction": "good"}),
            Broken(stream="issues", field="history", changes={"history": [{"id": "1"}]}),
            Broken(stream="issues", field="slas", changes={"slas": [{"name": 5}]}),
            Broken(stream="issues", field="links", changes={"links": "none"}),
            Broken(stream="fields", field="custom", changes={"custom": ["x"]}),
        ),
        target=Target(
            tables=(TargetTable(table="issue", columns=()),),
            values={"customfield_10040": "91.5", "vmo.value.kpi_status": "met"},
            others={"customfield_10040": "", "vmo.value.kpi_status": "missed, n = 7"},
            absent_key="700000",
            record=("issue", str(store.select("WHERE kind = 'Bug' LIMIT 1")[0]["id"])),
        ),
    )


class TestCloud(ConnectorContract):
    @pytest.fixture
    def source(self, server: SandboxServer, settings, tmp_path: Path) -> Source:
        return source_on("cloud", server, settings, tmp_path)


class TestDataCenter(ConnectorContract):
    @pytest.fixture
    def source(self, server: SandboxServer, settings, tmp_path: Path) -> Source:
        return source_on("server", server, settings, tmp_path)
