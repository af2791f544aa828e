"""Which of the agreed targets judges a result."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.value.targets import Target, target_for


def target(value, service=None, user_group=None, **more):
    return Target(kpi="csat", value=value, service=service, user_group=user_group, **more)


ALL = [
    target(0.1),
    target(0.2, user_group="Finance"),
    target(0.3, service="VPN"),
    target(0.4, service="VPN", user_group="Finance"),
]


@pytest.mark.parametrize(
    ("scope", "value"),
    [
        ({}, 0.1),
        ({"service": "Mail", "user_group": "Legal"}, 0.1),
        ({"service": "Mail", "user_group": "Finance"}, 0.2),
        ({"user_group": "Finance"}, 0.2),
        ({"service": "VPN", "user_group": "Legal"}, 0.3),
        ({"service": "vpn"}, 0.3),
        ({"service": "VPN", "user_group": "Finance"}, 0.4),
    ],
)
def test_the_most_specific_target_judges(scope, value):
    for targets in (ALL, ALL[::-1]):
        assert target_for(targets, "csat", **scope).value == value


def test_a_service_goes_before_a_group():
    assert target_for(ALL[:3], "csat", service="VPN", user_group="Finance").value == 0.3


def test_a_target_of_a_part_does_not_judge_the_whole():
    assert target_for(ALL[1:], "csat") is None
    assert target_for(ALL[3:], "csat", service="VPN") is None


def test_a_target_of_another_kpi_does_not_judge():
    assert target_for(ALL, "mttr_median") is None


def test_a_target_raised_later_does_not_judge_a_closed_month_anew():
    targets = [
        target(0.9, agreed_on=date(2026, 6, 15)),
        target(0.8, agreed_on=date(2026, 1, 15)),
    ]
    assert target_for(targets, "csat", until=date(2026, 6, 1)).value == 0.8
    assert target_for(targets, "csat", until=date(2026, 7, 1)).value == 0.9
    assert target_for(targets, "csat").value == 0.9


def test_a_target_judges_from_the_day_it_was_agreed():
    targets = [target(0.8), target(0.9, agreed_on=date(2026, 6, 15))]
    assert target_for(targets, "csat", until=date(2026, 6, 14)).value == 0.8
    assert target_for(targets, "csat", until=date(2026, 6, 15)).value == 0.9


def test_a_first_agreement_shows_where_one_stood_before():
    targets = [
        target(0.9, agreed_on=date(2026, 6, 15)),
        target(0.8, agreed_on=date(2026, 1, 15)),
    ]
    assert target_for(targets, "csat", until=date(2025, 12, 1)).value == 0.8


def test_a_target_without_a_date_was_always_there():
    targets = [target(0.9, agreed_on=date(2026, 6, 15)), target(0.7)]
    assert target_for(targets, "csat", until=date(2026, 6, 1)).value == 0.7
    assert target_for(targets, "csat", until=date(2026, 7, 1)).value == 0.9


NAMES = st.none() | st.sampled_from(["VPN", "Mail"])
TARGETS = st.lists(
    st.builds(
        target, st.floats(0, 1), NAMES, NAMES, agreed_on=st.none() | st.dates(date(2026, 1, 1))
    )
)


@given(TARGETS, NAMES, NAMES)
def test_what_judges_fits_and_nothing_that_fits_is_more_specific(targets, service, user_group):
    chosen = target_for(targets, "csat", service=service, user_group=user_group)
    fitting = [
        one
        for one in targets
        if one.service in {None, service} and one.user_group in {None, user_group}
    ]
    if not fitting:
        assert chosen is None
        return
    assert chosen in fitting
    named = [(one.service is not None) + (one.user_group is not None) for one in fitting]
    assert (chosen.service is not None) + (chosen.user_group is not None) == max(named)
