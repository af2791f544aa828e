"""Inserts, updates and deletes as the platform does them, each noted in the write log."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from vmo_bridge.sandbox.servicenow import moments, provision
from vmo_bridge.sandbox.servicenow.dictionary import JOURNAL, MOMENT, NUMERIC, WHOLE, Column, Row
from vmo_bridge.sandbox.servicenow.instance import DESCRIBING, Instance

_UTC = ZoneInfo("UTC")
_SYSTEM = frozenset(
    {"sys_id", "sys_created_on", "sys_created_by", "sys_updated_on", "sys_updated_by",
     "sys_mod_count", "sys_class_name"}
)  # fmt: skip
_PREFIX = {
    "incident": "INC", "problem": "PRB", "change_request": "CHG", "sc_req_item": "RITM",
    "sc_request": "REQ", "asmt_assessment_instance": "AINST", "dmn_demand": "DMND",
    "kb_knowledge": "KB", "interaction": "IMS",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes and how: ``display`` means the values are display values in ``zone``.

    ``ignored`` are elements dropped in silence; ``silent`` writes leave no stamp on the row, and
    ``unaudited`` deletions no trace in sys_audit_delete, as those of a Table Cleaner.
    """

    user: str
    zone: ZoneInfo = _UTC
    display: bool = False
    ignored: frozenset[str] = frozenset()
    silent: bool = False
    unaudited: bool = False


