"""What an instance lacks to show our values: looked up, planned, and made as far as REST allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from vmo_bridge.plugin import (
    Change,
    ConfigError,
    Package,
    ProvisionStep,
    TargetTable,
    WriteRefused,
)
from vmo_bridge_servicenow import query
from vmo_bridge_servicenow.blueprint import KEYS, SECTION, VIEW, Names, Need, names_of, needs
from vmo_bridge_servicenow.client import TableClient
from vmo_bridge_servicenow.standing import Standing, read
from vmo_bridge_servicenow.update_set import FILE, Application, update_set
from vmo_bridge_servicenow.writer import RecordWriter

_LINKS = {
    "sys_ui_section": ("sys_ui_section", {"caption": SECTION}, f"form section {SECTION!r}"),
    "sys_ui_form": ("sys_ui_form", {"view": VIEW}, "form"),
    "list_id": ("sys_ui_related_list", {"view": VIEW}, "set of related lists"),
}
"""Columns of a step that name the table whose row they lead to."""
_NAMED = ("sys_dictionary", "sys_documentation", "sys_choice")
"""Their changes carry names of tables and columns, by which an instance knows its own rows."""


def plan(client: TableClient, tables: Sequence[TargetTable]) -> list[ProvisionStep]:
    """The steps that are missing, in the order in which they have to be made.

    Access rules are left out where the user may not see whether they are there.
    """
    wanted = [need for need in needs(tables) if need.planned]
    return [_step(need) for need in missing(wanted, Standing(client, wanted))]


def missing(wanted: Iterable[Need], standing: Standing) -> Iterator[Need]:
    """What is not there, and would be made."""
    for need in wanted:
        nowhere = any(each.theirs and not standing.ids(each) for each in need.links.values())
        if not (need.theirs or nowhere or standing.is_there(need) or standing.is_hidden(need)):
            yield need


def make(writer: RecordWriter, step: ProvisionStep) -> None:
    """Make one missing thing; ``WriteRefused`` for what only an Update Set can make.

    It is looked for first: an earlier attempt may have arrived without its reply.
    """
    if not step.over_rest:
        raise WriteRefused(
            f"{step.what}: cannot be made over REST; "
            "import the file that 'vmo-bridge provision --update-set FILE' writes"
        )
    values = dict(step.values)
    for column in _LINKS.keys() & values.keys():
        values[column] = _linked(writer, column, values[column])
    match = {name: values[name] for name in KEYS[step.table]}
    found = writer.rows(step.table, match)
    if not found:
        writer.create(step.table, values)
    elif step.table == "sys_documentation":  # it came with its column, and has no hint yet
        hint = {"hint": values["hint"]}
        key = str(found[0]["sys_id"])
        writer.write(Change(table=step.table, key=key, match={}, values=hint))


def package(client: TableClient, tables: Sequence[TargetTable]) -> Package:
    """Everything as an Update Set, whether it is there or not.

    What stands there already under a sys_id of its own (a form, its related lists, what REST
    made) keeps it, so that nothing is made twice.
    """
    wanted = needs(tables)
    standing = Standing(client, wanted)

    def key(need: Need) -> str:
        ids = [] if need.table in _NAMED else standing.ids(need)
        return ids[0] if ids else need.sys_id

    owner = _application(client, names_of(tables))
    packed = (need for need in wanted if _is_ours(need, standing))
    return Package(name=FILE, content=update_set(packed, key, owner))


def _is_ours(need: Need, standing: Standing) -> bool:
    """Whether an Update Set of ours may hold it: no form, list or column that others made."""
    ids = standing.ids(need)
    if need.table == "sys_ui_related_list":
        return not ids or ids[0] == need.sys_id
    if need.table == "sys_ui_form_section":
        return bool(standing.ids(need.links["sys_ui_form"]))
    return not (need.theirs or standing.is_inherited(need))


def _application(client: TableClient, names: Names) -> Application:
    """The application of a scoped prefix; ``ConfigError`` where the instance has none."""
    if names.scope == "global":
        return Application()
    where = f"scope={query.value(names.scope)}"
    rows = [
        row
        for row in read(client, "sys_scope", where, ("sys_id", "scope", "name"))
        if row["scope"] == names.scope
    ]
    if not rows:
        raise ConfigError(
            f"the instance has no application with the scope {names.scope!r}, by which "
            f"publish.prefix and the tables begin; make it in Studio, or take a prefix with 'u_'"
        )
    return Application(str(rows[0]["name"]), names.scope, str(rows[0]["sys_id"]))


def _step(need: Need) -> ProvisionStep:
    links = {column: other.values["name"] for column, other in need.links.items()}
    return ProvisionStep(
        what=need.what,
        table=need.table,
        values={**need.values, **links, "sys_id": need.sys_id},
        over_rest=need.over_rest,
    )


def _linked(writer: RecordWriter, column: str, name: str) -> str:
    """The row that ``plan`` looked at: a form may have one in each of its views."""
    table, more, what = _LINKS[column]
    rows = writer.rows(table, {"name": name, **more})
    if not rows:
        raise WriteRefused(f"there is no {what} on {name} yet; provision anew")
    return min(str(row["sys_id"]) for row in rows)
