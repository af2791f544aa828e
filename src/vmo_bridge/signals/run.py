"""Run one rule: its queries on the tables, then its judgement of the results."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from vmo_bridge.errors import PluginError
from vmo_bridge.hooks.extensions import Row, Rule, RuleParameters, RuleRun
from vmo_bridge.records import Finding

if TYPE_CHECKING:
    from vmo_bridge.analysis.engine import Analysis


def evaluate(
    rule: Rule,
    analysis: Analysis,
    parameters: RuleParameters,
    *,
    as_of: datetime,
    hourly_rate: float,
    targets: Mapping[str, float],
) -> list[Finding]:
    """What the rule finds in its window, which ends (exclusive) at ``as_of`` (aware).

    The queries may bind ``$start`` and ``$end`` (epoch seconds) and any parameter. ``hourly_rate``
    is money an hour, ``targets`` are agreed targets by KPI name. The same tables, parameters and
    moment give the same findings. Whether the rule can judge at all is asked before (needs.py).

    Raises PluginError, naming the rule, for wrong SQL, a judgement that fails, and findings
    that break the contract.
    """
    if as_of.tzinfo is None:
        raise ValueError(f"as_of {as_of} has no time zone")
    start = as_of - timedelta(days=rule.window_days)
    bound = parameters.model_dump() | {"start": _seconds(start), "end": _seconds(as_of)}
    run = RuleRun(
        rows={name: _rows(rule, name, analysis, bound) for name in rule.queries},
        parameters=parameters,
        start=start,
        end=as_of,
        hourly_rate=hourly_rate,
        targets=targets,
    )
    try:
        findings = list(rule.decide(run))
    except Exception as err:
        # Whatever a stranger's judgement raises is the plugin's to mend, and ends only its rule.
        raise PluginError(f"rule {rule.name!r}: {type(err).__name__}: {err}") from err
    _check(rule, findings)
    return findings


def _seconds(moment: datetime) -> int:
    """Epoch seconds, upwards: a record of the second that ``moment`` cuts is before it."""
    return math.ceil(moment.timestamp())


def _rows(rule: Rule, name: str, analysis: Analysis, bound: Mapping[str, Any]) -> Sequence[Row]:
    try:
        return analysis.query(rule.queries[name], bound)
    except PluginError as err:
        raise PluginError(f"rule {rule.name!r}, query {name!r}: {err}") from err


def _check(rule: Rule, findings: Sequence[Finding]) -> None:
    """Hold findings to what life, hub and outbox rely on: a plugin's slip is named as its own."""
    often = Counter(finding.id for finding in findings)
    for finding in findings:
        problem = None
        if finding.rule != rule.name or not finding.id.startswith(f"{rule.name}:"):
            problem = f"id must start with {rule.name}: and rule must be {rule.name}"
        elif often[finding.id] > 1:
            problem = "the id is given twice"
        elif not finding.evidence:
            problem = "no evidence"
        elif not 0 <= finding.strength <= 1:
            problem = f"strength {finding.strength} is not within 0 to 1"
        if problem:
            raise PluginError(f"rule {rule.name!r}, finding {finding.id!r}: {problem}")
