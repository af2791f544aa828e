"""The documented views (docs/tables.md) as Arrow schemas: what the store gives, the SQL reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from vmo_bridge.errors import PluginError

_COLUMNS: Mapping[str, str] = {
    "tickets": """
        ref id source number type original_type title description state original_state priority
        original_priority category subcategory service_ref service user_group_ref user_group
        team_ref team requester_ref problem_ref parent_ref opened_at opened_day opened_month
        resolved_at resolved_day resolved_month closed_at updated_at reopen_count
        reassignment_count made_sla business_seconds calendar_seconds close_code close_notes
        channel reconstructed""",
    "sla_outcomes": """
        ref id source ticket_ref name target stage breached started_at ended_at due_at""",
    "spans": "ref id source ticket_ref field value_ref value original_value started_at ended_at",
    "feedback": """
        ref id source number survey_ref survey person_ref ticket_ref ticket_by service_ref service
        service_by user_group_ref user_group user_group_by ticket_number service_name
        user_group_name state original_state invited_at invited_day invited_month answered_at
        answered_day answered_month""",
    "answers": """
        ref id source feedback_ref feedback_number survey_ref survey question_ref question metric
        value text scale_min scale_max person_ref ticket_ref service_ref service user_group_ref
        user_group answered_at answered_day answered_month""",
    "persons": "ref id source user_group_ref user_group active",
    "user_groups": "ref id source name headcount parent_ref",
    "services": "ref id source name active",
    "teams": "ref id source name",
    "initiatives": """
        ref id source number type title description state original_state service_ref service
        parent_ref owner_ref opened_at closed_at updated_at""",
    "links": "ref id source from_ref to_ref to_number named_in",
    "ideas": "ref id source number title state original_state submitter_ref opened_at",
}

_BOOLEANS = frozenset({"breached", "made_sla", "active", "reconstructed"})
_INTEGERS = frozenset({"priority", "headcount"})
_DOUBLES = frozenset({("answers", "value"), ("answers", "scale_min"), ("answers", "scale_max")})


def _type(table: str, column: str) -> pa.DataType:
    if column in _BOOLEANS:
        return pa.bool_()
    if column in _INTEGERS or column.endswith(("_at", "_count", "_seconds")):
        return pa.int64()
    if (table, column) in _DOUBLES:
        return pa.float64()
    return pa.string()


VIEWS: dict[str, pa.Schema] = {
    table: pa.schema([(column, _type(table, column)) for column in columns.split()])
    for table, columns in _COLUMNS.items()
}
"""By name of the view: its columns in the documented order. Every column may be NULL."""


def tables_from(rows: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, pa.Table]:
    """Build all views from plain rows; a view or column that is not given is empty or NULL.

    A column that the documentation does not know is an error: a typing slip would vanish otherwise.
    """
    unknown = rows.keys() - VIEWS.keys()
    if unknown:
        raise ValueError(f"no such view: {', '.join(sorted(unknown))}")
    return {name: _table(name, schema, rows.get(name, ())) for name, schema in VIEWS.items()}


def _table(name: str, schema: pa.Schema, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    items = [dict(row) for row in rows]
    unknown = {column for row in items for column in row} - set(schema.names)
    if unknown:
        raise ValueError(f"{name}: no such column: {', '.join(sorted(unknown))}")
    return pa.Table.from_pylist(items, schema=schema)


def empty_tables() -> dict[str, pa.Table]:
    """Every documented view without a row."""
    return {name: schema.empty_table() for name, schema in VIEWS.items()}


def check_tables(tables: Mapping[str, pa.Table]) -> None:
    """Hold tables to the documentation: each view there, with its columns, order and types.

    Raises PluginError that names every difference, for a wrong type gives wrong numbers in silence.
    """
    problems = [f"{name}: missing" for name in VIEWS if name not in tables]
    for name, table in tables.items():
        schema = VIEWS.get(name)
        if schema is None:
            problems.append(f"{name}: not a documented view")
        elif not table.schema.equals(schema):
            problems.append(f"{name}: {_difference(table.schema, schema)}")
    if problems:
        raise PluginError(f"the tables are not those of docs/tables.md: {'; '.join(problems)}")


def _difference(given: pa.Schema, documented: pa.Schema) -> str:
    missing = [column for column in documented.names if column not in given.names]
    extra = [column for column in given.names if column not in documented.names]
    if missing or extra:
        return f"columns missing {missing}, not documented {extra}"
    if given.names != documented.names:
        return f"columns in another order: {given.names}"
    wrong = [
        f"{field.name} is {given.field(field.name).type}, not {field.type}"
        for field in documented
        if given.field(field.name).type != field.type
    ]
    return ", ".join(wrong) or "columns differ in more than name and type"
