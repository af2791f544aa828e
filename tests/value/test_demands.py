"""The conversion of demands, recomputed in plain Python over random worlds."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmo_bridge.analysis.engine import Analysis
from vmo_bridge.analysis.schema import tables_from
from vmo_bridge.value.compute import compute
from vmo_bridge.value.targets import Target

EDGES = [1785542400, 1788220800, 1790812800, 1793491200]  # the first of August to November 2026
STATES = ["draft", "submitted", "approved", "in_progress", "done", "done", "rejected", "other"]
REFS = [f"x/{place}" for place in range(24)]
INITIATIVES = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["demand", "demand", "epic", "project", "improvement"]),
            "state": st.sampled_from(STATES),
            "opened_at": st.one_of(
                st.none(),
                st.sampled_from([edge + step for edge in EDGES for step in (-1, 0, 1)]),
                st.integers(EDGES[0], EDGES[-1]),
            ),
            "parent_ref": st.sampled_from([None, None, None, *REFS]),
            "service_ref": st.sampled_from([None, "x/s1"]),
        }
    ),
    max_size=24,
)
LINKS = st.lists(
    st.fixed_dictionaries(
        {
            "from_ref": st.sampled_from(REFS),
            "to_ref": st.sampled_from([None, *REFS]),
            "named_in": st.sampled_from(["field", "link", "text", "text"]),
        }
    ),
    max_size=40,
)


def delivered(demand, rows):
    if demand["state"] in {"done", "rejected"}:
        return demand["state"] == "done"
    firm, said = set(), set()
    for link in rows["links"]:
        ends = [link["from_ref"], link["to_ref"]]
        if demand["ref"] in ends:
            (said if link["named_in"] == "text" else firm).update(ends)
    firm |= {each["ref"] for each in rows["initiatives"] if each["parent_ref"] == demand["ref"]}

    def works(refs):
        return [
            each["state"]
            for each in rows["initiatives"]
            if each["ref"] in refs
            and each["type"] in {"epic", "project"}
            and each["state"] != "rejected"
        ]

    found = works(firm) or works(said)
    return bool(found) and all(state == "done" for state in found)


@settings(max_examples=25, deadline=None)
@given(initiatives=INITIATIVES, links=LINKS)
def test_a_demand_is_delivered_by_itself_or_by_all_its_epics(again, initiatives, links):
    rows = {
        "initiatives": [each | {"ref": ref} for ref, each in zip(REFS, initiatives, strict=False)],
        "links": [each | {"ref": f"l/{place}"} for place, each in enumerate(links)],
    }
    counted = [
        (each, float(delivered(each, rows)))
        for each in rows["initiatives"]
        if each["type"] == "demand"
    ]
    again.check(
        again.kpis["demand_conversion"],
        rows,
        again.within("opened_at")(counted),
        again.mean,
    )


def share(again, *initiatives, links=(), demand=None):
    """The share of five equal demands, each with these around it."""
    rows = {"initiatives": [], "links": []}
    for place in range(5):
        known = {"opened_at": EDGES[1], "type": "epic"}
        own = {"ref": f"x/{place}", "type": "demand", "state": "approved"} | (demand or {})
        rows["initiatives"].append(known | own)
        for number, each in enumerate(initiatives):
            parent = {"parent_ref": f"x/{place}"} if each.get("parent_ref") else {}
            rows["initiatives"].append(known | each | parent | {"ref": f"x/{place}-{number}"})
        for number, (start, end, named_in) in enumerate(links):
            ends = {"from_ref": f"x/{place}{start}", "to_ref": f"x/{place}{end}"}
            rows["links"].append({"ref": f"l/{place}-{number}", "named_in": named_in} | ends)
    results = again.measured(again.kpis["demand_conversion"], rows, again.windows[1:2])
    assert results[0].denominator == 5
    return results[0].value


DONE, MOVING, DROPPED = {"state": "done"}, {"state": "in_progress"}, {"state": "rejected"}


@pytest.mark.parametrize(
    ("around", "expected"),
    [
        ({"demand": {"state": "done"}}, 1),
        ({}, 0),
        ({"initiatives": [DONE], "links": [("", "-0", "field")]}, 1),
        ({"initiatives": [DONE], "links": [("-0", "", "link")]}, 1),
        ({"initiatives": [DONE], "links": [("-0", "", "text")]}, 1),
        ({"initiatives": [DONE | {"parent_ref": True}]}, 1),
        ({"initiatives": [DONE]}, 0),
        ({"initiatives": [DONE | {"type": "improvement"}], "links": [("", "-0", "field")]}, 0),
        ({"initiatives": [DONE, MOVING],
          "links": [("", "-0", "field"), ("", "-1", "field")]}, 0),
        ({"initiatives": [DONE, MOVING],
          "links": [("", "-0", "field"), ("-1", "", "text")]}, 1),
        ({"initiatives": [MOVING, DONE],
          "links": [("", "-0", "field"), ("-1", "", "text")]}, 0),
        ({"initiatives": [DONE, DROPPED],
          "links": [("", "-0", "field"), ("", "-1", "field")]}, 1),
        ({"initiatives": [DROPPED], "links": [("", "-0", "field")]}, 0),
        ({"demand": {"state": "rejected"}, "initiatives": [DONE],
          "links": [("", "-0", "field")]}, 0),
    ],
)  # fmt: skip
def test_what_counts_as_delivered(again, around, expected):
    around = dict(around)
    assert share(again, *around.pop("initiatives", ()), **around) == expected


def test_a_young_cohort_is_called_young_and_judged_later(again):
    window = again.windows[0]  # August
    rows = [
        {"ref": f"x/{i}", "type": "demand", "state": "approved",
         "opened_at": int(window.start.timestamp())}
        for i in range(5)
    ]  # fmt: skip
    kpi = again.kpis["demand_conversion"]
    targets = [Target(kpi=kpi.name, value=0.1)]
    for days, status in ((0, "young"), (179, "young"), (180, "missed")):
        with Analysis(tables_from({"initiatives": rows}), threads=1) as analysis:
            (result,) = compute(
                kpi,
                analysis,
                [window],
                as_of=window.end + timedelta(days=days),
                targets=targets,
            )
        assert (result.status, result.value, result.target) == (status, 0, 0.1)


def test_the_card_says_what_accepted_and_delivered_are(again):
    note = again.kpis["demand_conversion"].note
    assert "Accepted is" in note
    assert "delivered is" in note
    assert "young until 180 days" in note
