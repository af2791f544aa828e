"""Record pages and lists in HTML, as somebody at a desk would see them.

No sign-in is asked: the server listens on loopback only, and these pages are for looking at what
was written back, including the form sections that sys_ui_section and sys_ui_element describe, the
related lists of sys_ui_related_list_entry and the hints of sys_documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from vmo_bridge.sandbox.servicenow.dictionary import JOURNAL, Column, Row, Table
from vmo_bridge.sandbox.servicenow.instance import Instance
from vmo_bridge.sandbox.servicenow.render import Renderer
from vmo_bridge.sandbox.servicenow.replies import Reply, Request

_UTC = ZoneInfo("UTC")
_SHOWN = 50
_HOME = (
    "incident", "sc_req_item", "problem", "change_request", "cmdb_ci_service", "cmn_department",
    "sys_user_group", "task_sla", "asmt_assessment_instance", "sys_ui_section",
)  # fmt: skip
_LIST = {
    "task": ("number", "short_description", "state", "priority", "business_service", "opened_at"),
    "cmdb_ci_service": ("name", "support_group", "operational_status"),
    "sys_user": ("name", "department", "title", "active"),
}
_HIDDEN = ("sys_id", "sys_domain", "sys_domain_path", "sys_tags", "comments", "work_notes")


@dataclass(frozen=True, slots=True)
class FormField:
    """One labelled value; ``href`` leads to the record a reference points to ("" if none)."""

    label: str
    element: str
    value: str
    href: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class RelatedList:
    """The records of ``table`` that lead to the one whose form this is."""

    table: Table
    labels: list[str]
    rows: list[tuple[str, list[FormField]]]
    total: int
    query: str


class Pages:
    """Home, lists and forms."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        templates = FileSystemLoader(Path(__file__).parent / "templates")
        self._templates = Environment(
            loader=templates, autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip

    def answer(self, request: Request) -> Reply:
        """The page a path stands for: ``/``, ``/{table}_list.do`` or ``/{table}.do``."""
        tables = self._instance.dictionary.tables
        params = dict(request.params)
        if request.path == "/":
            return self._page("home.html", tables=[tables[name] for name in _HOME])
        match = re.fullmatch(r"/(\w+?)(_list)?\.do", request.path)
        if match is None or match[1] not in tables:
            return self._page("missing.html", 404, what=request.path)
        if match[2]:
            return self._list(match[1], params)
        return self._form(match[1], params)

    def _list(self, table: str, params: dict[str, str]) -> Reply:
        found = self._listed(table, params.get("sysparm_query", ""))
        return self._page(
            "list.html",
            table=found.table,
            labels=found.labels,
            rows=found.rows,
            query=found.query,
            total=found.total,
        )

    def _listed(self, table: str, query: str) -> RelatedList:
        dictionary = self._instance.dictionary
        where = self._instance.compile(table, query, zone=_UTC)
        chosen = next((_LIST[name] for name in dictionary.chain(table) if name in _LIST), None)
        columns = dictionary.columns(table)
        names = chosen or tuple(name for name in columns if name not in _HIDDEN)[:6]
        rows = self._instance.select(table, list(columns), where, limit=_SHOWN)
        if table.startswith(("u_", "x_")):  # somebody's own: whatever is filled in
            own = [name for name in columns if not name.startswith("sys_")]
            names = tuple(name for name in own if any(row[name] for row in rows)) or tuple(own[:6])
        fields = [
            (f"/{table}.do?sys_id={quote(row['sys_id'])}", self._fields(table, row, names))
            for row in rows
        ]
        labels = [columns[name].label for name in names]
        total = self._instance.count(table, where)
        return RelatedList(dictionary.tables[table], labels, fields, total, query)

    def _form(self, table: str, params: dict[str, str]) -> Reply:
        row = self._found(table, params)
        if row is None:
            return self._page("missing.html", 404, what=f"{table} {' '.join(params.values())}")
        dictionary = self._instance.dictionary
        table = row.get("sys_class_name") or table
        columns = dictionary.columns(table)
        display = dictionary.display_element(table)
        title = self._fields(table, row, [display])[0].value
        sections = self._sections(table, row)
        # The section without a caption is the top of the form; what else is filled in follows.
        main = [field for caption, fields in sections if not caption for field in fields]
        told = {field.element for field in main}
        rest = [name for name in columns if name not in told and _worth(columns[name], row)]
        return self._page(
            "form.html",
            table=dictionary.tables[table],
            title=title,
            summary=row.get("short_description", ""),
            fields=main + self._fields(table, row, rest),
            sections=[section for section in sections if section[0]],
            related=list(self._related(table, row["sys_id"])),
            journal=self._journal(row["sys_id"]),
        )

    def _found(self, table: str, params: dict[str, str]) -> Row | None:
        if "sys_id" in params:
            return self._instance.one(table, params["sys_id"])
        number = params.get("number", "")
        if not number or "^" in number or "number" not in self._instance.dictionary.columns(table):
            return None
        rows = self._instance.rows(table, f"number={number}")
        return self._instance.one(table, rows[0]["sys_id"]) if rows else None

    def _sections(self, table: str, row: Row) -> list[tuple[str, list[FormField]]]:
        """The form sections of the row's class and of the tables it extends."""
        found = []
        names = ",".join(self._instance.dictionary.chain(table))
        for section in self._instance.rows(
            "sys_ui_section", f"nameIN{names}^ORDERBYsys_created_on"
        ):
            elements = self._instance.rows(
                "sys_ui_element", f"sys_ui_section={section['sys_id']}^ORDERBYposition"
            )
            paths = [element["element"] for element in elements]
            fields = self._fields(table, row, paths)
            if fields:
                found.append((section["caption"], fields))
        return found

    def _related(self, table: str, sys_id: str) -> Iterator[RelatedList]:
        """The lists below the form, as sys_ui_related_list_entry describes them."""
        dictionary = self._instance.dictionary
        if "sys_ui_related_list" not in dictionary.tables:  # made before there were any
            return
        names = ",".join(dictionary.chain(table))
        for lists in self._instance.rows("sys_ui_related_list", f"nameIN{names}"):
            for entry in self._instance.rows(
                "sys_ui_related_list_entry", f"list_id={lists['sys_id']}^ORDERBYposition"
            ):
                other, _, column = entry["related_list"].partition(".")
                if other in dictionary.tables and column in dictionary.columns(other):
                    yield self._listed(other, f"{column}={sys_id}")

    def _hint(self, column: Column) -> str:
        if "sys_documentation" not in self._instance.dictionary.tables:
            return ""
        where = f"name={column.table}^element={column.element}^language=en"
        return next((row["hint"] for row in self._instance.rows("sys_documentation", where)), "")

    def _fields(self, table: str, row: Row, paths: Sequence[str]) -> list[FormField]:
        renderer = Renderer(self._instance, table, base="", zone=_UTC, display="all", quirks=False)
        known = renderer.paths(",".join(paths)) if paths else []
        shown = renderer.render([row], known)[0]
        fields = []
        for path in known:
            columns = self._instance.dictionary.walk(table, path) or []
            cell = shown[path]
            label = " / ".join(column.label for column in columns)
            href = _href(columns[-1], cell)
            # Only what somebody made has a hint here, and each is one more look.
            hint = self._hint(columns[-1]) if columns[-1].element.startswith(("u_", "x_")) else ""
            fields.append(FormField(label, path, cell["display_value"] or "", href, hint))
        return fields

    def _journal(self, sys_id: str) -> list[Row]:
        return self._instance.rows(
            "sys_journal_field", f"element_id={sys_id}^ORDERBYDESCsys_created_on"
        )

    def _page(self, name: str, status: int = 200, **values: Any) -> Reply:
        # A company of its own has an instance that was made up; what a log tells has none.
        companies = self._instance.rows("core_company")
        values["replayed"] = not companies
        values["owner"] = companies[0]["name"] if companies else "Replayed log"
        text = self._templates.get_template(name).render(**values)
        return Reply(status, text.encode(), {}, "text/html;charset=UTF-8")


def _worth(column: Column, row: Row) -> bool:
    """A field that no section names is shown when somebody filled it in."""
    if column.type in JOURNAL or column.element.startswith("sys_"):
        return False
    return row[column.element] not in ("", "false", "0")


def _href(column: Column, cell: dict[str, Any]) -> str:
    if column.type != "reference" or not cell["value"]:
        return ""
    return f"/{quote(column.reference)}.do?sys_id={quote(cell['value'])}"
