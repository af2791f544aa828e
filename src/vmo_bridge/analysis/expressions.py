"""SQL that rules and KPIs share, so that a number means the same in both."""

from __future__ import annotations

from typing import Final

ANSWER_IS_RATED: Final = """coalesce(
    a.scale_max > a.scale_min and a.value between a.scale_min and a.scale_max, false)"""
"""Over ``answers a``: it can be judged. On an unknown scale, or outside it, it is not known."""

RATING_MARGIN: Final = """((a.value - case
        when a.scale_max - a.scale_min < 3 then a.scale_max
        when a.scale_max - a.scale_min <= 10 then a.scale_max - 1
        else a.scale_max - (a.scale_max - a.scale_min) / 5
    end) / (a.scale_max - a.scale_min))"""
"""Over rated ``answers a``: how far from the threshold, in scale lengths; satisfied is >= 0.

Satisfied is *top-two-box* on the question's own scale:

- four to eleven boxes (1-4, 1-5, 1-7, 0-10): the two top boxes; 4, 5 of 1-5, and 9, 10 of 0-10;
- two or three boxes (thumbs 0-1, 1-3): the top box alone, as two of three would hold the middle;
- a longer scale has no boxes (a slider 0-100): its top fifth, so 80 and more.
"""

SATISFIED: Final = f"({RATING_MARGIN} >= 0)"
"""Over rated ``answers a``: true where the answer is in the top two boxes."""

RESOLUTION_SLA: Final = """
    select t.ref, t.resolved_at, t.service_ref, t.service, t.user_group_ref, t.user_group,
        case when o.ticket_ref is not null then o.breaches = 0 else t.made_sla end as met
    from tickets t
    left join (
        select ticket_ref,
            count(*) filter (
                where target = 'resolution' and stage in ('completed', 'breached')
                and breached is not null) as judged,
            count(*) filter (
                where target = 'resolution' and stage in ('completed', 'breached')
                and breached) as breaches
        from sla_outcomes
        group by ticket_ref
    ) o on o.ticket_ref = t.ref
    where t.resolved_at is not null
        and case when o.ticket_ref is not null then o.judged > 0 else t.made_sla is not null end"""
"""One row a resolved ticket whose resolution SLA is known, with ``met``.

Met: none of its completed resolution SLAs is breached. ``made_sla`` of the ticket counts only where
the source gives no SLA outcome for it at all; a ticket with outcomes of which none is a completed
resolution SLA (still running, canceled, response only) is not known, and left out.
"""
