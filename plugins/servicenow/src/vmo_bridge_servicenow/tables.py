"""The tables that are read: their fields, what they become, and whom they name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from vmo_bridge.plugin import Stream


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table of the instance."""

    name: str = ""
    """Its name over there; filled in by the catalogue."""
    kinds: tuple[str, ...]
    fields: tuple[str, ...]
    """Columns asked for, besides ``sys_id`` and ``stamp``; may be dot-walked."""
    stamp: str = "sys_updated_on"
    """The column that says when a row changed last; rows are read and counted by it."""
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Column to the values that are of interest; other rows are not asked for."""
    people: tuple[str, ...] = ()
    """Columns that name a person."""
    private: tuple[str, ...] = ()
    """Columns that are dropped unless names are allowed."""
    part_of: str = ""
    """The product it comes with; without it the table is not there, which is no failure."""
    spare: bool = False
    """Whether nothing else hangs on it: not being allowed to read it is no failure, either."""
    type: str = ""
    """Our word for what its rows are, where its columns are mapped by name."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Our field to the column that gives it: of a table mapped by name, or an admin's own."""

    @property
    def all_fields(self) -> tuple[str, ...]:
        """Everything asked for."""
        return tuple(dict.fromkeys(("sys_id", self.stamp, *self.fields)))

    @property
    def stream(self) -> Stream:
        """As the core knows it."""
        return Stream(
            name=self.name,
            kinds=self.kinds,
            key_field="sys_id",
            person_fields=self.people,
            private_fields=self.private,
        )


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

_INITIATIVE_COLUMNS = {
    "number": "number",
    "title": "short_description",
    "description": "description",
    "state": "state",
    "parent_ref": "parent",
    "opened_at": "opened_at",
    "closed_at": "closed_at",
}
_INITIATIVE = (*_INITIATIVE_COLUMNS.values(), "sys_created_on")

TASK_TABLES = ("incident", "sc_req_item", "problem", "change_request")
TICKET_TABLES = (*TASK_TABLES, "interaction")

_KNOWLEDGE = "Knowledge Management"
_TALKS = "Interaction Management"


LABELS = {
    "sc_cat_item": ("sc_req_item", "cat_item"),
    "contract_sla": ("task_sla", "sla"),
    "metric_definition": ("metric_instance", "definition"),
    "kb_knowledge": ("kb_feedback", "article"),
}
"""Table of names to the table and column that refer to it: what people read there for a sys_id."""


def _labels(label: str = "name", part_of: str = "") -> Table:
    """A table of ``LABELS``: of its rows only the name is read."""
    return Table(kinds=("choice",), fields=(label,), part_of=part_of, spare=True)


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
        only={"name": ("task", *TICKET_TABLES), "element": ("state", "priority")},
    ),
    "sys_dictionary": Table(
        kinds=("question",),
        fields=("name", "element", "column_label"),
        only={"name": ("kb_feedback",), "element": ("rating", "useful", "comments")},
        spare=True,
    ),
    "sc_cat_item": _labels(part_of="Service Catalog"),
    "contract_sla": _labels(),
    "metric_definition": _labels(),
    "kb_knowledge": _labels("short_description", _KNOWLEDGE),
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
        fields=(*_TASK, "requested_for", "opened_by", "cat_item", "cat_item.name"),
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
    "interaction": Table(
        kinds=("ticket",),
        fields=(
            "number",
            "sys_created_on",
            "short_description",
            "state",
            "channel",
            "opened_for",
            "assignment_group",
            "opened_at",
            "closed_at",
        ),
        people=("opened_for",),
        part_of=_TALKS,
        spare=True,
    ),
    "interaction_related_record": Table(
        kinds=("link",),
        fields=("interaction", "task"),
        part_of=_TALKS,
        spare=True,
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
    "im_idea_core": Table(
        kinds=("idea",),
        fields=("number", "sys_created_on", "short_description", "state", "submitter"),
        people=("submitter",),
        columns={
            "number": "number",
            "title": "short_description",
            "state": "state",
            "opened_at": "sys_created_on",
            "submitter_ref": "submitter",
        },
        part_of="Innovation Management",
    ),
    "sn_cim_register": Table(
        kinds=("initiative",),
        fields=(*_INITIATIVE, "business_service", "assigned_to"),
        people=("assigned_to",),
        type="improvement",
        columns={
            **_INITIATIVE_COLUMNS,
            "service_ref": "business_service",
            "owner_ref": "assigned_to",
        },
        part_of="Continual Improvement Management",
    ),
    "pm_project": Table(
        kinds=("initiative",),
        fields=(*_INITIATIVE, "business_service", "project_manager"),
        people=("project_manager",),
        type="project",
        columns={
            **_INITIATIVE_COLUMNS,
            "service_ref": "business_service",
            "owner_ref": "project_manager",
        },
        part_of="Project Portfolio Management",
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
    "kb_feedback": Table(
        kinds=("feedback", "answer"),
        fields=(
            "article",
            "article.short_description",
            "user",
            "rating",
            "useful",
            "comments",
            "sys_created_on",
        ),
        people=("user",),
        part_of=_KNOWLEDGE,
        spare=True,
    ),
}
"""In the order in which they are read: what others refer to comes first."""

JOURNALS = {
    "sys_journal_field": Table(
        kinds=("feedback", "answer"),
        fields=("name", "element", "element_id", "value", "sys_created_by"),
        stamp="sys_created_on",
        only={"name": TICKET_TABLES, "element": ("comments", "work_notes")},
        people=("sys_created_by",),
        spare=True,
    )
}
"""Read only if it is asked for: many rows, and what people write to each other.

An entry is never changed, and has no other moment than that of its making.
"""
