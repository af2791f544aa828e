"""KPI 'ces': the share of answers that call it easy."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Kpi
from vmo_bridge.value.formulas.top_boxes import BOXES, in_top_boxes

KPI = Kpi(
    name="ces",
    version="1",
    title="Customer effort (share of easy)",
    question="How many answers say that it was easy?",
    unit="share",
    value_type="effectiveness",
    better="higher",
    reads=("feedback", "answer", "question"),
    items=in_top_boxes("ces"),
    value="avg(amount)",
    numerator="sum(amount)",
    denominator="count(*)",
    note=(
        f"Answers in the two top boxes / answers, {BOXES}. The share of easy and not the mean that "
        "some vendors take: their scales differ (1-5, 1-7), and a mean of 5 is good on the one and "
        "middling on the other, while shares compare. Where a high answer means much effort, the "
        'question map has to say best = "low". By the month of the answer. Answers without a known '
        "scale are left out. Every answer counts, so one person may count more than once. No "
        "sourced target."
    ),
    private=True,
    tags=("experience",),
)
