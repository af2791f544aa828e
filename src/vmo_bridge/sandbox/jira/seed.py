"""The agency's development and desk requests as issues of the site."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from vmo_bridge.sandbox.agency import helpdesk
from vmo_bridge.sandbox.agency.model import Agency
from vmo_bridge.sandbox.agency.works import Edit
from vmo_bridge.sandbox.agency.works import Issue as Work
from vmo_bridge.sandbox.jira.schema import STATUSES
from vmo_bridge.sandbox.jira.store import Issue, JiraStore, millis


def fill(store: JiraStore, agency: Agency) -> None:
    """Make the tables and put everything in."""
    store.create()
    works = sorted(agency.issues, key=lambda each: (each.created, each.key))
    rows = [_row(10_000 + number, work) for number, work in enumerate(works, start=1)]
    changes = [
        (row["id"], *_change(edit)) for row, work in zip(rows, works, strict=True)
        for edit in sorted(work.edits, key=lambda each: each.at)
    ]  # fmt: skip
    store.load(rows, changes)


def _row(number: int, work: Work) -> Issue:
    category = STATUSES[work.status][1]
    last = max([work.created, *(edit.at for edit in work.edits)])
    moves = work.moves()
    resolved = millis(moves[-1].at) if category == "done" and moves else None
    desk = work.project == helpdesk.PROJECT[0]
    return {
        "id": number,
        "key": work.key,
        "project": work.project,
        "kind": work.kind,
        "status": work.status,
        "category": category,
        "priority": "Medium",
        "parent": work.parent.key if work.parent else "",
        "reporter": work.reporter,
        "assignee": work.assignee,
        "summary": work.title,
        "description": work.text,
        "labels": json.dumps(work.labels),
        "service": work.service,
        "demand": work.demand,
        "rating": work.rating if desk else 0,
        "comment": work.comment,
        "custom": "{}",
        "resolved": resolved,
        "created": millis(work.created),
        "updated": millis(last),
        "touched": millis(last),
    }


def _change(edit: Edit) -> Sequence[Any]:
    """(at, author, items)."""
    item = {
        "field": edit.field,
        "fieldtype": "jira",
        "fieldId": edit.field,
        "from": STATUSES[edit.old][0] if edit.field == "status" else None,
        "fromString": edit.old,
        "to": STATUSES[edit.new][0] if edit.field == "status" else None,
        "toString": edit.new,
    }
    return millis(edit.at), edit.author, json.dumps([item])
