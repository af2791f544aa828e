"""The SQL round a KPI's own: every window and scope at once, what came before, what is listed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from vmo_bridge.hooks.extensions import Kpi
from vmo_bridge.value.windows import Window

_ITEMS = """
    select i.ref, i.moment, i.service_ref, i.user_group_ref,
        cast(i.amount as double) as amount{more}
    from ({items}
    ) i
    where i.moment is not null and i.amount is not null"""

_BELONGS = {
    "flow": "items.moment >= w.starts and items.moment < w.ends",
    # What goes in the very second that ends the window was still there as it ended.
    "stock": "items.moment < w.ends and (items.until is null or items.until >= w.ends)",
}
_CAME = "items.moment < w.ends"

_PLACED = """
        select w.place, items.ref, items.moment, items.service_ref, items.user_group_ref,
            {amount} as amount{more}
        from ({items}) items
        join (values {windows}) as w(place, starts, ends) on {belongs}"""

# grouping() tells "all user groups" from "an unknown user group": both are NULL in the row.
_RESULTS = """
select place, service_ref, user_group_ref, value, numerator, denominator, n, people
from (
    select place, service_ref, user_group_ref,
        grouping(service_ref) as all_services, grouping(user_group_ref) as all_groups,
        {value} as value, {numerator} as numerator, {denominator} as denominator, count(*) as n,
        {people} as people
    from ({placed}
    ) placed
    group by grouping sets (
        (place, service_ref, user_group_ref), (place, service_ref), (place, user_group_ref),
        (place))
) scopes
where (all_services = 1 or service_ref is not null)
    and (all_groups = 1 or user_group_ref is not null)
order by place, service_ref nulls first, user_group_ref nulls first"""

# An item whose person is not known counts as one of a person of its own.
_PEOPLE = "count(distinct person_ref) + count(*) filter (where person_ref is null)"

_OF_NOTHING = """
select {value} as value, {numerator} as numerator, {denominator} as denominator
from ({placed}
) placed
where place is null"""

_LIST = """
select ref, moment, service_ref, user_group_ref, amount
from ({placed}
) placed
where (cast($service_ref as string) is null or service_ref = $service_ref)
    and (cast($user_group_ref as string) is null or user_group_ref = $user_group_ref)
order by moment, ref"""


def results(kpi: Kpi, windows: Sequence[Window]) -> str:
    """A row a window (``place``) and scope that has an item, with ``n`` items of ``people``."""
    people = _PEOPLE if kpi.private else "count(*)"
    return _RESULTS.format(placed=_placed(kpi, windows), people=people, **_aggregates(kpi))


def scopes_before(kpi: Kpi, windows: Sequence[Window]) -> str:
    """Of a stock: a row a window and scope that an item has ever come to, gone or not."""
    nothing = dict.fromkeys(("value", "numerator", "denominator", "people"), "count(*)")
    return _RESULTS.format(placed=_placed(kpi, windows, _CAME), **nothing)


def of_nothing(kpi: Kpi, windows: Sequence[Window]) -> str:
    """What the aggregates say of no item at all: a count is 0, a median is not known."""
    return _OF_NOTHING.format(placed=_placed(kpi, windows), **_aggregates(kpi))


def listed(kpi: Kpi, window: Window) -> str:
    """The items behind a result; binds ``$service_ref`` and ``$user_group_ref``, NULL for all."""
    return _LIST.format(placed=_placed(kpi, [window]))


def _placed(kpi: Kpi, windows: Sequence[Window], belongs: str | None = None) -> str:
    """A row an item and window that it belongs to."""
    stock = kpi.counts == "stock"
    more = (", {0}.person_ref" if kpi.private else "") + (", {0}.until" if stock else "")
    bounds = (
        f"({place}, {_seconds(window.start)}, {_seconds(window.end)})"
        for place, window in enumerate(windows)
    )
    return _PLACED.format(
        items=_ITEMS.format(items=kpi.items, more=more.format("i")),
        amount=kpi.amount_at_end if stock else "amount",
        more=more.format("items"),
        windows=", ".join(bounds),
        belongs=belongs or _BELONGS[kpi.counts],
    )


def _aggregates(kpi: Kpi) -> dict[str, str]:
    return {"value": kpi.value, "numerator": kpi.numerator, "denominator": kpi.denominator}


def _seconds(moment: datetime) -> int:
    """Epoch seconds, upwards: an item in the second that ``moment`` cuts is before it."""
    return math.ceil(moment.timestamp())