class Writer:
    """Writes rows of one instance."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    def insert(self, table: str, values: Mapping[str, object], author: Author) -> str:
        """A new row; returns its sys_id (the caller's own when ``values`` name one)."""
        instance = self._instance
        with instance.writing():
            row = self._defaults(table, author)
            row |= self._clean(table, values, author)
            row["sys_id"] = str(values.get("sys_id") or uuid.uuid4().hex)
            provision.prepare(instance, table, row)
            journal = self._journal(table, row)
            instance.load(table, [row])
            self._keep_journal(table, row["sys_id"], journal, author)
            changes = {name: ["", value] for name, value in row.items() if value}
            instance.note(author.user, table, row["sys_id"], "insert", changes)
            provision.complete(instance, table, row)
        return row["sys_id"]

    def update(self, table: str, old: Row, values: Mapping[str, object], author: Author) -> bool:
        """Change a row; returns whether anything changed. Unchanged values leave no trace."""
        instance = self._instance
        with instance.writing() as db:
            table = old.get("sys_class_name") or table
            cleaned = self._clean(table, values, author)
            journal = self._journal(table, cleaned)
            changed = {name: value for name, value in cleaned.items() if old[name] != value}
            if not changed and not journal:
                return False
            if not author.silent:
                changed |= self._stamp(author)
                changed["sys_mod_count"] = str(int(old["sys_mod_count"] or 0) + 1)
            marks = ", ".join(f'"{name}" = ?' for name in changed)
            db.execute(
                f'UPDATE "{instance.dictionary.root(table)}" SET {marks} WHERE sys_id = ?',
                [*changed.values(), old["sys_id"]],
            )
            self._keep_journal(table, old["sys_id"], journal, author)
            changes = {name: [old[name], value] for name, value in changed.items()}
            changes |= {name: ["", value] for name, value in journal.items()}
            instance.note(author.user, table, old["sys_id"], "update", changes)
        if table in DESCRIBING:
            instance.forget_dictionary()
        return True

    def delete(self, table: str, old: Row, author: Author) -> None:
        """Remove a row; the deletion is filed under the row's real class."""
        instance = self._instance
        dictionary = instance.dictionary
        table = old.get("sys_class_name") or table
        with instance.writing() as db:
            db.execute(f'DELETE FROM "{dictionary.root(table)}" WHERE sys_id = ?', [old["sys_id"]])
            if dictionary.audits_deletion(table) and not author.unaudited:
                self._file_deletion(table, old, author)
            changes = {name: [value, ""] for name, value in old.items() if value}
            instance.note(author.user, table, old["sys_id"], "delete", changes)
        if table in DESCRIBING:
            instance.forget_dictionary()

    def _file_deletion(self, table: str, old: Row, author: Author) -> None:
        element = self._instance.dictionary.display_element(table)
        filed = self._defaults("sys_audit_delete", author) | {
            "sys_id": uuid.uuid4().hex,
            "tablename": table,
            "documentkey": old["sys_id"],
            "display_value": old.get(element, ""),
        }
        self._instance.load("sys_audit_delete", [filed])

    def _stamp(self, author: Author) -> Row:
        return {
            "sys_updated_on": moments.text(self._instance.clock()),
            "sys_updated_by": author.user,
        }

    def _defaults(self, table: str, author: Author) -> Row:
        dictionary = self._instance.dictionary
        columns = dictionary.columns(table)
        row = self._stamp(author) | {"sys_mod_count": "0"}
        row |= {"sys_created_on": row["sys_updated_on"], "sys_created_by": author.user}
        row |= {name: "false" for name, column in columns.items() if column.type == "boolean"}
        if "active" in columns:
            row["active"] = "true"
        if "sys_class_name" in columns:
            row["sys_class_name"] = table
        if table in _PREFIX:
            row["number"] = self._next_number(table)
        if "task" in dictionary.chain(table):
            row |= {"opened_at": row["sys_created_on"], "state": "1", "made_sla": "true"}
        if table == "sys_db_object":
            # Unless told otherwise the platform makes no access rules for a table made over REST.
            row |= {"is_extendable": "true"}
        return {name: value for name, value in row.items() if name in columns}

    def _next_number(self, table: str) -> str:
        where = self._instance.compile(table, "", zone=_UTC)
        sql = (
            f'SELECT max(t.number) FROM "{self._instance.dictionary.root(table)}" AS t '
            f"WHERE {where.sql}"
        )
        last = self._instance.db.execute(sql, where.values).fetchone()[0] or "0"
        digits = re.sub(r"\D", "", last) or "0"
        return f"{_PREFIX[table]}{int(digits) + 1:0{max(7, len(digits))}d}"

    def _clean(self, table: str, values: Mapping[str, object], author: Author) -> Row:
        columns = self._instance.dictionary.columns(table)
        cleaned: Row = {}
        for name, value in values.items():
            column = columns.get(name)
            if column is None or name in _SYSTEM or name in author.ignored:
                continue
            plain = self._plain(table, column, _as_text(value), author)
            if plain is not None:
                cleaned[name] = plain
        return cleaned

    def _plain(self, table: str, column: Column, value: str, author: Author) -> str | None:
        """The value to store; None when the write leaves the field as it is."""
        choices = self._instance.dictionary.choices(table, column.element)
        if not value:
            # The platform clears any field by an empty value, except a choice.
            return None if choices else ("false" if column.type == "boolean" else "")
        if author.display:
            value = self._from_display(column, value, choices, author)
        if column.type == "boolean":
            return "true" if value.lower() in {"true", "1", "yes"} else "false"
        if column.type in NUMERIC:
            return _number(value, whole=column.type in WHOLE)
        if column.type == "string" and column.max_length:
            return value[: column.max_length]
        return value

    def _from_display(
        self, column: Column, value: str, choices: Mapping[str, str], author: Author
    ) -> str:
        if column.type in MOMENT:
            return moments.taken(value, author.zone)
        for stored, label in choices.items():
            if label == value:
                return stored
        if column.type == "reference":
            return self.named(column.reference, value) or value
        return value

    def named(self, table: str, name: str) -> str:
        """The sys_id of the row of ``table`` with this display value; "" if there is none."""
        dictionary = self._instance.dictionary
        if table not in dictionary.tables:
            return ""
        sql = (
            f'SELECT sys_id FROM "{dictionary.root(table)}" '
            f'WHERE "{dictionary.display_element(table)}" = ? LIMIT 1'
        )
        found = self._instance.db.execute(sql, [name]).fetchone()
        return str(found[0]) if found else ""

    def _journal(self, table: str, row: Row) -> Row:
        """Take the journal values out of ``row``: they live in sys_journal_field."""
        columns = self._instance.dictionary.columns(table)
        names = [name for name in row if name in columns and columns[name].type in JOURNAL]
        return {name: value for name in names if (value := row.pop(name))}

    def _keep_journal(self, table: str, sys_id: str, journal: Row, author: Author) -> None:
        for element, value in journal.items():
            entry = self._defaults("sys_journal_field", author) | {
                "sys_id": uuid.uuid4().hex,
                "name": table,
                "element": element,
                "element_id": sys_id,
                "value": value,
            }
            self._instance.load("sys_journal_field", [entry])


def apply(instance: Instance, instructions: Collection[Mapping[str, object]]) -> None:
    """Do a list of ``{operation, table, sys_id, values}`` in the name of the system.

    A deletion with ``audited`` false leaves nothing in sys_audit_delete.
    """
    writer = Writer(instance)
    for each in instructions:
        author = Author("system", unaudited=not each.get("audited", True))
        table, sys_id = str(each["table"]), str(each.get("sys_id", ""))
        values = each.get("values", {})
        fields: Mapping[str, object] = values if isinstance(values, Mapping) else {}
        if each["operation"] == "insert":
            writer.insert(table, {**fields, "sys_id": sys_id}, author)
            continue
        row = instance.one(table, sys_id)
        if row is not None and each["operation"] == "update":
            writer.update(table, row, fields, author)
        elif row is not None:
            writer.delete(table, row, author)


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return str(value.get("value", value.get("display_value", "")))
    return "" if value is None else str(value)


def _number(value: str, *, whole: bool) -> str:
    plain = value.replace(",", "").strip()
    try:
        return str(int(float(plain))) if whole else plain if float(plain) is not None else ""
    except (ValueError, OverflowError):
        return ""
