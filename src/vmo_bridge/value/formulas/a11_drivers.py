"""KPIs 'a11_…': the share of good answers to each driver of A-11 section 280."""

from __future__ import annotations

from typing import Final

from vmo_bridge.hooks.extensions import Kpi
from vmo_bridge.value.formulas.top_boxes import BOXES, in_top_boxes

_DRIVERS: Final = {
    "trust": "trust the service",
    "effectiveness": "got what they needed",
    "ease": "found it easy",
    "efficiency": "found that it took a reasonable time",
    "transparency": "understood what was asked of them",
    "employee": "found the employee helpful",
    "humanity": "felt treated with respect",
}
"""What a good answer says, by the metric of the question map."""


def _kpi(driver: str, says: str) -> Kpi:
    return Kpi(
        name=f"a11_{driver}",
        version="1",
        title=f"A-11 {driver} (share of good answers)",
        question=f"How many answers say that people {says}?",
        unit="share",
        value_type="effectiveness",
        better="higher",
        reads=("feedback", "answer", "question"),
        items=in_top_boxes(driver),
        value="avg(amount)",
        numerator="sum(amount)",
        denominator="count(*)",
        note=(
            f"Good answers / answers to the questions that the question map ties to {driver!r}, a "
            f"driver of OMB Circular A-11 section 280. Good: the two top boxes {BOXES}, so the "
            "thumb up of thumbs (0-1). The driver satisfaction is the KPI csat. The drivers were "
            "read in the code of GSA Touchpoints: check the circular before publishing. By the "
            "month of the answer. Answers without a known scale are left out. Every answer counts, "
            "so one person may count more than once. No sourced target."
        ),
        private=True,
        tags=("experience", "a11"),
    )


KPIS: Final = tuple(_kpi(driver, says) for driver, says in _DRIVERS.items())
