"""What KPIs of answers share: which answers to a metric's questions are in the top boxes."""

from __future__ import annotations

from typing import Final

from vmo_bridge.analysis.expressions import ANSWER_IS_RATED, SATISFIED

BOXES: Final = (
    "on the scale of each question: 4 and 5 of 1-5, 9 and 10 of 0-10; on a scale of two or three "
    "boxes the top one; on a slider of more than eleven steps its top fifth"
)
"""Which they are, in words."""


def in_top_boxes(metric: str) -> str:
    """One row an answer to a question that asks for ``metric``, with 1 or 0."""
    return f"""
        select a.ref, a.answered_at as moment, a.service_ref, a.user_group_ref, a.person_ref,
            case when {SATISFIED} then 1 else 0 end as amount
        from answers a
        where a.metric = '{metric}' and a.answered_at is not null and {ANSWER_IS_RATED}"""
