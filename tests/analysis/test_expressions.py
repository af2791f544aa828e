"""The SQL that rules and KPIs share, against plain Python."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from vmo_bridge.analysis.engine import Analysis
from vmo_bridge.analysis.expressions import ANSWER_IS_RATED, RATING_MARGIN, SATISFIED
from vmo_bridge.analysis.schema import tables_from

SQL = f"""
select a.ref, {ANSWER_IS_RATED} as rated, {SATISFIED} as satisfied, {RATING_MARGIN} as margin
from answers a order by a.ref"""


def judge(*answers):
    rows = [
        {"ref": f"{i:03}", "value": value, "scale_min": low, "scale_max": high}
        for i, (value, low, high) in enumerate(answers)
    ]
    with Analysis(tables_from({"answers": rows}), threads=1) as analysis:
        return analysis.query(SQL)


def satisfied_boxes(low, high):
    values = range(low, high + 1)
    rows = judge(*((value, low, high) for value in values))
    return [value for value, row in zip(values, rows, strict=True) if row["satisfied"]]


def test_the_two_top_boxes_of_every_usual_scale():
    assert satisfied_boxes(1, 5) == [4, 5]
    assert satisfied_boxes(1, 4) == [3, 4]
    assert satisfied_boxes(0, 3) == [2, 3]
    assert satisfied_boxes(1, 7) == [6, 7]
    assert satisfied_boxes(1, 10) == [9, 10]
    assert satisfied_boxes(0, 10) == [9, 10]


def test_the_top_box_alone_of_two_or_three():
    assert satisfied_boxes(0, 1) == [1]
    assert satisfied_boxes(1, 2) == [2]
    assert satisfied_boxes(1, 3) == [3]


def test_the_top_fifth_of_a_slider():
    assert satisfied_boxes(0, 100) == list(range(80, 101))


def test_what_cannot_be_judged_is_not_rated():
    rows = judge(
        (None, 1, 5), (3, None, 5), (3, 1, None), (3, 5, 1), (3, 3, 3), (0, 1, 5), (6, 1, 5),
        (float("nan"), 1, 5),
    )  # fmt: skip
    assert [row["rated"] for row in rows] == [False] * 8


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 3), st.integers(4, 20)),
        min_size=1,
        max_size=20,
    )
)
def test_the_best_answer_satisfies_and_the_margin_grows_with_the_answer(answers):
    for (value, low, high), row in zip(answers, judge(*answers), strict=True):
        assert row["rated"] == (low <= value <= high)
        assert row["satisfied"] == (row["margin"] >= 0)
    best = judge(*((high, low, high) for _, low, high in answers))
    worst = judge(*((low, low, high) for _, low, high in answers))
    assert all(row["satisfied"] for row in best)
    assert not any(row["satisfied"] for row in worst)
