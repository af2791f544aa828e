"""KPI 'first_assignment_resolution': incidents resolved by the team that got them first."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Kpi

KPI = Kpi(
    name="first_assignment_resolution",
    version="1",
    title="First assignment resolution",
    question="How many incidents does the first team resolve for good?",
    unit="share",
    value_type="effectiveness",
    better="higher",
    reads=("ticket",),
    items="""
        select ref, resolved_at as moment, service_ref, user_group_ref,
            case when reassignment_count = 0 and reopen_count = 0 then 1 else 0 end as amount
        from tickets
        where type = 'incident' and resolved_at is not null
            and reassignment_count >= 0 and reopen_count >= 0""",
    value="avg(amount)",
    numerator="sum(amount)",
    denominator="count(*)",
    note=(
        "Incidents resolved without a change of team and never reopened / incidents resolved of "
        "which both are known, by the month of the (last) resolution; ServiceNow's own first "
        "assignment rule. Not first contact resolution: that asks whether the first talk with the "
        "user settled it, which a ticket does not tell; do not compare this with the 66 to 80 % "
        "that HDI and others report of it. A late reopening can still change a closed month. No "
        "sourced target."
    ),
    tags=("quality",),
)
