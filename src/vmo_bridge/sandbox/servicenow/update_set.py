"""Takes an Update Set in, as an admin does by import, preview and commit; strictly, or not at all.

A real importer has checks of its own that nobody wrote down; this one holds the shape that exports
have, and refuses whatever deletes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from vmo_bridge.errors import ConfigError
from vmo_bridge.sandbox.servicenow.instance import Instance
from vmo_bridge.sandbox.servicenow.writes import Author, Writer

_ACTION = "INSERT_OR_UPDATE"
_ID = re.compile(r"[0-9a-f]{32}")
_KNOWN_BY = {
    "sys_db_object": ("name",),
    "sys_dictionary": ("name", "element"),
    "sys_documentation": ("name", "element", "language"),
    "sys_choice": ("name", "element", "value", "language"),
}
"""Tables whose rows are known by names; those of others by their sys_id."""


def take(instance: Instance, content: bytes) -> int:
    """Import, preview and commit; returns how many rows it held. ``ConfigError``: refused whole."""
    rows = list(_rows(content))
    with instance.writing():
        for table, values in rows:
            _put(instance, table, values)
    return len(rows)


def _rows(content: bytes) -> Iterator[tuple[str, dict[str, str]]]:
    """(table, fields) of every record, in the order of the set."""
    root = _parsed(content)
    if root.tag != "unload" or not root.get("unload_date"):
        raise _wrong(f"its root is {root.tag!r}, not 'unload' with a date")
    sets = root.findall("sys_remote_update_set")
    if len(sets) != 1 or sets[0].findtext("state") != "loaded":
        raise _wrong("it does not hold one sys_remote_update_set whose state is 'loaded'")
    set_id = sets[0].findtext("sys_id") or ""
    for change in root.findall("sys_update_xml"):
        name = change.findtext("name") or ""
        if change.findtext("remote_update_set") != set_id or not name:
            raise _wrong(f"the change {name!r} does not belong to the set")
        if not re.fullmatch(r"-?\d+", change.findtext("payload_hash") or ""):
            raise _wrong(f"{name}: its payload_hash is no number")
        payload = _parsed((change.findtext("payload") or "").encode())
        if payload.tag != "record_update":
            raise _wrong(f"{name}: its payload is {payload.tag!r}, not 'record_update'")
        _check_actions(name, change, payload)
        yield from _records(name, payload)


def _check_actions(name: str, *elements: ET.Element) -> None:
    for element in elements:
        for each in element.iter():
            action = each.get("action", _ACTION)
            if action != _ACTION or "delete" in each.tag:
                raise _wrong(f"{name}: {each.tag} {action!r} does more than insert or update")


def _records(name: str, parent: ET.Element) -> Iterator[tuple[str, dict[str, str]]]:
    for element in parent:
        if element.find("sys_id") is None:  # a wrapper, that names a column
            yield from _records(name, element)
            continue
        values = {field.tag: field.text or "" for field in element}
        if not _ID.fullmatch(values["sys_id"]):
            raise _wrong(f"{name}: {values['sys_id']!r} is no sys_id")
        yield element.tag, values


def _put(instance: Instance, table: str, values: dict[str, str]) -> None:
    if table not in instance.dictionary.tables:
        raise _wrong(f"there is no table {table!r}")
    writer, author = Writer(instance), Author("system")
    known_by = _KNOWN_BY.get(table)
    if known_by is None:
        old = instance.one(table, values["sys_id"])
    else:
        conditions = (
            f"{name}={values[name]}" if values[name] else f"{name}ISEMPTY" for name in known_by
        )
        old = next(iter(instance.rows(table, "^".join(conditions))), None)
    if old is None:
        writer.insert(table, values, author)
    else:
        writer.update(table, old, values, author)


def _parsed(text: bytes) -> ET.Element:
    try:
        return ET.fromstring(text)  # noqa: S314 - a file of whoever runs the sandbox, on loopback
    except ET.ParseError as error:
        raise _wrong(f"it is not well-formed XML ({error})") from None


def _wrong(what: str) -> ConfigError:
    return ConfigError(f"sandbox: the Update Set cannot be taken in: {what}; nothing was changed")
