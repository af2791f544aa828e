"""KPI 'reassignment_rate': the share of resolved incidents that changed hands twice or more."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Kpi

KPI = Kpi(
    name="reassignment_rate",
    version="1",
    title="Reassignment rate (two changes of team or more)",
    question="How many incidents are passed on from team to team?",
    unit="share",
    value_type="effectiveness",
    better="lower",
    reads=("ticket",),
    items="""
        select ref, resolved_at as moment, service_ref, user_group_ref,
            reassignment_count as amount
        from tickets
        where type = 'incident' and resolved_at is not null and reassignment_count >= 0""",
    value="avg(case when amount >= 2 then 1 else 0 end)",
    numerator="sum(amount)",
    denominator="count(*)",
    note=(
        "Incidents with two changes of team or more / incidents resolved, by the month of "
        "resolving: one change is the usual way from the first line to those who know. Numerator: "
        "the changes of all; denominator: the incidents; so their quotient is the mean, to be seen "
        "beside this value. As the platform counts them (reassignment_count). Incidents whose "
        "changes are not known are left out. No sourced target."
    ),
    tags=("quality",),
)
