"""What an instance lacks to show our values: tables, columns and a section on the form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vmo_bridge.plugin import AccessError, Column, ProvisionStep, TargetTable, WriteRefused
from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.client import TableClient
from vmo_bridge_servicenow.writer import RecordWriter

SECTION = "Value"
"""The caption of our form section."""

_TYPES = {
    "string": "string",
    "integer": "integer",
    "decimal": "decimal",
    "boolean": "boolean",
    "datetime": "glide_date_time",
    "url": "url",
    "reference": "reference",
}


def plan(client: TableClient, tables: Sequence[TargetTable]) -> list[ProvisionStep]:
    """The steps that are missing, in the order in which they have to be made."""
    steps: list[ProvisionStep] = []
    for table in tables:
        steps += _table_steps(client, table)
        steps += _column_steps(client, table)
        steps += _form_steps(client, table)
    return steps


def make(writer: RecordWriter, step: ProvisionStep) -> None:
    """Make one missing thing."""
    values = dict(step.values)
    if step.table == "sys_ui_element":
        values["sys_ui_section"] = _section_id(writer, values["sys_ui_section"])
    writer.create(step.table, values)


def _table_steps(client: TableClient, table: TargetTable) -> Iterator[ProvisionStep]:
    if table.create and not _names(client, "sys_db_object", "name", name=table.table):
        yield ProvisionStep(
            what=f"table {table.table} ({table.label})",
            table="sys_db_object",
            values={"name": table.table, "label": table.label},
        )


def _column_steps(client: TableClient, table: TargetTable) -> Iterator[ProvisionStep]:
    there = _names(client, "sys_dictionary", "element", name=table.table)
    for column in table.columns:
        if column.name not in there:
            yield ProvisionStep(
                what=f"column {table.table}.{column.name} ({column.label})",
                table="sys_dictionary",
                values=_dictionary_entry(table.table, column),
            )


def _dictionary_entry(table: str, column: Column) -> dict[str, str]:
    entry = {
        "name": table,
        "element": column.name,
        "column_label": column.label,
        "internal_type": _TYPES[column.type],
        "active": "true",
    }
    if column.max_length:
        entry["max_length"] = str(column.max_length)
    if column.reference:
        entry["reference"] = column.reference
    if column.hint:
        entry["comments"] = column.hint
    return entry


def _form_steps(client: TableClient, table: TargetTable) -> Iterator[ProvisionStep]:
    if not table.show:
        return
    ours = _names(client, "sys_ui_section", "sys_id", name=table.table, caption=SECTION)
    shown: set[str] = set()
    if ours:
        shown = _names(client, "sys_ui_element", "element", sys_ui_section=min(ours))
    else:
        yield ProvisionStep(
            what=f"form section '{SECTION}' on {table.table}",
            table="sys_ui_section",
            values={"name": table.table, "caption": SECTION, "view": "Default view"},
        )
    for position, element in enumerate(table.show):
        if element not in shown:
            yield ProvisionStep(
                what=f"{element} in the form section '{SECTION}' of {table.table}",
                table="sys_ui_element",
                values={
                    "sys_ui_section": table.table,
                    "element": element,
                    "position": str(position),
                },
            )


def _section_id(writer: RecordWriter, table: str) -> str:
    """The section that ``plan`` looked at: a form may have one in each of its views."""
    rows = writer.rows("sys_ui_section", {"name": table, "caption": SECTION})
    if not rows:
        raise WriteRefused(f"there is no form section {SECTION!r} on {table} yet; provision anew")
    return min(str(row["sys_id"]) for row in rows)


def _names(client: TableClient, table: str, column: str, **where: str) -> set[str]:
    """The values of a column in the rows where the others are equal; checked on our side too."""
    condition = "^".join(f"{query.column(k)}={query.value(v)}" for k, v in where.items())
    rows = client.rows(table, query=condition, fields=(column, *where), limit=10_000).rows
    found = [row for row in rows if all(row.get(k) == v for k, v in where.items())]
    if rows and not all({column, *where} <= row.keys() for row in rows):
        raise AccessError(f"{table}: {', '.join((column, *where))} cannot be read; give the right")
    return {row[column] for row in found}
