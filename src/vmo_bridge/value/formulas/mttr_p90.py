"""KPI 'mttr_p90': the business hours in which nine of ten incidents are resolved."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Kpi
from vmo_bridge.value.formulas.resolution_time import INCIDENT_HOURS, NOTE, SUM_OF_HOURS

KPI = Kpi(
    name="mttr_p90",
    version="1",
    title="Time to resolve incidents, 90th percentile (business hours)",
    question="Within how many business hours are nine of ten incidents resolved?",
    unit="hours",
    value_type="effectiveness",
    better="lower",
    reads=("ticket",),
    items=INCIDENT_HOURS,
    value="percentile_cont(0.9) within group (order by amount)",
    numerator=SUM_OF_HOURS,
    denominator="count(*)",
    note=f"The 90th percentile, by linear interpolation (SQL:2003 percentile_cont). {NOTE}",
    tags=("mttr", "business hours"),
)
