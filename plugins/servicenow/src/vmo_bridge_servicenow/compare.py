"""Whether the fields that are there can hold our values: type, length, reference, read-only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vmo_bridge.plugin import Column, Difference, TargetTable
from vmo_bridge_servicenow import hierarchy, query
from vmo_bridge_servicenow.blueprint import TYPES
from vmo_bridge_servicenow.client import TableClient
from vmo_bridge_servicenow.standing import hidden, parents, read

_TEXTS = ("string", "url")
_FITTING = {
    "string": _TEXTS,
    "url": _TEXTS,
    "integer": ("integer", "longint", "decimal", "float", "string"),
    "decimal": ("decimal", "float", "string"),
    "boolean": ("boolean", "string"),
    "datetime": ("glide_date_time", "string"),
    "reference": ("reference",),
}
"""What a field of the admin's own may be to hold a value as it is."""
_ASKED = (
    "name", "element", "internal_type", "max_length", "reference", "read_only", "active", "choice",
)  # fmt: skip


def differences(
    client: TableClient, tables: Sequence[TargetTable], theirs: Sequence[TargetTable]
) -> list[Difference]:
    """What differs, and (of the admin's own fields) what is missing; writes nothing."""
    above = parents(client)
    found = [
        difference
        for ours, each in ((True, tables), (False, theirs))
        for table in each
        for difference in _of_table(client, table, [*hierarchy.chain(table.table, above)], ours)
    ]
    unseen = hidden(client)
    if unseen:
        detail = (
            f"this user may not read {unseen}: whether roles and access rules are there, and let "
            "the values be written, cannot be proved before a write; ask an admin to run the check"
        )
        found.append(Difference(what="access rules", state="unknown", detail=detail))
    return found


def _of_table(
    client: TableClient, table: TargetTable, chain: list[str], ours: bool
) -> Iterator[Difference]:
    names = [column.name for column in table.columns]
    if not names:
        return
    where = query.together(query.any_of("name", chain), query.any_of("element", names))
    rows = read(client, "sys_dictionary", where, _ASKED)
    # What a table says of a column goes before what the tables say that it extends.
    rows = sorted(
        (row for row in rows if row["name"] in chain), key=lambda r: -chain.index(r["name"])
    )
    there = {str(row["element"]): row for row in rows}
    for column in table.columns:
        what = f"{table.table}.{column.name}"
        if column.name in there:
            for detail in _unfit(there[column.name], column, ours):
                yield Difference(what=what, state="differs", detail=detail)
        elif not ours:
            detail = "the instance has no such field; make it, or change publish.map"
            yield Difference(what=what, state="missing", detail=detail)


def _unfit(row: dict[str, str], column: Column, ours: bool) -> Iterator[str]:
    type_, wanted = row["internal_type"], TYPES[column.type]
    fitting = (wanted,) if ours else _FITTING[column.type]
    if type_ not in fitting:
        yield f"its type is {type_!r} and should be {wanted!r}; delete it there and provision anew"
        return
    length, needed = row["max_length"], column.max_length or 0
    if type_ in _TEXTS and length.isdigit() and int(length) < needed:
        yield f"its max_length is {length} and should be {needed}; raise it in the dictionary"
    if column.type == "reference" and row["reference"] != column.reference:
        yield f"it leads to {row['reference']!r} and should lead to {column.reference!r}"
    if ours and column.choices and row["choice"] in ("", "0"):
        yield "it is no choice there; set Choice to 'Dropdown with -- None --' in the dictionary"
    if row["read_only"] == "true":
        yield "it is read-only in the dictionary, and no value can be written; take that off"
    if row["active"] == "false":
        yield "it is not active in the dictionary; switch it on"
