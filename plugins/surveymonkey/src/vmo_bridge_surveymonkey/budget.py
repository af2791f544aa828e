"""The calls an account may spend a day and a minute: counted, told, never overdrawn."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime, timedelta

from vmo_bridge.plugin import RetryLater, retry_moment

Clock = Callable[[], datetime]
Sleep = Callable[[float], None]

MARGIN = timedelta(seconds=2)
"""Slept beyond a window's end: the two clocks differ."""
_LENGTHS = {"minute": timedelta(minutes=1), "day": timedelta(days=1)}
_HEADER = "X-Ratelimit-App-Global-{window}-{what}"


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(tz=UTC)


class Budget:
    """What is left of this day's and this minute's calls; kept in the memory of the source.

    Without word from the source a window is the UTC day or minute, with the limit of the
    configuration. Each answer tells the real limit, what is left and when the window ends.
    """

    def __init__(
        self, name: str, limits: Mapping[str, int], *, clock: Clock, sleep: Sleep = time.sleep
    ) -> None:
        self._name = name
        self._limits = limits
        self._clock = clock
        self._sleep = sleep
        self.memory: MutableMapping[str, str] = {}

    def spend(self) -> None:
        """Take one call; waits for the next minute, and raises ``RetryLater`` for the next day."""
        ends, used, limit = self.day()
        minute_ends, spent, most = self._window("minute")
        if spent >= most:
            self.wait_until(minute_ends + MARGIN)
            minute_ends, spent, most = self._window("minute")
        self._keep("day", ends, used + 1, limit)
        self._keep("minute", minute_ends, spent + 1, most)

    def day(self) -> tuple[datetime, int, int]:
        """When this day's window ends, spent and allowed calls; ``RetryLater`` if none is left."""
        ends, used, limit = self._window("day")
        if used >= limit:
            raise RetryLater(
                f"{self._name}: the daily budget of {limit} calls is used up; "
                f"resume at {ends:%Y-%m-%d %H:%M:%S} UTC",
                retry_at=ends,
            )
        return ends, used, limit

    def learn(self, headers: Mapping[str, str]) -> None:
        """Believe what the source tells of its windows; it also counts the calls of others."""
        for window, most in self._limits.items():
            told = [
                headers.get(_HEADER.format(window=window.capitalize(), what=what), "")
                for what in ("Limit", "Remaining", "Reset")
            ]
            if not all(text.isascii() and text.isdigit() for text in told):
                continue
            limit, left, reset = (int(text[:9]) for text in told)
            ends = self._clock() + timedelta(seconds=min(reset, _LENGTHS[window].total_seconds()))
            self._keep(window, ends, max(limit - left, 0), min(limit, most))

    def resume_at(self, headers: Mapping[str, str]) -> datetime | None:
        """When to come back after a 429: the end of the window used up, a margin later.

        SurveyMonkey names no moment; where something before it does, and no window is used up, it
        is believed.
        """
        self.learn(headers)
        spent = {name: self._window(name) for name in self._limits}
        ends = [end for end, used, limit in spent.values() if used >= limit]
        return max(ends) + MARGIN if ends else retry_moment(headers)

    def wait_until(self, moment: datetime) -> None:
        """Wait for a moment; never longer than a minute and two margins."""
        wait = moment - self._clock()
        self._sleep(max(0.0, min(wait, _LENGTHS["minute"] + 2 * MARGIN).total_seconds()))

    def left(self) -> str:
        """What is left, in words."""
        parts = []
        for name in self._limits:
            ends, used, limit = self._window(name)
            parts.append(f"{max(limit - used, 0)} of {limit} calls left this {name}")
            if name == "day":
                parts[-1] += f" (until {ends:%H:%M} UTC)"
        return ", ".join(reversed(parts))

    def _window(self, name: str) -> tuple[datetime, int, int]:
        """(when it ends, calls spent, calls allowed); a window that is over has a fresh one."""
        now = self._clock()
        text = self.memory.get(f"budget.{name}", "")
        try:
            end, used, limit = (int(part) for part in text.split("|"))
            ends = datetime.fromtimestamp(end, tz=UTC)
        except (ValueError, OverflowError, OSError):
            ends, used, limit = now, 0, 0
        if now < ends <= now + _LENGTHS[name]:
            return ends, used, min(limit, self._limits[name])
        length = int(_LENGTHS[name].total_seconds())
        begun = int(now.timestamp()) // length * length
        return datetime.fromtimestamp(begun + length, tz=UTC), 0, self._limits[name]

    def _keep(self, name: str, ends: datetime, used: int, limit: int) -> None:
        self.memory[f"budget.{name}"] = f"{int(ends.timestamp())}|{used}|{limit}"
