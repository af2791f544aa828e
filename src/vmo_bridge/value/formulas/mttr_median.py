"""KPI 'mttr_median': the business hours in which half of the incidents are resolved."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Kpi
from vmo_bridge.value.formulas.resolution_time import INCIDENT_HOURS, NOTE, SUM_OF_HOURS

KPI = Kpi(
    name="mttr_median",
    version="1",
    title="Time to resolve incidents, median (business hours)",
    question="Within how many business hours is half of the incidents resolved?",
    unit="hours",
    value_type="effectiveness",
    better="lower",
    reads=("ticket",),
    items=INCIDENT_HOURS,
    value="percentile_cont(0.5) within group (order by amount)",
    numerator=SUM_OF_HOURS,
    denominator="count(*)",
    note=f"The median, by linear interpolation (SQL:2003 percentile_cont). {NOTE}",
    tags=("mttr", "business hours"),
)
