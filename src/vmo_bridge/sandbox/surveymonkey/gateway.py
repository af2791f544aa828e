"""From one HTTP request to one reply of SurveyMonkey: token, budgets, surveys and responses."""

from __future__ import annotations

import hmac
import json
import re
import secrets
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from vmo_bridge.sandbox.servicenow.faults import Faults
from vmo_bridge.sandbox.servicenow.replies import Dropped, Reply, Request
from vmo_bridge.sandbox.surveymonkey.store import SurveyStore

PREFIX = "/surveymonkey"
_ROUTE = re.compile(r"/v3/(surveys|users/me)(?:/(\d+)(?:/(details|responses/bulk))?)?/?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d)?")
_NAMES = {
    "1002": "Invalid Parameter", "1010": "Authorization Error", "1020": "Resource Not Found",
    "1040": "Rate limit reached", "1050": "Internal Server Error",
}  # fmt: skip
APP = "surveymonkey"


def new_token() -> dict[str, str]:
    """A fresh access token as credentials.json keeps it."""
    return {"access_token": secrets.token_urlsafe(40)}


class _Refused(Exception):
    """The call ends with an error envelope."""

    def __init__(self, status: int, number: str, message: str) -> None:
        super().__init__(message)
        body = {
            "id": number, "name": _NAMES[number], "message": message, "http_status_code": status,
            "docs": "https://developer.surveymonkey.com/api/v3/#error-codes",
        }  # fmt: skip
        self.reply = Reply(status, {"error": body})


