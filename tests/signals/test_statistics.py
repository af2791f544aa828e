"""The exact tests against enumeration, symmetry and published values."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.signals.statistics import (
    benjamini_hochberg,
    binomial_at_least,
    binomial_at_most,
    fisher_fewer,
    fisher_more,
    wilson_interval,
)

SHARES = st.floats(0.01, 0.99)
P_VALUES = st.lists(st.floats(0, 1), max_size=30)


def hits_of(largest=60):
    return st.integers(0, largest).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def binomial_by_enumeration(k, n, p):
    return math.fsum(math.comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1))


def fisher_by_enumeration(hits, n, other_hits, other_n):
    drawn = hits + other_hits
    ways = sum(
        math.comb(n, i) * math.comb(other_n, drawn - i) for i in range(hits, min(n, drawn) + 1)
    )
    return float(Fraction(ways, math.comb(n + other_n, drawn)))


@given(hits_of(), SHARES)
def test_the_binomial_tail_is_the_sum_of_its_terms(hits, p):
    k, n = hits
    assert binomial_at_least(k, n, p) == pytest.approx(binomial_by_enumeration(k, n, p), rel=1e-9)


@given(hits_of(10**6), SHARES)
def test_the_two_binomial_tails_are_the_whole(hits, p):
    k, n = hits
    assert binomial_at_most(k - 1, n, p) + binomial_at_least(k, n, p) == pytest.approx(1, abs=1e-7)


@given(hits_of(10**6), SHARES)
def test_a_binomial_tail_is_a_probability_and_shrinks_outwards(hits, p):
    k, n = hits
    assert 0 <= binomial_at_least(k + 1, n, p) <= binomial_at_least(k, n, p) + 1e-12 <= 1 + 1e-12


@given(hits_of(200), SHARES, SHARES)
def test_many_hits_are_likelier_where_hits_are_likelier(hits, one, other):
    k, n = hits
    low, high = sorted((one, other))
    assert binomial_at_least(k, n, low) <= binomial_at_least(k, n, high) + 1e-9


def test_the_edges_of_the_binomial_distribution():
    assert binomial_at_least(0, 0, 0.5) == 1
    assert binomial_at_least(0, 10, 0) == 1
    assert binomial_at_least(1, 10, 0) == 0
    assert binomial_at_least(10, 10, 1) == 1
    assert binomial_at_least(11, 10, 0.5) == 0
    assert binomial_at_most(-1, 10, 0.5) == 0
    assert binomial_at_most(0, 5, 0.8) == pytest.approx(0.2**5)


def test_a_million_trials_keep_their_precision():
    # One hit or more at one in a million: 1 - (1 - 1e-6)^1e6.
    assert binomial_at_least(1, 10**6, 1e-6) == pytest.approx(-math.expm1(1e6 * math.log1p(-1e-6)))
    # The median of a fair coin: one half and half the middle term.
    middle = math.exp(math.lgamma(1e6 + 1) - 2 * math.lgamma(5e5 + 1) - 1e6 * math.log(2))
    assert binomial_at_least(500_000, 10**6, 0.5) == pytest.approx(0.5 + middle / 2, rel=1e-7)


@pytest.mark.parametrize(("n", "p"), [(-1, 0.5), (5, -0.1), (5, 1.1), (5, math.nan)])
def test_what_is_no_distribution_is_refused(n, p):
    with pytest.raises(ValueError, match="binomial"):
        binomial_at_least(1, n, p)


@given(hits_of(40), hits_of(40))
def test_fishers_test_is_the_sum_of_its_terms(mine, other):
    expected = fisher_by_enumeration(*mine, *other)
    assert fisher_more(*mine, *other) == pytest.approx(expected, rel=1e-9)


@given(hits_of(10**6), hits_of(10**6))
def test_fishers_test_is_a_probability_and_its_tails_overlap_in_what_was_seen(mine, other):
    more, fewer = fisher_more(*mine, *other), fisher_fewer(*mine, *other)
    assert 0 <= more <= 1
    assert 0 <= fewer <= 1
    assert more + fewer >= 1 - 1e-7


@given(hits_of(300), hits_of(300))
def test_fishers_test_does_not_care_which_group_comes_first(mine, other):
    assert fisher_more(*mine, *other) == pytest.approx(fisher_fewer(*other, *mine), rel=1e-7)


def test_fishers_lady_tasting_tea():
    assert fisher_more(4, 4, 0, 4) == pytest.approx(1 / 70)
    assert fisher_more(3, 4, 1, 4) == pytest.approx(17 / 70)


def test_an_empty_group_says_nothing():
    assert fisher_more(3, 5, 0, 0) == 1
    assert fisher_more(0, 0, 3, 5) == 1


def test_more_hits_than_trials_are_refused():
    with pytest.raises(ValueError, match="not shares"):
        fisher_more(6, 5, 0, 5)
    with pytest.raises(ValueError, match="not a share"):
        wilson_interval(6, 5)


@given(hits_of(10**6))
def test_the_wilson_interval_holds_the_share_and_stays_a_share(hits):
    k, n = hits
    low, high = wilson_interval(k, n)
    assert 0 <= low <= high <= 1
    if n:
        assert low <= k / n <= high


@given(hits_of(1000))
def test_the_wilson_interval_mirrors(hits):
    k, n = hits
    low, high = wilson_interval(k, n)
    assert wilson_interval(n - k, n) == pytest.approx((1 - high, 1 - low), abs=1e-12)


@given(st.integers(0, 100), st.integers(1, 50))
def test_the_wilson_interval_narrows_with_more_of_the_same(k, times):
    low, high = wilson_interval(k, 100)
    more_low, more_high = wilson_interval(k * times, 100 * times)
    assert more_high - more_low <= high - low + 1e-12


def test_a_known_wilson_interval():
    # Newcombe 1998, table I: 81 of 263, method 3.
    assert wilson_interval(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)


@given(P_VALUES)
def test_adjusted_p_values_only_grow_keep_their_order_and_stay_probabilities(p_values):
    adjusted = benjamini_hochberg(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    pairs = sorted(zip(p_values, adjusted, strict=True))
    assert [q for _, q in pairs] == sorted(adjusted)


@given(P_VALUES, st.randoms())
def test_the_order_of_the_tests_does_not_matter(p_values, dice):
    places = list(range(len(p_values)))
    dice.shuffle(places)
    adjusted = benjamini_hochberg(p_values)
    assert benjamini_hochberg([p_values[i] for i in places]) == [adjusted[i] for i in places]


@given(P_VALUES, SHARES)
def test_what_is_rejected_is_what_the_step_up_procedure_rejects(p_values, q):
    ordered = sorted(p_values)
    ranks = [i + 1 for i, p in enumerate(ordered) if p * (len(ordered) / (i + 1)) <= q]
    rejected = sum(p <= q for p in benjamini_hochberg(p_values))
    assert rejected == max(ranks, default=0)


def test_the_example_of_benjamini_and_hochberg():
    # Their section 3.2: 15 p-values, of which 4 are rejected at 5 %.
    p_values = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459,
                0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip
    assert sum(p <= 0.05 for p in benjamini_hochberg(p_values)) == 4
