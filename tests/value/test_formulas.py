"""Every KPI, every window and every scope, recomputed in plain Python from the same rows."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from statistics import median

import pytest

from vmo_bridge.analysis.engine import Analysis
from vmo_bridge.analysis.schema import check_tables, tables_from
from vmo_bridge.value.builtin import vmo_kpis
from vmo_bridge.value.compute import compute, items
from vmo_bridge.value.windows import windows

AS_OF = datetime(2026, 11, 17, 8, 30, tzinfo=UTC)
WINDOWS = windows(AS_OF, since=datetime(2026, 4, 1, tzinfo=UTC))
EDGES = sorted({int(at.timestamp()) for window in WINDOWS for at in (window.start, window.end)})
KPIS = {kpi.name: kpi for kpi in vmo_kpis()}


def moment(dice):
    """Anywhere in the data's range, and often in the seconds round an edge."""
    if dice.random() < 0.1:
        return None
    if dice.random() < 0.3:
        return dice.choice(EDGES) + dice.choice([-1, 0, 1])
    return dice.randint(EDGES[0] - 9 * 86400, EDGES[-1] + 9 * 86400)


def place(dice):
    service = dice.choice([None, "x/s1", "x/s2", "x/s3"])
    group = dice.choice([None, "x/g1", "x/g2"])
    return {"service_ref": service, "user_group_ref": group}


def make_rows(seed):
    dice = random.Random(seed)
    rows = {"tickets": [], "sla_outcomes": [], "answers": []}
    for i in range(700):
        rows["tickets"].append(
            place(dice)
            | {
                "ref": f"x/t{i}",
                "type": dice.choice(["incident", "incident", "request", "change"]),
                "resolved_at": moment(dice),
                "made_sla": dice.choice([None, True, False]),
                "reopen_count": dice.choice([None, 0, 0, 1, 3]),
                "business_seconds": dice.choice([None, -1, 0, dice.randint(1, 500_000)]),
            }
        )
        for j in range(dice.choice([0, 0, 1, 1, 2, 3])):
            rows["sla_outcomes"].append(
                {
                    "ref": f"x/o{i}-{j}",
                    "ticket_ref": f"x/t{i}",
                    "target": dice.choice(["resolution", "resolution", "response", None]),
                    "stage": dice.choice(
                        ["completed", "completed", "breached", "canceled", "in_progress", None]
                    ),
                    "breached": dice.choice([None, True, False, False]),
                }
            )
    for i in range(900):
        low, high = dice.choice(
            [(1, 5), (1, 5), (0, 10), (1, 4), (0, 1), (0, 100), (None, 5), (5, 1)]
        )
        rows["answers"].append(
            place(dice)
            | {
                "ref": f"x/a{i}",
                "metric": dice.choice(["csat", "csat", "lost_time", "comment", None]),
                "value": dice.choice([None, -3, 0, 1, 2, 3, 4, 5, 8, 9, 10, 79, 80, 100]),
                "scale_min": low,
                "scale_max": high,
                "answered_at": moment(dice),
            }
        )
    return rows


# What each KPI counts, said a second time, without SQL: (at, amount, row) of every item.


def sla_items(rows):
    outcomes = defaultdict(list)
    for outcome in rows["sla_outcomes"]:
        outcomes[outcome["ticket_ref"]].append(outcome)
    for ticket in rows["tickets"]:
        if not outcomes[ticket["ref"]]:
            met = ticket["made_sla"]
        else:
            breaches = [
                outcome["breached"]
                for outcome in outcomes[ticket["ref"]]
                if outcome["target"] == "resolution"
                and outcome["stage"] in {"completed", "breached"}
                and outcome["breached"] is not None
            ]
            met = not any(breaches) if breaches else None
        if met is not None:
            yield ticket["resolved_at"], float(met), ticket


def hour_items(rows):
    for ticket in rows["tickets"]:
        seconds = ticket["business_seconds"]
        if ticket["type"] == "incident" and seconds is not None and seconds >= 0:
            yield ticket["resolved_at"], seconds / 3600, ticket


def reopen_items(rows):
    for ticket in rows["tickets"]:
        if ticket["type"] == "incident" and ticket["reopen_count"] is not None:
            yield ticket["resolved_at"], float(ticket["reopen_count"] > 0), ticket


LEAST_SATISFIED = {(1, 5): 4, (0, 10): 9, (1, 4): 3, (0, 1): 1, (0, 100): 80}


def csat_items(rows):
    for answer in rows["answers"]:
        scale, value = (answer["scale_min"], answer["scale_max"]), answer["value"]
        known = scale in LEAST_SATISFIED and value is not None and scale[0] <= value <= scale[1]
        if answer["metric"] == "csat" and known:
            yield answer["answered_at"], float(value >= LEAST_SATISFIED[scale]), answer


def lost_items(rows):
    for answer in rows["answers"]:
        value = answer["value"]
        if answer["metric"] == "lost_time" and value is not None and value >= 0:
            yield answer["answered_at"], float(value), answer


