"""The calls that a source is asked in an hour: counted, told, never more than allowed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime, timedelta

from vmo_bridge.connectors.abilities import Budget
from vmo_bridge.errors import RetryLater

_HOUR = timedelta(hours=1)
_KEY = "calls of the hour"


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(tz=UTC)


class HourBudget:
    """Counts calls by the hour of UTC, in the memory of the source, from any thread.

    ``allowed`` is the admin's limit (None: none); what the source itself says is left
    (``X-RateLimit-Remaining``) is told beside it.
    """

    def __init__(
        self, name: str, allowed: int | None = None, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._name = name
        self._allowed = allowed
        self._clock = clock
        self._left: int | None = None
        self._limit: int | None = None
        self._lock = threading.Lock()
        # Beside the memory: that is rolled back with a page that failed, calls are not.
        self._made: tuple[datetime, int] | None = None
        self.memory: MutableMapping[str, str] = {}

    def spend(self) -> None:
        """Take one call; raises ``RetryLater`` with the moment of renewal when none is left."""
        with self._lock:
            spent = self._spent()
            if self._allowed is not None and spent >= self._allowed:
                ends = self._hour() + _HOUR
                raise RetryLater(
                    f"{self._name}: the {self._allowed} calls of this hour are spent "
                    f"(calls_per_hour); resume at {ends:%Y-%m-%d %H:%M:%S} UTC",
                    retry_at=ends,
                )
            self._made = (self._hour(), spent + 1)
            self.memory[_KEY] = f"{self._hour().isoformat()} {spent + 1}"

    def hear(self, headers: Mapping[str, str]) -> None:
        """Take note of what the source says of its limit."""
        limit, left = headers.get("X-RateLimit-Limit", ""), headers.get("X-RateLimit-Remaining", "")
        self._limit = int(limit) if limit.isascii() and limit.isdigit() else self._limit
        self._left = int(left) if left.isascii() and left.isdigit() else self._left

    def told(self) -> Budget:
        """How the hour stands."""
        with self._lock:
            allowed = [each for each in (self._allowed, self._limit) if each is not None]
            return Budget(
                spent=self._spent(),
                allowed=min(allowed, default=None),
                left=self._left,
                renewed_at=self._hour() + _HOUR,
            )

    def _hour(self) -> datetime:
        return self._clock().replace(minute=0, second=0, microsecond=0)

    def _spent(self) -> int:
        hour, _, spent = self.memory.get(_KEY, "").rpartition(" ")
        kept = int(spent) if hour == self._hour().isoformat() and spent.isdigit() else 0
        made = self._made[1] if self._made and self._made[0] == self._hour() else 0
        return max(kept, made)
