"""From one row of a table to our records; a row that cannot be is refused with its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from vmo_bridge.plugin import (
    Answer,
    Choice,
    Feedback,
    Initiative,
    Link,
    Person,
    Question,
    RawRecord,
    Record,
    Service,
    SlaOutcome,
    Span,
    Team,
    Ticket,
    UserGroup,
)
from vmo_bridge_servicenow import mapped, said, talks
from vmo_bridge_servicenow.row import Row
from vmo_bridge_servicenow.tables import LABELS, TASK_TABLES, TICKET_TABLES, Table
from vmo_bridge_servicenow.words import SLA_STAGES, Words

_NOT_A_NUMBER = -1.0
"""What an answer's ``actual_value`` holds where the answer is a text or a date."""
_RETIRED = "6"
"""``operational_status`` of a service that is no longer offered."""


class Normaliser:
    """Turns rows of one source into records."""

    def __init__(
        self, source: str, words: Words, service_field: str, tables: Mapping[str, Table]
    ) -> None:
        self._source = source
        self._words = words
        self._service_field = service_field
        self._tables = tables
        self._by_table: Mapping[str, Callable[[Row], Record | list[Record] | None]] = {
            "cmn_department": self._user_group,
            "sys_user": self._person,
            "sys_user_group": self._team,
            "cmdb_ci_service": self._service,
            "sys_choice": self._choice,
            **dict.fromkeys(LABELS, self._label),
            **dict.fromkeys(TASK_TABLES, self._ticket),
            "interaction": partial(talks.interaction, words=words),
            "interaction_related_record": talks.led_to,
            "dmn_demand": self._demand,
            "task_sla": self._sla_outcome,
            "metric_instance": self._span,
            "asmt_metric": self._question,
            "asmt_assessment_instance": self._feedback,
            "asmt_metric_result": self._answer,
            "sys_dictionary": said.question,
            "kb_feedback": said.of_article,
            "sys_journal_field": said.in_journal,
        }

    def records(self, table: str, raw: RawRecord) -> Iterable[Record]:
        """The records of one row; ``RecordError`` names the field and what is wrong with it."""
        known = self._tables[table]
        row = Row(self._source, table, raw, known.stamp)
        make = self._by_table.get(table)
        if make is None:
            return [mapped.record(known.kinds[0], known.type, known.columns, row, self._words)]
        made = make(row)
        if not made:
            return []
        first, *more = made if isinstance(made, list) else [made]
        return [self._own(known, row, first), *more]

    def _own(self, table: Table, row: Row, record: Record) -> Record:
        """The record with what an admin's own columns say of it."""
        if not table.columns:
            return record
        given = mapped.overridden(record.kind, table.columns, row)
        if "priority" in given:
            theirs = row.text(table.columns["priority"])
            given |= {"priority": self._words.priority(theirs), "original_priority": theirs}
        return msgspec.structs.replace(record, **given)

    def _user_group(self, row: Row) -> Record:
        return UserGroup(**row.base(), name=row.need("name"), parent_ref=row.ref("parent"))

    def _person(self, row: Row) -> Record:
        return Person(
            **row.base(),
            name=row.text("name"),
            contact=row.text("email"),
            user_group_ref=row.ref("department"),
            active=row.flag("active"),
        )

    def _team(self, row: Row) -> Record:
        return Team(**row.base(), name=row.need("name"))

    def _service(self, row: Row) -> Record:
        status = row.text("operational_status")
        active = None if status is None else status != _RETIRED
        return Service(**row.base(), name=row.need("name"), active=active)

    def _choice(self, row: Row) -> Record | None:
        # Labels in another language would double each choice.
        if row.text("language") not in (None, "en"):
            return None
        return Choice(
            **row.base(),
            table=row.need("name"),
            field=row.need("element"),
            value=row.need("value"),
            label=row.need("label"),
        )

    def _label(self, row: Row) -> Record | None:
        label = row.text(self._tables[row.table].fields[0])
        if label is None:
            return None  # a draft that has no name yet
        table, field = LABELS[row.table]
        return Choice(**row.base(), table=table, field=field, value=row.need("sys_id"), label=label)

    def _ticket(self, row: Row) -> Record:
        table = row.table
        number, theirs, priority = row.need("number"), row.need("state"), row.text("priority")
        state = self._words.state(table, theirs)
        closed_at = row.time("closed_at")
        resolved_at = row.time("resolved_at")
        if table in ("sc_req_item", "change_request") and state == "closed":
            # These tables know no "resolved": what is closed was done then.
            resolved_at = closed_at
        key = row.need("sys_id")
        return Ticket(
            # By name instead of **row.base(): most of what is read are tickets.
            ref=f"{self._source}/{key}",
            id=f"{self._source}:{table}:{number}",
            source=self._source,
            updated_at=row.updated(),
            type=self._words.type(table),
            original_type=table,
            number=number,
            title=row.text("short_description"),
            description=row.text("description"),
            state=state,
            original_state=theirs,
            priority=self._words.priority(priority),
            original_priority=priority,
            category=row.text("category") or row.text("cat_item.name") or row.text("cat_item"),
            subcategory=row.text("subcategory"),
            service_ref=row.ref(self._service_field),
            team_ref=row.ref("assignment_group"),
            requester_ref=row.ref("caller_id")
            or row.ref("requested_for")
            or row.ref("requested_by")
            or row.ref("opened_by"),
            problem_ref=row.ref("problem_id"),
            parent_ref=row.ref("parent"),
            opened_at=row.began(),
            resolved_at=resolved_at,
            closed_at=closed_at,
            reopen_count=row.integer("reopen_count"),
            reassignment_count=row.integer("reassignment_count"),
            made_sla=row.flag("made_sla"),
            business_seconds=row.integer("business_stc"),
            calendar_seconds=row.integer("calendar_stc"),
            close_code=row.text("close_code"),
            close_notes=row.text("close_notes"),
            channel=row.text("contact_type"),
        )

    def _demand(self, row: Row) -> list[Record]:
        """A demand, and what its ``correlation_id`` names: often the Jira key of its epic."""
        base = row.base(row.need("number"))
        theirs = row.need("state")
        demand = Initiative(
            **base,
            type="demand",
            number=row.need("number"),
            title=row.text("short_description"),
            description=row.text("description"),
            state=self._words.state(row.table, theirs),
            original_state=theirs,
            service_ref=row.ref(self._service_field),
            parent_ref=row.ref("parent"),
            owner_ref=row.ref("demand_manager"),
            opened_at=row.time("opened_at") or row.time("sys_created_on"),
            closed_at=row.time("closed_at"),
        )
        named = row.text("correlation_id")
        if named is None:
            return [demand]
        base |= {"ref": f"{base['ref']}:correlation_id", "id": f"{base['id']}:correlation_id"}
        link = Link(**base, from_ref=demand.ref, to_number=named, named_in="field")
        return [demand, link]

    def _sla_outcome(self, row: Row) -> Record:
        target = row.text("sla.target")
        kind = row.text("sla.type")
        if target and kind not in (None, "SLA"):
            # An agreement between teams or with a vendor is not one with the customer.
            target = f"{kind.lower()}-{target}" if kind else target
        stage = row.text("stage")
        return SlaOutcome(
            **row.base(),
            ticket_ref=row.need_ref("task"),
            name=row.text("sla.name"),
            target=target,
            stage=SLA_STAGES.get(stage, stage) if stage else None,
            breached=row.flag("has_breached"),
            started_at=row.time("start_time"),
            ended_at=row.time("end_time"),
            due_at=row.time("planned_end_time"),
        )

    def _span(self, row: Row) -> Record | None:
        started_at = row.time("start")
        if started_at is None:
            return None  # defined, but not begun
        theirs = row.text("field_value") or row.text("value")
        common: dict[str, Any] = {
            **row.base(),
            "ticket_ref": row.need_ref("id"),
            "original_value": theirs,
            "started_at": started_at,
            "ended_at": row.time("end"),
        }
        if row.need("field") == "assignment_group":
            return Span(
                **common, field="team", value_ref=row.ref("field_value"), value=row.text("value")
            )
        return Span(
            **common, field="state", value=self._words.state(row.need("table"), theirs or "")
        )

    def _question(self, row: Row) -> Record:
        return Question(
            **row.base(),
            survey_ref=row.ref("metric_type"),
            text=row.text("question") or row.need("name"),
            datatype=row.text("datatype"),
            scale_min=row.number("min"),
            scale_max=row.number("max"),
        )

    def _feedback(self, row: Row) -> Record:
        theirs = row.need("state")
        state = self._words.state(row.table, theirs)
        about, about_table = row.ref("trigger_id"), row.text("trigger_table")
        return Feedback(
            **row.base(row.need("number")),
            number=row.need("number"),
            survey_ref=row.ref("metric_type"),
            person_ref=row.ref("user"),
            ticket_ref=row.ref("task_id") or (about if about_table in TICKET_TABLES else None),
            service_ref=about if about_table == "cmdb_ci_service" else None,
            state=state,
            original_state=theirs,
            invited_at=row.time("sys_created_on"),
            answered_at=(row.time("taken_on") or row.updated()) if state == "answered" else None,
        )

    def _answer(self, row: Row) -> Record:
        value = row.number("actual_value")
        return Answer(
            **row.base(),
            feedback_ref=row.need_ref("instance"),
            question_ref=row.need_ref("metric"),
            value=None if value == _NOT_A_NUMBER else value,
            text=row.text("string_value"),
        )
