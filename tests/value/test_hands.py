"""KPIs of how incidents change hands, recomputed in plain Python over random worlds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

EDGES = [1785542400, 1788220800, 1790812800, 1793491200]  # the first of August to November 2026
TICKETS = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["incident", "incident", "incident", "request"]),
            "resolved_at": st.one_of(
                st.none(),
                st.sampled_from([edge + step for edge in EDGES for step in (-1, 0, 1)]),
                st.integers(EDGES[0], EDGES[-1] + 20 * 86400),
            ),
            "reassignment_count": st.sampled_from([None, -1, 0, 0, 1, 2, 3, 9]),
            "reopen_count": st.sampled_from([None, -1, 0, 0, 0, 1, 2]),
            "service_ref": st.sampled_from([None, "x/s1", "x/s2"]),
            "user_group_ref": st.sampled_from([None, "x/g1"]),
        }
    ),
    max_size=80,
)


def incidents(tickets):
    rows = [row | {"ref": f"x/{place}"} for place, row in enumerate(tickets)]
    return rows, [row for row in rows if row["type"] == "incident"]


def known(row, *counts):
    return all(row[each] is not None and row[each] >= 0 for each in counts)


@settings(max_examples=20, deadline=None)
@given(tickets=TICKETS)
def test_an_incident_is_passed_on_when_it_changes_hands_twice(again, tickets):
    rows, some = incidents(tickets)
    counted = [
        (row, float(row["reassignment_count"])) for row in some if known(row, "reassignment_count")
    ]
    results = again.check(
        again.kpis["reassignment_rate"],
        {"tickets": rows},
        again.within("resolved_at")(counted),
        lambda amounts: sum(each >= 2 for each in amounts) / len(amounts),
    )
    for each in results:
        if each.value is not None:
            assert each.numerator / each.denominator >= 2 * each.value, "the mean stands beside it"


@settings(max_examples=20, deadline=None)
@given(tickets=TICKETS)
def test_the_first_team_resolves_what_never_changed_hands_and_never_came_back(again, tickets):
    rows, some = incidents(tickets)
    counted = [
        (row, float(row["reassignment_count"] == 0 == row["reopen_count"]))
        for row in some
        if known(row, "reassignment_count", "reopen_count")
    ]
    again.check(
        again.kpis["first_assignment_resolution"],
        {"tickets": rows},
        again.within("resolved_at")(counted),
        again.mean,
    )


def test_first_assignment_is_not_called_first_contact(again):
    kpi = again.kpis["first_assignment_resolution"]
    assert "contact" not in kpi.title.lower()
    assert "Not first contact resolution" in kpi.note


@pytest.mark.parametrize("name", ["reassignment_rate", "first_assignment_resolution"])
def test_a_month_without_known_counts_is_not_known(again, name):
    rows = [{"ref": f"x/{i}", "type": "incident", "resolved_at": EDGES[1]} for i in range(9)]
    results = again.measured(again.kpis[name], {"tickets": rows})
    assert {(each.n, each.value, each.status) for each in results} == {(0, None, "not-known")}
