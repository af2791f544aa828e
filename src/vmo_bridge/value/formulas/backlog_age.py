"""KPI 'backlog_age': the days that half of the backlog has waited, or more."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Kpi
from vmo_bridge.value.formulas.open_tickets import (
    AGE_IN_DAYS,
    NOTE,
    OPEN_TICKETS,
    SUM_OF_DAYS,
)

KPI = Kpi(
    name="backlog_age",
    version="1",
    title="Age of the backlog, median (days)",
    question="How many days has half of the backlog waited, or more?",
    unit="days",
    value_type="effectiveness",
    better="lower",
    reads=("ticket", "span"),
    items=OPEN_TICKETS,
    value="percentile_cont(0.5) within group (order by amount)",
    numerator=SUM_OF_DAYS,
    denominator="count(*)",
    note=(
        "The median of the days since opening, by linear interpolation (SQL:2003 "
        f"percentile_cont), by the calendar and not by business hours. {NOTE} Numerator: the days "
        "of all; denominator: the tickets; so their quotient is the mean, to be seen beside this "
        "value. No sourced target: compare with your own months before."
    ),
    counts="stock",
    amount_at_end=AGE_IN_DAYS,
    tags=("backlog",),
)
