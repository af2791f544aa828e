"""Everything an instance has to have for our values, as rows of its own describing tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vmo_bridge.plugin import Column, TargetTable

SECTION = "Value"
"""The caption of our form section."""
VIEW = "Default view"
"""The sys_id of the view that everybody has."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "sys_user_role": ("name",),
    "sys_db_object": ("name",),
    "sys_dictionary": ("name", "element"),
    "sys_documentation": ("name", "element", "language"),
    "sys_choice": ("name", "element", "value", "language"),
    "sys_ui_section": ("name", "caption"),
    "sys_ui_element": ("sys_ui_section", "element"),
    "sys_ui_form": ("name", "view"),
    "sys_ui_form_section": ("sys_ui_form", "sys_ui_section"),
    "sys_ui_related_list": ("name", "view"),
    "sys_ui_related_list_entry": ("list_id", "related_list"),
    "sys_security_acl": ("name", "operation"),
    "sys_security_acl_role": ("sys_security_acl", "sys_user_role"),
}
"""By what a row of each table is told from the others."""

TYPES = {
    "string": "string",
    "integer": "integer",
    "decimal": "decimal",
    "boolean": "boolean",
    "datetime": "glide_date_time",
    "url": "url",
    "reference": "reference",
}
"""The platform's name of each type."""
_DROPDOWN = "1"
"""``sys_dictionary.choice`` of a list that may be left empty."""
_BEHIND_OTHERS = "50"
"""Where our section stands on a form: behind those of the platform."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Need:
    """One row that the instance has to have."""

    what: str
    table: str
    values: Mapping[str, str]
    links: Mapping[str, Need] = field(default_factory=dict)
    """Columns that lead to another needed row."""
    over_rest: bool = True
    """Whether it can be made over REST."""
    planned: bool = True
    """False: it comes by itself with another row, and stands in an Update Set only."""
    theirs: bool = False
    """Only used where it is there already: it is never made."""

    @property
    def sys_id(self) -> str:
        """The sys_id it is made with: always the same for the same row."""
        links, names = self.links, KEYS[self.table]
        told = (links[name].sys_id if name in links else self.values[name] for name in names)
        return hashed(self.table, *told)


@dataclass(frozen=True, slots=True)
class Names:
    """How roles and the application are called, by what all our names begin with."""

    prefix: str

    @property
    def scope(self) -> str:
        """The application's scope, or "global"."""
        return self.prefix.rstrip("_") if self.prefix.startswith("x_") else "global"

    def role(self, name: str) -> str:
        """``u_vmo_bridge_writer``, or of an application ``x_acme_vmo.bridge_writer``."""
        return f"{self.prefix}{name}" if self.scope == "global" else f"{self.scope}.{name}"


def hashed(*parts: str) -> str:
    """32 hex characters that always stand for the same parts."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def names_of(tables: Sequence[TargetTable]) -> Names:
    """By the beginning that our tables, and our columns on others' tables, have in common."""
    ours = [table.table for table in tables if table.create]
    ours += [column.name for table in tables if not table.create for column in table.columns]
    words = [name.split("_")[:-1] for name in ours]
    common = ""
    for first, *others in zip(*words, strict=False):
        if any(each != first for each in others):
            break
        common += f"{first}_"
    return Names(common if common.startswith(("u_", "x_")) else "u_vmo_")


def needs(tables: Sequence[TargetTable]) -> list[Need]:
    """All rows, in an order in which each can be made after those before it."""
    names = names_of(tables)
    writer, reader = (
        Need(
            what=f"role {names.role(name)}",
            table="sys_user_role",
            values={"name": names.role(name), "description": description},
        )
        for name, description in (
            ("bridge_writer", "Writes the values of VMO Bridge: for its integration user alone."),
            ("bridge_reader", "Reads the KPI results and signals of VMO Bridge."),
        )
    )
    return [
        writer,
        reader,
        *(need for table in tables for need in _of_table(table)),
        *(need for table in tables for column in table.columns for need in _column(table, column)),
        *(need for table in tables for need in _form(table)),
        *(need for table in tables for need in _related(table)),
        *(need for table in tables for need in _rules(table, writer, reader)),
    ]


