"""The four stages on one screen: sync → detect → measure → publish."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from pluggy import HookCaller

from vmo_bridge.connectors.opening import enabled_connectors, opened, target_names
from vmo_bridge.errors import ConfigError, VmoBridgeError
from vmo_bridge.hooks.loader import Plugins
from vmo_bridge.publish.run import Publishing
from vmo_bridge.publish.stage import PublishOutcome
from vmo_bridge.publish.undo import UndoOutcome
from vmo_bridge.settings import Settings
from vmo_bridge.signals.detect import DetectOutcome, detect
from vmo_bridge.store import Store
from vmo_bridge.store.clock import now
from vmo_bridge.sync import Care, Scope, StreamOutcome, sync_source
from vmo_bridge.sync.people import load_people
from vmo_bridge.sync.renormalise import Rebuilt, renormalise
from vmo_bridge.value.measure import MeasureOutcome, measure
from vmo_bridge.watch import Stopped, Watch

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class CycleOutcome:
    """What one turn of the loop did."""

    sync: list[StreamOutcome]
    detect: DetectOutcome
    measure: MeasureOutcome
    publish: list[PublishOutcome]
    """One a target; empty: there is nothing to publish to."""
    seconds: dict[str, float] = field(default_factory=dict)


class Bridge:
    """An open store with its settings and plugins; each method is one stage.

    ``owner`` is the command that writes, named to whoever has to wait for it.
    """

    def __init__(
        self, settings: Settings, plugins: Plugins, *, owner: str, watch: Watch | None = None
    ) -> None:
        self.settings = settings
        self.plugins = plugins
        self.watch = watch or Watch()
        self.store = Store(settings.store_path, owner=owner)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.close()

    def sync(self, scope: Scope = Scope()) -> list[StreamOutcome]:  # noqa: B008 - frozen
        """Stage 1: read what changed in every source; one that fails does not stop the others."""
        settings = self.settings
        names = enabled_connectors(settings)
        if not names:
            raise ConfigError(
                f"{settings.file}: connectors: no source is switched on; add [connectors.<name>]"
            )
        scope.check_sources(names)
        outcomes: list[StreamOutcome] = []
        with self._run("sync") as run:
            people = load_people(settings, self.store)
            for name in filter(scope.has_source, names):
                try:
                    with opened(name, settings, self.plugins) as connector:
                        outcomes += sync_source(
                            connector,
                            self.store,
                            people,
                            run.id,
                            care=_care(settings),
                            scope=scope,
                            watch=self.watch,
                        )
                except ConfigError as error:
                    outcomes.append(StreamOutcome(source=name, stream="*", problem=str(error)))
                    log.error("%s", error)
            self._age_out()
            run.detail = {
                "read": sum(each.read for each in outcomes),
                "changed": sum(each.changed for each in outcomes),
                "problems": [
                    f"{each.source}:{each.stream}: {each.problem}"
                    for each in outcomes
                    if each.problem
                ],
                "notes": [
                    f"{each.source}:{each.stream}: {note}"
                    for each in outcomes
                    for note in each.notes
                ],
            }
            if run.detail["problems"]:
                run.state = "partly" if any(not each.problem for each in outcomes) else "failed"
        return outcomes

    def _age_out(self) -> None:
        days = self.settings.sync.keep_raw_days
        if days:
            with self.store.transaction():
                self.store.raw.age_out(now() - timedelta(days=days))

    def renormalise(self, scope: Scope = Scope()) -> list[Rebuilt]:  # noqa: B008 - frozen
        """Rebuild records from raw pages, without asking any source."""
        names = enabled_connectors(self.settings)
        scope.check_sources(names)
        rebuilt: list[Rebuilt] = []
        with self._run("renormalise") as run:
            people = load_people(self.settings, self.store)
            for name in filter(scope.has_source, names):
                with opened(name, self.settings, self.plugins) as connector:
                    rebuilt += renormalise(
                        connector, self.store, people, run.id, scope=scope, watch=self.watch
                    )
            run.detail = {"changed": sum(each.changed for each in rebuilt)}
        return rebuilt

    def detect(self, as_of: datetime | None = None) -> DetectOutcome:
        """Stage 2: let the rules judge, follow the signals, tell observers of new ones.

        A moment that is asked for is only looked from: nothing is saved, nobody is told.
        """
        with self._run("detect", self.moment(as_of)) as run:
            outcome = detect(
                self.store,
                self.settings,
                self.plugins.rules,
                as_of=self.moment(as_of),
                run_id=run.id,
                save=as_of is None,
                watch=self.watch,
            )
            run.detail = {"signals": len(outcome.signals), "new": len(outcome.new)}
            if not outcome.saved:
                run.state = "looked"
        for signal in outcome.new:
            self._tell(self.plugins.hook.vmo_signal_raised, signal=signal)
        return outcome

    def measure(self, as_of: datetime | None = None) -> MeasureOutcome:
        """Stage 3: compute every KPI; from a moment that is asked for nothing is saved."""
        with self._run("measure", self.moment(as_of)) as run:
            outcome = measure(
                self.store,
                self.settings,
                self.plugins.kpis,
                as_of=self.moment(as_of),
                run_id=run.id,
                save=as_of is None,
                watch=self.watch,
            )
            run.detail = {"results": len(outcome.results), "failed": outcome.failed}
            if not outcome.saved:
                run.state = "looked"
        return outcome

    def publish(self, *, apply: bool, retry: bool = False) -> list[PublishOutcome]:
        """Stage 4: plan for every target, and if told to, write, read back and keep receipts.

        ``retry``: also what was left alone for a while because a target did not keep it.
        """
        if not target_names(self.settings, self.plugins):
            return []
        with self._run("publish") as run:
            return self._publishing(run).publish(
                apply=apply,
                as_of=self.moment(),
                published=lambda result, key: self._tell(
                    self.plugins.hook.vmo_kpi_published, result=result, record=key
                ),
                told=run.detail,
                retry=retry,
            )

    def undo(self, run_id: int, *, apply: bool) -> list[UndoOutcome]:
        """Take back what a run of ``publish`` wrote, unless somebody has changed it since."""
        with self._run("undo") as run:
            run.detail = {"run": run_id, "applied": apply}
            return self._publishing(run).undo(run_id, apply=apply)

    def _publishing(self, run: _Run) -> Publishing:
        return Publishing(
            store=self.store,
            settings=self.settings,
            plugins=self.plugins,
            watch=self.watch,
            run_id=run.id,
        )

    def cycle(self, told: Callable[[str, Any], None] = lambda _, __: None) -> CycleOutcome:
        """All four, once; whether values are written is the configuration's word.

        ``told`` hears the name and the outcome of each stage as it ends: a later one may fail.
        """
        seconds: dict[str, float] = {}

        def timed(stage: str, work: Callable[[], Any]) -> Any:
            began = time.monotonic()
            result = work()
            seconds[stage] = time.monotonic() - began
            log.info("%s took %.1f s", stage, seconds[stage])
            told(stage, result)
            return result

        return CycleOutcome(
            sync=timed("sync", self.sync),
            detect=timed("detect", self.detect),
            measure=timed("measure", self.measure),
            publish=timed(
                "publish", lambda: self.publish(apply=self.settings.publish.mode == "apply")
            ),
            seconds=seconds,
        )

    def moment(self, as_of: datetime | None = None) -> datetime:
        """The moment that counts as now: asked for, else configured, else the real one."""
        return as_of or self.settings.bridge.as_of or now()

    @contextmanager
    def _run(self, stage: str, as_of: datetime | None = None) -> Iterator[_Run]:
        run = _Run(self.store.runs.start(stage, as_of=as_of))
        try:
            yield run
        except Stopped:
            self.store.runs.end(run.id, "interrupted", run.detail)
            raise
        except Exception as error:
            with suppress(Exception):  # on a full disk the first error is the one to hear
                self.store.runs.end(run.id, "failed", {**run.detail, "error": _told(error)})
            raise
        except BaseException:
            # Ctrl-C, or the daemon's last word: without this 'status' says "running" ever after.
            with suppress(Exception):
                self.store.runs.end(run.id, "interrupted", run.detail)
            raise
        self.store.runs.end(run.id, run.state, run.detail)

    def _tell(self, hook: HookCaller, **what: object) -> None:
        """Tell observers one by one: one that fails is logged, and silences no other."""
        for observer in hook.get_hookimpls():
            try:
                observer.function(*(what[name] for name in observer.argnames))
            except (Exception, SystemExit):
                log.exception("plugin %s: its observer failed", observer.plugin_name)


@dataclass(slots=True)
class _Run:
    id: int
    state: str = "done"
    detail: dict[str, Any] = field(default_factory=dict)


def _care(settings: Settings) -> Care:
    hours = settings.sync.sweep_hours
    return Care(
        overlap=timedelta(seconds=settings.sync.overlap_seconds),
        sweep_every=timedelta(hours=hours) if hours else None,
        alarm_share=settings.sync.alarm_share,
    )


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, VmoBridgeError) else type(error).__name__
