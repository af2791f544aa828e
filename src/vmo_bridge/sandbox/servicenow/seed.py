"""The agency as rows of the instance's tables, in the order they have to be loaded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from vmo_bridge.sandbox.agency import calendar
from vmo_bridge.sandbox.agency.model import Agency
from vmo_bridge.sandbox.servicenow import catalogue, moments
from vmo_bridge.sandbox.servicenow.catalogue import sys_id
from vmo_bridge.sandbox.servicenow.dictionary import Row
from vmo_bridge.sandbox.servicenow.seed_choices import choice_rows, section_rows
from vmo_bridge.sandbox.servicenow.seed_demands import demand_rows
from vmo_bridge.sandbox.servicenow.seed_knowledge import knowledge_rows
from vmo_bridge.sandbox.servicenow.seed_surveys import survey_rows
from vmo_bridge.sandbox.servicenow.seed_talks import TalkRows
from vmo_bridge.sandbox.servicenow.seed_work import WorkRows

_START = moments.text(calendar.DATA_START)


def content_rows(agency: Agency) -> Iterator[tuple[str, Iterable[Row]]]:
    """(table, rows) for every table with content; rows carry every sys_* column they need."""
    seed = str(agency.seed)
    yield "sys_ui_section", stamped(section_rows(seed)[0])
    yield "sys_ui_element", stamped(section_rows(seed)[1])
    yield from ((table, stamped(rows)) for table, rows in _people(agency, seed))
    yield from ((table, stamped(rows)) for table, rows in _services(agency, seed))
    yield from ((table, stamped(rows)) for table, rows in WorkRows(agency, seed).all())
    yield from ((table, stamped(rows)) for table, rows in demand_rows(agency, seed))
    yield from ((table, stamped(rows)) for table, rows in survey_rows(agency, seed))
    yield from ((table, stamped(rows)) for table, rows in knowledge_rows(agency, seed))
    for table, rows in TalkRows(agency, seed).all():
        # An entry of a journal is never changed: it has no stamps but those of its making.
        yield table, rows if table == "sys_journal_field" else stamped(rows)


def describing_rows(seed: str) -> Iterator[tuple[str, Iterable[Row]]]:
    """The rows that describe tables, columns and choices."""
    yield "sys_db_object", stamped(catalogue.table_rows(seed))
    yield "sys_dictionary", stamped(catalogue.column_rows(seed))
    yield "sys_choice", stamped(choice_rows(seed))
    for table, rows in rule_rows(seed).items():
        yield table, stamped(rows)


def rule_rows(seed: str) -> dict[str, list[Row]]:
    """The roles of a fresh instance, and the one access rule that is written down: incidents."""
    roles = {name: sys_id(seed, "sys_user_role", name) for name in ("admin", "itil")}
    rule = sys_id(seed, "sys_security_acl", "incident", "write")
    return {
        "sys_user_role": [{"sys_id": key, "name": name} for name, key in roles.items()],
        "sys_security_acl": [
            {"sys_id": rule, "name": "incident", "operation": "write", "type": "record",
             "active": "true", "admin_overrides": "true"}
        ],
        "sys_security_acl_role": [
            {"sys_id": sys_id(seed, "sys_security_acl_role", rule), "sys_security_acl": rule,
             "sys_user_role": roles["itil"]}
        ],
    }  # fmt: skip


def with_ids(truth: dict[str, Any], seed: str) -> dict[str, Any]:
    """``truth`` with the sys_ids of the services, user groups and people it names."""
    tables = {
        "service": "cmdb_ci_service",
        "user_group": "cmn_department",
        "person": "sys_user",
        "demand": "dmn_demand",
    }

    def known(entry: dict[str, Any]) -> dict[str, Any]:
        ids = {
            f"{key}_sys_id": sys_id(seed, table, entry[key])
            for key, table in tables.items()
            if key in entry
        }
        return entry | ids

    return {
        key: [known(entry) for entry in value] if isinstance(value, list) else value
        for key, value in truth.items()
    }


def stamped(rows: Iterable[Row], start: str = _START) -> Iterator[Row]:
    """Rows with the sys_* columns filled in; what has none is as old as the data (``start``)."""
    for row in rows:
        created = row.get("sys_created_on", start)
        stamps = {
            "sys_created_on": created,
            "sys_created_by": "system",
            "sys_updated_on": created,
            "sys_updated_by": "system",
            "sys_mod_count": "0",
        }
        yield stamps | row


def _people(agency: Agency, seed: str) -> Iterator[tuple[str, list[Row]]]:
    company = sys_id(seed, "core_company", "Meridian")
    yield "core_company", [{"sys_id": company, "name": "Meridian", "vendor": "false"}]
    heads: dict[str, str] = {}
    users: list[Row] = []
    for number, person in enumerate(agency.people, start=1):
        key = sys_id(seed, "sys_user", person.user_name)
        head = heads.setdefault(person.department, key)
        users.append(
            {
                "sys_id": key,
                "user_name": person.user_name,
                "name": person.name,
                "first_name": person.first,
                "last_name": person.last,
                "email": f"{person.user_name}@meridian.example",
                "active": _bool(person.active),
                "department": sys_id(seed, "cmn_department", person.department),
                "manager": "" if head == key else head,
                "title": person.title,
                "company": company,
                "employee_number": f"{number:05d}",
                "vip": _bool(person.vip),
                "locked_out": _bool(not person.active),
                "web_service_access_only": "false",
                "internal_integration_user": "false",
                "sys_class_name": "sys_user",
            }
        )
    yield "sys_user", users + account_rows(seed)
    yield (
        "cmn_department",
        [
            {
                "sys_id": sys_id(seed, "cmn_department", each.name),
                "name": each.name,
                "id": each.code,
                "dept_head": heads[each.name],
                "company": company,
            }
            for each in agency.departments
        ],
    )
    yield from _teams(agency, seed)


def account_rows(seed: str) -> list[Row]:
    """The users that may sign in to the interfaces."""
    names = (
        ("admin", "System Administrator"),
        ("vmo.bridge", "VMO Bridge"),
        ("vmo.reader", "VMO Reader"),
    )
    return [
        {
            "sys_id": sys_id(seed, "sys_user", user_name),
            "user_name": user_name,
            "name": name,
            "first_name": name.split()[0],
            "last_name": name.split()[1],
            "active": "true",
            "vip": "false",
            "locked_out": "false",
            "web_service_access_only": _bool(user_name != "admin"),
            "internal_integration_user": "false",
            "sys_class_name": "sys_user",
        }
        for user_name, name in names
    ]


def _teams(agency: Agency, seed: str) -> Iterator[tuple[str, list[Row]]]:
    yield (
        "sys_user_group",
        [
            {
                "sys_id": sys_id(seed, "sys_user_group", team.name),
                "name": team.name,
                "type": team.kind,
                "manager": sys_id(seed, "sys_user", team.members[0]),
                "active": "true",
                "description": {"desk": "First line", "second": "Second line"}.get(
                    team.kind, "External partner"
                ),
            }
            for team in agency.teams
        ],
    )
    yield (
        "sys_user_grmember",
        [
            {
                "sys_id": sys_id(seed, "sys_user_grmember", team.name, member),
                "user": sys_id(seed, "sys_user", member),
                "group": sys_id(seed, "sys_user_group", team.name),
            }
            for team in agency.teams
            for member in team.members
        ],
    )


def _services(agency: Agency, seed: str) -> Iterator[tuple[str, list[Row]]]:
    rows = []
    for service in agency.services:
        team = next(team for team in agency.teams if team.name == service.team)
        rows.append(
            {
                "sys_id": sys_id(seed, "cmdb_ci_service", service.name),
                "name": service.name,
                "short_description": f"{service.name} for all of Meridian",
                "category": service.category,
                "service_classification": "Business Service",
                "busines_criticality": service.criticality,
                "support_group": sys_id(seed, "sys_user_group", service.team),
                "owned_by": sys_id(seed, "sys_user", team.members[0]),
                "managed_by": sys_id(seed, "sys_user", team.members[1]),
                "operational_status": "1",
                "install_status": "1",
                "sys_class_name": "cmdb_ci_service",
            }
        )
    yield "cmdb_ci_service", rows
    yield (
        "sc_cat_item",
        [
            {
                "sys_id": sys_id(seed, "sc_cat_item", service.name, item.key),
                "name": f"{service.name}: {item.key}",
                "short_description": item.phrases[0],
                "active": "true",
            }
            for service in agency.services
            for item in service.requests
        ],
    )


def _bool(value: bool) -> str:
    return "true" if value else "false"
