"""Tables and columns made over REST: naming rules, and the physical side of a dictionary row."""

from __future__ import annotations

import re
import uuid

from vmo_bridge.sandbox.servicenow import catalogue
from vmo_bridge.sandbox.servicenow.dictionary import Row
from vmo_bridge.sandbox.servicenow.instance import DESCRIBING, Instance
from vmo_bridge.sandbox.servicenow.replies import operation_failed

_OWN_NAME = re.compile(r"(u|x_[a-z0-9]{2,5})(_[a-z0-9]+)+")
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def prepare(instance: Instance, table: str, row: Row) -> None:
    """Check and complete a row that describes a table or a column, before it is stored."""
    if table == "sys_db_object":
        _prepare_table(instance, row)
    elif table == "sys_dictionary":
        _prepare_column(instance, row)


def complete(instance: Instance, table: str, row: Row) -> None:
    """Make what a stored row describes."""
    if table == "sys_db_object":
        _make_table(instance, row)
    elif table == "sys_dictionary" and row.get("element"):
        root = instance.dictionary.root(row["name"])
        instance.add_column(root, row["element"], row["internal_type"])
        _keep_label(instance, row)
    if table in DESCRIBING:
        instance.forget_dictionary()


def _prepare_table(instance: Instance, row: Row) -> None:
    name = row.get("name", "")
    tables = instance.dictionary.tables
    if not _OWN_NAME.fullmatch(name):
        raise operation_failed(
            f"Error during insert of sys_db_object ({name}): a table name starts with u_ or with "
            "an application prefix x_, in lower case"
        )
    if name in tables:
        raise _duplicate("sys_db_object", name)
    parent = row.get("super_class", "")
    if parent in tables:
        row["super_class"] = tables[parent].sys_id
    row["label"] = row.get("label") or name


def _prepare_column(instance: Instance, row: Row) -> None:
    table, element = row.get("name", ""), row.get("element", "")
    tables = instance.dictionary.tables
    if table not in tables:
        raise operation_failed(f"Error during insert of sys_dictionary: no table {table!r}")
    allowed = _PLAIN_NAME if table.startswith("x_") else _OWN_NAME
    if not allowed.fullmatch(element):
        raise operation_failed(
            f"Error during insert of sys_dictionary ({table}.{element}): a column name starts "
            "with u_ or with an application prefix x_, in lower case"
        )
    if element in instance.dictionary.columns(table):
        raise _duplicate("sys_dictionary", f"{table}.{element}")
    row["internal_type"] = row.get("internal_type") or "string"
    if row["internal_type"] == "reference" and row.get("reference") not in tables:
        raise operation_failed(
            f"Error during insert of sys_dictionary ({table}.{element}): a reference leads to a "
            f"table, and {row.get('reference', '')!r} is none"
        )
    row["column_label"] = row.get("column_label") or element.removeprefix("u_").replace("_", " ")
    row["max_length"] = row.get("max_length") or "40"


def _keep_label(instance: Instance, row: Row) -> None:
    """A new column has its label, and no hint yet."""
    stamps = {name: value for name, value in row.items() if name.startswith("sys_")}
    names = {"name": row["name"], "element": row["element"], "language": "en"}
    label = {"label": row["column_label"], "sys_id": uuid.uuid4().hex}
    instance.load("sys_documentation", [stamps | names | label])


def _duplicate(table: str, name: str) -> Exception:
    return operation_failed(
        f"Error during insert of {table} ({name}): Unique Key violation detected by database"
    )


def _make_table(instance: Instance, row: Row) -> None:
    stamps = {name: value for name, value in row.items() if name.startswith("sys_")}
    described = [catalogue.collection_row("", row["name"], row["label"])]
    if not row.get("super_class"):
        lines = catalogue.system_columns(row["name"])
        instance.create_storage(row["name"], catalogue.kinds(lines))
        described += [catalogue.column_row("", row["name"], line) for line in lines]
    instance.load(
        "sys_dictionary", [each | stamps | {"sys_id": uuid.uuid4().hex} for each in described]
    )
