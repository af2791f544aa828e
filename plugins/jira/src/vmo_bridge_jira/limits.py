"""What the site's limits close, and for how long: the whole site, one endpoint, or one issue."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from vmo_bridge.plugin import RetryLater, retry_moment

PER_ISSUE, BURST, QUOTA = "jira-per-issue-on-write", "jira-burst-based", "jira-quota-"
_ISSUE = re.compile(r"(/issue|/request)/([0-9]+|[A-Za-z][A-Za-z0-9_]*-[0-9]+)(?=/|$)")
_NEAR_SECONDS = 0.5
"""So long each request waits where the site says that less than a fifth of a limit is left."""
_MOST_SECONDS = 5.0
_PATIENCE_SECONDS = 30.0
"""What opens so soon is waited for, as ``HttpClient`` does."""
_ISSUE_SECONDS = 2
"""The shorter of the two spans in which writes to one issue are counted."""


class Limits:
    """Remembers what is closed; shared by all threads of a connector.

    A quota, and any limit that gives no reason, closes the site; a burst the endpoint that was
    asked too often; a limit on writes to one issue that issue.
    """

    def __init__(self, name: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._name = name
        self._sleep = sleep
        self._closed: dict[str, tuple[datetime, str]] = {}
        self._pause = 0.0
        self._lock = threading.Lock()
        self.left: int | None = None
        """What the site said last is left of its limit."""

    def before(self, method: str, path: str) -> None:
        """Wait a little near a limit or where it opens soon; else ``RetryLater`` unasked."""
        now = datetime.now(tz=UTC)
        with self._lock:
            wait, self._pause = self._pause, 0.0
            closed = [self._closed.get(place) for place in _places(method, path)]
        for until, reason in filter(None, closed):
            seconds = (until - now).total_seconds()
            if seconds > _PATIENCE_SECONDS:
                raise RetryLater(
                    f"{self._name}: the site limits us ({reason}); not asked again before "
                    f"{until:%Y-%m-%d %H:%M:%S} UTC",
                    retry_at=until,
                )
            wait = max(wait, seconds)
        if wait > 0:
            self._sleep(wait)

    def after(self, method: str, path: str, status: int, headers: Mapping[str, str]) -> None:
        """Take note of an answer."""
        left = headers.get("X-RateLimit-Remaining", "")
        until = resume_at(headers) if status == 429 else None
        reason = headers.get("RateLimit-Reason", "")[:60] or "429"
        with self._lock:
            self.left = int(left) if left.isascii() and left.isdigit() else self.left
            self._pause = max(self._pause, _pause(headers))
            if until:
                self._closed[_place(method, path, reason)] = (until, reason)

    def closed_issue(self, key: str) -> bool:
        """Whether writes to this issue, and not more than that, are limited."""
        with self._lock:
            until, _ = self._closed.get(key, (None, ""))
        return until is not None and until > datetime.now(tz=UTC)


def resume_at(headers: Mapping[str, str]) -> datetime | None:
    """When to come back: as the answer says; a quota that says nothing begins anew each hour."""
    told, reason = retry_moment(headers), headers.get("RateLimit-Reason", "")
    now = datetime.now(tz=UTC)
    if told is None and reason.startswith(QUOTA):
        return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    if told is None and reason == PER_ISSUE:
        return now + timedelta(seconds=_ISSUE_SECONDS)
    return told


def _place(method: str, path: str, reason: str) -> str:
    """What a limit with this reason closes."""
    issue = _ISSUE.search(path)
    if reason == PER_ISSUE and issue:
        return issue[2]
    return _endpoint(method, path) if reason == BURST else ""


def _places(method: str, path: str) -> list[str]:
    """What has to be open for a request."""
    issue = _ISSUE.search(path)
    own = [issue[2]] if issue and method != "GET" else []
    return ["", _endpoint(method, path), *own]


def _endpoint(method: str, path: str) -> str:
    """A path whatever issue it names."""
    return f"{method} " + _ISSUE.sub(r"\1/*", path)


def _pause(headers: Mapping[str, str]) -> float:
    """Seconds to wait before the next request, as the Cloud and Data Center tell it."""
    if headers.get("X-RateLimit-NearLimit", "").lower() == "true":
        return _NEAR_SECONDS
    if headers.get("X-RateLimit-Remaining") != "0" or "X-RateLimit-FillRate" not in headers:
        return 0.0
    interval = headers.get("X-RateLimit-Interval-Seconds", "")
    return min(float(interval), _MOST_SECONDS) if interval.isdigit() else 1.0
