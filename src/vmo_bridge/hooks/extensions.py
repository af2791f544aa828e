"""What a plugin can hand over: a connector type, a rule, a KPI."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, Field

from vmo_bridge.records import Finding

Row = Mapping[str, Any]
"""One row of a query's result, by column name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorType:
    """A kind of source, such as ``servicenow``; an admin configures any number of each."""

    name: str
    title: str
    settings: type[BaseModel]
    """The model of what stands under ``[connectors.<name>]`` besides ``plugin`` and ``enabled``."""
    connect: Callable[..., Any]
    """``connect(name=…, settings=…, folder=…)`` gives a ``vmo_bridge.plugin.Connector``.

    ``folder`` is where relative paths of the configuration begin.
    """
    writes: bool = False
    """Whether its connectors are ``Writer``, too: values can be written back to them."""


class RuleParameters(BaseModel, extra="forbid", frozen=True):
    """What an admin can change of a rule under ``[rules.<name>]``.

    A rule subclasses it, as ``class MyParameters(RuleParameters, frozen=True)``.
    """

    enabled: bool = Field(True, description="Whether the rule is asked at all.")
    hours_per_item: float = Field(
        1.0,
        ge=0,
        description="Working hours a piece of evidence costs, besides reported lost time.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRun:
    """What a rule's judgement gets to see: the results of its queries, and nothing else."""

    rows: Mapping[str, Sequence[Row]]
    """By name of the query."""
    parameters: Any
    """The rule's own parameters model."""
    start: datetime
    end: datetime
    hourly_rate: float
    targets: Mapping[str, float]
    """Agreed targets by KPI name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A question asked of the data: SQL that aggregates, then a pure judgement of the result.

    The queries read the documented views (docs/tables.md) and may bind ``$start`` and ``$end``
    (epoch seconds, UTC) and any parameter of the rule by its name. A query named ``needs`` gives
    one row of counts, a column a fact that the rule cannot do without; one that is 0 or NULL is
    missing, and the rule then says so (by the column's name) instead of judging.
    """

    name: str
    version: str
    title: str
    question: str
    parameters: type[RuleParameters]
    window_days: int
    reads: tuple[str, ...]
    """Kinds of record it needs; where one is missing the rule says so instead of judging."""
    fields: tuple[str, ...]
    """The fields it reads, as ``view.column``."""
    queries: Mapping[str, str]
    decide: Callable[[RuleRun], Sequence[Finding]]


FEWEST_PEOPLE: Final = 5
"""What fewer people say is never shown, whatever a plugin or the configuration asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """A measure: SQL that lists the items that count, and how they become one number.

    ``items`` is a SELECT over the documented views that gives one row an item with the columns
    ``ref`` (the record that shows it), ``moment`` (epoch seconds: what puts it in a window),
    ``service_ref``, ``user_group_ref`` and ``amount`` (a number). ``value``, ``numerator`` and
    ``denominator`` are aggregate expressions over these columns.
    """

    name: str
    version: str
    title: str
    question: str
    unit: Literal["share", "minutes", "hours", "days", "count", "score"]
    value_type: Literal["cost", "effectiveness", "risk"]
    better: Literal["higher", "lower"]
    reads: tuple[str, ...]
    """Kinds of record it needs: its completeness is theirs."""
    items: str
    value: str
    numerator: str
    denominator: str
    note: str
    """How it is counted where definitions clash, and the source of the formula."""
    target: float | None = None
    """Where no target is agreed: a starting point, or None."""
    min_n: int = 5
    """Fewer items are never shown alone (privacy, and noise)."""
    private: bool = False
    """Whether the items are what people say or do: then fewer than five items, or items of fewer
    than five people, are never shown, whatever the configuration says. ``items`` gives
    ``person_ref``, too; where it is NULL, each item counts as a person of its own."""
    counts: Literal["flow", "stock"] = "flow"
    """``flow``: what happens within a window. ``stock``: what is there at its end. Then ``moment``
    is when an item came, and ``items`` gives ``until``, too: when it went (epoch seconds), or NULL.
    """
    amount_at_end: str = "amount"
    """Of a stock: an item's amount at the end of a window, over its columns and ``ends`` (epoch
    seconds)."""
    young_days: int = 0
    """A window that ended fewer days ago is ``young``: its value still grows, nobody judges it."""
    tags: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Refuse a floor that would show what single people say."""
        if self.private and self.min_n < FEWEST_PEOPLE:
            raise ValueError(
                f"KPI {self.name!r}: min_n is {self.min_n}; a private KPI never shows fewer than "
                f"{FEWEST_PEOPLE}"
            )
