"""Rows as the Table API shows them: values, display values, references, dot-walked fields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from vmo_bridge.sandbox.servicenow import moments
from vmo_bridge.sandbox.servicenow.dictionary import (
    DURATION,
    JOURNAL,
    MOMENT,
    WHOLE,
    Column,
    Row,
)
from vmo_bridge.sandbox.servicenow.instance import Instance

_UNKNOWN_WHEN_EMPTY = frozenset({"due_date"})


class Renderer:
    """Renders rows of one table for one request.

    ``display`` is "false", "true" or "all"; ``links`` whether references carry a link; ``hidden``
    the elements the caller may not read; ``quirks`` whether odd display values of real instances
    are shown.
    """

    def __init__(
        self,
        instance: Instance,
        table: str,
        *,
        base: str,
        zone: ZoneInfo,
        display: str = "false",
        links: bool = True,
        hidden: Collection[str] = (),
        quirks: bool = True,
    ) -> None:
        self._instance = instance
        self._dictionary = instance.dictionary
        self._table = table
        self._base = base
        self._zone = zone
        self._display = display
        self._links = links
        self._hidden = frozenset(hidden)
        self._quirks = quirks
        self._known: dict[str, dict[str, Row]] = {}

    def paths(self, fields: str) -> list[str]:
        """The readable ones of a comma list of (dot-walked) fields; all columns if it is empty."""
        wanted = fields.split(",") if fields else list(self._dictionary.columns(self._table))
        found = []
        for path in dict.fromkeys(part.strip() for part in wanted):
            walked = self._dictionary.walk(self._table, path)
            if walked and not self._hidden.intersection(path.split(".")):
                found.append(path)
        return found

    def elements(self, paths: Sequence[str]) -> list[str]:
        """The columns of the table itself that ``paths`` start from, always with ``sys_id``."""
        found = dict.fromkeys(path.partition(".")[0] for path in paths)
        found["sys_id"] = None
        return list(found)

    def render(self, rows: Sequence[Row], paths: Sequence[str]) -> list[dict[str, Any]]:
        """``rows`` must hold the elements of ``paths``."""
        shown: list[dict[str, Any]] = [{} for _ in rows]
        for path in paths:
            for record, value in zip(shown, self._field(rows, path), strict=True):
                record[path] = value
        return shown

    def _field(self, rows: Sequence[Row], path: str) -> list[Any]:
        columns = self._dictionary.walk(self._table, path) or []
        parts = path.split(".")
        # A column made since the row was read is empty in it.
        values = [row.get(parts[0], "") for row in rows]
        owner = self._table
        for before, element in zip(columns, parts[1:], strict=False):
            owner = before.reference
            known = self._lookup(owner, values)
            values = [known[value].get(element, "") if value in known else "" for value in values]
        return self._shown(values, columns[-1], owner)

    def _shown(self, values: list[str], column: Column, owner: str) -> list[Any]:
        if column.type in JOURNAL:
            values = [""] * len(values)
        reference = column.type == "reference" and column.reference in self._dictionary.tables
        if self._display == "false":
            return [self._reference(v, column) for v in values] if reference else values
        displays = self.displays(values, column, owner)
        if self._display == "true":
            if not (reference and self._links):
                return list(displays)
            return [
                {"display_value": display, "link": self._link(column, value)} if value else ""
                for display, value in zip(displays, values, strict=True)
            ]
        both: list[Any] = []
        for display, value in zip(displays, values, strict=True):
            entry: dict[str, Any] = {"display_value": display, "value": value}
            if column.type == "currency" and value and self._quirks:
                entry["currency_display_value"] = f"USD;{value}"
            if reference and value.isalnum() and self._links:
                entry["link"] = self._link(column, value)
            both.append(entry)
        return both

    def _reference(self, value: str, column: Column) -> Any:
        if not value or not self._links:
            return value
        return {"link": self._link(column, value), "value": value}

    def _link(self, column: Column, value: str) -> str:
        return f"{self._base}/api/now/table/{column.reference}/{value}"

    def displays(self, values: Sequence[str], column: Column, owner: str) -> list[str | None]:
        """Display values of one column of table ``owner``."""
        choices = self._dictionary.choices(owner, column.element)
        if choices:
            empty = None if self._quirks and self._display == "all" else ""
            return [choices.get(value, value) if value else empty for value in values]
        if column.type in {"reference", "glide_list"} and (
            column.reference in self._dictionary.tables
        ):
            return list(self._names(values, column))
        plain = self._plain(column)
        return [plain(value) for value in values]

    def _names(self, values: Sequence[str], column: Column) -> list[str]:
        lists = [value.split(",") for value in values]
        wanted = [one for each in lists for one in each if one]
        names = self._display_of(column.reference, wanted)
        return [", ".join(names.get(one, "") for one in each if one) for each in lists]

    def _plain(self, column: Column) -> Callable[[str], str]:
        if column.type in MOMENT:
            empty = "UNKNOWN" if self._quirks and column.type in _UNKNOWN_WHEN_EMPTY else ""
            return lambda value: moments.shown(value, self._zone) if value else empty
        if column.type in DURATION:
            return lambda value: moments.spoken(value) if value else ""
        if column.type in WHOLE and self._quirks:
            return lambda value: f"{int(value):,}" if value.lstrip("-").isdigit() else value
        if column.type == "sys_class_name":
            tables = self._dictionary.tables
            return lambda value: tables[value].label if value in tables else value
        return lambda value: value

    def _display_of(self, table: str, ids: Sequence[str]) -> dict[str, str]:
        rows = self._lookup(table, ids)
        element = self._dictionary.display_element(table)
        column = self._dictionary.columns(table)[element]
        found = {one: rows[one][element] for one in ids if one in rows}
        if column.type == "reference":
            deeper = self._display_of(column.reference, [v for v in found.values() if v])
            return {one: deeper.get(value, "") for one, value in found.items()}
        return found

    def _lookup(self, table: str, ids: Sequence[str]) -> dict[str, Row]:
        if table not in self._dictionary.tables:
            return {}
        known = self._known.setdefault(table, {})
        missing = {one for one in ids if one and one not in known}
        if missing:
            known.update(self._instance.by_ids(table, missing))
        return known
