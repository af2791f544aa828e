"""The backlog, said again in plain Python: what is open as a window ends, and how old it is."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

EDGES = [1785542400, 1788220800, 1790812800, 1793491200]  # the first of August to November 2026
GONE = {"resolved", "closed", "canceled"}
NAMES = ["backlog_size", "backlog_age", "backlog_age_p90"]
NEAR = st.sampled_from([edge + step for edge in EDGES[1:] for step in (-2, -1, 0, 1, 2)])
MOMENTS = st.one_of(NEAR, st.integers(EDGES[0] - 90 * 86400, EDGES[-1] + 10 * 86400))


@st.composite
def ticket(draw):
    """A life as it was (state after state), and what a platform tells of it."""
    moments = sorted(set(draw(st.lists(MOMENTS, min_size=1, max_size=6))))
    states = ["new"]
    for _ in moments[1:]:
        words = ["in_progress", "on_hold", "resolved", "closed", "canceled"]
        states.append(draw(st.sampled_from([word for word in words if word != states[-1]])))
    return {
        "type": draw(st.sampled_from(["incident", "incident", "request", "change"])),
        "life": list(zip(moments, states, strict=True)),
        "told": draw(st.booleans()),
        "stale": draw(st.booleans()),
        "service_ref": draw(st.sampled_from([None, "x/s1", "x/s2"])),
        "user_group_ref": draw(st.sampled_from([None, "x/g1"])),
    }


def rows_of(tickets):
    """Tickets and spans as the views have them."""
    rows = {"tickets": [], "spans": []}
    for place, each in enumerate(tickets):
        life, ref = each["life"], f"x/{place}"
        ended = last_departure(life)
        state = life[-1][1]
        resolved = [at for at, word in life if word == "resolved"]
        rows["tickets"].append(
            {
                "ref": ref,
                "type": each["type"],
                "state": state,
                "opened_at": life[0][0],
                "resolved_at": ended if state in {"resolved", "closed"} else
                resolved[-1] if resolved and each["stale"] and state not in GONE else None,
                "closed_at": ended if state == "canceled" else None,
                "updated_at": life[-1][0] + 86400,
                "service_ref": each["service_ref"],
                "user_group_ref": each["user_group_ref"],
            }
        )  # fmt: skip
        if each["told"]:
            ends = [at for at, _ in life[1:]] + [None]
            rows["spans"] += [
                {"ref": f"{ref}-{at}", "ticket_ref": ref, "field": "state", "value": word,
                 "started_at": at, "ended_at": end}
                for (at, word), end in zip(life, ends, strict=True)
            ]  # fmt: skip
    return rows


def last_departure(life):
    """When the ticket went for the last time, or None while it is there."""
    gone = None
    for at, word in life:
        gone = None if word not in GONE else at if gone is None else gone
    return gone


def is_open(each, at):
    """Whether it is there just before ``at``."""
    life = each["life"]
    if not life[0][0] < at:
        return False
    if not each["told"]:
        gone = last_departure(life)
        return gone is None or gone >= at
    return [word for moment, word in life if moment < at][-1] not in GONE


def counted(tickets, rows, amount):
    def at_the_end(window):
        end = int(window.end.timestamp())
        return [
            (row, amount(row, end))
            for each, row in zip(tickets, rows["tickets"], strict=True)
            if each["type"] in {"incident", "request"} and is_open(each, end)
        ]

    return at_the_end


@settings(max_examples=20, deadline=None)
@given(tickets=st.lists(ticket(), max_size=40))
def test_the_size_is_what_is_open_as_the_window_ends(again, tickets):
    rows = rows_of(tickets)
    results = again.check(
        again.kpis["backlog_size"],
        rows,
        counted(tickets, rows, lambda row, end: row["opened_at"]),
        len,
        len,
    )
    assert all(each.value == each.n for each in results if each.status != "not-known")
    for each in results:
        end = each.end.timestamp()
        ever = [
            row
            for row in rows["tickets"]
            if row["type"] in {"incident", "request"}
            and row["opened_at"] < end
            and each.service_ref in (None, row["service_ref"])
            and each.user_group_ref in (None, row["user_group_ref"])
        ]
        assert bool(ever) == (each.status != "not-known"), "0 is known where there was a ticket"


@settings(max_examples=15, deadline=None)
@given(tickets=st.lists(ticket(), max_size=40))
@pytest.mark.parametrize(("name", "q"), [("backlog_age", 0.5), ("backlog_age_p90", 0.9)])
def test_the_age_is_counted_in_days_since_opening(again, name, q, tickets):
    rows = rows_of(tickets)
    again.check(
        again.kpis[name],
        rows,
        counted(tickets, rows, lambda row, end: (end - row["opened_at"]) / 86400),
        again.quantile(q),
    )


@settings(max_examples=20, deadline=None)
@given(
    tickets=st.lists(ticket(), min_size=1, max_size=3),
    noise=st.lists(
        st.fixed_dictionaries(
            {
                "ticket_ref": st.sampled_from(["x/0", "x/1", "x/9"]),
                "value": st.sampled_from(["resolved", "closed", "in_progress", None]),
                "started_at": st.integers(EDGES[0], EDGES[-1]),
                "ended_at": st.one_of(st.none(), st.integers(EDGES[0], EDGES[-1])),
            }
        ),
        max_size=8,
    ),
)
def test_a_history_that_contradicts_itself_never_counts_a_ticket_twice(again, tickets, noise):
    rows = rows_of(tickets)
    rows["spans"] += [
        row | {"ref": f"y/{place}", "field": "state"} for place, row in enumerate(noise)
    ]
    for window in again.windows:
        open_ = again.listed(again.kpis["backlog_size"], rows, window)  # each ref once
        assert len(open_) <= len(tickets)


def at(day, hour=0):
    return int(datetime(2026, 10, day, hour, tzinfo=UTC).timestamp())


def october(again):
    return next(each for each in again.windows if each.name == "2026-10")


def one(again, name, tickets, spans=()):
    rows = {"tickets": [{"type": "incident", "state": "new"} | each for each in tickets]}
    rows["spans"] = [
        {"ref": f"x/h{place}", "field": "state"} | each for place, each in enumerate(spans)
    ]
    (result,) = again.measured(again.kpis[name], rows, [october(again)])
    return result


def test_what_is_resolved_as_the_window_ends_is_still_there(again):
    end = int(october(again).end.timestamp())
    for resolved, size in ((end - 1, 0), (end, 1), (end + 1, 1)):
        ticket = {"ref": "x/1", "opened_at": at(3), "resolved_at": resolved, "state": "resolved"}
        assert one(again, "backlog_size", [ticket]).value == size
    for opened, known in ((end - 1, True), (end, False)):
        result = one(again, "backlog_size", [{"ref": "x/1", "opened_at": opened}])
        assert (result.status == "not-known") != known


def test_a_reopened_ticket_rests_while_it_is_resolved(again):
    end = int(october(again).end.timestamp())
    ticket = {"ref": "x/1", "opened_at": at(3), "state": "in_progress"}
    rest = {"ticket_ref": "x/1", "value": "resolved", "started_at": at(20), "ended_at": end + 99}
    assert one(again, "backlog_size", [ticket], [rest]).value == 0
    assert one(again, "backlog_size", [ticket], [rest | {"ended_at": end - 99}]).value == 1
    assert one(again, "backlog_size", [ticket]).value == 1, "without a history it never rested"


def test_a_stale_time_of_resolution_does_not_hide_what_was_reopened(again):
    ticket = {"ref": "x/1", "opened_at": at(3), "resolved_at": at(9), "state": "in_progress"}
    assert one(again, "backlog_size", [ticket]).value == 1


def test_what_is_closed_or_canceled_without_a_time_went_at_its_last_change(again):
    ticket = {"ref": "x/1", "opened_at": at(3), "updated_at": at(9), "state": "canceled"}
    assert one(again, "backlog_size", [ticket]).value == 0
    assert one(again, "backlog_size", [ticket | {"updated_at": at(31, 24 - 1) + 7200}]).value == 1


def test_problems_and_changes_are_no_backlog(again):
    result = one(again, "backlog_size", [{"ref": "x/1", "type": "change", "opened_at": at(3)}])
    assert (result.value, result.status) == (None, "not-known")


def test_an_empty_backlog_is_zero_and_its_age_is_not_known(again):
    gone = {"ref": "x/1", "opened_at": at(3), "resolved_at": at(9), "state": "resolved"}
    size = one(again, "backlog_size", [gone])
    assert (size.n, size.value, size.numerator, size.status) == (0, 0, 0, "no-target")
    age = one(again, "backlog_age", [gone])
    assert (age.n, age.value, age.status) == (0, None, "not-known")


def test_few_tickets_are_told_and_their_age_is_not(again):
    open_ = [{"ref": f"x/{i}", "opened_at": at(3)} for i in range(4)]
    assert one(again, "backlog_size", open_).value == 4
    assert one(again, "backlog_age", open_).status == "too-few"
    assert one(again, "backlog_age", [*open_, {"ref": "x/9", "opened_at": at(31)}]).value == 29


def test_the_sizes_of_two_months_differ_by_what_came_and_went(again):
    lives = [(at(1 + day, day % 24), at(1 + day) + 86400 * (day % 40)) for day in range(28)]
    tickets = [
        {"ref": f"x/{place}", "type": "incident", "opened_at": opened, "state": "resolved",
         "resolved_at": max(opened, resolved)}
        for place, (opened, resolved) in enumerate(lives)
    ]  # fmt: skip
    results = again.measured(again.kpis["backlog_size"], {"tickets": tickets})
    months = [each for each in results if each.window.startswith("2026")]
    for before, after in pairwise(months):
        start, end = after.start.timestamp(), after.end.timestamp()
        came = sum(start <= each["opened_at"] < end for each in tickets)
        went = sum(start <= each["resolved_at"] < end for each in tickets)
        assert (before.value or 0) + came - went == (after.value or 0)
