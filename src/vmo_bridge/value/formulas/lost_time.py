"""KPI 'lost_time': the minutes people say they lost, per answer."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Kpi

KPI = Kpi(
    name="lost_time",
    version="1",
    title="Perceived lost time per answer",
    question="How much working time do people say they lose?",
    unit="minutes",
    value_type="cost",
    better="lower",
    reads=("feedback", "answer", "question"),
    items="""
        select ref, answered_at as moment, service_ref, user_group_ref, person_ref, value as amount
        from answers
        where metric = 'lost_time' and answered_at is not null and value >= 0""",
    value="avg(amount)",
    numerator="sum(amount)",
    denominator="count(*)",
    note=(
        "Minutes reported / answers, by the month of the answer. Perceived: the users' own "
        "estimate of the working time they lost (the method of HappySignals), not a measurement "
        "of devices or tickets. The mean over those who answered says nothing of those who did "
        "not; few tickets often hold most of the minutes. No sourced target."
    ),
    private=True,
    tags=("experience", "perceived"),
)
