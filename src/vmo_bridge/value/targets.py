"""Targets agreed with customers, and which of them judges a result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A value of a KPI that was agreed with somebody, for all or for a service or user group."""

    kpi: str
    value: float
    """In the KPI's own unit; a share is 0 to 1."""
    service: str | None = None
    """Name of the service it is for; None: every service, and all together."""
    user_group: str | None = None
    """Name of the user group it is for; None: every group, and all together."""
    agreed_with: str | None = None
    agreed_on: date | None = None


def target_for(
    targets: Iterable[Target],
    kpi: str,
    *,
    service: str | None = None,
    user_group: str | None = None,
    until: date | None = None,
) -> Target | None:
    """The agreed target that judges a result of this scope (None: all), or None.

    The most specific one wins: service and group, then service, then group, then general. Among
    equals the latest agreed by ``until``, the last day of the result's window: one that is raised
    later does not judge a closed month anew. Where all were agreed later, the earliest of them
    judges, so that a first agreement shows where one stood before. Names are compared without
    regard to case.
    """
    fitting = [
        target
        for target in targets
        if target.kpi == kpi
        and _fits(target.service, service)
        and _fits(target.user_group, user_group)
    ]
    if not fitting:
        return None
    best = max(_specific(target) for target in fitting)
    equals = sorted(
        (target for target in fitting if _specific(target) == best),
        key=lambda target: target.agreed_on or date.min,
    )
    in_force = [
        target
        for target in equals
        if until is None or target.agreed_on is None or target.agreed_on <= until
    ]
    return in_force[-1] if in_force else equals[0]


def _fits(wanted: str | None, scope: str | None) -> bool:
    return wanted is None or (scope is not None and wanted.casefold() == scope.casefold())


def _specific(target: Target) -> tuple[bool, bool, bool]:
    service, group = target.service is not None, target.user_group is not None
    return service and group, service, group
