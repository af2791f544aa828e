"""The one source of all contenders: a sandbox whose largest lists are answered ready-made.

The sandbox itself looks up and renders a row at a time, which would make every run wait for it.
So incidents, issues and changelogs are answered by ``incidents`` and ``issues``, and all else
(sign-in, fields, projects) by the sandbox behind. Run it with a folder and numbers of rows; it
prints where it is, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import httpx
import uvicorn

from benchmarks.checksum import checksum
from benchmarks.incidents import COLUMNS, Incidents
from benchmarks.issues import Issues
from vmo_bridge.plugin import Stream
from vmo_bridge.sandbox.server import SandboxServer
from vmo_bridge.sync.people import People
from vmo_bridge_servicenow.tables import TABLES

FIELDS = TABLES["incident"].all_fields
TABLE = "/api/now/table/incident"

Asked = Mapping[str, Any]


class Front:
    """Answers what it has ready, and hands on what it has not."""

    def __init__(self) -> None:
        self.behind: Any = None
        self.incidents: Incidents | None = None
        self.ready: dict[str, Callable[[Asked], bytes]] = {}
        self.latency = 0.0
        self.changing = 0
        """So many rows change with every page."""
        self.pages = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request (ASGI)."""
        path = scope.get("path", "")
        if path == TABLE and self.incidents:
            headers, body = await self._table(_params(scope))
        elif path in self.ready:
            asked = _params(scope) or json.loads(await _body(receive))
            headers, body = [], self.ready[path](asked)
        elif path == "/bench":
            headers, body = [], self._control(json.loads(await _body(receive)))
        else:
            await self.behind(scope, receive, send)
            return
        headers = [
            (b"content-type", b"application/json;charset=UTF-8"),
            (b"content-length", str(len(body)).encode()),
            *headers,
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _table(self, asked: Asked) -> tuple[list[tuple[bytes, bytes]], bytes]:
        table = self.incidents
        assert table is not None
        self.pages += 1
        query = asked.get("sysparm_query", "")
        body = table.page(
            query,
            asked["sysparm_fields"].split(","),
            limit=int(asked["sysparm_limit"]),
            offset=int(asked.get("sysparm_offset", 0)),
            pairs=asked.get("sysparm_display_value") == "all",
        )
        counted = asked.get("sysparm_no_count") == "false"
        headers = [(b"x-total-count", str(table.count(query)).encode())] if counted else []
        if self.changing:
            table.touch(self.changing)
        await asyncio.sleep(self.latency)
        return headers, body

    def _control(self, asked: Asked) -> bytes:
        """Set latency and changes, let rows change, tell the sums of all rows."""
        assert self.incidents is not None
        self.latency = asked.get("latency", self.latency)
        self.changing = asked.get("changing", self.changing)
        if asked.get("touch"):
            self.incidents.touch(asked["touch"])
        told: dict[str, Any] = {"pages": self.pages}
        self.pages = 0
        if "people_key" in asked:
            key = asked["people_key"]
            told["checksum"] = _checksum(self.incidents, key.encode() if key else None)
        return json.dumps(told).encode()


class BenchServer(SandboxServer):
    """A sandbox with a front before it."""

    def __init__(self, folder: Path) -> None:
        self.front = Front()
        super().__init__(folder)

    def _config(self) -> uvicorn.Config:
        config = super()._config()
        self.front.behind, config.app = config.app, self.front
        return config

    def fill(self, incidents: int, issues: int) -> None:
        """Take the sandbox's own rows as models for so many."""
        models = self.rows("incident", "ORDERBYnumber")
        rest = [name for name in models[0] if name not in FIELDS]
        columns = [*FIELDS, *rest][:COLUMNS]
        self.front.incidents = Incidents([{n: m[n] for n in columns} for m in models], incidents)
        if issues:
            self._fill_issues(issues)

    def _fill_issues(self, many: int) -> None:
        """Of issues without a rating: the comment of a rating costs a call of its own."""
        cloud, server = self.jira.url, self.jira.server_url
        asked = {"jql": "project = HELP ORDER BY key", "fields": "*all", "expand": "changelog"}
        with httpx.Client(trust_env=False, timeout=60) as client:
            bearer = {"Authorization": f"Bearer {self.jira.pat()}"}
            zone = client.get(f"{server}/rest/api/2/myself", headers=bearer).json()["timeZone"]
            fields = client.get(f"{server}/rest/api/2/field", headers=bearer).json()
            found = client.get(
                f"{server}/rest/api/2/search", params={**asked, "maxResults": 100}, headers=bearer
            ).json()["issues"]
            client.auth = self.jira.auth()
            found_cloud = client.get(
                f"{cloud}/rest/api/2/search/jql", params={**asked, "maxResults": 100}
            ).json()["issues"]
            found, found_cloud = _unrated(found, fields), _unrated(found_cloud, fields)
            logs = client.post(
                f"{cloud}/rest/api/3/changelog/bulkfetch",
                json={"issueIdsOrKeys": [each["id"] for each in found_cloud], "maxResults": 1000},
            ).json()["issueChangeLogs"]
        dc = Issues(found, (), many, cloud=False, zone=ZoneInfo(zone))
        cl = Issues(found_cloud, logs, many, cloud=True, zone=ZoneInfo(zone))
        self.front.ready = {
            "/jiradc/rest/api/2/search": dc.by_offset,
            "/jira/rest/api/2/search/jql": cl.by_token,
            "/jira/rest/api/3/search/jql": cl.by_token,
            "/jira/rest/api/3/changelog/bulkfetch": cl.changelogs,
            "/jira/rest/api/3/search/approximate-count": cl.count,
        }


def _unrated(issues: list[Asked], fields: list[Asked]) -> list[Asked]:
    rating = [
        each["id"]
        for each in fields
        if "request-feedback" in each.get("schema", {}).get("custom", "")
    ]
    return [issue for issue in issues if not any(issue["fields"].get(id_) for id_ in rating)]


def _checksum(table: Incidents, key: bytes | None) -> str:
    """Of all rows; with the key of pseudonyms: as we keep them."""
    rows = table.rows(FIELDS)
    if key is None:
        return checksum(rows)
    people = People(key, names=False)
    stream = Stream(name="incident", kinds=(), key_field="sys_id", person_fields=("caller_id",))
    return checksum(
        people.mask(stream, dict(zip(FIELDS, row, strict=True))).values()  # type: ignore[misc]
        for row in rows
    )


def _params(scope: Any) -> dict[str, Any]:
    """Parameters of the address; one that comes again is a list."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(scope["query_string"].decode(), keep_blank_values=True):
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


async def _body(receive: Any) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return body


def main() -> None:
    """Serve until standard input ends."""
    folder, incidents, issues = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    with BenchServer(folder) as server:
        server.fill(incidents, issues)
        user, password = server.auth()
        email, token = server.jira.auth()
        told = {
            "url": server.url, "user": user, "password": password, "fields": FIELDS,
            "jira": server.jira.url, "email": email, "token": token,
            "jiradc": server.jira.server_url, "pat": server.jira.pat(),
        }  # fmt: skip
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main()
