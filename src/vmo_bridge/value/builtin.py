"""The plugin of the built-in KPIs: they go the same road as a stranger's."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Kpi
from vmo_bridge.hooks.specs import hookimpl
from vmo_bridge.value.formulas import (
    a11_drivers,
    backlog_age,
    backlog_age_p90,
    backlog_size,
    ces,
    csat,
    demand_conversion,
    first_assignment_resolution,
    lost_time,
    mttr_median,
    mttr_p90,
    nps,
    reassignment_rate,
    reopen_rate,
    response_rate,
    sla_attainment,
)


@hookimpl
def vmo_kpis() -> list[Kpi]:
    """Give the built-in KPIs: the tickets', then what people say, then the demands'."""
    tickets = (sla_attainment, mttr_median, mttr_p90, reopen_rate)
    hands = (reassignment_rate, first_assignment_resolution)
    backlog = (backlog_size, backlog_age, backlog_age_p90)
    voices = (csat, lost_time, nps, ces, response_rate)
    modules = (*tickets, *hands, *backlog, *voices, demand_conversion)
    return [*(module.KPI for module in modules), *a11_drivers.KPIS]
