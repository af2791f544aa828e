"""From one HTTP request to one reply of Jira: switches, sign-in, limits, the way to the answer."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

from vmo_bridge.sandbox.jira.accounts import Account, signed_in
from vmo_bridge.sandbox.jira.attached import Attachments
from vmo_bridge.sandbox.jira.edits import Edits
from vmo_bridge.sandbox.jira.issues import Issues
from vmo_bridge.sandbox.jira.lists import Answer, Lists
from vmo_bridge.sandbox.jira.replies import JiraCall, JiraRefused
from vmo_bridge.sandbox.jira.search import Search
from vmo_bridge.sandbox.jira.store import JiraStore
from vmo_bridge.sandbox.servicenow.faults import Faults
from vmo_bridge.sandbox.servicenow.replies import Dropped, Reply, Request

CLOUD, SERVER = "/jira", "/jiradc"
_API = re.compile(r"/rest/api/([23]|latest)/(.+?)/?")
_DESK = re.compile(r"/rest/servicedeskapi/request/([^/]+)(?:/(sla|feedback))?/?")
_GONE = (
    "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A full "
    "migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
)
_WRITES = re.compile(r"(issue|issueLink|issue/[^/]+/(transitions|remotelink|comment))$")
_ATTACHED = re.compile(r"issue/([^/]+)/(remotelink|comment)(?:/([0-9]+))?")
_PROPERTY = re.compile(r"issue/([^/]+)/properties/([^/]+)")


class JiraGateway:
    """Everything under one context path; ``cloud`` chooses the deployment."""

    def __init__(
        self, store: JiraStore, accounts: tuple[Account, ...], faults: Faults, *, cloud: bool
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._faults = faults
        self._cloud = cloud
        self._app = "jira" if cloud else "jiradc"
        self._search = Search(store, faults)
        self._issues = Issues(store, self._search)
        self._lists = Lists(store, accounts)
        self._edits = Edits(store, self._issues, faults)
        self._attachments = Attachments(store, self._issues)

    def answer(self, request: Request) -> Reply:
        """The reply; Dropped is raised when there shall be none."""
        try:
            reply = self._answer(request)
        except JiraRefused as refused:
            reply = refused.reply()
        except ValueError as error:
            reply = JiraRefused(400, str(error)).reply()
        if not self._cloud:
            reply.headers = _bucket() | reply.headers
        return reply

    def _answer(self, request: Request) -> Reply:
        prefix = CLOUD if self._cloud else SERVER
        path = request.path.removeprefix(prefix)
        api, desk = _API.fullmatch(path), _DESK.fullmatch(path)
        version = "2" if api is None or api[1] == "latest" else api[1]
        rest = api[2] if api else "request" if desk else ""
        self._network(rest.partition("/")[0], request.method)
        if not rest or (version == "3" and not self._cloud):
            raise JiraRefused(404, "null for uri: " + request.path)
        if rest == "serverInfo":
            return self._server_info(request.base + prefix)
        account = signed_in(
            self._accounts, request.headers.get("authorization", ""), cloud=self._cloud
        )
        refused = self._faults.take("unauthorised", app=self._app, method=request.method)
        if account is None or refused:
            raise _unknown()
        zone = self._faults.take("user_time_zone", app=self._app, user=account.email)
        if zone is not None:
            account = replace(account, time_zone=str(zone))
        call = JiraCall(
            request.method, request.base + prefix, version, self._cloud, account, request.params,
            request.body,
        )  # fmt: skip
        self._limit_rate(rest, call)
        if desk:
            return self._issues.request(call, desk[1], desk[2] or "")
        reply = self._route(call, rest)
        wrote = call.method in {"PUT", "DELETE"} or (call.method == "POST" and _WRITES.match(rest))
        if wrote and self._faults.take("drop_reply_after_commit", app=self._app):
            raise Dropped
        return reply

    def _network(self, table: str, method: str) -> None:
        where = {"app": self._app, "table": table, "method": method}
        wait = self._faults.take("latency_ms", **where)
        if wait:
            time.sleep(float(wait) / 1000)
        if self._faults.take("fail_next", **where):
            raise Dropped
        status = self._faults.take("http_status", **where)
        if status:
            raise JiraRefused(int(status), "The service is not available.")

    def _limit_rate(self, rest: str, call: JiraCall) -> None:
        where = {
            "app": self._app, "table": rest.partition("/")[0], "method": call.method,
            "user": call.account.email,
        }  # fmt: skip
        reason = self._faults.take("rate_limit_reason", **where)
        if reason is None:
            return
        form = self._faults.take("retry_after", **where) or 1
        headers = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0"}
        seconds = 1 if form in {"date", "missing"} else int(form)
        until = self._store.now() + timedelta(seconds=seconds)
        if form != "missing":
            headers["Retry-After"] = (
                format_datetime(until, usegmt=True) if form == "date" else str(seconds)
            )
        if self._cloud:
            headers["RateLimit-Reason"] = str(reason)
            headers["X-RateLimit-Reset"] = until.strftime("%Y-%m-%dT%H:%M:%SZ")
        raise JiraRefused(429, "Rate limit exceeded.", headers=headers)

    # -- routes ------------------------------------------------------------------------------

    def _route(self, call: JiraCall, rest: str) -> Reply:
        found = self._fixed(call, rest) or self._part(call, rest)
        if found is not None:
            return found
        head, _, tail = rest.partition("/")
        name, _, part = tail.partition("/")
        if head == "issue" and not part and call.method in {"PUT", "DELETE"}:
            edit = self._edits.put if call.method == "PUT" else self._edits.delete
            return edit(call, name)
        if head == "issue" and part == "transitions" and call.method == "POST":
            return self._edits.move(call, name)
        named = {
            "": self._issues.read,
            "changelog": self._issues.changelog,
            "properties": self._issues.properties,
            "editmeta": self._issues.edit_meta,
            "transitions": self._issues.transitions,
        }
        if not self._cloud:
            del named["changelog"]
        if head == "issue" and call.method == "GET" and part in named:
            return named[part](call, name)
        if head == "project" and name:
            return self._lists.project(call, name, part)
        raise JiraRefused(404, f"null for uri: {call.base}/rest/api/{call.version}/{rest}")

    def _part(self, call: JiraCall, rest: str) -> Reply | None:
        """What is kept beside an issue."""
        if match := _PROPERTY.fullmatch(rest):
            return self._issues.property(call, match[1], match[2])
        if match := _ATTACHED.fullmatch(rest):
            return self._attachments.answer(call, match[1], match[2], match[3])
        return None

    def _fixed(self, call: JiraCall, rest: str) -> Reply | None:
        posts: dict[str, Answer] = {"issueLink": self._issues.link, "issue": self._edits.post}
        gets = self._lists.gets(cloud=self._cloud)
        if self._cloud:
            posts |= {
                "search/jql": self._search.by_token,
                "search/approximate-count": self._search.count,
                "issue/bulkfetch": self._issues.bulk_fetch,
                "changelog/bulkfetch": self._issues.bulk_changelogs,
                "search": _gone,
            }
            gets |= {"search/jql": self._search.by_token, "search": _gone}
        if rest == "search" and self._has_old_search():
            posts["search"] = gets["search"] = self._search.by_offset
        answer = {"GET": gets, "POST": posts}.get(call.method, {}).get(rest)
        return answer(call) if answer else None

    def _has_old_search(self) -> bool:
        return not self._cloud or self._faults.take("search_removed", app=self._app) == "off"

    def _server_info(self, base: str) -> Reply:
        version = "1001.0.0-SNAPSHOT" if self._cloud else "9.12.4"
        body = {
            "baseUrl": base,
            "version": version,
            "versionNumbers": [1001, 0, 0] if self._cloud else [9, 12, 4],
            "deploymentType": "Cloud" if self._cloud else "Server",
            "buildNumber": 100_290 if self._cloud else 912_004,
            "serverTime": self._store.now().strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
            "serverTitle": "Meridian development",
        }
        if self._cloud:
            body["serverTimeZone"] = "UTC"
        return Reply(200, body)


def _gone(_: JiraCall) -> Reply:
    return Reply(410, {"errorMessages": [_GONE], "errors": {}})


def _unknown() -> JiraRefused:
    return JiraRefused(
        401,
        "You are not authenticated. Authentication required to perform this operation.",
        headers={
            "X-Seraph-LoginReason": "AUTHENTICATED_FAILED",
            "WWW-Authenticate": 'OAuth realm="Jira"',
        },
    )


def _bucket() -> dict[str, str]:
    """What Data Center tells of its token bucket with every reply."""
    return {
        "X-RateLimit-Limit": "100",
        "X-RateLimit-Remaining": "99",
        "X-RateLimit-Interval-Seconds": "1",
        "X-RateLimit-FillRate": "10",
        "Retry-After": "0",
    }
