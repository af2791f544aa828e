"""The clock round the pipeline: one cycle when it is due, until asked to end."""

from __future__ import annotations

import logging
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType

import schedule

from vmo_bridge.errors import ConfigError, SecretMissing, VmoBridgeError
from vmo_bridge.hooks.loader import Plugins
from vmo_bridge.pipeline import Bridge
from vmo_bridge.settings import Settings
from vmo_bridge.store.clock import now
from vmo_bridge.watch import Stopped, Watch

log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS = 1
_GRACE_SECONDS = 6.0
"""So long a stage may take to come to a safe point; then it is cut off, and rolls back."""

_SIGN_OF_LIFE_SECONDS = 60.0

CYCLE = "daemon.cycle.started_at"
"""The fact that says when the last cycle began: a restart makes up for a missed one."""


class Ending(BaseException):
    """Cuts off whatever runs; what is half done rolls back. No ``Exception``: nobody eats it."""


class EndingWatch(Watch):
    """Gives a sign of life while work is long, and asks to stop once the daemon was told to end."""

    def __init__(
        self, ending: threading.Event, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ending = ending
        self._clock = clock
        self._told_at = clock()
        self._task, self._done = "", 0
        self._total: int | None = None

    def begin(self, task: str, total: int | None = None) -> None:
        """A piece of work begins; a short one is not worth a word."""
        self._task, self._done, self._total = task, 0, total
        self._told_at = self._clock()

    def advance(self, steps: int = 1) -> None:
        """So many steps are done; once a minute the log hears of it."""
        self._done += steps
        if self._clock() - self._told_at >= _SIGN_OF_LIFE_SECONDS:
            self._told_at = self._clock()
            log.info("%s: %d of %s", self._task, self._done, self._total or "an unknown number")

    def stopping(self) -> bool:
        """Whether the daemon was told to end."""
        return self._ending.is_set()


class Daemon:
    """Runs cycles by the clock of the configuration; the due time is read from the store."""

    def __init__(self, settings: Settings, plugins: Plugins) -> None:
        self._settings = settings
        self._plugins = plugins
        self._ending = threading.Event()
        self._every = _every(settings)
        self._told = ""
        self._clock = schedule.Scheduler()
        self._clock.every(_LOOK_EVERY_SECONDS).seconds.do(self._guarded, self._cycle_if_due)
        self._due = datetime.min.replace(tzinfo=UTC)

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; ends within ten seconds of it."""
        with self._ended_by_signals():
            log.info("the daemon is up, a cycle every %s", self._every)
            self._clock.run_all()
            while not self._ending.is_set():
                self._ending.wait(self._clock.idle_seconds or 0)
                self._clock.run_pending()
        log.info("the daemon has ended")

    def _cycle_if_due(self) -> None:
        if self._ending.is_set() or self._waits_until(self._due):
            return
        watch = EndingWatch(self._ending)
        with Bridge(self._settings, self._plugins, owner="vmo-bridge run", watch=watch) as bridge:
            told = bridge.store.runs.fact(CYCLE)
            due = datetime.fromisoformat(told) + self._every if told else None
            if due and self._waits_until(due):
                self._due = due
                return
            bridge.store.runs.set_fact(CYCLE, now().isoformat())
            self._due = now() + self._every
            try:
                outcome = bridge.cycle()
            except (Stopped, Ending):
                # A restart makes up for it at once; with a daily clock a day would be lost.
                bridge.store.runs.set_fact(CYCLE, "")
                raise
        log.info(
            "cycle: %d records changed, %d signals, %d KPI results, %d streams with a problem",
            sum(each.changed for each in outcome.sync),
            len(outcome.detect.signals),
            len(outcome.measure.results),
            sum(bool(each.problem) for each in outcome.sync),
        )
        self._told = ""

    def _waits_until(self, due: datetime) -> bool:
        """Whether it is too early; a clock that was set back does not make it wait for longer."""
        return timedelta() < due - now() <= self._every

    def _guarded(self, job: Callable[[], None]) -> None:
        """One guard round each job: what fails is told once, and the clock goes on."""
        try:
            job()
        except Stopped as stopped:
            log.info("%s", stopped)
        except SecretMissing as error:
            self._tell_once(str(error))  # it may be about to be renewed
        except ConfigError:
            raise
        except VmoBridgeError as error:
            self._tell_once(str(error))
        except (OSError, sqlite3.Error) as error:
            # Full, read-only or gone: no bug, and it comes right without us.
            self._tell_once(
                f"the store {self._settings.store_path} cannot be used ({error}); look after its "
                "disk and its rights, what was committed is kept"
            )
        except Exception:
            log.exception("a job failed; this is a bug of ours or of a plugin, the clock goes on")

    def _tell_once(self, message: str) -> None:
        if message != self._told:
            log.error("%s", message)
        self._told = message

    @contextmanager
    def _ended_by_signals(self) -> Iterator[None]:
        def end(signum: int, _frame: FrameType | None) -> None:
            if signum == signal.SIGALRM:
                raise Ending
            log.info("asked to end (%s)", signal.Signals(signum).name)
            self._ending.set()
            signal.setitimer(signal.ITIMER_REAL, _GRACE_SECONDS)

        signals = (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)
        before = {each: signal.signal(each, end) for each in signals}
        try:
            yield
        except Ending:
            log.info("cut off at an unsafe point; it was rolled back, the next run goes on")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for each, handler in before.items():
                signal.signal(each, handler)


def _every(settings: Settings) -> timedelta:
    try:
        every = timedelta(minutes=settings.schedule.every_minutes)
        _ = now() + every
    except OverflowError:
        raise ConfigError(
            f"{settings.file}: schedule.every_minutes: {settings.schedule.every_minutes} is more "
            "than any calendar holds; write 1440 for once a day"
        ) from None
    return every