class Budget:
    """Calls of this minute and of this day; what is left is told with every reply."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._used: dict[str, tuple[int, int]] = {}

    def spend(self, now: datetime) -> tuple[bool, dict[str, str]]:
        """Whether the call is allowed, and the headers."""
        headers: dict[str, str] = {}
        spans = {"Minute": (60, 120, "minute_quota"), "Day": (86_400, 500, "daily_quota")}
        second = int(now.timestamp())
        with self._lock:
            left: dict[str, tuple[int, int]] = {}
            for name, (length, usual, switch) in spans.items():
                window, used = second // length, 0
                if self._used.get(name, (0, 0))[0] == window:
                    used = self._used[name][1]
                limit = int(self._faults.take(switch, app=APP) or usual)
                left[name] = (limit, limit - used)
                self._used[name] = (window, used)
            allowed = all(rest > 0 for _, rest in left.values())
            for name, (limit, rest) in left.items():
                window, used = self._used[name]
                self._used[name] = (window, used + allowed)
                length = spans[name][0]
                start = f"X-Ratelimit-App-Global-{name}"
                headers[f"{start}-Limit"] = str(limit)
                headers[f"{start}-Remaining"] = str(max(0, rest - allowed))
                headers[f"{start}-Reset"] = str(length - second % length)
        return allowed, headers


class SurveyGateway:
    """Everything under ``/surveymonkey``."""

    def __init__(self, store: SurveyStore, token: str, faults: Faults) -> None:
        self._store = store
        self._token = token
        self._faults = faults
        self._budget = Budget(faults)

    def answer(self, request: Request) -> Reply:
        """The reply; Dropped is raised when there shall be none."""
        headers: dict[str, str] = {}
        try:
            self._network(request)
            self._check(request)
            allowed, headers = self._budget.spend(self._store.now())
            if not allowed:
                raise _Refused(429, "1040", "Too many requests were made, try again later.")
            reply = self._answer(request)
        except _Refused as refused:
            reply = refused.reply
        reply.headers = headers | reply.headers
        return reply

    def _network(self, request: Request) -> None:
        wait = self._faults.take("latency_ms", app=APP)
        if wait:
            time.sleep(float(wait) / 1000)
        if self._faults.take("fail_next", app=APP, method=request.method):
            raise Dropped
        status = self._faults.take("http_status", app=APP)
        if status:
            raise _Refused(int(status), "1050", "The service is not available.")

    def _check(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        known = hmac.compare_digest(token.strip().encode(), self._token.encode())
        if scheme.lower() != "bearer" or not known:
            raise _Refused(401, "1010", "The authorization token was not provided or is invalid.")
        if self._faults.take("unauthorised", app=APP):
            refused = _Refused(401, "1010", "")
            refused.reply.body = {"status": 1, "errmsg": "Client revoked access grant"}
            raise refused

    def _answer(self, request: Request) -> Reply:
        match = _ROUTE.fullmatch(request.path.removeprefix(PREFIX))
        if match is None or request.method not in {"GET", "HEAD"}:
            raise _Refused(404, "1020", "There was an error retrieving the requested resource.")
        if match[1] == "users/me":
            return Reply(200, {"id": "2601", "username": "vmo.bridge", "account_type": "platinum"})
        params = dict(request.params)
        here = f"{request.base}{request.path}"
        if match[2] is None:
            return self._list(params, here)
        self._exists(match[2])
        if match[3] == "responses/bulk":
            return self._responses(match[2], params, here)
        return self._one(match[2], details=match[3] is not None, root=request.base)

    def _exists(self, survey: str) -> None:
        gone = self._faults.take("survey_deleted", app=APP, table="surveys")
        if str(gone) == survey or not self._store.exists(survey):
            raise _Refused(404, "1020", "There was an error retrieving the requested resource.")

    def _list(self, params: Mapping[str, str], here: str) -> Reply:
        more = set(params.get("include", "").split(","))
        shown = [
            {
                "id": each["id"],
                "title": each["title"],
                "nickname": each["nickname"],
                "href": f"{here}/{each['id']}",
                **{
                    name: each[name]
                    for name in ("response_count", "date_modified", "date_created", "language")
                    if name in more
                },
            }
            for each in self._store.surveys()
        ]
        page, size = _page(params, 1000)
        part = shown[(page - 1) * size : page * size]
        return Reply(200, {"data": part} | _links(params, here, page, size, len(shown)))

    def _one(self, survey: str, *, details: bool, root: str) -> Reply:
        # The list tells of the last change of survey or responses, the survey of its own.
        found = self._store.survey(survey) or {}
        found["href"] = f"{root}{PREFIX}/v3/surveys/{survey}"
        if not details:
            del found["pages"]
        return Reply(200, found)

    def _responses(self, survey: str, params: Mapping[str, str], here: str) -> Reply:
        page, size = _page(params, 100)
        for name in ("start_modified_at", "end_modified_at"):
            if params.get(name) and not _MOMENT.match(params[name]):
                raise _Refused(400, "1002", f"{name} is no date-time.")
        texts, total = self._store.page(
            survey, size=size, offset=(page - 1) * size,
            sort=params.get("sort_by", "date_modified"),
            desc=params.get("sort_order", "ASC").upper() == "DESC",
            start=params.get("start_modified_at", "")[:19],
            end=params.get("end_modified_at", "")[:19], status=params.get("status", ""),
        )  # fmt: skip
        if texts and self._faults.take("page_drift", app=APP, table="responses"):
            self._store.touch(json.loads(texts[0])["id"])
        if self._faults.take("late_edit", app=APP, table="responses"):
            self._finish(texts)
        frame = json.dumps(_links(params, here, page, size, total))
        # The responses are kept as JSON already: reading and writing them again costs the most.
        return Reply(200, f'{{"data": [{", ".join(texts)}], {frame[1:]}'.encode())

    def _finish(self, texts: list[str]) -> None:
        """Somebody comes back to a survey left half-way."""
        told = (json.loads(text) for text in texts)
        partial = next((each["id"] for each in told if each["response_status"] == "partial"), None)
        if partial is not None:
            self._store.touch(partial, response_status="completed")


def _page(params: Mapping[str, str], most: int) -> tuple[int, int]:
    try:
        page, size = int(params.get("page", "1")), int(params.get("per_page", "50"))
    except ValueError:
        raise _Refused(400, "1002", "page and per_page are numbers.") from None
    if page < 1 or size < 1:
        raise _Refused(400, "1002", "page and per_page are at least 1.")
    return page, min(size, most)


def _links(
    params: Mapping[str, str], here: str, page: int, size: int, total: int
) -> dict[str, Any]:
    last = max(1, -(-total // size))

    def link(number: int) -> str:
        return f"{here}?{urlencode({**params, 'page': number, 'per_page': size})}"

    links = {"self": link(page)}
    if page > 1:
        links |= {"prev": link(page - 1), "first": link(1)}
    if page < last:
        links |= {"next": link(page + 1), "last": link(last)}
    return {"per_page": size, "page": page, "total": total, "links": links}
