"""How a KPI becomes results: scopes, small numbers, targets, names, what is not known."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from vmo_bridge.analysis.engine import Analysis
from vmo_bridge.analysis.schema import tables_from
from vmo_bridge.errors import PluginError
from vmo_bridge.hooks.extensions import Kpi
from vmo_bridge.value.compute import compute, items
from vmo_bridge.value.targets import Target
from vmo_bridge.value.windows import Window

AS_OF = datetime(2026, 11, 17, tzinfo=UTC)
OCTOBER = Window("2026-10", datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
SEPTEMBER = Window("2026-09", datetime(2026, 9, 1, tzinfo=UTC), OCTOBER.start)
FIRST = OCTOBER.start
INSIDE = int(FIRST.timestamp())


def kpi(**changes) -> Kpi:
    given = {
        "name": "hours",
        "version": "3",
        "title": "",
        "question": "",
        "unit": "hours",
        "value_type": "cost",
        "better": "lower",
        "reads": ("ticket",),
        "items": """
            select ref, opened_at as moment, service_ref, user_group_ref, business_seconds as amount
            from tickets""",
        "value": "avg(amount)",
        "numerator": "sum(amount)",
        "denominator": "count(*)",
        "note": "",
    }
    return Kpi(**given | changes)


def tickets(count, service=None, group=None, **row):
    given = {"opened_at": INSIDE, "business_seconds": 2}
    return [given | {"service_ref": service, "user_group_ref": group} | row for _ in range(count)]


def measure(*rows, wanted=None, windows=(OCTOBER,), **more):
    some = [row | {"ref": f"x/{i}"} for i, row in enumerate(row for part in rows for row in part)]
    with Analysis(tables_from({"tickets": some}), threads=1) as analysis:
        return compute(wanted or kpi(), analysis, windows, as_of=AS_OF, **more)


def scopes(results):
    return {(r.service_ref, r.user_group_ref): r.n for r in results}


def test_every_scope_that_has_an_item_has_a_line():
    results = measure(tickets(5, "s1", "g1"), tickets(6, "s1", "g2"), tickets(7, "s2", "g1"))
    assert scopes(results) == {
        (None, None): 18,
        ("s1", None): 11,
        ("s2", None): 7,
        (None, "g1"): 12,
        (None, "g2"): 6,
        ("s1", "g1"): 5,
        ("s1", "g2"): 6,
        ("s2", "g1"): 7,
    }


def test_items_without_service_or_group_count_in_the_totals_and_have_no_line():
    results = measure(tickets(5, None, None), tickets(6, "s1", None), tickets(7, None, "g1"))
    assert scopes(results) == {(None, None): 18, ("s1", None): 6, (None, "g1"): 7}


def test_too_few_items_tell_their_number_and_nothing_else():
    (whole, *_) = measure(tickets(4))
    assert (whole.n, whole.status) == (4, "too-few")
    assert (whole.value, whole.numerator, whole.denominator) == (None, None, None)
    (whole, *_) = measure(tickets(5))
    assert (whole.n, whole.value, whole.numerator, whole.denominator) == (5, 2.0, 10.0, 5.0)


def test_a_window_without_an_item_is_not_known_and_never_zero():
    (result,) = measure(windows=(SEPTEMBER,))
    assert (result.n, result.value, result.status) == (0, None, "not-known")
    assert (result.service, result.user_group) == (None, None)


def test_a_value_that_is_no_number_is_not_known():
    for value in ("cast('nan' as double)", "cast(null as double)"):
        (result,) = measure(tickets(5), wanted=kpi(value=value, target=1.0))
        assert (result.value, result.status) == (None, "not-known")


def test_items_without_a_moment_or_an_amount_do_not_count():
    (result,) = measure(tickets(5), tickets(9, opened_at=None), tickets(9, business_seconds=None))
    assert result.n == 5


def test_the_end_of_a_window_is_the_start_of_the_next():
    edge = int(OCTOBER.start.timestamp())
    results = measure(
        tickets(5, opened_at=edge - 1), tickets(6, opened_at=edge), windows=(SEPTEMBER, OCTOBER)
    )
    assert [(r.window, r.n) for r in results] == [("2026-09", 5), ("2026-10", 6)]


def test_windows_may_overlap_and_keep_their_order():
    quarter = Window("quarter", SEPTEMBER.start, OCTOBER.end)
    results = measure(tickets(5), windows=(quarter, SEPTEMBER, OCTOBER))
    assert [(r.window, r.n) for r in results] == [("quarter", 5), ("2026-09", 0), ("2026-10", 5)]
    assert measure(tickets(5), windows=()) == []


@pytest.mark.parametrize(
    ("better", "target", "status"),
    [
        ("lower", 2.0, "met"),
        ("lower", 1.9, "missed"),
        ("higher", 2.0, "met"),
        ("higher", 2.1, "missed"),
        ("higher", None, "no-target"),
    ],
)
def test_a_target_is_met_from_its_own_side(better, target, status):
    (result,) = measure(tickets(5), wanted=kpi(better=better, target=target))
    assert (result.target, result.status) == (target, status)


def test_an_agreed_target_goes_before_the_starting_point_of_the_kpi():
    targets = [
        Target(kpi="hours", value=1.0, service="VPN"),
        Target(kpi="other", value=9.0),
        Target(kpi="hours", value=3.0, user_group="Finance", agreed_on=date(2026, 11, 5)),
    ]
    results = measure(
        tickets(5, "s1", "g1"),
        wanted=kpi(target=2.5),
        targets=targets,
        names={"s1": "VPN", "g1": "Finance"},
    )
    judged = {(r.service, r.user_group): (r.target, r.status) for r in results}
    assert judged == {
        (None, None): (2.5, "met"),
        ("VPN", None): (1.0, "missed"),
        (None, "Finance"): (3.0, "met"),
        ("VPN", "Finance"): (1.0, "missed"),
    }


def test_a_target_raised_on_the_first_does_not_judge_the_month_before():
    targets = [
        Target(kpi="hours", value=3.0, agreed_on=date(2026, 10, 31)),
        Target(kpi="hours", value=1.0, agreed_on=date(2026, 11, 1)),
    ]
    (result,) = measure(tickets(5), targets=targets)
    assert result.target == 3.0


def test_the_second_that_as_of_cuts_belongs_to_the_window():
    now = AS_OF.replace(microsecond=1)
    recent = Window("recent", OCTOBER.start, now)
    at = int(AS_OF.timestamp())
    (result,) = measure(tickets(5, opened_at=at), windows=(recent,))
    assert result.n == 5


def test_a_scope_without_a_name_is_called_by_its_ref():
    results = measure(tickets(5, "s1", "g1"), names={"g1": "Finance"})
    assert {(r.service, r.user_group) for r in results} == {
        (None, None),
        ("s1", None),
        (None, "Finance"),
        ("s1", "Finance"),
    }


def test_a_result_tells_what_is_needed_to_recompute_it():
    (result,) = measure(tickets(5), completeness=0.97)
    assert (result.kpi, result.version, result.unit) == ("hours", "3", "hours")
    assert (result.start, result.end) == (OCTOBER.start, OCTOBER.end)
    assert (result.completeness, result.data_as_of) == (0.97, AS_OF)


def test_wrong_sql_names_the_kpi():
    for change in ({"items": "select colour from tickets"}, {"value": "avg(colour)"}):
        with pytest.raises(PluginError, match=r"KPI 'hours': .*colour"):
            measure(tickets(5), wanted=kpi(**change))


def test_a_comment_at_the_end_of_the_sql_does_no_harm():
    wanted = kpi(items=kpi().items + " -- all of them {really}")
    assert measure(tickets(5), wanted=wanted)[0].n == 5


def test_items_are_those_of_the_scope_in_order_of_time():
    rows = [
        {"ref": "x/2", "opened_at": INSIDE + 1, "service_ref": "s1", "business_seconds": 7},
        {"ref": "x/1", "opened_at": INSIDE + 1, "user_group_ref": "g1", "business_seconds": 8},
        {"ref": "x/0", "opened_at": INSIDE, "business_seconds": 9},
        {"ref": "x/3", "opened_at": INSIDE - 1, "business_seconds": 9},
        {"ref": "x/4", "opened_at": int(OCTOBER.end.timestamp()), "business_seconds": 9},
    ]
    with Analysis(tables_from({"tickets": rows}), threads=1) as analysis:
        whole = items(kpi(), analysis, OCTOBER)
        assert [item["ref"] for item in whole] == ["x/0", "x/1", "x/2"]
        assert whole[2] == {
            "ref": "x/2",
            "moment": INSIDE + 1,
            "service_ref": "s1",
            "user_group_ref": None,
            "amount": 7.0,
        }
        assert [i["ref"] for i in items(kpi(), analysis, OCTOBER, service_ref="s1")] == ["x/2"]
        assert [i["ref"] for i in items(kpi(), analysis, OCTOBER, user_group_ref="g1")] == ["x/1"]
        assert items(kpi(), analysis, OCTOBER, service_ref="s1", user_group_ref="g1") == []
        with pytest.raises(PluginError, match="KPI 'hours'"):
            items(kpi(items="select"), analysis, OCTOBER)


# What people say, and stocks.


SAID = {
    "private": True,
    "items": """
        select ref, opened_at as moment, service_ref, user_group_ref,
            requester_ref as person_ref, business_seconds as amount
        from tickets""",
}


def test_few_people_are_not_shown_however_many_items_they_give():
    four = [row for p in "abcd" for row in tickets(9, "s1", requester_ref=p)]
    (whole, service) = measure(four, wanted=kpi(**SAID))
    for result in (whole, service):
        assert (result.n, result.status) == (36, "too-few")
        assert (result.value, result.numerator, result.denominator) == (None, None, None)
    (whole, service) = measure(four, tickets(1, "s2", requester_ref="e"), wanted=kpi(**SAID))[:2]
    assert (whole.value, whole.status, service.status) == (2.0, "no-target", "too-few")
    (whole,) = measure(tickets(5), wanted=kpi(**SAID))
    assert whole.value == 2.0, "people who are not known are not taken for one"


def test_a_private_kpi_without_people_is_refused_by_its_name():
    with pytest.raises(PluginError, match=r"KPI 'hours': .*person_ref"):
        measure(tickets(5), wanted=kpi(private=True))


def test_nobody_makes_a_private_kpi_that_shows_single_people():
    for change in ({"private": True, "min_n": 4}, {"private": True, "min_n": 1}):
        with pytest.raises(ValueError, match=r"KPI 'hours': min_n is \d; .*fewer than 5"):
            kpi(**change)
    assert kpi(min_n=1).min_n == 1


def stock(**changes):
    items_of = """
        select ref, opened_at as moment, resolved_at as until, service_ref, user_group_ref,
            opened_at as amount
        from tickets"""
    given = {"counts": "stock", "items": items_of, "value": "count(*)", "min_n": 1}
    return kpi(**given | changes)


def test_a_stock_is_what_is_there_as_the_window_ends():
    edge = int(OCTOBER.end.timestamp())
    for came, went, there in (
        (edge - 1, None, 1),
        (edge, None, 0),
        (edge - 1, edge - 1, 0),
        (edge - 1, edge, 1),
        (0, edge - 1, 0),
        (0, edge + 1, 1),
    ):
        (whole, *_) = measure(tickets(1, opened_at=came, resolved_at=went), wanted=stock())
        assert whole.n == there, (came, went)


def test_an_empty_stock_is_zero_where_something_was_and_not_known_where_nothing_was():
    gone = tickets(3, "s1", "g1", opened_at=INSIDE, resolved_at=INSIDE + 9)
    there = tickets(2, "s2", opened_at=INSIDE)
    results = measure(gone, there, wanted=stock(), windows=(SEPTEMBER, OCTOBER))
    told = [(r.window, r.service_ref, r.user_group_ref, r.n, r.value, r.status) for r in results]
    assert told == [
        ("2026-09", None, None, 0, None, "not-known"),
        ("2026-10", None, None, 2, 2, "no-target"),
        ("2026-10", None, "g1", 0, 0, "no-target"),
        ("2026-10", "s1", None, 0, 0, "no-target"),
        ("2026-10", "s1", "g1", 0, 0, "no-target"),
        ("2026-10", "s2", None, 2, 2, "no-target"),
    ]


def test_an_empty_stock_meets_a_target_of_zero():
    gone = tickets(3, opened_at=INSIDE, resolved_at=INSIDE + 9)
    assert measure(gone, wanted=stock(target=0.0))[0].status == "met"
    assert measure(gone, wanted=stock(target=0.0, better="higher"))[0].status == "met"
    assert measure(gone, wanted=stock(target=1.0, better="higher"))[0].status == "missed"


def test_the_amount_of_a_stock_may_depend_on_the_end_of_the_window():
    aged = stock(amount_at_end="(ends - amount) / 86400", value="max(amount)")
    results = measure(tickets(1), wanted=aged, windows=(OCTOBER, Window("x", FIRST, AS_OF)))
    assert [r.value for r in results] == [31, 47]
    (gone, *_) = measure(tickets(1, resolved_at=INSIDE + 1), wanted=aged)
    assert (gone.n, gone.value, gone.status) == (0, None, "not-known")


def test_items_of_a_stock_are_those_there_with_their_amount_at_the_end():
    rows = [
        {"ref": "x/1", "opened_at": INSIDE - 86400, "service_ref": "s1"},
        {"ref": "x/2", "opened_at": INSIDE, "resolved_at": INSIDE + 1, "service_ref": "s1"},
        {"ref": "x/3", "opened_at": INSIDE, "resolved_at": int(OCTOBER.end.timestamp())},
    ]
    aged = stock(amount_at_end="(ends - amount) / 86400")
    with Analysis(tables_from({"tickets": rows}), threads=1) as analysis:
        whole = items(aged, analysis, OCTOBER)
        assert [(each["ref"], each["amount"]) for each in whole] == [("x/1", 32), ("x/3", 31)]
        (only,) = items(aged, analysis, OCTOBER, service_ref="s1")
        assert only["ref"] == "x/1"


def test_a_stock_without_until_is_refused_by_its_name():
    with pytest.raises(PluginError, match=r"KPI 'hours': .*until"):
        measure(tickets(5), wanted=kpi(counts="stock"))


def test_a_young_window_is_not_judged():
    for young, status in ((0, "missed"), (16, "missed"), (17, "young"), (400, "young")):
        (result,) = measure(tickets(5), wanted=kpi(target=1.0, young_days=young))
        assert result.status == status
        assert result.value == 2.0
    (result,) = measure(tickets(4), wanted=kpi(young_days=400))
    assert result.status == "too-few"