def _of_table(table: TargetTable) -> Iterator[Need]:
    if not table.create:
        return
    told = f"table {table.table} ({table.label})"
    yield Need(
        what=told,
        table="sys_db_object",
        values={"name": table.table, "label": table.label},
    )
    yield Need(
        what=told,
        table="sys_dictionary",
        values={
            "name": table.table, "element": "", "internal_type": "collection",
            "column_label": table.label, "active": "true",
        },
        planned=False,
    )  # fmt: skip
    yield _label(table.table, "", table.label)


def _label(table: str, element: str, label: str, hint: str = "") -> Need:
    """The label of a table or a column comes with it; its hint has to be made."""
    hints = {"hint": hint} if hint else {}
    return Need(
        what=f"hint of {table}.{element}",
        table="sys_documentation",
        values={"name": table, "element": element, "language": "en", "label": label} | hints,
        planned=bool(hint),
    )


def _column(table: TargetTable, column: Column) -> Iterator[Need]:
    entry = {
        "name": table.table,
        "element": column.name,
        "column_label": column.label,
        "internal_type": TYPES[column.type],
        "active": "true",
        "max_length": str(column.max_length or ""),
        "reference": column.reference,
        "choice": _DROPDOWN if column.choices else "",
        "comments": column.hint,
    }
    yield Need(
        what=f"column {table.table}.{column.name} ({column.label})",
        table="sys_dictionary",
        values={name: value for name, value in entry.items() if value},
    )
    yield _label(table.table, column.name, column.label, column.hint)
    for order, (value, label) in enumerate(column.choices):
        yield Need(
            what=f"choice {value!r} ({label}) of {table.table}.{column.name}",
            table="sys_choice",
            values={
                "name": table.table, "element": column.name, "value": value, "label": label,
                "language": "en", "sequence": str(order), "inactive": "false",
            },
        )  # fmt: skip


def _form(table: TargetTable) -> Iterator[Need]:
    if not table.show:
        return
    section = Need(
        what=f"form section '{SECTION}' on {table.table}",
        table="sys_ui_section",
        values={"name": table.table, "caption": SECTION, "view": VIEW},
    )
    form = Need(
        what=f"form of {table.table}",
        table="sys_ui_form",
        values={"name": table.table, "view": VIEW},
        theirs=True,  # one of our own would be a form without the sections that are there
    )
    yield section
    yield form
    yield Need(
        what=f"place of the section '{SECTION}' on the form of {table.table}",
        table="sys_ui_form_section",
        values={"position": _BEHIND_OTHERS},
        links={"sys_ui_form": form, "sys_ui_section": section},
    )
    for position, element in enumerate(table.show):
        yield Need(
            what=f"{element} in the form section '{SECTION}' of {table.table}",
            table="sys_ui_element",
            values={"element": element, "position": str(position)},
            links={"sys_ui_section": section},
        )


def _related(table: TargetTable) -> Iterator[Need]:
    if not table.related:
        return
    lists = Need(
        what=f"related lists of {table.table}",
        table="sys_ui_related_list",
        values={"name": table.table, "view": VIEW},
    )
    yield lists
    for position, (other, column) in enumerate(table.related):
        yield Need(
            what=f"list of {other} below the form of {table.table}",
            table="sys_ui_related_list_entry",
            values={"related_list": f"{other}.{column}", "position": str(100 + position)},
            links={"list_id": lists},
        )


def _rules(table: TargetTable, writer: Need, reader: Need) -> Iterator[Need]:
    """Our tables are read by both roles and written by the writer; our fields elsewhere by it."""
    if table.create:
        for operation in ("read", "create", "write", "delete"):
            roles = (reader, writer) if operation == "read" else (writer,)
            yield from _rule(table.table, operation, roles)
        return
    for column in table.columns:
        yield from _rule(f"{table.table}.{column.name}", "write", (writer,))


def _rule(name: str, operation: str, roles: Sequence[Need]) -> Iterator[Need]:
    rule = Need(
        what=f"access rule: {operation} {name}",
        table="sys_security_acl",
        values={
            "name": name, "operation": operation, "type": "record", "active": "true",
            "admin_overrides": "true", "advanced": "false",
            "description": "Made for VMO Bridge",
        },
        over_rest=False,
    )  # fmt: skip
    yield rule
    for role in roles:
        yield Need(
            what=f"access rule: {operation} {name} for {role.values['name']}",
            table="sys_security_acl_role",
            values={},
            links={"sys_security_acl": rule, "sys_user_role": role},
            over_rest=False,
        )
