"""What a rule needs to judge at all: where it is missing, the answer is "not known", not "fine"."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vmo_bridge.errors import PluginError
from vmo_bridge.hooks.extensions import Rule

if TYPE_CHECKING:
    import pyarrow as pa

    from vmo_bridge.analysis.engine import Analysis

NEEDS = "needs"
"""Name of a rule's optional query that counts, in one row, the facts it cannot do without.

Each column is named for people, with ``_`` for spaces; one that is 0 or NULL is missing.
"""

_VIEW_OF_KIND = {
    "ticket": "tickets",
    "span": "spans",
    "sla_outcome": "sla_outcomes",
    "feedback": "feedback",
    "answer": "answers",
    "question": "answers",  # a question is seen through its answers
    "person": "persons",
    "user_group": "user_groups",
    "service": "services",
    "team": "teams",
    "initiative": "initiatives",
    "link": "links",
    "idea": "ideas",
}


def missing(rule: Rule, tables: Mapping[str, pa.Table]) -> list[str]:
    """Kinds of record the rule reads of which there is not one, in the rule's order."""
    return [kind for kind in rule.reads if not _count(rule, kind, tables)]


def _count(rule: Rule, kind: str, tables: Mapping[str, pa.Table]) -> int:
    view = _VIEW_OF_KIND.get(kind)
    if view is None:
        known = ", ".join(_VIEW_OF_KIND)
        raise PluginError(f"rule {rule.name!r} reads {kind!r}, which is none of: {known}")
    return tables[view].num_rows if view in tables else 0


def missing_facts(rule: Rule, analysis: Analysis) -> list[str]:
    """What the rule's ``needs`` query finds missing: records are there, but lack what it needs.

    Such as surveys of which no question is mapped to ``csat``. Raises PluginError for wrong SQL.
    """
    sql = rule.queries.get(NEEDS)
    if sql is None:
        return []
    try:
        rows = analysis.query(sql)
    except PluginError as err:
        raise PluginError(f"rule {rule.name!r}, query {NEEDS!r}: {err}") from err
    if len(rows) != 1:
        raise PluginError(f"rule {rule.name!r}, query {NEEDS!r}: {len(rows)} rows, not one")
    return [fact.replace("_", " ") for fact, count in rows[0].items() if not count]
