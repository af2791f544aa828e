"""The SQL of every built-in rule and KPI keeps to the portable subset (see analysis/engine.py)."""

from __future__ import annotations

import re

import pytest

from vmo_bridge.signals.builtin import vmo_rules
from vmo_bridge.value.builtin import vmo_kpis

SQL = {f"{rule.name}.{name}": sql for rule in vmo_rules() for name, sql in rule.queries.items()} | {
    f"{kpi.name}.items": kpi.items for kpi in vmo_kpis()
}

NOT_PORTABLE = {
    "a cast by ::": r"::",
    "a quoted identifier, which Spark reads as text": r'"',
    "a function of one engine": r"(?i)\b(try_cast|epoch|strftime|to_timestamp|quantile_cont|median|"
    r"list_\w+|string_agg|arg_max|any_value|ilike|qualify|exclude|struct_pack|unnest)\b",
    "a decimal where a double is meant": r"\b\d+\.\d",
    "a correlated look at the clock": r"(?i)\b(now|current_(date|time|timestamp)|random)\b",
}


@pytest.mark.parametrize("name", SQL)
def test_a_query_keeps_to_the_portable_subset(name):
    found = [what for what, pattern in NOT_PORTABLE.items() if re.search(pattern, SQL[name])]
    assert found == []


def test_the_check_sees_what_is_not_portable():
    sql = 'select median(a)::int as "x", 1.0, now() from t'
    assert all(re.search(pattern, sql) for pattern in NOT_PORTABLE.values())
