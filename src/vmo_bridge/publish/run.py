"""Publish to, or undo at, every target of a configuration, one after the other."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vmo_bridge.connectors.opening import opened, target_names
from vmo_bridge.connectors.writing import Writer
from vmo_bridge.errors import ConfigError, VmoBridgeError
from vmo_bridge.hooks.loader import Plugins
from vmo_bridge.publish.addresses import Addresses
from vmo_bridge.publish.stage import Publisher, PublishOutcome, writable
from vmo_bridge.publish.undo import Undo, UndoOutcome
from vmo_bridge.records import KpiResult
from vmo_bridge.settings import Settings
from vmo_bridge.store import Store
from vmo_bridge.store.clock import now
from vmo_bridge.watch import Stopped, Watch

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Publishing:
    """Writing back, as one run of the pipeline does it."""

    store: Store
    settings: Settings
    plugins: Plugins
    watch: Watch
    run_id: int

    def publish(
        self,
        *,
        apply: bool,
        as_of: datetime,
        published: Callable[[KpiResult, str], None],
        told: dict[str, Any],
        retry: bool = False,
    ) -> list[PublishOutcome]:
        """Plan for every target, and if told to, deliver; ``told`` takes the counts for the diary.

        ``retry``: also what was left alone for a while because a target did not keep it.
        A target that fails does not stop the others; the first failure is raised at the end.
        """
        outcomes: list[PublishOutcome] = []

        with Addresses(self.store, self.settings, self.plugins) as addresses:

            def at(name: str, writer: Writer) -> None:
                publisher = Publisher(
                    self.store,
                    self.settings,
                    name,
                    writer,
                    as_of=as_of,
                    retry=retry,
                    address=addresses.of,
                )
                outcomes.append(
                    publisher.apply(self.run_id, self.watch, published)
                    if apply
                    else publisher.plan()
                )

            failure = self._each(target_names(self.settings, self.plugins), at)
        if apply:
            kept = timedelta(days=self.settings.publish.keep_days)
            self.store.outbox.age_out(now() - kept)
        blocked = sorted({reason for each in outcomes for reason in each.blocked})
        told |= {"applied": apply, **_counted(outcomes), "blocked": blocked}
        if failure:
            raise failure
        return outcomes

    def undo(self, run_id: int, *, apply: bool) -> list[UndoOutcome]:
        """Show what undoing a run would do, or do it, at every target that it wrote to."""
        names = self.store.outbox.targets_of(run_id)
        if not names:
            raise ConfigError(
                f"run {run_id} wrote nothing; 'vmo-bridge undo' lists the runs that did"
            )
        outcomes: list[UndoOutcome] = []

        def at(name: str, writer: Writer) -> None:
            undo = Undo(self.store, self.settings, name, writer)
            outcomes.append(
                undo.apply(run_id, self.run_id, self.watch) if apply else undo.plan(run_id)
            )

        failure = self._each(names, at)
        if failure:
            raise failure
        return outcomes

    def _each(
        self, names: Sequence[str], work: Callable[[str, Writer], None]
    ) -> VmoBridgeError | None:
        """Do it at each target; returns the first failure, after the others were tried."""
        failures: list[VmoBridgeError] = []
        for name in names:
            try:
                with opened(name, self.settings, self.plugins) as connector:
                    writer = writable(connector)
                    if writer is None:
                        raise ConfigError(
                            f"{self.settings.file}: publish.connectors: {name!r} cannot be "
                            "written to"
                        )
                    work(name, writer)
            except Stopped:
                raise
            except VmoBridgeError as error:
                failures.append(error)
                log.error("%s: %s", name, error)
        return failures[0] if failures else None


def _counted(outcomes: Sequence[PublishOutcome]) -> dict[str, Any]:
    """The counts of all targets together."""
    counts: Counter[str] = Counter()
    waiting = []
    for each in outcomes:
        counts.update(each.counts())
        if each.delivery:
            counts["stored"] += each.delivery.stored
            counts["not_stored"] += len(each.delivery.troubled)
            waiting += [each.delivery.waiting] if each.delivery.waiting else []
    return {**counts, "waiting": "; ".join(waiting)}
