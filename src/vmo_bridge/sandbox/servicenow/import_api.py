"""The Import Set API: rows for a staging table ``imp_<table>``, transformed into ``<table>``.

The transform map of each staging table copies fields of the same name; it coalesces on the first
of ``sys_id``, ``correlation_id``, ``number`` and ``user_name`` that a row has.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Mapping
from typing import Any

from vmo_bridge.sandbox.servicenow import replies, writes
from vmo_bridge.sandbox.servicenow.access import Access
from vmo_bridge.sandbox.servicenow.dictionary import Row
from vmo_bridge.sandbox.servicenow.faults import Faults
from vmo_bridge.sandbox.servicenow.instance import Instance
from vmo_bridge.sandbox.servicenow.replies import Call, Reply

_PREFIX = "imp_"
_COALESCE = ("sys_id", "correlation_id", "number", "user_name")
_MANY = "insertMultiple"


class ImportApi:
    """Answers calls to ``/api/now/import``; staged rows live in memory."""

    def __init__(self, instance: Instance, faults: Faults) -> None:
        self._instance = instance
        self._faults = faults
        self._writer = writes.Writer(instance)
        self._numbers = itertools.count(10_001)
        self._staged: dict[tuple[str, str], dict[str, Any]] = {}

    def handle(self, call: Call, staging: str, part: str) -> Reply:
        """One row, many rows, or what became of a row."""
        table = staging.removeprefix(_PREFIX)
        if table == staging or table not in self._instance.dictionary.tables:
            raise replies.invalid_table(staging)
        if not Access(self._instance.dictionary, call.user).may_write(table):
            raise replies.write_acl()
        if call.method == "GET" and part:
            if (staging, part) not in self._staged:
                raise replies.no_record()
            return Reply(200, self._staged[staging, part])
        if call.method != "POST" or part not in {"", _MANY}:
            raise replies.no_method(call.method)
        body = replies.json_object(call)
        number = f"ISET{next(self._numbers):07d}"
        if part == _MANY:
            for row in body.get("records") or []:
                self._stage(call, staging, table, row, number)
            made = {"import_set_id": uuid.uuid4().hex, "multi_import_set_id": uuid.uuid4().hex}
            return Reply(201, made)
        sys_id = self._stage(call, staging, table, body, number)
        place = f"{call.base}/api/now/import/{staging}/{sys_id}"
        return Reply(201, self._staged[staging, sys_id], {"Location": place})

    def _stage(
        self, call: Call, staging: str, table: str, row: Mapping[str, object], number: str
    ) -> str:
        """A failed transform is no failed call: the row says so itself."""
        sys_id = uuid.uuid4().hex
        self._staged[staging, sys_id] = {
            "import_set": number,
            "staging_table": staging,
            "result": [self._transformed(call, table, row)],
        }
        return sys_id

    def _transformed(self, call: Call, table: str, row: Mapping[str, object]) -> dict[str, Any]:
        found: dict[str, Any] = {"transform_map": table, "table": table}
        wrong = self._faults.take("import_row_error", table=table, user=call.user.user_name)
        if wrong is not None:
            message = "Row transform failed" if wrong is True else str(wrong)
            return found | {"status": "error", "error_message": message}
        access = Access(self._instance.dictionary, call.user)
        ignored = access.unwritable(table, "write")
        author = writes.Author(call.user.user_name, call.zone, ignored=frozenset(ignored))
        old = self._coalesced(table, row)
        if old is None and not access.may_write(table, "create"):
            return found | {"status": "error", "error_message": "Row transform refused by rules"}
        if old is None:
            status, sys_id = "inserted", self._writer.insert(table, row, author)
        else:
            changed = self._writer.update(table, old, row, author)
            status, sys_id = "updated" if changed else "ignored", old["sys_id"]
        element = self._instance.dictionary.display_element(table)
        kept = self._instance.one(table, sys_id) or {}
        return found | {
            "status": status,
            "sys_id": sys_id,
            "display_name": element,
            "display_value": kept.get(element, ""),
            "record_link": f"{call.base}/api/now/table/{table}/{sys_id}",
        }

    def _coalesced(self, table: str, row: Mapping[str, object]) -> Row | None:
        columns = self._instance.dictionary.columns(table)
        key = next((name for name in _COALESCE if row.get(name) and name in columns), "")
        if not key or "^" in str(row[key]):
            return None
        rows = self._instance.rows(table, f"{key}={row[key]}")
        return self._instance.one(table, rows[0]["sys_id"]) if rows else None
