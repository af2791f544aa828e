"""KPI 'backlog_size': the incidents and requests that are open as the window ends."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Kpi
from vmo_bridge.value.formulas.open_tickets import NOTE, OPEN_TICKETS

KPI = Kpi(
    name="backlog_size",
    version="1",
    title="Backlog",
    question="How many incidents and requests wait?",
    unit="count",
    value_type="effectiveness",
    better="lower",
    reads=("ticket", "span"),
    items=OPEN_TICKETS,
    value="count(*)",
    numerator="count(*)",
    denominator="1",
    note=(
        f"The number of open tickets. {NOTE} An empty backlog is 0, where there has ever been a "
        "ticket; so few tickets are told, too: they are no answers of people. No sourced target: "
        "compare with your own months before."
    ),
    min_n=0,
    counts="stock",
    tags=("backlog",),
)
