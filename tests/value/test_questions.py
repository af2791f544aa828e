"""What is proposed for a survey question, and when nothing is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.settings.model import METRICS
from vmo_bridge.value.questions import Asked, propose


def asked(text, scale=(1, 5), **more):
    return propose(Asked(text=text, scale=scale, **more))


@pytest.mark.parametrize(
    ("text", "scale", "metric", "best"),
    [
        ("How satisfied are you with the way this was handled?", (1, 5), "csat", "high"),
        ("How satisfied or dissatisfied are you?", (1, 7), "csat", "high"),
        ("How DISSATISFIED are you with the service?", (1, 5), "csat", "low"),
        ("Please rate your overall experience", (1, 5), "csat", "high"),
        ("I am satisfied with the service I received from the bureau.", (1, 5), "csat", "high"),
        ("How likely are you to recommend this service to a colleague?", (0, 10), "nps", "high"),
        ("How easy is it to get your work done with this service?", (1, 7), "ces", "high"),
        ("How much effort did you have to put in?", (1, 5), "ces", "low"),
        ("How difficult was it to get help?", (1, 7), "ces", "low"),
        ("Was it easy or difficult to reach us?", (1, 7), "ces", "high"),
        ("The desk made it easy for me to handle my issue", (1, 7), "ces", "high"),
        ("How many minutes of work did this cost you?", (0, 10000), "lost_time", "high"),
        ("This interaction increased my confidence in the bureau.", (1, 5), "trust", "high"),
        ("I trust the bureau to deliver on its mission.", (0, 1), "trust", "high"),
        ("My need was addressed.", (1, 5), "effectiveness", "high"),
        ("Was your issue resolved?", (0, 1), "effectiveness", "high"),
        ("It was easy to complete what I needed to do.", (1, 5), "ease", "high"),
        ("It took a reasonable amount of time to do what I needed to do.", (1, 5),
         "efficiency", "high"),
        ("I understood what was being asked of me throughout the process.", (1, 5),
         "transparency", "high"),
        ("Employees I interacted with were helpful.", (1, 5), "employee", "high"),
        ("How helpful and polite was the agent?", (1, 5),
         "employee", "high"),
        ("I was treated with respect", (0, 1), "humanity", "high"),
    ],
)  # fmt: skip
def test_words_and_scale_make_a_proposal(text, scale, metric, best):
    found = asked(text, scale)
    assert (found.metric, found.best, found.scale) == (metric, best, None), found.why
    assert found.metric in METRICS


@pytest.mark.parametrize(
    ("text", "scale", "said"),
    [
        ("How useful was the training room equipment?", (1, 5), "no metric"),
        ("How likely are you to recommend this to a friend?", (1, 5), "nps is 0 to 10"),
        ("How likely are you to recommend this to a friend?", (1, 10), "nps is 0 to 10"),
        ("How satisfied are you with how easy it was?", (1, 5), "fit ces and csat"),
        ("How many hours of work did you lose?", (0, 1000), "not in minutes"),
        ("How much working time did you lose?", None, "not in minutes"),
        ("How many minutes did you lose? (1: none, 5: over an hour)", (1, 5), "on boxes"),
        ("", (1, 5), "no metric"),
    ],
)
def test_what_is_not_clear_is_not_proposed(text, scale, said):
    found = asked(text, scale, answers=50, numbers=50)
    assert found.metric is None
    assert said in found.why


@pytest.mark.parametrize("datatype", ["string", "open_ended/essay", "textarea", None])
def test_free_text_is_a_comment_unless_it_asks_for_a_label(datatype):
    def free(text):
        return asked(text, None, datatype=datatype, answers=9).metric

    assert free("What should we know?") == "comment"
    assert free("Why are you satisfied?") == "comment"
    assert free("What is your ticket number?") is None
    assert free("Your name") is None
    if datatype:
        assert asked("Why?", (0, 10), datatype=datatype, answers=9).metric == "comment"
    assert free("Tell us the name of the colleague you want to praise, and why") == "comment"


def test_a_kind_that_is_neither_rating_nor_text_gets_nothing():
    for datatype in ("date", "checkbox", "multiple_choice", "datetime", "attachment"):
        found = asked("How satisfied are you?", None, datatype=datatype, numbers=9, answers=9)
        assert found.metric is None
        assert repr(datatype) in found.why


def test_without_scale_and_answers_nothing_is_known():
    assert asked("How satisfied are you?", None).metric is None
    found = asked("How satisfied are you?", None, datatype="scale")
    assert found.metric is None
    assert "its scale is not known" in found.why


def test_an_observed_scale_is_written_and_called_observed():
    found = asked("How satisfied are you?", None, answers=9, numbers=9, observed=(1, 5))
    assert (found.metric, found.scale) == ("csat", (1, 5))
    assert "observed" in found.why
    same = asked("How satisfied are you?", None, answers=9, numbers=9, observed=(3, 3))
    assert same.metric is None


@pytest.mark.parametrize(
    ("seen", "metric"),
    [((0, 10), "nps"), ((2, 9), "nps"), ((0, 5), None), ((1, 11), None), ((-1, 9), None),
     (None, None)],
)  # fmt: skip
def test_a_recommendation_needs_to_look_like_0_to_10(seen, metric):
    found = asked("Would you recommend us?", None, answers=9, numbers=9, observed=seen)
    assert found.metric == metric
    assert found.scale == ((0, 10) if metric else None)


NUMBERS = st.tuples(st.floats(-5, 100), st.floats(-5, 100))


@given(
    text=st.one_of(st.text(), st.lists(st.sampled_from(
        ["easy", "effort", "satisfied", "recommend", "minutes", "lost", "trust", "why", "name"])
    ).map(" ".join)),
    datatype=st.sampled_from([None, "string", "scale", "date", "boolean", "(", "[a"]),
    scale=st.none() | NUMBERS,
    observed=st.none() | NUMBERS,
    numbers=st.integers(0, 9),
)  # fmt: skip
def test_any_question_gets_an_answer_that_may_stand_in_the_configuration(
    text, datatype, scale, observed, numbers
):
    found = propose(
        Asked(text=text, datatype=datatype, scale=scale, observed=observed,
              answers=9, numbers=numbers)
    )  # fmt: skip
    assert found.why
    assert found.metric is None or found.metric in METRICS
    assert found.scale is None or found.scale[0] < found.scale[1]
    assert found.metric is not None or (found.scale, found.best) == (None, "high")
