"""KPI 'csat': the share of answers in the two top boxes."""

from __future__ import annotations

from vmo_bridge.analysis.expressions import ANSWER_IS_RATED, SATISFIED
from vmo_bridge.hooks.extensions import Kpi

KPI = Kpi(
    name="csat",
    version="1",
    title="Customer satisfaction (top two boxes)",
    question="How many answers say that people are satisfied?",
    unit="share",
    value_type="effectiveness",
    better="higher",
    reads=("feedback", "answer", "question"),
    items=f"""
        select a.ref, a.answered_at as moment, a.service_ref, a.user_group_ref,
            case when {SATISFIED} then 1 else 0 end as amount
        from answers a
        where a.metric = 'csat' and a.answered_at is not null and {ANSWER_IS_RATED}""",
    value="avg(amount)",
    numerator="sum(amount)",
    denominator="count(*)",
    note=(
        "Answers in the two top boxes / answers, on the scale of each question: 4 and 5 of 1-5, 9 "
        "and 10 of 0-10; on a scale of two or three boxes the top one; on a slider of more than "
        "eleven steps its top fifth. Not the mean that ServiceNow's dashboard shows. By the month "
        "of the answer, not of the ticket, so that a late answer never changes a closed month. "
        "Answers without a known scale are left out. Every answer counts, so one person may count "
        "more than once. No sourced target."
    ),
    tags=("experience",),
)
