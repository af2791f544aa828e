"""What the bridge finds and measures: findings with their worth, signals, KPI results."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Worth(msgspec.Struct, frozen=True, kw_only=True):
    """A planning number: what a signal costs in a year if nothing is done."""

    hours_per_year: float
    cost_per_year: float


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a rule found: a demand that tickets miss, with the records that make the case."""

    id: str
    """Readable and the same in every run: ``<rule>:<subject>[:<subject>]``."""
    rule: str
    title: str
    why: str
    """The case in one or two sentences, with its numbers."""
    service: str | None = None
    user_group: str | None = None
    service_ref: str | None = None
    user_group_ref: str | None = None
    keywords: tuple[str, ...] = ()
    start: datetime
    end: datetime
    strength: float
    """0 to 1: how far from chance, comparable within one rule."""
    worth: Worth
    evidence: tuple[str, ...]
    """Refs of the records that make the case, all of them."""
    numbers: dict[str, float]
    """The figures behind ``why``."""


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """A finding with a life: raised once, seen again and again, ended."""

    finding: Finding
    state: str
    """new (raised in this run), open (seen before), ended (no longer found)."""
    raised_at: datetime
    seen_at: datetime


class KpiResult(msgspec.Struct, frozen=True, kw_only=True):
    """One KPI for one window and one scope, with all that is needed to recompute it."""

    kpi: str
    version: str
    window: str
    """``2026-10`` (a calendar month) or ``last-90-days``."""
    start: datetime
    end: datetime
    """Exclusive."""
    service: str | None
    """None: all services."""
    user_group: str | None
    """None: all user groups."""
    service_ref: str | None
    user_group_ref: str | None
    value: float | None
    unit: str
    numerator: float | None
    denominator: float | None
    n: int
    target: float | None
    status: str
    """met, missed, no-target, too-few, young (shown, judged by no target) or not-known."""
    completeness: float | None
    """Share (0 to 1) of the source's records held, over the streams it reads; None: not known."""
    data_as_of: datetime
    grade: str | None = None
    """Of the least complete stream it reads (``Certificate.grade``); None: none was taken yet."""
