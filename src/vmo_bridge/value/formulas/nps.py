"""KPI 'nps': the share of those who would recommend minus the share of those who would not."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Kpi

KPI = Kpi(
    name="nps",
    version="1",
    title="Net promoter score",
    question="How many more people recommend a service than advise against it?",
    unit="score",
    value_type="effectiveness",
    better="higher",
    reads=("feedback", "answer", "question"),
    items="""
        select ref, answered_at as moment, service_ref, user_group_ref, person_ref,
            case when value >= 9 then 1 when value <= 6 then -1 else 0 end as amount
        from answers
        where metric = 'nps' and answered_at is not null
            and scale_min = 0 and scale_max = 10 and value between 0 and 10""",
    value="100 * avg(amount)",
    numerator="sum(amount)",
    denominator="count(*)",
    note=(
        "Share of 9 and 10 minus share of 0 to 6, from -100 to +100. Numerator: those who "
        "recommend minus those who advise against; denominator: the answers. The definition holds "
        "for 0-10 alone: answers on another scale, 1-10 too, are left out, as is what has no known "
        "scale. HappySignals' Happiness is the same arithmetic on a question about IT: do not "
        "compare it with the score of a brand. By the month of the answer. Every answer counts, so "
        "one person may count more than once. No sourced target (HappySignals reports +67 for "
        "incidents and +76 for requests, Q4 2019)."
    ),
    private=True,
    tags=("experience",),
)
