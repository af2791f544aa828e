"""KPI 'csat': the share of answers in the two top boxes."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Kpi
from vmo_bridge.value.formulas.top_boxes import BOXES, in_top_boxes

KPI = Kpi(
    name="csat",
    version="1",
    title="Customer satisfaction (top two boxes)",
    question="How many answers say that people are satisfied?",
    unit="share",
    value_type="effectiveness",
    better="higher",
    reads=("feedback", "answer", "question"),
    items=in_top_boxes("csat"),
    value="avg(amount)",
    numerator="sum(amount)",
    denominator="count(*)",
    note=(
        f"Answers in the two top boxes / answers, {BOXES}. Not the mean that ServiceNow's "
        "dashboard shows. By the month of the answer, not of the ticket, so that a late answer "
        "never changes a closed month. Answers without a known scale are left out. Every answer "
        "counts, so one person may count more than once. No sourced target."
    ),
    private=True,
    tags=("experience",),
)
