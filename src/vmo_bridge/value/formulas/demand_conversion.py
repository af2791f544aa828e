"""KPI 'demand_conversion': the share of demands that were delivered, by when they were raised."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Kpi

_DELIVERED = """
        with ties as (
            select from_ref as demand_ref, to_ref as ref, named_in from links
            union all
            select to_ref as demand_ref, from_ref as ref, named_in from links
            union all
            select parent_ref as demand_ref, ref, 'field' as named_in from initiatives
            where parent_ref is not null
        ),
        works as (
            select t.demand_ref, w.ref, w.state,
                max(case when t.named_in = 'text' then 0 else 1 end) as firm
            from ties t
            join initiatives w on w.ref = t.ref
            where w.type in ('epic', 'project') and w.state <> 'rejected'
            group by t.demand_ref, w.ref, w.state
        ),
        outcomes as (
            select demand_ref,
                count(*) filter (where firm = 1) as firm,
                count(*) filter (where firm = 1 and state <> 'done') as firm_open,
                count(*) filter (where state <> 'done') as any_open
            from works
            group by demand_ref
        )
        select d.ref, d.opened_at as moment, d.service_ref, cast(null as string) as user_group_ref,
            case
                when d.state = 'done' then 1
                when d.state = 'rejected' or o.demand_ref is null then 0
                when o.firm > 0 then case when o.firm_open = 0 then 1 else 0 end
                when o.any_open = 0 then 1
                else 0
            end as amount
        from initiatives d
        left join outcomes o on o.demand_ref = d.ref
        where d.type = 'demand'"""

KPI = Kpi(
    name="demand_conversion",
    version="1",
    title="Demand conversion (delivered)",
    question="How many of the demands that were raised have been delivered?",
    unit="share",
    value_type="effectiveness",
    better="higher",
    reads=("initiative", "link"),
    items=_DELIVERED,
    value="avg(amount)",
    numerator="sum(amount)",
    denominator="count(*)",
    note=(
        "Demands delivered / demands raised, by the month they were opened, rejected and forgotten "
        "ones included. Accepted is a demand that is approved, in progress or done; delivered is "
        "one that is done itself, or whose epics and projects are all done (rejected ones left "
        "aside). An epic belongs to a demand where a field or a link of either names the other, or "
        "the demand is its parent; a mention in a text counts only where nothing firmer does. A "
        "rejected demand is not delivered, whatever is tied to it. Delivering takes months: a "
        "cohort is young until 180 days after its window (this project's suggestion), its share "
        "still grows and no target judges it; the last 90 days are always young. Ideas before a "
        "demand do not count here. No sourced target (fewer than 10 % of submitted ideas are said "
        "to be implemented)."
    ),
    young_days=180,
    tags=("demand",),
)
