"""Exact tests for counts: binomial, Wilson, Fisher, Benjamini-Hochberg. No data, no clock."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

_NEGLIGIBLE = 1e-18
"""A term this small against the sum, among terms that only shrink, cannot change a double."""


def binomial_at_most(k: int, n: int, p: float) -> float:
    """P(X <= k) for X ~ Binomial(n, p): the chance of so few or fewer, if ``p`` were true.

    Exact (no normal approximation): the textbook sum of C(n, i) p^i (1-p)^(n-i), see ``_tail``.
    """
    return binomial_at_least(n - k, n, 1 - p)


def binomial_at_least(k: int, n: int, p: float) -> float:
    """P(X >= k) for X ~ Binomial(n, p): the chance of so many or more, if ``p`` were true."""
    if n < 0 or not 0 <= p <= 1:
        raise ValueError(f"not a binomial distribution: n={n}, p={p}")
    if k <= 0:
        return 1.0
    if k > n or p == 0:
        return 0.0
    if p == 1:
        return 1.0
    odds = p / (1 - p)

    def log_term(i: int) -> float:
        return _log_choose(n, i) + i * math.log(p) + (n - i) * math.log1p(-p)

    def ratio(i: int) -> float:
        return (n - i) / (i + 1) * odds

    return _tail(k, low=0, high=n, mean=n * p, log_term=log_term, ratio=ratio)


def fisher_more(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """One-sided p-value that ``hits / n`` is a larger share than ``other_hits / other_n``.

    Fisher's exact test (Fisher 1922; *The Design of Experiments*, 1935): with all margins fixed
    the hits in the first group follow the hypergeometric distribution, and this is P(X >= hits).
    1.0 where a group is empty: nothing is known against chance.
    """
    if not (0 <= hits <= n and 0 <= other_hits <= other_n):
        raise ValueError(f"not shares: {hits} of {n}, {other_hits} of {other_n}")
    total, drawn = n + other_n, hits + other_hits
    low, high = max(0, drawn - other_n), min(n, drawn)
    if hits <= low:
        return 1.0

    def log_term(i: int) -> float:
        ways = _log_choose(n, i) + _log_choose(other_n, drawn - i)
        return ways - _log_choose(total, drawn)

    def ratio(i: int) -> float:
        return (n - i) / (i + 1) * (drawn - i) / (other_n - drawn + i + 1)

    mean = drawn * n / total
    return _tail(hits, low=low, high=high, mean=mean, log_term=log_term, ratio=ratio)


def fisher_fewer(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """One-sided p-value that ``hits`` of ``n`` is a smaller share; see ``fisher_more``."""
    return fisher_more(n - hits, n, other_n - other_hits, other_n)


def _tail(
    k: int,
    *,
    low: int,
    high: int,
    mean: float,
    log_term: Callable[[int], float],
    ratio: Callable[[int], float],
) -> float:
    """P(X >= k) for a unimodal distribution on ``low`` to ``high``.

    Beyond the mode the terms only shrink, so the sum starts at the term nearest to it (by
    log-gamma) and walks outwards by ``ratio(i)`` = term(i+1) / term(i) until a term is negligible:
    some multiples of the standard deviation, about 10^4 steps for n = 10^6. On the near side the
    other tail is the small one and is subtracted from 1.
    """
    if k > mean:
        return min(1.0, _walk(math.exp(log_term(k)), k, high, ratio, 1))
    below = _walk(math.exp(log_term(k - 1)), k - 1, low, ratio, -1)
    return min(1.0, max(0.0, 1.0 - below))


def _walk(term: float, i: int, last: int, ratio: Callable[[int], float], step: int) -> float:
    total = term
    while i != last and term > total * _NEGLIGIBLE:
        term = term * ratio(i) if step > 0 else term / ratio(i - 1)
        total += term
        i += step
    return total


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def wilson_interval(hits: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """Interval for a share, by Wilson's score method (Wilson 1927); ``z`` = 1.96 is 95 %.

    (0, 1) for n = 0: nothing is known.
    """
    if not 0 <= hits <= n:
        raise ValueError(f"not a share: {hits} of {n}")
    if n == 0:
        return 0.0, 1.0
    share, square = hits / n, z * z
    centre = share + square / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    low, high = (centre - half) / (1 + square / n), (centre + half) / (1 + square / n)
    # At the edges the formula gives exactly 0 and 1; rounding must not move the share outside.
    return (0.0 if hits == 0 else max(0.0, low)), (1.0 if hits == n else min(1.0, high))


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that those <= q hold at most a share q of false discoveries on average.

    Benjamini & Hochberg 1995: the i-th smallest of m becomes min over j >= i of p(j) * m / j,
    at most 1. In the order given.
    """
    count = len(p_values)
    adjusted = [1.0] * count
    smallest = 1.0
    order = sorted(range(count), key=p_values.__getitem__)
    for rank in range(count, 0, -1):
        index = order[rank - 1]
        smallest = min(smallest, p_values[index] * (count / rank))
        adjusted[index] = smallest
    return adjusted
