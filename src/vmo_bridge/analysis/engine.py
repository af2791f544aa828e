"""The engine: portable SQL over Arrow tables, in an embedded DuckDB that sees nothing else.

The portable subset, which runs unchanged on DuckDB and on Spark SQL:

- one SELECT, with common table expressions, joins (also on ranges), ``union``, ``union all``,
  sub-selects;
- ``group by``, ``grouping sets`` and ``grouping()``, ``having``, aggregates with
  ``filter (where …)``, ``count(distinct x)``, ``percentile_cont(p) within group (order by x)``;
- window functions (``row_number``, ``lag``, ``lead``, ``sum … over``);
- ``case when``, ``coalesce``, ``cast(x as double)``, ``lower``, ``is [not] distinct from``;
- times are epoch seconds, so that a duration is a subtraction: no date functions;
- a number with a fraction is written as ``cast(… as double)`` or ``1e0``: ``1.0`` is a decimal;
- parameters are written ``$name`` and are bound, never pasted (Spark spells them ``:name``).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import duckdb
import pyarrow as pa

from vmo_bridge.errors import PluginError

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",  # neither files nor network
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",  # a misspelt table must not find a Python variable
}


class Analysis:
    """The documented views as SQL tables, for as long as the ``with`` block lasts.

    ``tables`` are read where they are (no copy). ``threads`` bounds the CPU it takes; None leaves
    the choice to the engine. Nothing is written to disk and nothing is fetched from outside.
    Not for use by several threads at once.
    """

    def __init__(self, tables: Mapping[str, pa.Table], *, threads: int | None = None) -> None:
        settings = _SETTINGS if threads is None else {**_SETTINGS, "threads": str(threads)}
        self._connection = duckdb.connect(":memory:", config=settings)
        self._connection.execute("SET TimeZone = 'UTC'").fetchall()
        for name, table in tables.items():
            self._connection.register(name, table)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free the engine; a second call does nothing."""
        self._connection.close()

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run one SELECT and give its rows as dicts; only the ``parameters`` it names are bound.

        Raises PluginError for SQL that is wrong; the caller adds whose SQL it is.
        """
        try:
            relation = self._relation(sql, parameters or {})
            columns: list[str] = relation.columns
            return [dict(zip(columns, row, strict=True)) for row in relation.fetchall()]
        except duckdb.Error as err:
            raise PluginError(_reason(err)) from err

    def arrow(self, sql: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """As ``query``, with the result as an Arrow table: for results too large for dicts."""
        try:
            return self._relation(sql, parameters or {}).to_arrow_table()
        except duckdb.Error as err:
            raise PluginError(_reason(err)) from err

    def _relation(self, sql: str, parameters: Mapping[str, Any]) -> Any:
        statements = self._connection.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise PluginError("not one SELECT statement")
        named = statements[0].named_parameters
        missing = sorted(named - parameters.keys())
        if missing:
            known = ", ".join(sorted(parameters)) or "none"
            raise PluginError(f"no value for ${', $'.join(missing)}; there are: {known}")
        bound = {name: parameters[name] for name in named}
        return self._connection.sql(sql, params=bound) if bound else self._connection.sql(sql)


def _reason(error: duckdb.Error) -> str:
    """What is wrong with the SQL.

    A data error quotes the value it stumbled on, which may be personal: only its kind is told.
    """
    if isinstance(error, duckdb.ProgrammingError):
        return str(error)
    return f"{type(error).__name__} while the SQL ran"
