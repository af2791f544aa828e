"""The plugin of the built-in rules: they go the same road as a stranger's."""

from __future__ import annotations

from vmo_bridge.hooks.extensions import Rule
from vmo_bridge.hooks.specs import hookimpl
from vmo_bridge.signals.rules import (
    feedback_without_ticket,
    ping_pong,
    recurring,
    stalled_hand_off,
    watermelon,
)


@hookimpl
def vmo_rules() -> list[Rule]:
    """Give the built-in rules."""
    return [
        watermelon.RULE,
        ping_pong.RULE,
        feedback_without_ticket.RULE,
        recurring.RULE,
        stalled_hand_off.RULE,
    ]
