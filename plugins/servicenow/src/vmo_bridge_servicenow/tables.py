"""The tables that are read: their fields, what they become, and whom they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vmo_bridge.plugin import Stream

_STAMPS = ("sys_id", "sys_updated_on")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of the instance."""

    kinds: tuple[str, ...]
    fields: tuple[str, ...]
    """Columns asked for, besides ``sys_id`` and ``sys_updated_on``; may be dot-walked."""
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Column to the values that are of interest; other rows are not asked for."""
    people: tuple[str, ...] = ()
    """Columns that name a person."""
    private: tuple[str, ...] = ()
    """Columns that are dropped unless names are allowed."""
    part_of: str = ""
    """The product it comes with; without it the table is not there, which is no failure."""

    @property
    def all_fields(self) -> tuple[str, ...]:
        """Everything asked for."""
        return (*_STAMPS, *self.fields)


_TASK = (
    "number",
    "sys_created_on",
    "short_description",
    "description",
    "state",
    "priority",
    "business_service",
    "cmdb_ci",
    "assignment_group",
    "opened_at",
    "closed_at",
    "reassignment_count",
    "made_sla",
    "contact_type",
    "parent",
    "close_notes",
)

TASK_TABLES = ("incident", "sc_req_item", "problem", "change_request")

TABLES: dict[str, Table] = {
    "cmn_department": Table(kinds=("user_group",), fields=("name", "parent")),
    "sys_user": Table(
        kinds=("person",),
        fields=("name", "email", "department", "active"),
        people=("sys_id", "email"),
        private=("name",),
    ),
    "sys_user_group": Table(kinds=("team",), fields=("name",)),
    "cmdb_ci_service": Table(kinds=("service",), fields=("name", "operational_status")),
    "sys_choice": Table(
        kinds=("choice",),
        fields=("name", "element", "value", "label", "language"),
        only={"name": ("task", *TASK_TABLES), "element": ("state", "priority")},
    ),
    "incident": Table(
        kinds=("ticket",),
        fields=(
            *_TASK,
            "caller_id",
            "category",
            "subcategory",
            "resolved_at",
            "reopen_count",
            "problem_id",
            "close_code",
            "business_stc",
            "calendar_stc",
        ),
        people=("caller_id",),
    ),
    "sc_req_item": Table(
        kinds=("ticket",),
        fields=(*_TASK, "requested_for", "opened_by", "cat_item"),
        people=("requested_for", "opened_by"),
    ),
    "problem": Table(
        kinds=("ticket",),
        fields=(*_TASK, "category", "subcategory", "resolved_at", "reopen_count"),
    ),
    "change_request": Table(
        kinds=("ticket",),
        fields=(*_TASK, "category", "type", "requested_by", "close_code"),
        people=("requested_by",),
    ),
    "dmn_demand": Table(
        kinds=("initiative", "link"),
        fields=(
            "number",
            "sys_created_on",
            "short_description",
            "description",
            "state",
            "business_service",
            "cmdb_ci",
            "demand_manager",
            "parent",
            "opened_at",
            "closed_at",
            "correlation_id",
        ),
        people=("demand_manager",),
        part_of="Demand Management",
    ),
    "task_sla": Table(
        kinds=("sla_outcome",),
        fields=(
            "task",
            "sla.name",
            "sla.target",
            "sla.type",
            "stage",
            "has_breached",
            "start_time",
            "end_time",
            "planned_end_time",
        ),
    ),
    "metric_instance": Table(
        kinds=("span",),
        fields=("table", "id", "field", "field_value", "value", "start", "end"),
        only={"table": TASK_TABLES, "field": ("assignment_group", "incident_state", "state")},
    ),
    "asmt_metric": Table(
        kinds=("question",),
        fields=("name", "question", "metric_type", "datatype", "min", "max"),
    ),
    "asmt_assessment_instance": Table(
        kinds=("feedback",),
        fields=(
            "number",
            "metric_type",
            "user",
            "state",
            "taken_on",
            "task_id",
            "trigger_table",
            "trigger_id",
            "sys_created_on",
        ),
        people=("user",),
    ),
    "asmt_metric_result": Table(
        kinds=("answer",),
        fields=("instance", "metric", "actual_value", "string_value"),
    ),
}
"""In the order in which they are read: what others refer to comes first."""


def stream(name: str) -> Stream:
    """The stream of a table."""
    table = TABLES[name]
    return Stream(
        name=name,
        kinds=table.kinds,
        key_field="sys_id",
        person_fields=table.people,
        private_fields=table.private,
    )
