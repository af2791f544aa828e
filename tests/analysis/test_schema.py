"""The views in code are the views in docs/tables.md."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pytest

from vmo_bridge.analysis.schema import VIEWS, check_tables, empty_tables, tables_from
from vmo_bridge.errors import PluginError

DOCS = Path(__file__).parents[2] / "docs" / "tables.md"


def documented() -> dict[str, list[str]]:
    rows = re.findall(r"^\| (\w+) \|[^|]*\| ([^|]*) \|$", DOCS.read_text("utf-8"), re.MULTILINE)
    return {table: columns.split(", ") for table, columns in rows if table != "table"}


def test_docs_list_exactly_these_views_and_columns():
    assert documented() == {name: schema.names for name, schema in VIEWS.items()}


def test_moments_and_counts_are_integers_flags_booleans_and_the_rest_text():
    tickets = VIEWS["tickets"]
    for column in ("opened_at", "reopen_count", "business_seconds", "priority"):
        assert tickets.field(column).type == pa.int64()
    for column in ("made_sla", "reconstructed"):
        assert tickets.field(column).type == pa.bool_()
    for column in ("resolved_day", "resolved_month", "ref", "state"):
        assert tickets.field(column).type == pa.string()
    assert VIEWS["answers"].field("value").type == pa.float64()
    assert VIEWS["spans"].field("value").type == pa.string()


def test_empty_tables_pass_the_check():
    check_tables(empty_tables())


def test_rows_become_tables_with_null_where_nothing_is_given():
    tables = tables_from({"answers": [{"ref": "x/1", "value": 4}]})
    check_tables(tables)
    (row,) = tables["answers"].to_pylist()
    assert (row["ref"], row["value"], row["text"]) == ("x/1", 4.0, None)
    assert tables["tickets"].num_rows == 0


@pytest.mark.parametrize("rows", [{"ticket": []}, {"tickets": [{"reff": "x/1"}]}])
def test_a_misspelt_view_or_column_is_an_error(rows):
    with pytest.raises(ValueError, match="no such"):
        tables_from(rows)


def test_every_difference_is_named():
    tables = empty_tables()
    del tables["ideas"]
    tables["more"] = pa.table({"ref": ["x/1"]})
    tables["teams"] = pa.table({"ref": ["x/1"], "colour": ["red"]})
    tables["spans"] = tables["spans"].set_column(8, "started_at", pa.array([], type=pa.float64()))
    tables["services"] = tables["services"].select(["id", "ref", "source", "name", "active"])
    with pytest.raises(PluginError) as caught:
        check_tables(tables)
    message = str(caught.value)
    for part in (
        "ideas: missing",
        "more: not a documented view",
        "teams: columns missing ['id', 'source', 'name'], not documented ['colour']",
        "spans: started_at is double, not int64",
        "services: columns in another order",
    ):
        assert part in message
