"""A signal is raised once, seen again and again, and ends."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from vmo_bridge.records import Finding, Worth
from vmo_bridge.signals.life import follow

DAY_1 = datetime(2026, 10, 1, tzinfo=UTC)
DAY_2, DAY_3, DAY_4 = (DAY_1 + timedelta(days=days) for days in (1, 2, 3))


def finding(name: str, strength: float = 0.5) -> Finding:
    return Finding(
        id=name,
        rule=name.split(":", maxsplit=1)[0],
        title=name,
        why="",
        start=DAY_1,
        end=DAY_2,
        strength=strength,
        worth=Worth(hours_per_year=1, cost_per_year=68),
        evidence=("x/1",),
        numbers={},
    )


A, B = finding("watermelon:vpn"), finding("ping-pong:vpn")


def told(signals):
    return [(s.finding.id, s.state, s.raised_at, s.seen_at) for s in signals]


def test_a_first_finding_is_new():
    assert told(follow([], [A], DAY_1)) == [(A.id, "new", DAY_1, DAY_1)]


def test_a_finding_seen_again_is_open_with_its_latest_figures():
    stronger = finding(A.id, strength=0.9)
    (signal,) = follow(follow([], [A], DAY_1), [stronger], DAY_2)
    assert told([signal]) == [(A.id, "open", DAY_1, DAY_2)]
    assert signal.finding == stronger


def test_a_signal_no_longer_found_has_ended_as_last_seen():
    first = follow([], [A], DAY_1)
    ended = follow(first, [], DAY_2)
    assert told(ended) == [(A.id, "ended", DAY_1, DAY_1)]
    assert follow(ended, [], DAY_3) == ended


def test_a_signal_that_returns_is_new_again():
    ended = follow(follow([], [A], DAY_1), [], DAY_2)
    returned = follow(ended, [A], DAY_3)
    assert told(returned) == [(A.id, "new", DAY_3, DAY_3)]
    assert told(follow(returned, [A], DAY_4)) == [(A.id, "open", DAY_3, DAY_4)]


def test_a_rule_that_could_not_judge_ends_nothing():
    first = follow([], [A, B], DAY_1)
    second = follow(first, [], DAY_2, judged={"ping-pong"})
    assert told(second) == [(A.id, "new", DAY_1, DAY_1), (B.id, "ended", DAY_1, DAY_1)]


RUNS = st.lists(st.sets(st.sampled_from("abcd")), max_size=6)


@given(RUNS)
def test_a_second_call_at_the_same_moment_changes_nothing(runs):
    signals = []
    for i, names in enumerate(runs):
        findings = [finding(f"rule:{name}") for name in sorted(names)]
        now = DAY_1 + timedelta(days=i)
        signals = follow(signals, findings, now)
        assert follow(signals, findings, now) == signals


@given(RUNS)
def test_a_signal_is_alive_exactly_while_it_is_found_and_never_forgotten(runs):
    signals = []
    for i, names in enumerate(runs):
        signals = follow(
            signals, [finding(f"rule:{name}") for name in names], DAY_1 + timedelta(days=i)
        )
        states = {signal.finding.id[-1]: signal.state for signal in signals}
        assert {name for name, state in states.items() if state != "ended"} == names
        assert set(states) == set().union(*runs[: i + 1])
        assert all(signal.raised_at <= signal.seen_at for signal in signals)


@given(RUNS)
def test_raised_at_is_the_start_of_the_unbroken_run_of_sightings(runs):
    signals = []
    for i, names in enumerate(runs):
        now = DAY_1 + timedelta(days=i)
        signals = follow(signals, [finding(f"rule:{name}") for name in names], now)
    for signal in signals:
        if signal.state != "ended":
            name, first = signal.finding.id[-1], len(runs) - 1
            while first and name in runs[first - 1]:
                first -= 1
            assert signal.raised_at == DAY_1 + timedelta(days=first)
            assert signal.state == ("new" if first == len(runs) - 1 else "open")