def quantile(q):
    def value(amounts):
        ordered = sorted(amounts)
        place = q * (len(ordered) - 1)
        low = math.floor(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (place - low) * (ordered[high] - ordered[low])

    return value


def mean(amounts):
    return sum(amounts) / len(amounts)


AGAIN = {
    "sla_attainment": (sla_items, mean),
    "mttr_median": (hour_items, median),
    "mttr_p90": (hour_items, quantile(0.9)),
    "reopen_rate": (reopen_items, mean),
    "csat": (csat_items, mean),
    "lost_time": (lost_items, mean),
}


def recompute(name, rows):
    """All results by (window, service_ref, user_group_ref): value, numerator, denominator, n."""
    list_items, value = AGAIN[name]
    scopes = defaultdict(list)
    for window in WINDOWS:
        for at, amount, row in list_items(rows):
            if at is None or not window.start.timestamp() <= at < window.end.timestamp():
                continue
            service, group = row["service_ref"], row["user_group_ref"]
            # An unknown service or group falls together with "all": such a row has no line there.
            for scope in {(None, None), (service, None), (None, group), (service, group)}:
                scopes[window.name, *scope].append((amount, row["ref"]))
    return {
        key: (value([amount for amount, _ in found]), [amount for amount, _ in found], found)
        for key, found in scopes.items()
    }


def measure(kpi, rows, wanted=WINDOWS, **more):
    tables = tables_from(rows)
    check_tables(tables)
    with Analysis(tables, threads=2) as analysis:
        return compute(kpi, analysis, wanted, as_of=AS_OF, **more)


@pytest.mark.parametrize("name", AGAIN)
@pytest.mark.parametrize("seed", range(3))
def test_a_kpi_is_what_plain_python_makes_of_the_same_rows(name, seed):
    rows = make_rows(seed)
    expected = recompute(name, rows)
    results = measure(KPIS[name], rows)
    found = {(r.window, r.service_ref, r.user_group_ref): r for r in results}
    assert len(found) == len(results)
    assert found.keys() == expected.keys() | {(window.name, None, None) for window in WINDOWS}
    for key, (value, amounts, _) in expected.items():
        result = found[key]
        assert result.n == len(amounts)
        if len(amounts) < 5:
            assert (result.value, result.numerator, result.denominator) == (None, None, None)
            assert result.status == "too-few"
        else:
            assert result.value == pytest.approx(value, rel=1e-12)
            assert result.numerator == pytest.approx(math.fsum(amounts), rel=1e-12)
            assert result.denominator == len(amounts)
            assert result.status != "too-few"
    assert {"too-few", "not-known"} & {result.status for result in results} != set()


@pytest.mark.parametrize("name", AGAIN)
def test_the_items_behind_a_result_are_the_records_it_counts(name):
    rows = make_rows(7)
    kpi, window = KPIS[name], WINDOWS[-1]
    expected = recompute(name, rows)
    with Analysis(tables_from(rows), threads=1) as analysis:
        for service, group in ((None, None), ("x/s1", None), (None, "x/g2"), ("x/s1", "x/g2")):
            listed = items(kpi, analysis, window, service_ref=service, user_group_ref=group)
            _, amounts, found = expected[window.name, service, group]
            assert sorted(item["ref"] for item in listed) == sorted(ref for _, ref in found)
            assert sorted(item["amount"] for item in listed) == pytest.approx(sorted(amounts))
            assert [item["moment"] for item in listed] == sorted(item["moment"] for item in listed)


def test_a_result_is_the_same_to_the_last_digit_whatever_the_order_of_the_rows():
    rows = make_rows(5)
    shuffled = {name: random.Random(1).sample(some, len(some)) for name, some in rows.items()}
    for kpi in KPIS.values():
        assert measure(kpi, rows) == measure(kpi, shuffled)


def ticket(**row):
    at = int((AS_OF - timedelta(days=1)).timestamp())
    return {"ref": "x/t", "type": "incident", "resolved_at": at} | row


def rolling_value(name, tickets):
    rows = {"tickets": [row | {"ref": f"x/{i}"} for i, row in enumerate(tickets)]}
    (result,) = measure(KPIS[name], rows, WINDOWS[-1:])
    return result.value


def test_an_incident_reopened_often_counts_once():
    tickets = [ticket(reopen_count=9)] + [ticket(reopen_count=0)] * 9
    assert rolling_value("reopen_rate", tickets) == 0.1
    tickets = [ticket(reopen_count=9, business_seconds=7200)] * 5
    assert rolling_value("mttr_median", tickets) == 2.0


def test_requests_are_no_incidents():
    tickets = [ticket(business_seconds=3600, reopen_count=0)] * 5
    tickets += [ticket(type="request", business_seconds=360_000, reopen_count=1)] * 50
    assert rolling_value("mttr_p90", tickets) == 1.0
    assert rolling_value("reopen_rate", tickets) == 0.0


@pytest.mark.parametrize("kpi", KPIS.values(), ids=list(KPIS))
def test_every_kpi_tells_how_it_counts(kpi):
    assert kpi.note.endswith(".")
    assert kpi.question.endswith("?")
    assert "target" in kpi.note.lower() or kpi.name.startswith("mttr")
    assert (kpi.target is None) == (kpi.name != "sla_attainment")
    assert kpi.min_n >= 5 or kpi.name == "backlog_size"


def test_what_people_say_is_private():
    said = {name for name, kpi in KPIS.items() if {"feedback", "answer"} & {*kpi.reads}}
    assert said == {name for name, kpi in KPIS.items() if kpi.private}
    assert {"csat", "lost_time", "nps", "ces", "response_rate", "a11_trust"} <= said


def test_lost_time_is_called_perceived_and_mttr_business_hours():
    assert "Perceived" in KPIS["lost_time"].title
    for name in ("mttr_median", "mttr_p90"):
        assert "business hours" in KPIS[name].title
