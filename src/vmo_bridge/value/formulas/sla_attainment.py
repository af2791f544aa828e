"""KPI 'sla_attainment': the share of resolved tickets whose resolution SLA was met."""

from __future__ import annotations

from vmo_bridge.analysis.expressions import RESOLUTION_SLA
from vmo_bridge.hooks.extensions import Kpi

KPI = Kpi(
    name="sla_attainment",
    version="1",
    title="SLA attainment",
    question="How many tickets are resolved within their SLA?",
    unit="share",
    value_type="effectiveness",
    better="higher",
    reads=("ticket", "sla_outcome"),
    items=f"""
        select ref, resolved_at as moment, service_ref, user_group_ref,
            case when met then 1 else 0 end as amount
        from ({RESOLUTION_SLA}) resolved""",
    value="avg(amount)",
    numerator="sum(amount)",
    denominator="count(*)",
    note=(
        "Tickets met / tickets whose resolution SLA is known, by the month they were resolved. A "
        "ticket is met if none of its completed resolution SLAs is breached. The platform's own "
        "made_sla counts only where it gives no SLA record for the ticket. Tickets whose SLAs "
        "still run, were canceled or are for the response only are not known, and left out. Each "
        "SLA runs by its own schedule in the platform. Target 95 %: a starting point "
        "(this project's suggestion), the customer agrees the real one."
    ),
    target=0.95,
    tags=("sla",),
)
