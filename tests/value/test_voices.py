"""KPIs of what people say, recomputed in plain Python over random worlds."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

EDGES = [1785542400, 1788220800, 1790812800, 1793491200]  # the first of August to November 2026
MOMENTS = st.one_of(
    st.none(),
    st.sampled_from([edge + step for edge in EDGES for step in (-1, 0, 1)]),
    st.integers(EDGES[0], EDGES[-1] + 20 * 86400),
)
PLACES = {
    "service_ref": st.sampled_from([None, "x/s1", "x/s2"]),
    "user_group_ref": st.sampled_from([None, "x/g1"]),
    "person_ref": st.sampled_from([None, "x/p1", "x/p2", "x/p3", "x/p4", "x/p5", "x/p6"]),
}
SCALES = st.sampled_from(
    [(0, 10), (0, 10), (1, 5), (1, 7), (0, 1), (1, 3), (1, 10), (0, 100), (None, None), (0, None)]
)
VALUES = st.one_of(
    st.none(), st.integers(-1, 11), st.sampled_from([6.5, 8.5, 79, 80, 100, 101, float("nan")])
)
METRICS = ["nps", "ces", "csat", "trust", "ease", "humanity", None]
ANSWERS = st.lists(
    st.fixed_dictionaries(
        {
            "metric": st.sampled_from(METRICS),
            "value": VALUES,
            "scale": SCALES,
            "answered_at": MOMENTS,
        }
        | PLACES
    ),
    max_size=80,
)


@pytest.fixture(scope="module", autouse=True)
def the_same_edges(again):
    assert set(EDGES) < set(again.edges)


def numbered(rows):
    return [row | {"ref": f"x/{place}"} for place, row in enumerate(rows)]


def rows_of(answers, metric):
    """Answers as the view has them, most of them to the question that is asked for here."""
    rows = []
    for row in numbered(answers):
        low, high = row.pop("scale")
        row["metric"] = metric if row["metric"] in METRICS[:4] else row["metric"]
        rows.append(row | {"scale_min": low, "scale_max": high})
    return rows


def on_scale(row):
    low, high, value = row["scale_min"], row["scale_max"], row["value"]
    return None not in (low, high, value) and low <= value <= high


@settings(max_examples=20, deadline=None)
@given(answers=ANSWERS)
def test_nps_is_those_who_recommend_minus_those_who_advise_against(again, answers):
    rows = rows_of(answers, "nps")
    counted = [
        (row, float((row["value"] >= 9) - (row["value"] <= 6)))
        for row in rows
        if row["metric"] == "nps"
        and (row["scale_min"], row["scale_max"]) == (0, 10)
        and on_scale(row)
    ]

    def score(amounts):
        told = Counter(amounts)
        return 100 * (told[1.0] / len(amounts) - told[-1.0] / len(amounts))

    again.check(again.kpis["nps"], {"answers": rows}, again.within("answered_at")(counted), score)


LEAST_GOOD = {
    (0, 10): 9, (1, 5): 4, (1, 7): 6, (0, 1): 1, (1, 3): 3, (1, 10): 9, (0, 100): 80
}  # fmt: skip


@settings(max_examples=8, deadline=None)
@given(answers=ANSWERS)
@pytest.mark.parametrize(
    ("name", "metric"),
    [("ces", "ces"), ("csat", "csat"), ("a11_trust", "trust"), ("a11_ease", "ease"),
     ("a11_humanity", "humanity"), ("a11_employee", "employee")],
)  # fmt: skip
def test_good_answers_are_those_in_the_top_boxes(again, name, metric, answers):
    rows = rows_of(answers, metric)
    counted = [
        (row, float(row["value"] >= LEAST_GOOD[row["scale_min"], row["scale_max"]]))
        for row in rows
        if row["metric"] == metric and on_scale(row)
    ]
    again.check(
        again.kpis[name], {"answers": rows}, again.within("answered_at")(counted), again.mean
    )


FEEDBACK = st.lists(
    st.fixed_dictionaries(
        {
            "state": st.sampled_from(
                ["answered", "answered", "invited", "expired", "canceled", None]
            ),
            "invited_at": MOMENTS,
            "answered_at": MOMENTS,
        }
        | PLACES
    ),
    max_size=60,
)


@settings(max_examples=20, deadline=None)
@given(feedback=FEEDBACK)
def test_the_response_rate_is_of_those_invited_in_the_month(again, feedback):
    rows = numbered(feedback)
    counted = [
        (row, float(row["state"] == "answered")) for row in rows if row["state"] != "canceled"
    ]
    again.check(
        again.kpis["response_rate"],
        {"feedback": rows},
        again.within("invited_at")(counted),
        again.mean,
    )


def answers_of(people, again, metric="csat", value=5):
    at = again.edges[-1] - 60
    return [
        {"ref": f"x/{place}", "metric": metric, "value": value, "scale_min": 1, "scale_max": 5,
         "answered_at": at, "person_ref": person}
        for place, person in enumerate(people)
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["csat", "lost_time", "ces", "a11_trust"])
def test_one_person_who_answers_often_is_not_shown_alone(again, name):
    kpi = again.kpis[name]
    metric = name.removeprefix("a11_")
    for people, shown in (
        (["x/p1"] * 40, False),
        (["x/p1", "x/p2", "x/p3", "x/p4"] * 9, False),
        (["x/p1", "x/p2", "x/p3", "x/p4", "x/p5"], True),
        (["x/p1", "x/p1", None, None, None, None], True),
        ([None] * 4, False),
    ):
        (result,) = again.measured(
            kpi, {"answers": answers_of(people, again, metric)}, again.windows[-1:]
        )
        assert (result.value is not None) == shown
        assert (result.status == "too-few") == (not shown)
        assert result.n == len(people)


def test_a_source_without_invitations_leaves_the_response_rate_not_known(again):
    rows = [
        {"ref": f"x/{i}", "state": "answered", "answered_at": again.edges[-2]} for i in range(9)
    ]
    results = again.measured(again.kpis["response_rate"], {"feedback": rows})
    assert {(each.n, each.status) for each in results} == {(0, "not-known")}


def test_effort_and_happiness_are_explained_on_their_cards(again):
    assert "mean" in again.kpis["ces"].note
    assert "0-10 alone" in again.kpis["nps"].note
    assert "open invitation" in again.kpis["response_rate"].note.lower()
