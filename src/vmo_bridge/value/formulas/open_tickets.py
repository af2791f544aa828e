"""What the KPIs of the backlog share: when each ticket was open, reopenings included."""

from __future__ import annotations

from typing import Final

OPEN_TICKETS: Final = """
        with lives as (
            select ref, service_ref, user_group_ref, opened_at,
                case when state in ('new', 'in_progress', 'on_hold') then null
                    else coalesce(resolved_at, closed_at,
                        case when state in ('resolved', 'closed', 'canceled') then updated_at end)
                end as left_at
            from tickets
            where type in ('incident', 'request')
        ),
        rests as (
            select s.ticket_ref as ref, s.started_at, s.ended_at
            from spans s
            join lives l on l.ref = s.ticket_ref
            where s.field = 'state' and s.value in ('resolved', 'closed', 'canceled')
                and case when s.ended_at is null then l.left_at is not null
                    else s.ended_at >= s.started_at end
        ),
        entries as (
            select ref, opened_at as moment from lives
            union
            select ref, ended_at as moment from rests where ended_at is not null
        )
        select l.ref, e.moment, l.service_ref, l.user_group_ref, l.opened_at as amount,
            coalesce(
                min(r.started_at) filter (where r.started_at >= e.moment), l.left_at) as until
        from lives l
        join entries e on e.ref = l.ref
            and e.moment >= l.opened_at and (l.left_at is null or e.moment < l.left_at)
        left join rests r on r.ref = l.ref
            and (l.left_at is null or r.started_at < l.left_at)
        group by l.ref, e.moment, l.service_ref, l.user_group_ref, l.opened_at, l.left_at
        having count(*) filter (
            where r.started_at <= e.moment and (r.ended_at is null or r.ended_at > e.moment)) = 0"""
"""One row a stretch in which an incident or request was open; ``amount`` is when it was opened.

It ends where the ticket was resolved, closed or canceled; where its history shows that it was
reopened, another one begins. A ticket without a history is open from opening to (last) resolution.
"""

AGE_IN_DAYS: Final = "(ends - amount) / 86400"

SUM_OF_DAYS: Final = "sum(round(amount * 86400)) / 86400"
"""Added up in whole seconds: the same to the last digit, whatever order an engine adds in."""

NOTE: Final = (
    "Open: an incident or request that is not resolved, closed or canceled as the month (or the "
    "90 days) ends; what is resolved in that very second still counts. The user waits from opening "
    "on, so on hold is open, and a ticket that was resolved and reopened rests in between as far "
    "as the platform's history of states shows it."
)
