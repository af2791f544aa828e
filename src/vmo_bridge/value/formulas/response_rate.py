"""KPI 'response_rate': the share of invitations to a survey that were answered."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Kpi

KPI = Kpi(
    name="response_rate",
    version="1",
    title="Response rate of surveys",
    question="How many of those who were asked have answered?",
    unit="share",
    value_type="effectiveness",
    better="higher",
    reads=("feedback",),
    items="""
        select ref, invited_at as moment, service_ref, user_group_ref, person_ref,
            case when state = 'answered' then 1 else 0 end as amount
        from feedback
        where invited_at is not null and state is distinct from 'canceled'""",
    value="avg(amount)",
    numerator="sum(amount)",
    denominator="count(*)",
    note=(
        "Answered / invited, by the month of the invitation (A-11 section 280: respondents / "
        "offered). Canceled invitations are left out, expired ones are not answered. An open "
        "invitation counts as not answered until it is, so the latest weeks still rise. Only "
        "sources that keep invitations can tell: elsewhere it is not known, and their answers do "
        "not count here. Read satisfaction beside it: few answers are not the voice of all. No "
        "sourced target."
    ),
    private=True,
    tags=("experience", "a11"),
)
