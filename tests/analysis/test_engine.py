"""The engine runs one SELECT over the tables it is given, and sees nothing else."""

from __future__ import annotations

import pyarrow as pa
import pytest

from vmo_bridge.analysis.engine import Analysis
from vmo_bridge.errors import PluginError

TABLES = {"t": pa.table({"a": [1, 2, None], "s": ["x", None, "y"]})}


@pytest.fixture
def analysis():
    with Analysis(TABLES, threads=1) as analysis:
        yield analysis


def test_rows_come_as_dicts(analysis):
    rows = analysis.query("select a, s, a is null as gone from t order by a nulls last")
    assert rows == [
        {"a": 1, "s": "x", "gone": False},
        {"a": 2, "s": None, "gone": False},
        {"a": None, "s": "y", "gone": True},
    ]


def test_results_can_stay_arrow(analysis):
    table = analysis.arrow("select a from t where a >= $least", {"least": 2})
    assert table.to_pydict() == {"a": [2]}


def test_one_query_after_another_and_after_an_error(analysis):
    for _ in range(3):
        assert len(analysis.query("select * from t")) == 3
        with pytest.raises(PluginError):
            analysis.query("select nothing from t")


def test_only_the_parameters_it_names_are_bound(analysis):
    sql = "select $p as p, '$q' as q from t where a = $one -- $r"
    assert analysis.query(sql, {"p": "x", "one": 1, "s": 9}) == [{"p": "x", "q": "$q"}]


def test_a_parameter_is_a_value_and_never_sql(analysis):
    assert analysis.query("select a from t where s = $s", {"s": "x' or '1' = '1"}) == []


def test_a_parameter_without_a_value_is_named(analysis):
    with pytest.raises(PluginError, match=r"no value for \$least; there are: most"):
        analysis.query("select a from t where a >= $least", {"most": 1})


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "select 1; select 2",
        "create table u (a int)",
        "insert into t values (1, 'x')",
        "set threads = 1",
    ],
)
def test_anything_but_one_select_is_refused(analysis, sql):
    with pytest.raises(PluginError, match="not one SELECT"):
        analysis.query(sql)


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select from t", "Parser Error"),
        ("select colour from t", "colour"),
        ("select * from tickets", "tickets"),
    ],
)
def test_wrong_sql_says_what_is_wrong(analysis, sql, reason):
    with pytest.raises(PluginError, match=reason):
        analysis.query(sql)
    with pytest.raises(PluginError, match=reason):
        analysis.arrow(sql)


def test_a_data_error_does_not_quote_the_data():
    tables = {"t": pa.table({"s": ["maria@agency.example"]})}
    with Analysis(tables) as analysis, pytest.raises(PluginError) as caught:
        analysis.query("select cast(s as integer) from t")
    assert "maria" not in str(caught.value)
    assert "ConversionException" in str(caught.value)


def test_neither_files_nor_python_variables_are_seen(analysis, tmp_path):
    path = tmp_path / "secret.csv"
    path.write_text("a\n1\n")
    local = pa.table({"a": [1]})
    for source in (f"'{path}'", f"read_csv('{path}')", "local"):
        with pytest.raises(PluginError):
            analysis.query(f"select * from {source}")
    assert local.num_rows == 1


def test_moments_are_utc(analysis):
    (row,) = analysis.query("select current_setting('TimeZone') as zone")
    assert row == {"zone": "UTC"}


def test_closing_twice_is_fine_and_a_closed_engine_says_so():
    analysis = Analysis(TABLES)
    analysis.close()
    analysis.close()
    with pytest.raises(PluginError):
        analysis.query("select 1 as one")
