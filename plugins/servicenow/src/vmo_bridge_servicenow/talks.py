"""Talks with the desk: calls, chats and visits, and the tickets that came of them.

A talk is a ticket of a type of its own, so that nobody who counts incidents or requests counts it.
"""

from __future__ import annotations

from vmo_bridge.plugin import Link, Record, Ticket
from vmo_bridge_servicenow.row import Row
from vmo_bridge_servicenow.words import Words


def interaction(row: Row, words: Words) -> Record:
    """The talk itself, whether a ticket came of it or not."""
    number, theirs = row.need("number"), row.need("state")
    state = words.state(row.table, theirs)
    closed_at = row.time("closed_at")
    return Ticket(
        **row.base(number),
        type="interaction",
        original_type=row.table,
        number=number,
        title=row.text("short_description"),
        state=state,
        original_state=theirs,
        team_ref=row.ref("assignment_group"),
        requester_ref=row.ref("opened_for"),
        opened_at=row.began(),
        resolved_at=closed_at if state == "closed" else None,  # the table knows no "resolved"
        closed_at=closed_at,
        channel=row.text("channel"),
    )


def led_to(row: Row) -> Record | None:
    """A talk and the task that it led to, or was about; None for what is no task."""
    task = row.ref("task")
    if task is None:
        return None
    return Link(**row.base(), from_ref=row.need_ref("interaction"), to_ref=task, named_in="link")
