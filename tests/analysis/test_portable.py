"""The SQL of every built-in rule and KPI keeps to the portable subset (see analysis/engine.py)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from vmo_bridge.signals.builtin import vmo_rules
from vmo_bridge.value import statements
from vmo_bridge.value.builtin import vmo_kpis
from vmo_bridge.value.windows import Window

OCTOBER = Window("2026-10", datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))

SQL = (
    {f"{rule.name}.{name}": sql for rule in vmo_rules() for name, sql in rule.queries.items()}
    # With the KPI's own items and aggregates in them.
    | {f"{kpi.name}.results": statements.results(kpi, [OCTOBER]) for kpi in vmo_kpis()}
    | {f"{kpi.name}.nothing": statements.of_nothing(kpi, [OCTOBER]) for kpi in vmo_kpis()}
    | {f"{kpi.name}.before": statements.scopes_before(kpi, [OCTOBER]) for kpi in vmo_kpis()}
    | {f"{kpi.name}.listed": statements.listed(kpi, OCTOBER) for kpi in vmo_kpis()}
)

NOT_PORTABLE = {
    "a cast by ::": r"::",
    "a quoted identifier, which Spark reads as text": r'"',
    "a function of one engine": r"(?i)\b(try_cast|epoch|strftime|to_timestamp|quantile_cont|median|"
    r"list_\w+|string_agg|arg_max|any_value|ilike|qualify|exclude|struct_pack|unnest)\b",
    # The p of a percentile is no value of ours: both engines take it as it is.
    "a decimal where a double is meant": r"(?<!percentile_cont\()\b\d+\.\d",
    "a correlated look at the clock": r"(?i)\b(now|current_(date|time|timestamp)|random)\b",
}


@pytest.mark.parametrize("name", SQL)
def test_a_query_keeps_to_the_portable_subset(name):
    found = [what for what, pattern in NOT_PORTABLE.items() if re.search(pattern, SQL[name])]
    assert found == []


def test_the_check_sees_what_is_not_portable():
    sql = 'select median(a)::int as "x", 1.0, now() from t'
    assert all(re.search(pattern, sql) for pattern in NOT_PORTABLE.values())
