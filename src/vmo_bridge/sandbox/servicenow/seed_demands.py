"""Rows of demands and their portfolios."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.development import PORTFOLIOS
from vmo_bridge.sandbox.agency.model import Agency
from vmo_bridge.sandbox.agency.works import Demand
from vmo_bridge.sandbox.servicenow import moments
from vmo_bridge.sandbox.servicenow.catalogue import sys_id
from vmo_bridge.sandbox.servicenow.dictionary import Row

_STATES = {
    "draft": "1", "submitted": "2", "screening": "3", "approved": "8", "completed": "9",
    "rejected": "10",
}  # fmt: skip
_APPROVALS = {
    "draft": "not requested", "submitted": "not requested", "screening": "requested",
    "rejected": "rejected",
}  # fmt: skip


def demand_rows(agency: Agency, seed: str) -> Iterator[tuple[str, list[Row]]]:
    """(table, rows) of portfolios and demands."""
    yield (
        "pm_portfolio",
        [
            {"sys_id": sys_id(seed, "pm_portfolio", name), "name": name, "active": "true"}
            for name in PORTFOLIOS
        ],
    )
    teams = {each.name: each.team for each in agency.services}
    members = {team.name: team.members for team in agency.teams}
    department = {person.user_name: person.department for person in agency.people}
    rows = []
    for demand in agency.demands:
        team = teams[demand.service]
        manager = sys_id(seed, "sys_user", members[team][0])
        row = _row(demand, seed) | {
            "assignment_group": sys_id(seed, "sys_user_group", team),
            "assigned_to": manager,
            "demand_manager": manager,
            "impacted_business_units": sys_id(seed, "cmn_department", department[demand.requester]),
        }
        rows.append(row)
    yield "dmn_demand", rows


def _row(demand: Demand, seed: str) -> Row:
    service = sys_id(seed, "cmdb_ci_service", demand.service)
    requester = sys_id(seed, "sys_user", demand.requester)
    ended = demand.state in {"completed", "rejected"}
    last = demand.decided or demand.opened
    if demand.epic is not None:
        last = demand.epic.moves()[-1].at if ended else demand.epic.created + timedelta(hours=1)
    closed = moments.text(last) if ended else ""
    told = demand.epic is not None and demand.told
    return {
        "sys_id": sys_id(seed, "dmn_demand", demand.number),
        "sys_class_name": "dmn_demand",
        "number": demand.number,
        "task_effective_number": demand.number,
        "short_description": demand.title,
        "description": demand.text,
        "state": _STATES[demand.state],
        "stage": demand.state,
        "approval": _APPROVALS.get(demand.state, "approved"),
        "category": "operational",
        "type": "enhancement",
        "portfolio": sys_id(seed, "pm_portfolio", demand.portfolio),
        "priority": "3",
        "impact": "2",
        "urgency": "2",
        "active": "false" if ended else "true",
        "opened_at": moments.text(demand.opened),
        "opened_by": requester,
        "requested_by": requester,
        "closed_at": closed,
        "business_service": service,
        "cmdb_ci": service,
        "contact_type": "self-service",
        "correlation_id": demand.epic.key if demand.epic is not None and told else "",
        "correlation_display": "Jira" if told else "",
        "made_sla": "true",
        "escalation": "0",
        "knowledge": "false",
        "reassignment_count": "0",
        "sys_domain": "global",
        "sys_domain_path": "/",
        "sys_created_on": moments.text(demand.opened),
        "sys_created_by": demand.requester,
        "sys_updated_on": moments.text(min(last, calendar.DATA_END)),
        "sys_mod_count": "3",
    }
