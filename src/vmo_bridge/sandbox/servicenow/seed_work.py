"""Rows of tasks, service levels and metrics for the agency's tickets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.model import Agency, Ticket
from vmo_bridge.sandbox.agency.tickets import REQUEST_TARGET, TARGETS
from vmo_bridge.sandbox.servicenow import moments
from vmo_bridge.sandbox.servicenow.catalogue import sys_id
from vmo_bridge.sandbox.servicenow.dictionary import Row
from vmo_bridge.sandbox.servicenow.seed_metrics import definition_rows, metric_rows

TABLES = {
    "incident": "incident",
    "request": "sc_req_item",
    "problem": "problem",
    "change": "change_request",
}


class WorkRows:
    """Makes the rows; ``seed`` goes into every sys_id."""

    def __init__(self, agency: Agency, seed: str) -> None:
        self._agency = agency
        self._seed = seed
        self._members = {team.name: team.members for team in agency.teams}
        self._own: dict[str, Callable[[Ticket], Row]] = {
            "incident": self._incident,
            "request": self._request,
            "problem": self._problem,
            "change": self._change,
        }
        self._category = {each.name: each.category.lower() for each in agency.services}

    def all(self) -> Iterator[tuple[str, list[Row]]]:
        """(table, rows) of everything about work."""
        for kind, table in TABLES.items():
            yield table, [self.task(each) for each in self._agency.tickets if each.kind == kind]
        yield "contract_sla", self._agreements()
        yield "task_sla", [row for each in self._agency.tickets for row in self._levels(each)]
        yield "metric_definition", definition_rows(self._seed)
        yield (
            "metric_instance",
            [row for each in self._agency.tickets for row in metric_rows(self._seed, each)],
        )

    def task(self, ticket: Ticket) -> Row:
        """One row of the ticket's class."""
        closed = ticket.resolved if ticket.kind == "request" else ticket.closed
        last = _last_activity(ticket)
        service = sys_id(self._seed, "cmdb_ci_service", ticket.service)
        agent = self._agent(ticket)
        row = {
            "sys_id": ticket_id(self._seed, ticket),
            "sys_class_name": TABLES[ticket.kind],
            "number": ticket.number,
            "task_effective_number": ticket.number,
            "short_description": ticket.title,
            "description": ticket.text,
            "priority": str(ticket.priority),
            "impact": str(min(3, (ticket.priority + 1) // 2)),
            "urgency": str(min(3, (ticket.priority + 2) // 2)),
            "active": "false" if closed else "true",
            "approval": "not requested",
            "opened_at": moments.text(ticket.opened),
            "opened_by": self._opener(ticket),
            "closed_at": moments.text(closed) if closed else "",
            "closed_by": agent if closed else "",
            "assigned_to": agent,
            "assignment_group": sys_id(self._seed, "sys_user_group", ticket.hops[-1].team),
            "cmdb_ci": service,
            "business_service": service,
            "contact_type": ticket.channel,
            "made_sla": "false" if any(_breached(ticket)) else "true",
            "escalation": "0",
            "knowledge": "false",
            "reassignment_count": str(len(ticket.hops) - 1),
            "sys_domain": "global",
            "sys_domain_path": "/",
            "sys_created_on": moments.text(ticket.opened),
            "sys_created_by": ticket.caller,
            "sys_updated_on": moments.text(last),
            "sys_updated_by": "system",
            "sys_mod_count": str(len(ticket.hops) + 2 * bool(ticket.resolved)),
        }
        if ticket.resolved:
            span = ticket.resolved - ticket.opened
            business = calendar.business_seconds(ticket.opened, ticket.resolved)
            row["calendar_duration"] = moments.duration(span.total_seconds())
            row["business_duration"] = moments.duration(business)
        return row | self._own[ticket.kind](ticket)

    def _incident(self, ticket: Ticket) -> Row:
        row = {
            "caller_id": sys_id(self._seed, "sys_user", ticket.caller),
            "category": self._category[ticket.service],
            "subcategory": ticket.topic,
            "state": incident_state(ticket),
            "incident_state": incident_state(ticket),
            "severity": "3",
            "notify": "1",
            "child_incidents": "0",
            "reopen_count": "1" if ticket.reopened else "0",
            "sla_due": moments.text(ticket.opened + ticket.target),
            "problem_id": sys_id(self._seed, "problem", ticket.problem) if ticket.problem else "",
        }
        if row["state"] == "3":
            row["hold_reason"] = "1"
        if ticket.reopened:
            row["reopened_time"] = moments.text(ticket.reopened)
            row["reopened_by"] = row["caller_id"]
        if ticket.resolved:
            seconds = int((ticket.resolved - ticket.opened).total_seconds())
            business = calendar.business_seconds(ticket.opened, ticket.resolved)
            row |= {
                "resolved_at": moments.text(ticket.resolved),
                "resolved_by": self._agent(ticket),
                "close_code": "Solution provided",
                "close_notes": f"Cause of '{ticket.topic}' found and removed, caller informed.",
                "calendar_stc": str(seconds),
                "business_stc": str(business),
            }
        return row

    def _request(self, ticket: Ticket) -> Row:
        stage = "complete" if ticket.resolved else "fulfillment"
        return {
            "requested_for": sys_id(self._seed, "sys_user", ticket.caller),
            "cat_item": sys_id(self._seed, "sc_cat_item", ticket.service, ticket.topic),
            "state": "3" if ticket.resolved else "2",
            "approval": "approved",
            "stage": stage,
            "quantity": "1",
            "price": "0",
            "recurring_price": "0",
            "backordered": "false",
            "billable": "false",
            "due_date": moments.text(ticket.opened + ticket.target),
            "estimated_delivery": moments.text(ticket.opened + ticket.target),
        }

    def _problem(self, ticket: Ticket) -> Row:
        state = "107" if ticket.closed else "106" if ticket.resolved else "103"
        linked = sum(each.problem == ticket.number for each in self._agency.tickets)
        row = {
            "state": state,
            "problem_state": state,
            "known_error": "false" if ticket.resolved else "true",
            "major_problem": "false",
            "workaround_applied": "false",
            "category": self._category[ticket.service],
            "subcategory": ticket.topic,
            "related_incidents": str(linked),
            "reopen_count": "0",
        }
        if ticket.resolved:
            row |= {
                "resolved_at": moments.text(ticket.resolved),
                "resolved_by": self._agent(ticket),
                "resolution_code": "fix_applied",
                "fix_notes": f"Cause removed in {ticket.service}.",
            }
        return row

    def _change(self, ticket: Ticket) -> Row:
        planned = ticket.opened + timedelta(days=2)
        state = "3" if ticket.closed else "0" if ticket.resolved else "-2"
        return {
            "state": state,
            "type": ticket.change_type,
            "risk": "3" if ticket.change_type == "normal" else "4",
            "category": self._category[ticket.service],
            "start_date": moments.text(planned),
            "end_date": moments.text(planned + timedelta(hours=3)),
            "requested_by": sys_id(self._seed, "sys_user", ticket.caller),
            "cab_required": "true" if ticket.change_type == "normal" else "false",
            "unauthorized": "false",
            "on_hold": "false",
            "outside_maintenance_schedule": "false",
            "production_system": "true",
            "close_code": "successful" if ticket.closed else "",
        }

    def _agent(self, ticket: Ticket) -> str:
        members = self._members[ticket.hops[-1].team]
        return sys_id(self._seed, "sys_user", members[int(ticket.number[-4:]) % len(members)])

    def _opener(self, ticket: Ticket) -> str:
        if ticket.channel in {"self-service", "direct"}:
            return sys_id(self._seed, "sys_user", ticket.caller)
        desk = self._agency.teams[0].members
        return sys_id(self._seed, "sys_user", desk[int(ticket.number[-3:]) % len(desk)])

    # -- service levels ----------------------------------------------------------------------

    def _agreements(self) -> list[Row]:
        wanted = [("sc_req_item", "Requested item resolution", "resolution", REQUEST_TARGET)]
        for priority, (resolution, response) in TARGETS.items():
            wanted.append(("incident", f"Priority {priority} resolution", "resolution", resolution))
            wanted.append(("incident", f"Priority {priority} response", "response", response))
        return [
            {
                "sys_id": sys_id(self._seed, "contract_sla", name),
                "name": name,
                "type": "SLA",
                "target": target,
                "collection": table,
                "duration": moments.duration(length.total_seconds()),
                "active": "true",
            }
            for table, name, target, length in wanted
        ]

    def _levels(self, ticket: Ticket) -> Iterator[Row]:
        if ticket.kind == "request":
            name = "Requested item resolution"
            yield self._level(ticket, name, ticket.target, ticket.resolved)
        elif ticket.kind == "incident":
            name = f"Priority {ticket.priority}"
            responded = ticket.responded if ticket.responded <= calendar.DATA_END else None
            yield self._level(ticket, f"{name} response", ticket.response, responded)
            yield self._level(ticket, f"{name} resolution", ticket.target, ticket.resolved)

    def _level(self, ticket: Ticket, name: str, target: timedelta, end: datetime | None) -> Row:
        until = end or calendar.DATA_END
        elapsed = (until - ticket.opened).total_seconds()
        business = calendar.business_seconds(ticket.opened, until)
        share = 100 * elapsed / target.total_seconds()
        left = moments.duration(max(target.total_seconds() - elapsed, 0))
        planned = moments.text(ticket.opened + target)
        return {
            "sys_id": sys_id(self._seed, "task_sla", ticket.number, name),
            "task": ticket_id(self._seed, ticket),
            "sla": sys_id(self._seed, "contract_sla", name),
            "stage": "completed" if end else "in_progress",
            "active": "false" if end else "true",
            "has_breached": "true" if until - ticket.opened > target else "false",
            "start_time": moments.text(ticket.opened),
            "end_time": moments.text(end) if end else "",
            "planned_end_time": planned,
            "original_breach_time": planned,
            "duration": moments.duration(elapsed),
            "business_duration": moments.duration(business),
            "pause_duration": moments.duration(0),
            "business_pause_duration": moments.duration(0),
            "time_left": left,
            "business_time_left": left,
            "percentage": f"{share:.2f}",
            "business_percentage": f"{share:.2f}",
            "timezone": "UTC",
            "sys_created_on": moments.text(ticket.opened),
            "sys_updated_on": moments.text(until),
        }


def ticket_id(seed: str, ticket: Ticket) -> str:
    """The sys_id of a ticket's row."""
    return sys_id(seed, TABLES[ticket.kind], ticket.number)


def incident_state(ticket: Ticket) -> str:
    """The state at the end of the data."""
    end = calendar.DATA_END
    if ticket.closed:
        return "7"
    if ticket.resolved:
        return "6"
    if ticket.held and ticket.held[0] <= end < ticket.held[1]:
        return "3"
    return "2" if ticket.responded <= end else "1"


def _breached(ticket: Ticket) -> Iterator[bool]:
    if ticket.kind in {"incident", "request"}:
        yield (ticket.resolved or calendar.DATA_END) - ticket.opened > ticket.target
    if ticket.kind == "incident":
        yield min(ticket.responded, calendar.DATA_END) - ticket.opened > ticket.response


def _last_activity(ticket: Ticket) -> datetime:
    marks = [ticket.opened, *(hop.start for hop in ticket.hops)]
    marks += [each for each in (ticket.resolved, ticket.reopened) if each]
    if ticket.closed and ticket.kind != "request":
        marks.append(ticket.closed)
    if ticket.responded <= calendar.DATA_END:
        marks.append(ticket.responded)
    return min(max(marks), calendar.DATA_END)
