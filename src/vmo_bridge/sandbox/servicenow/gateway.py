"""From one HTTP request to one reply: faults, sign-in, and the way to the right interface."""

from __future__ import annotations

import json
import re
import time
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from vmo_bridge.sandbox.servicenow import batch, replies
from vmo_bridge.sandbox.servicenow.access import Credentials, User
from vmo_bridge.sandbox.servicenow.faults import Faults
from vmo_bridge.sandbox.servicenow.import_api import ImportApi
from vmo_bridge.sandbox.servicenow.instance import Instance
from vmo_bridge.sandbox.servicenow.limits import RateLimits
from vmo_bridge.sandbox.servicenow.replies import Call, Refused, Reply, Request
from vmo_bridge.sandbox.servicenow.signin import SignIn
from vmo_bridge.sandbox.servicenow.stats_api import StatsApi
from vmo_bridge.sandbox.servicenow.table_api import TableApi
from vmo_bridge.sandbox.servicenow.tiny import TinyUrls

_ROUTE = re.compile(r"/api/now(?:/(v\d))?/(table|stats|import)/([^/]+)(?:/([^/]+))?/?")
_SINGLE = re.compile(r"/api/now(?:/v1)?/(batch|tinyurl)/?")
_PAGES = {
    "hibernation": "Your instance is hibernating. Sign in to the developer site to wake it up.",
    "login": "Log in: User name, Password",
    "maintenance": "This instance is being maintained and will be back soon.",
}
_ALWAYS = {
    "Cache-Control": "no-cache,no-store,must-revalidate,max-age=-1",
    "Pragma": "no-store,no-cache",
    "Expires": "0",
}


class Gateway:
    """Everything under ``/api/now`` and ``/oauth_token.do``."""

    def __init__(self, instance: Instance, credentials: Credentials, faults: Faults) -> None:
        self._instance = instance
        self._faults = faults
        self._sign_in = SignIn(credentials, instance.clock, faults)
        self._limits = RateLimits(faults, instance.clock)
        self._tiny = TinyUrls()
        self._table = TableApi(instance, faults)
        self._stats = StatsApi(instance, faults)
        self._import = ImportApi(instance, faults)

    def answer(self, request: Request) -> Reply:
        """The reply to an API request. Dropped is raised when there shall be none."""
        try:
            reply = self._answer(request)
        except Refused as refused:
            reply = refused.reply()
        reply.headers = (
            _ALWAYS | {"X-Is-Logged-In": str(reply.status != 401).lower()} | reply.headers
        )
        return reply

    def token(self, request: Request) -> Reply:
        """The reply to an OAuth token request; parameters are read from the body only."""
        if request.method != "POST":
            return Reply(405)
        form = dict(parse_qsl(request.body.decode(errors="replace")))
        return self._sign_in.token(form, request.headers.get("authorization", ""))

    def _answer(self, request: Request) -> Reply:
        match, single = _ROUTE.fullmatch(request.path), _SINGLE.fullmatch(request.path)
        table = match[3] if match else single[1] if single else ""
        method = request.headers.get("x-http-method-override", request.method).upper()
        page = self._network(request, table, method)
        if page is not None:
            return page
        key = dict(request.params).get("x-sn-apikey", "")
        user = self._sign_in.user(request.headers, key)
        if user is None or self._faults.take("unauthorised", table=table, method=method):
            raise replies.not_authenticated()
        headers = self._limits.check(table, method, user.user_name)
        if single and method == "POST":
            reply = self._single(request, table, user)
        elif match is None:
            raise replies.no_resource(request.path)
        else:
            reply = self._routed(self._tiny.opened(request), method, user, match)
        reply.headers = headers | reply.headers
        return reply

    def _single(self, request: Request, name: str, user: User) -> Reply:
        if name == "tinyurl":
            return self._tiny.keep(request)
        if self._faults.take("batch_off", user=user.user_name):
            raise replies.no_resource(request.path)
        left = self._faults.take("batch_partial", user=user.user_name) or ()
        reply = batch.answer(request, self.answer, left)
        self._faults.drop("drop_reply_after_commit", table=name, user=user.user_name)
        return reply

    def _routed(self, request: Request, method: str, user: User, match: re.Match[str]) -> Reply:
        table = match[3]
        _check_accept(request.headers.get("accept", ""))
        call = self._call(request, method, user, match[1] or "v2")
        mode = self._faults.take("timeout", table=table, method=method, user=user.user_name)
        if str(mode) == "500":
            raise replies.timed_out()
        if match[2] == "stats":
            return self._stats.handle(call, table)
        if match[2] == "import":
            return self._import.handle(call, table, match[4] or "")
        return _cut(self._table.handle(call, table, match[4] or ""), mode)

    def _call(self, request: Request, method: str, user: User, version: str) -> Call:
        zone = self._faults.take("user_time_zone", user=user.user_name) or user.time_zone
        return Call(
            method,
            request.path,
            request.base,
            request.params,
            request.headers,
            request.body,
            user,
            ZoneInfo(str(zone)),
            version,
        )

    def _network(self, request: Request, table: str, method: str) -> Reply | None:
        """What happens before the platform itself has a say."""
        wait = self._faults.take("latency_ms", table=table, method=method)
        if wait:
            time.sleep(float(wait) / 1000)
        self._faults.drop("fail_next", table=table, method=method)
        if self._faults.take("login_redirect", table=table, method=method):
            return Reply(302, b"", {"Location": "/login.do"}, "text/html;charset=UTF-8")
        longest = self._faults.take("long_url", table=table, method=method)
        if longest and len(f"{request.path}?{request.query}") > int(longest):
            return Reply(414, b"Request-URI Too Large", {}, "text/html;charset=UTF-8")
        page = self._faults.take("html_200", table=table, method=method)
        if page is None:
            return None
        text = f"<!DOCTYPE html><html lang='en'><title>{page}</title><p>{_PAGES[page]}</p></html>"
        return Reply(200, text.encode(), {}, "text/html;charset=UTF-8")


def _check_accept(accept: str) -> None:
    """JSON only: this instance does not speak XML."""
    kinds = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    if accept and not {"application/json", "*/*", "application/*", ""}.intersection(kinds):
        raise Refused(406, "Not Acceptable", "Response content type must be application/json")


def _cut(reply: Reply, mode: Any) -> Reply:
    """A list whose transaction ran out of time after the answer had begun."""
    if mode is None or not isinstance(reply.body, dict) or "result" not in reply.body:
        return reply
    rows = reply.body["result"]
    if isinstance(rows, list):
        rows = rows[: max(1, len(rows) // 2)]
    envelope = replies.timed_out().reply().body
    if mode == "200_error":
        reply.body = {"result": rows} | envelope
    elif mode == "string_row" and isinstance(rows, list):
        reply.body = {"result": [*rows, envelope["error"]["message"]]}
    elif mode == "truncated":
        whole = json.dumps(reply.body).encode()
        reply.body = whole[: len(whole) // 2]
    return reply
