"""What the two KPIs of resolution time share: the incidents that count, and their hours."""

from __future__ import annotations

from typing import Final

INCIDENT_HOURS: Final = """
    select ref, resolved_at as moment, service_ref, user_group_ref,
        cast(business_seconds as double) / 3600 as amount
    from tickets
    where type = 'incident' and resolved_at is not null and business_seconds >= 0"""
"""One row a resolved incident whose business time is known, in hours."""

SUM_OF_HOURS: Final = "sum(round(amount * 3600)) / 3600"
"""Added up in whole seconds: the same to the last digit, whatever order an engine adds in."""

NOTE: Final = (
    "Business hours from open to resolved as the platform counts them by its own schedule, not "
    "clock hours (HDI counts business hours; ServiceNow's own dashboard counts creation to "
    "closure), by the month of resolving. A reopened incident counts once, with its last "
    "resolution. Incidents without a known business time are left out. Numerator: the hours of "
    "all; denominator: the incidents; so their quotient is the mean, to be seen beside this value."
)
