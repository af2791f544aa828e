"""Our connector against jira820, a Jira Data Center that nobody here wrote."""

from __future__ import annotations

import json
import socket
import threading
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from vmo_bridge.store import Store
from vmo_bridge.sync import Care, sync_source
from vmo_bridge.sync.people import People
from vmo_bridge.watch import Watch
from vmo_bridge_jira.connector import Jira
from vmo_bridge_jira.settings import JiraSettings

jira820 = pytest.importorskip("jira820", reason="jira820 is not installed: it is in the extra dev")


@pytest.fixture
def other() -> Iterator[str]:
    """Its address; each time a fresh one on a port of its own."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        app = jira820.make_app(config=jira820.load_config())
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def connect(other: str, tmp_path: Path) -> Iterator[Any]:
    opened: list[Jira] = []

    def connected(**more: Any) -> Jira:
        (tmp_path / "any.pat").write_text("it asks for none")
        content = {
            "url": other,
            "auth": {"method": "pat", "token": {"file": "any.pat"}},
            "projects": ["JIRA820"],
        }
        own = JiraSettings.model_validate(content | more)
        opened.append(Jira("other", own, tmp_path))
        return opened[-1]

    yield connected
    for each in opened:
        each.close()


def sync(connector: Jira, store: Store) -> tuple[int, int]:
    """How many issues were read, and how many of them were new or changed.

    Its clock always stands at nine in the morning: what changes is stamped with that.
    """
    overlap = timedelta(days=1)
    people = People(b"key", names=False)
    outcomes = sync_source(connector, store, people, 1, care=Care(overlap=overlap), watch=Watch())
    assert [each.problem for each in outcomes] == ["", ""]
    assert sum(each.quarantined for each in outcomes) == 0
    return outcomes[1].read, outcomes[1].changed


def whole(other: str) -> dict[str, Any]:
    url = f"{other}/rest/api/2/search?maxResults=1000"
    with urllib.request.urlopen(url) as answer:
        return {each["key"]: each["fields"] for each in json.load(answer)["issues"]}


def held(store: Store) -> dict[str, tuple[str, str]]:
    return {
        row["number"]: (row["title"], row["original_state"])
        for kind in ("ticket", "initiative")
        for row in store.versions.all(kind)
    }


def test_a_jira_that_nobody_here_wrote_is_read_and_read_again(
    other: str, connect: Any, tmp_path: Path
) -> None:
    with Store(tmp_path / "store.db", owner="test") as store:
        source = whole(other)
        assert len(source) > 300
        assert sync(connect(), store) == (len(source), len(source))
        assert held(store) == {
            key: (fields["summary"], fields["status"]["name"]) for key, fields in source.items()
        }
        epics = {key for key, each in source.items() if each["issuetype"]["name"] == "Epic"}
        assert {row["number"] for row in store.versions.all("initiative")} == epics
        children = {
            row["number"] for row in store.versions.all("ticket") if row["parent_ref"] is not None
        }
        assert children

        chosen = min(source)
        with httpx.Client(base_url=other) as client:
            body = {"fields": {"summary": "Other words"}}
            assert client.put(f"/rest/api/2/issue/{chosen}", json=body).status_code == 204
        _, changed = sync(connect(), store)
        assert changed == 1
        assert held(store)[chosen][0] == "Other words"


def test_its_changelogs_become_stretches_without_gaps(
    other: str, connect: Any, tmp_path: Path
) -> None:
    with Store(tmp_path / "store.db", owner="test") as store:
        sync(connect(page_size=50), store)
        stretches: dict[str, list[Any]] = {}
        for row in store.versions.all("span"):
            stretches.setdefault(row["ticket_ref"], []).append(row)
        records = [*store.versions.all("ticket"), *store.versions.all("initiative")]
        assert set(stretches) == {row["ref"] for row in records}
        for row in records:
            own = sorted(stretches[row["ref"]], key=lambda each: int(each["ref"].split("-")[-1]))
            assert [each["ended_at"] for each in own[:-1]] == [
                each["started_at"] for each in own[1:]
            ]
            assert own[-1]["ended_at"] is None
        assert max(map(len, stretches.values())) > 1


def test_it_passes_the_check(connect: Any) -> None:
    rows = {row.what: row for row in connect().check()}
    assert {row.state for row in rows.values()} == {"ok"}
    assert rows["issues"].detail.endswith("issues")
