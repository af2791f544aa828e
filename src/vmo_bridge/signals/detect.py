"""The stage: load the tables, let every rule judge, follow the life of the signals, save."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from vmo_bridge.errors import ConfigError, PluginError
from vmo_bridge.hooks.extensions import Rule, RuleParameters
from vmo_bridge.records import Finding, Signal
from vmo_bridge.settings import Settings, validate_section
from vmo_bridge.signals.life import follow
from vmo_bridge.signals.needs import missing, missing_facts
from vmo_bridge.signals.run import evaluate
from vmo_bridge.store import Store
from vmo_bridge.watch import Watch

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class DetectOutcome:
    """What the rules found, and which of them could not judge."""

    signals: list[Signal]
    """Found now, and (if saved) those that ended."""
    new: list[Signal] = field(default_factory=list)
    """Raised for the first time, or again after an end; empty for a look."""
    not_known: dict[str, str] = field(default_factory=dict)
    """Rule to what it misses."""
    saved: bool = True


def rule_parameters(settings: Settings, rules: Mapping[str, Rule]) -> dict[str, RuleParameters]:
    """The parameters of every rule that is switched on; raises ``ConfigError``."""
    for name in settings.rules:
        if name not in rules:
            raise ConfigError(
                f"{settings.file}: rules.{name}: there is no such rule; "
                f"there are: {', '.join(sorted(rules))}"
            )
    checked = {
        name: validate_section(
            rule.parameters,
            settings.rules.get(name, {}),
            file=settings.file,
            prefix=f"rules.{name}",
        )
        for name, rule in rules.items()
    }
    return {name: parameters for name, parameters in checked.items() if parameters.enabled}


def find(
    store: Store, settings: Settings, rules: Mapping[str, Rule], *, as_of: datetime, watch: Watch
) -> tuple[list[Finding], dict[str, str]]:
    """What every rule finds as of a moment, and what the others miss to judge; saves nothing."""
    from vmo_bridge.analysis.engine import Analysis  # noqa: PLC0415 - duckdb is slow to import

    parameters = rule_parameters(settings, rules)
    targets = {
        each.kpi: each.value
        for each in settings.targets
        if each.service is None and each.user_group is None
    }
    tables = store.tables(as_of=as_of, feedback=settings.feedback)
    findings: list[Finding] = []
    not_known: dict[str, str] = {}
    watch.begin("rules", len(parameters))
    with Analysis(tables) as analysis:
        for name, chosen in parameters.items():
            rule = rules[name]
            try:
                lacking = missing(rule, tables) or missing_facts(rule, analysis)
                if lacking:
                    not_known[name] = f"not known: no {', no '.join(lacking)}"
                else:
                    findings += evaluate(
                        rule,
                        analysis,
                        chosen,
                        as_of=as_of,
                        hourly_rate=settings.value.hourly_rate,
                        targets=targets,
                    )
            except PluginError as error:
                not_known[name] = str(error)
                log.error("rule %s: %s", name, error)
            watch.advance()
            watch.stop_here()
    watch.end(f"{len(findings)} found")
    return findings, not_known


def detect(
    store: Store,
    settings: Settings,
    rules: Mapping[str, Rule],
    *,
    as_of: datetime,
    run_id: int,
    save: bool,
    watch: Watch,
) -> DetectOutcome:
    """Judge as of a moment and save the signals.

    With ``save`` off it is a look from another moment, which never rewrites the present.
    """
    findings, not_known = find(store, settings, rules, as_of=as_of, watch=watch)
    if not save:
        seen = follow([], findings, as_of)
        return DetectOutcome(signals=seen, not_known=not_known, saved=False)
    before = store.findings.signals()
    judged = [name for name in rules if name not in not_known]
    signals = follow(before, findings, as_of, judged=judged)
    store.findings.save_signals(run_id, as_of, signals)
    alive = {each.finding.id for each in before if each.state != "ended"}
    new = [each for each in signals if each.state == "new" and each.finding.id not in alive]
    return DetectOutcome(signals=signals, new=new, not_known=not_known)
