"""The Table API: lists, single records, inserts, updates and deletes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from vmo_bridge.sandbox.servicenow import paging, replies, writes
from vmo_bridge.sandbox.servicenow.access import Access
from vmo_bridge.sandbox.servicenow.dictionary import Row
from vmo_bridge.sandbox.servicenow.faults import Faults
from vmo_bridge.sandbox.servicenow.instance import Instance
from vmo_bridge.sandbox.servicenow.paging import Page
from vmo_bridge.sandbox.servicenow.render import Renderer
from vmo_bridge.sandbox.servicenow.replies import Call, Reply
from vmo_bridge.sandbox.servicenow.where import Where

_DELETIONS = "sys_audit_delete"
_OPERATIONS = {"POST": "create", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_PLAIN_ID = re.compile(r"[\w.-]+")


class TableApi:
    """Answers calls to ``/api/now/table``."""

    def __init__(self, instance: Instance, faults: Faults) -> None:
        self._instance = instance
        self._faults = faults
        self._writer = writes.Writer(instance)
        self._methods: dict[tuple[str, bool], Callable[[Call, str, str], Reply]] = {
            ("GET", False): self._list,
            ("HEAD", False): self._list,
            ("POST", False): self._insert,
            ("GET", True): self._one,
            ("HEAD", True): self._one,
            ("PUT", True): self._update,
            ("PATCH", True): self._update,
            ("DELETE", True): self._delete,
        }

    def handle(self, call: Call, table: str, sys_id: str) -> Reply:
        """Any method on a table or on one of its records."""
        if table not in self._instance.dictionary.tables:
            raise replies.invalid_table(table)
        found = self._methods.get((call.method, bool(sys_id)))
        if found is None:
            raise replies.no_method(call.method)
        access = Access(self._instance.dictionary, call.user)
        if not access.has_rules(table):
            raise replies.no_record()
        if call.method in {"GET", "HEAD"} and not access.may_read(table):
            raise replies.may_not_query()
        return found(call, table, sys_id)

    # -- reading -----------------------------------------------------------------------------

    def _list(self, call: Call, table: str, _: str) -> Reply:
        page = paging.requested(call)
        renderer = self._renderer(call, table)
        where, hidden = self._where(call, table)
        paths = renderer.paths(call.param("sysparm_fields"))
        rows = self._instance.select(
            table, renderer.elements(paths), where, limit=page.limit, offset=page.offset
        )
        headers = self._page_headers(call, table, where, page)
        rows = [row for row in rows if row["sys_id"] not in hidden]
        self._between_pages(call, table)
        if not rows and call.version == "v1" and self._taken("v1_empty_404", call, table) != "off":
            raise replies.no_record()
        rows = self._opened(call, table, rows)
        return Reply(200, {"result": renderer.render(rows, paths)}, headers)

    def _where(self, call: Call, table: str) -> tuple[Where, set[str]]:
        """The query as SQL, and the rows the caller loses after the limit."""
        unreadable = self._taken("acl_drop_rows", call, table)
        extra = self._invisible(call, table)
        text = call.param("sysparm_query") or paging.pairs(
            call, self._instance, self._writer, table
        )
        hidden: set[str] = set()
        if unreadable is not None:
            hiding = self._instance.compile(table, str(unreadable), zone=call.zone)
            hidden = {row["sys_id"] for row in self._instance.select(table, ["sys_id"], hiding)}
            if self._taken("limit_before_acl", call, table) == "off":
                extra = _and(extra, _not_in(hidden))
        where = self._instance.compile(table, text, zone=call.zone, extra=extra)
        strict = self._taken("query_invalid", call, table) == "no_rows"
        if (where.dropped and strict) or not self._sees(call, table):
            where.sql, where.values = "0", []
        return where, hidden

    def _invisible(self, call: Call, table: str) -> str:
        late = self._taken("late_commit", call, table)
        days = self._taken("audit_delete", call, table) if table == _DELETIONS else None
        kept = ""
        if isinstance(days, (int, float)):
            horizon = paging.seconds_ago(self._instance, days * 86_400)
            kept = f"t.sys_created_on >= '{horizon}'"
        if late is None:
            return kept
        if isinstance(late, list):
            return _and(kept, _not_in(late))
        fresh = paging.seconds_ago(self._instance, float(late))
        changes = "sys_updated_on" in self._instance.dictionary.columns(table)
        stamp = "sys_updated_on" if changes else "sys_created_on"
        return _and(kept, f"t.{stamp} <= '{fresh}'")

    def _sees(self, call: Call, table: str) -> bool:
        """sys_audit_delete is empty, not forbidden, for who has no role for it."""
        if table != _DELETIONS:
            return True
        seen = Access(self._instance.dictionary, call.user).sees_deletions(table)
        return seen and self._taken("audit_delete", call, table) != "no_role"

    def _page_headers(self, call: Call, table: str, where: Where, page: Page) -> dict[str, str]:
        counted = self._taken("count", call, table) != "off"
        if call.flag("sysparm_no_count") or not counted:
            return {}
        total = self._instance.count(table, where)
        headers = {"X-Total-Count": str(total)}
        style = self._taken("link_header", call, table) or "on"
        if style != "off" and not call.flag("sysparm_suppress_pagination_header"):
            longest = self._taken("long_links", call, table)
            if longest and len(call.path) + len(urlencode(call.params)) > int(longest):
                raise replies.query_too_long()
            link = paging.link_header(call, page, total, odd=style == "odd")
            headers |= {"Link": link} if link else {}
        return headers

    def _between_pages(self, call: Call, table: str) -> None:
        mutation = self._taken("mutate_between_pages", call, table)
        if callable(mutation):
            mutation()
        elif mutation is not None:
            writes.apply(self._instance, mutation)

    def _one(self, call: Call, table: str, sys_id: str) -> Reply:
        row = self._visible(call, table, sys_id)
        return Reply(200, {"result": self._record(call, table, row)})

    def _visible(self, call: Call, table: str, sys_id: str) -> Row:
        row = self._instance.one(table, sys_id)
        if row is None or not self._sees(call, table):
            raise replies.no_record()
        unreadable = self._taken("acl_drop_rows", call, table)
        extra = f"t.sys_id = '{sys_id}'" if _PLAIN_ID.fullmatch(sys_id) else "0"
        hiding = self._instance.compile(table, str(unreadable), zone=call.zone, extra=extra)
        late = self._invisible(call, table)
        showing = self._instance.compile(table, "", zone=call.zone, extra=_and(extra, late))
        if unreadable is not None and self._instance.count(table, hiding):
            raise replies.no_record()
        if late and not self._instance.count(table, showing):
            raise replies.no_record()
        return row

    def _record(self, call: Call, table: str, row: Row) -> dict[str, Any]:
        renderer = self._renderer(call, table)
        paths = renderer.paths(call.param("sysparm_fields"))
        return renderer.render(self._opened(call, table, [row]), paths)[0]

    def _opened(self, call: Call, table: str, rows: list[Row]) -> list[Row]:
        """What the platform's own jobs opened names no user of sys_user."""
        if not self._taken("odd_opener", call, table):
            return rows
        return [row | {"opened_by": "glide.maint"} if "opened_by" in row else row for row in rows]

    def _renderer(self, call: Call, table: str) -> Renderer:
        display = call.param("sysparm_display_value", "false").lower()
        return Renderer(
            self._instance,
            table,
            base=call.base,
            zone=call.zone,
            display=display if display in {"true", "all"} else "false",
            links=not call.flag("sysparm_exclude_reference_link"),
            hidden=self._taken("acl_drop_fields", call, table) or (),
            quirks=self._taken("display_quirks", call, table) != "off",
        )

    # -- writing -----------------------------------------------------------------------------

    def _insert(self, call: Call, table: str, _: str) -> Reply:
        values = self._values(call, table)
        sys_id = self._writer.insert(table, values, self._author(call, table))
        reply = self._written(call, table, sys_id, 201)
        reply.headers["Location"] = f"{call.base}/api/now/table/{table}/{quote(sys_id)}"
        return reply

    def _update(self, call: Call, table: str, sys_id: str) -> Reply:
        values = self._values(call, table)
        row = self._visible(call, table, sys_id)
        self._writer.update(table, row, values, self._author(call, table))
        return self._written(call, table, sys_id, 200)

    def _delete(self, call: Call, table: str, sys_id: str) -> Reply:
        self._permit_write(call, table)
        row = self._visible(call, table, sys_id)
        author = self._author(call, table)
        if self._taken("audit_delete", call, table) == "none":
            author = replace(author, unaudited=True)
        self._writer.delete(table, row, author)
        self._lose_reply(call, table)
        return Reply(204)

    def _written(self, call: Call, table: str, sys_id: str, status: int) -> Reply:
        self._lose_reply(call, table)
        row = self._instance.one(table, sys_id)
        if row is None or call.headers.get("x-no-response-body", "").lower() == "true":
            return Reply(status)
        return Reply(status, {"result": self._record(call, table, row)})

    def _lose_reply(self, call: Call, table: str) -> None:
        self._faults.drop(
            "drop_reply_after_commit", table=table, method=call.method, user=call.user.user_name
        )

    def _permit_write(self, call: Call, table: str) -> None:
        rule = self._taken("business_rule_abort", call, table)
        if rule is not None:
            raise replies.operation_failed(
                f"Operation against file '{table}' was aborted by Business Rule '{rule}^"
                f"{'0' * 32}'. Business Rule Stack:{rule}"
            )
        access = Access(self._instance.dictionary, call.user)
        allowed = access.may_write(table, _OPERATIONS[call.method])
        if self._taken("read_only", call, table) or not allowed:
            raise replies.write_acl()

    def _values(self, call: Call, table: str) -> dict[str, object]:
        self._permit_write(call, table)
        values = replies.json_object(call)
        needed = self._taken("data_policy", call, table) or ()
        inserts = call.method == "POST"
        missing = [name for name in needed if not values.get(name, "" if inserts else "kept")]
        if missing:
            raise replies.operation_failed(
                f"Data Policy Exception: The following fields are mandatory: {', '.join(missing)}"
            )
        return values

    def _author(self, call: Call, table: str) -> writes.Author:
        access = Access(self._instance.dictionary, call.user)
        ignored = access.unwritable(table, _OPERATIONS[call.method])
        ignored.update(self._taken("field_acl_write", call, table) or ())
        return writes.Author(
            call.user.user_name,
            call.zone,
            display=call.flag("sysparm_input_display_value"),
            ignored=frozenset(ignored),
            silent=bool(self._taken("silent_update", call, table)),
        )

    def _taken(self, name: str, call: Call, table: str) -> Any:
        return self._faults.take(name, table=table, method=call.method, user=call.user.user_name)


def _and(*conditions: str) -> str:
    return " AND ".join(condition for condition in conditions if condition)


def _not_in(ids: Any) -> str:
    listed = ",".join(f"'{one}'" for one in ids if _PLAIN_ID.fullmatch(one))
    return f"t.sys_id NOT IN ({listed})"
