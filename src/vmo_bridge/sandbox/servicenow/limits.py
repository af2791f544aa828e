"""Rate limits: a switch that refuses at once, and a rule that counts the requests of an hour."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmo_bridge.sandbox.servicenow.faults import Faults
from vmo_bridge.sandbox.servicenow.instance import Clock
from vmo_bridge.sandbox.servicenow.replies import Refused

_RULE_ID = "5a" * 16


@dataclass(slots=True)
class _Counter:
    """Requests of one user in one hour: the known ones, and those not committed yet."""

    hour: datetime
    committed_at: datetime
    known: int = 0
    pending: int = 0


class RateLimits:
    """Lets a request pass, or raises 429."""

    def __init__(self, faults: Faults, clock: Clock) -> None:
        self._faults = faults
        self._clock = clock
        self._counters: dict[str, _Counter] = {}
        self._lock = threading.Lock()

    def check(self, table: str, method: str, user: str) -> dict[str, str]:
        """The headers a rule adds to the reply; none where no rule matches."""
        where = {"table": table, "method": method, "user": user}
        wait = self._faults.take("rate_limit", **where)
        now = self._clock()
        if wait is not None:
            seconds = 1 if wait is True else int(wait)
            raise _exceeded(100, now + timedelta(seconds=seconds), seconds)
        limit = self._faults.take("hourly_quota", **where)
        if limit is None:
            return {}
        hour = now.replace(minute=0, second=0, microsecond=0)
        end = hour + timedelta(hours=1)
        if not self._spend(user, hour, now, int(limit)):
            raise _exceeded(int(limit), end, max(1, round((end - now).total_seconds())))
        return _headers(int(limit), end)

    def _spend(self, user: str, hour: datetime, now: datetime, limit: int) -> bool:
        """Counters are committed from time to time only: until then a rule knows nothing."""
        late = timedelta(seconds=float(self._faults.take("late_counters", user=user) or 0))
        with self._lock:
            found = self._counters.get(user)
            if found is None or found.hour != hour:
                found = self._counters[user] = _Counter(hour, now)
            if now - found.committed_at >= late:
                found.known += found.pending
                found.pending, found.committed_at = 0, now
            allowed = found.known < limit
            found.pending += allowed
        return allowed


def _headers(limit: int, reset: datetime) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Reset": str(int(reset.timestamp())),
        "X-RateLimit-Rule": _RULE_ID,
    }


def _exceeded(limit: int, reset: datetime, seconds: int) -> Refused:
    return Refused(
        429,
        "Rate limit exceeded",
        f"Rate limit of {limit} requests per hour for Table API exceeded",
        {"Retry-After": str(seconds)} | _headers(limit, reset),
    )
