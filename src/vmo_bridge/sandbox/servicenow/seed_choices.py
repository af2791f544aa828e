"""Choices of the instance's choice columns, and the first section of its task forms."""

from __future__ import annotations

import re

from vmo_bridge.sandbox.servicenow.catalogue import sys_id
from vmo_bridge.sandbox.servicenow.dictionary import Row

# table.element: value=label | value=label …; a line that starts with blanks goes on.
_CHOICES = """
task.state: -5=Pending | 1=Open | 2=Work in Progress | 3=Closed Complete | 4=Closed Incomplete |
  7=Closed Skipped
task.priority: 1=1 - Critical | 2=2 - High | 3=3 - Moderate | 4=4 - Low | 5=5 - Planning
task.impact: 1=1 - High | 2=2 - Medium | 3=3 - Low
task.urgency: 1=1 - High | 2=2 - Medium | 3=3 - Low
task.approval: not requested=Not Yet Requested | requested=Requested | approved=Approved |
  rejected=Rejected
task.contact_type: phone=Phone | self-service=Self-service | email=Email | chat=Chat |
  direct=Direct
task.escalation: 0=Normal | 1=Moderate | 2=High | 3=Overdue
incident.state: 1=New | 2=In Progress | 3=On Hold | 6=Resolved | 7=Closed | 8=Canceled
incident.incident_state: 1=New | 2=In Progress | 3=On Hold | 6=Resolved | 7=Closed | 8=Canceled
incident.severity: 1=1 - High | 2=2 - Medium | 3=3 - Low
incident.hold_reason: 1=Awaiting Caller | 3=Awaiting Problem | 4=Awaiting Vendor | 5=Awaiting
  Change
incident.category: network=Network | collaboration=Collaboration | security=Security |
  hardware=Hardware | application=Application
incident.close_code: Solution provided=Solution provided | Workaround provided=Workaround
  provided | Resolved by caller=Resolved by caller | No resolution provided=No resolution
  provided
problem.state: 101=New | 102=Assess | 103=Root Cause Analysis | 104=Fix in Progress |
  106=Resolved | 107=Closed
problem.problem_state: 101=New | 102=Assess | 103=Root Cause Analysis | 104=Fix in Progress |
  106=Resolved | 107=Closed
problem.resolution_code: fix_applied=Fix Applied | risk_accepted=Risk Accepted |
  duplicate=Duplicate | canceled=Canceled
change_request.state: -5=New | -4=Assess | -3=Authorize | -2=Scheduled | -1=Implement | 0=Review
  | 3=Closed | 4=Canceled
change_request.type: standard=Standard | normal=Normal | emergency=Emergency
change_request.risk: 2=High | 3=Moderate | 4=Low
change_request.close_code: successful=Successful | successful_issues=Successful with issues |
  unsuccessful=Unsuccessful
dmn_demand.state: 1=Draft | 2=Submitted | 3=Screening | 8=Approved | 9=Completed | 10=Rejected
dmn_demand.category: strategic=Strategic | operational=Operational
dmn_demand.type: project=Project | enhancement=Enhancement | defect=Defect
sc_req_item.stage: request_approved=Request Approved | fulfillment=Fulfillment |
  delivery=Delivery | complete=Completed
task_sla.stage: in_progress=In progress | paused=Paused | completed=Completed |
  breached=Breached | cancelled=Cancelled
contract_sla.type: SLA=SLA | OLA=OLA | UC=Underpinning contract
contract_sla.target: response=Response | resolution=Resolution
interaction.state: new=New | work_in_progress=Work in Progress | on_hold=On Hold |
  wrap_up=Wrap Up | closed_complete=Closed Complete | closed_abandoned=Closed Abandoned
interaction.channel: phone=Phone | chat=Chat | walkup=Walk-up
kb_knowledge.workflow_state: draft=Draft | review=Review | published=Published | retired=Retired
kb_feedback.useful: yes=Yes | no=No
asmt_assessment_instance.state: ready=Ready to take | wip=In progress | complete=Complete |
  canceled=Canceled | expired=Expired
asmt_metric_type.publish_state: draft=Draft | published=Published
cmdb_ci.operational_status: 1=Operational | 2=Non-Operational | 6=Retired
cmdb_ci.install_status: 1=Installed | 7=Retired
"""

_FORMS = {
    "incident": (
        "number", "state", "caller_id", "priority", "business_service", "assignment_group",
        "category", "assigned_to", "contact_type", "opened_at", "problem_id", "resolved_at",
        "short_description", "description",
    ),
    "sc_req_item": (
        "number", "state", "requested_for", "stage", "cat_item", "assignment_group",
        "business_service", "assigned_to", "opened_at", "closed_at", "short_description",
        "description",
    ),
    "problem": (
        "number", "state", "business_service", "priority", "assignment_group", "known_error",
        "opened_at", "resolved_at", "short_description", "description",
    ),
    "change_request": (
        "number", "state", "type", "risk", "business_service", "assignment_group", "start_date",
        "end_date", "short_description", "description",
    ),
    "dmn_demand": (
        "number", "state", "approval", "portfolio", "requested_by", "business_service",
        "demand_manager", "correlation_id", "opened_at", "short_description", "description",
    ),
    "cmdb_ci_service": (
        "name", "busines_criticality", "support_group", "owned_by", "operational_status",
        "category", "short_description",
    ),
}  # fmt: skip


def choice_rows(seed: str) -> list[Row]:
    """Rows of sys_choice."""
    found = []
    for line in re.sub(r"\n +", " ", _CHOICES.strip()).splitlines():
        place, _, options = line.partition(": ")
        table, element = place.split(".")
        for order, option in enumerate(options.split(" | ")):
            value, _, label = option.partition("=")
            found.append(
                {
                    "sys_id": sys_id(seed, "sys_choice", table, element, value),
                    "name": table,
                    "element": element,
                    "value": value,
                    "label": label,
                    "language": "en",
                    "sequence": str(order),
                    "inactive": "false",
                }
            )
    return found


def section_rows(seed: str) -> tuple[list[Row], list[Row]]:
    """Rows of sys_ui_section and sys_ui_element: the first section of a form has no caption."""
    sections: list[Row] = []
    elements: list[Row] = []
    for table, names in _FORMS.items():
        section = sys_id(seed, "sys_ui_section", table)
        sections.append(
            {"sys_id": section, "name": table, "caption": "", "view": "Default view",
             "title": "true", "header": "false"}
        )  # fmt: skip
        for position, name in enumerate(names):
            elements.append(
                {
                    "sys_id": sys_id(seed, "sys_ui_element", table, name),
                    "sys_ui_section": section,
                    "element": name,
                    "position": str(position),
                }
            )
    return sections, elements
