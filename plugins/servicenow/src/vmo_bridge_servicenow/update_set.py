"""An Update Set as XML: what an admin previews and imports instead of letting us make it over REST.

The shape follows real exports; whether an importer takes a file that no instance wrote is only
proven by the preview of an admin. Nothing in it deletes, and the same needs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from xml.dom.minidom import Document, Element

from vmo_bridge_servicenow.blueprint import VIEW, Need, hashed

FILE = "vmo-bridge-update-set.xml"
_ACTION = "INSERT_OR_UPDATE"
_DATE = "2026-01-01 00:00:00"
"""Stands for every moment: a real one would make other bytes each time."""
_BY = "vmo.bridge"
_KINDS = {
    "sys_user_role": "Role",
    "sys_db_object": "Table",
    "sys_dictionary": "Dictionary",
    "sys_documentation": "Field Label",
    "sys_choice": "Choice list",
    "sys_ui_section": "Form Section",
    "sys_ui_element": "Form Element",
    "sys_ui_form_section": "Form Sections",
    "sys_ui_related_list": "Related Lists",
    "sys_ui_related_list_entry": "Related List Entry",
    "sys_security_acl": "Access Control",
    "sys_security_acl_role": "Access Roles",
}
_DESCRIBING = ("sys_db_object", "sys_dictionary", "sys_documentation", "sys_choice")
_TYPE_LABELS = {
    "collection": "Collection", "string": "String", "integer": "Integer", "decimal": "Decimal",
    "boolean": "True/False", "glide_date_time": "Date/Time", "url": "URL",
    "reference": "Reference",
}  # fmt: skip
_MAKER = Document()
"""Makes nodes, which belong where they are put."""


@dataclass(frozen=True, slots=True)
class Application:
    """The application whose files these are."""

    name: str = "Global"
    scope: str = "global"
    sys_id: str = "global"


@dataclass(frozen=True, slots=True)
class _Update:
    """One change: a row, or all choices of a column."""

    name: str
    needs: tuple[Need, ...]
    payload: str


def update_set(needs: Iterable[Need], key: Callable[[Need], str], owner: Application) -> bytes:
    """The file; ``key`` gives the sys_id that a needed row has, or is made with."""
    updates = list(_updates(needs, key, owner))
    set_id = hashed("sys_remote_update_set", *(each.payload for each in updates))
    document = Document()
    unload = document.createElement("unload")
    unload.setAttribute("unload_date", _DATE)
    document.appendChild(unload)
    title = f"VMO Bridge {set_id[:8]}"
    head = _head(set_id, title, owner)
    _record(unload, "sys_remote_update_set", head, {"application": owner.name})
    for number, each in enumerate(updates):
        labels = {"application": owner.name, "remote_update_set": title}
        row = _record(
            unload, "sys_update_xml", _fields(each, set_id, number, owner) | {"payload": ""}, labels
        )
        (place,) = row.getElementsByTagName("payload")
        place.appendChild(document.createCDATASection(each.payload))
    return document.toprettyxml(indent="", newl="\n", encoding="UTF-8")


def _updates(
    needs: Iterable[Need], key: Callable[[Need], str], owner: Application
) -> Iterator[_Update]:
    def place(need: Need) -> tuple[str, ...]:
        if need.table == "sys_choice":
            return (need.table, need.values["name"], need.values["element"])
        return (need.table, key(need))

    for _, group in groupby(needs, place):
        together = tuple(group)
        payload = _payload(together, key, owner)
        yield _Update(_name(together[0], key), together, payload)


def _name(need: Need, key: Callable[[Need], str]) -> str:
    values = need.values
    if need.table in ("sys_dictionary", "sys_documentation", "sys_choice"):
        language = "_en" if need.table == "sys_documentation" else ""
        return f"{need.table}_{values['name']}_{values['element'] or 'null'}{language}"
    return f"{need.table}_{key(need)}"


def _payload(needs: tuple[Need, ...], key: Callable[[Need], str], owner: Application) -> str:
    """A document of its own; labels and choices stand in a wrapper that names their column."""
    first = needs[0]
    document = Document()
    root = document.createElement("record_update")
    root.setAttribute("table", first.table)
    document.appendChild(root)
    parent = root
    of_table, element = first.values.get("name", ""), first.values.get("element", "")
    if first.table == "sys_documentation":
        about = {"element": element, "label": first.values["label"], "language": "en"}
        parent = _element(root, first.table, about | {"table": of_table})
    elif first.table == "sys_choice":
        about = {"action": _ACTION, "field": element, "table": of_table, "version": "1"}
        parent = _element(root, first.table, about)
    for need in needs:
        values = {**need.values, "sys_class_name": need.table, "sys_id": key(need)}
        values |= {column: key(other) for column, other in need.links.items()}
        labels = {column: other.values["name"] for column, other in need.links.items()}
        if "internal_type" in values:
            labels["internal_type"] = _TYPE_LABELS[values["internal_type"]]
        if owner.scope != "global" and need.table != "sys_choice":  # which has no such column
            values["sys_scope"], labels["sys_scope"] = owner.sys_id, owner.name
        row = _record(parent, need.table, dict(sorted(values.items())), labels)
        if need.table == "sys_dictionary":
            row.setAttribute("element", element)
            row.setAttribute("table", of_table)
    text: str = document.toxml(encoding="UTF-8").decode()
    return text


def _head(set_id: str, title: str, owner: Application) -> dict[str, str]:
    """The set itself, as an instance lists it that has loaded but not yet committed it."""
    return {
        "application": owner.sys_id, "application_name": owner.name,
        "application_scope": owner.scope, "application_version": "", "collisions": "",
        "commit_date": "", "deleted": "",
        "description": "Tables, fields, form sections, roles and access rules of VMO Bridge",
        "inserted": "", "name": title, "origin_sys_id": "", "parent": "", "release_date": "",
        "remote_base_update_set": "", "remote_parent_id": "",
        "remote_sys_id": hashed("remote", set_id), "state": "loaded", "summary": "",
        "sys_class_name": "sys_remote_update_set", "sys_created_by": _BY, "sys_created_on": _DATE,
        "sys_id": set_id, "sys_mod_count": "0", "sys_updated_by": "", "sys_updated_on": "",
        "update_set": "", "update_source": "", "updated": "",
    }  # fmt: skip


def _fields(update: _Update, set_id: str, number: int, owner: Application) -> dict[str, str]:
    """One change of the set; ``number`` keeps the order in which they can be made."""
    first = update.needs[0]
    describes = first.table in _DESCRIBING
    label = first.values.get("column_label") or first.values.get("label") or first.what
    return {
        "action": _ACTION, "application": owner.sys_id, "category": "customer", "comments": "",
        "name": update.name, "payload": "", "payload_hash": str(_signed(update.payload)),
        "remote_update_set": set_id, "replace_on_upgrade": "false",
        "sys_class_name": "sys_update_xml", "sys_id": hashed(set_id, update.name),
        "sys_recorded_at": f"{number:016x}",
        "table": first.values["name"] if describes else first.table,
        "target_name": first.values["element"] if first.table == "sys_choice" else label,
        "type": _KINDS[first.table], "update_domain": "global",
        "update_guid": hashed("guid", update.payload), "update_guid_history": "", "update_set": "",
        "view": VIEW if first.table.startswith("sys_ui_") else "",
    }  # fmt: skip


def _signed(payload: str) -> int:
    """A signed number of 32 bits, as exports have; how they compute theirs is not known."""
    return int.from_bytes(bytes.fromhex(hashed(payload)[:8]), signed=True)


def _record(
    parent: Element, name: str, values: Mapping[str, str], labels: Mapping[str, str]
) -> Element:
    row = _element(parent, name, {"action": _ACTION})
    for column, text in values.items():
        shown = {"display_value": labels[column]} if column in labels else {}
        field = _element(row, column, shown)
        if text:
            field.appendChild(_MAKER.createTextNode(text))
    return row


def _element(parent: Element, name: str, attributes: Mapping[str, str]) -> Element:
    element = _MAKER.createElement(name)
    for each, text in attributes.items():
        element.setAttribute(each, text)
    parent.appendChild(element)
    return element
