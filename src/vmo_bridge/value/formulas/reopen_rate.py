"""KPI 'reopen_rate': the share of resolved incidents that came back."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Kpi

KPI = Kpi(
    name="reopen_rate",
    version="1",
    title="Reopen rate",
    question="How many resolved incidents come back?",
    unit="share",
    value_type="effectiveness",
    better="lower",
    reads=("ticket",),
    items="""
        select ref, resolved_at as moment, service_ref, user_group_ref,
            case when reopen_count > 0 then 1 else 0 end as amount
        from tickets
        where type = 'incident' and resolved_at is not null and reopen_count is not null""",
    value="avg(amount)",
    numerator="sum(amount)",
    denominator="count(*)",
    note=(
        "Incidents reopened at least once / incidents resolved, by the month of the (last) "
        "resolution; the definition of ServiceNow's own dashboard. An incident reopened three "
        "times counts once. Incidents whose reopenings are not known are left out. A late "
        "reopening can still change a closed month. No sourced target."
    ),
    tags=("quality",),
)
