"""What is said beside an epic's fields: a link to its demand, and a comment on its signals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from vmo_bridge.publish.facts import Facts, open_signals
from vmo_bridge.publish.texts import neutral
from vmo_bridge.records import Finding, Signal

if TYPE_CHECKING:
    import pyarrow as pa

Address = Callable[[str], str]
"""Ref of a record to where its source shows it; empty where that is not known."""

_LONGEST_NUMBER = 100
_LONGEST_COMMENT = 2000
_MOST_SIGNALS = 10

_DEMANDS = """
select e.ref as epic_ref, d.ref as demand_ref, d.number
from (
    select from_ref as demand_ref, to_ref as epic_ref from links
    union
    select to_ref as demand_ref, from_ref as epic_ref from links
) ways
join initiatives d on d.ref = ways.demand_ref and d.type = 'demand'
join initiatives e on e.ref = ways.epic_ref and e.type = 'epic'
where e.source = $target and d.source <> $target
order by e.ref, d.state in ('done', 'rejected'), d.number, d.ref
"""
"""Epics of the target and the demands of other sources that either of the two names; an epic's
open demands first."""


def nowhere(ref: str) -> str:  # noqa: ARG001 - no record is shown anywhere
    """The address of records whose sources nobody can ask."""
    return ""


def demand_links(
    tables: Mapping[str, pa.Table], target: str, address: Address
) -> dict[str, str | None]:
    """What the link of each epic of ``target`` that is tied to a demand should say.

    It is the demand's number, a blank and its address; None where the address is not known.
    """
    from vmo_bridge.analysis.engine import Analysis  # noqa: PLC0415 - duckdb is slow to import

    with Analysis(tables) as analysis:
        rows = analysis.query(_DEMANDS, {"target": target})
    first: dict[str, tuple[str, str]] = {}
    for row in rows:
        first.setdefault(row["epic_ref"], (row["demand_ref"], row["number"]))
    return {
        epic: _link(number, address(demand).strip()) for epic, (demand, number) in first.items()
    }


def _link(number: str, address: str) -> str | None:
    if not address or any(each.isspace() for each in address):
        return None
    return f"{neutral(' '.join(number.split()), _LONGEST_NUMBER)} {address}"


def signal_comments(signals: Iterable[Signal], refs: Iterable[str]) -> dict[str, str]:
    """For each record that is evidence of an open signal, a line that says of which."""
    of_ref: dict[str, list[Finding]] = defaultdict(list)
    wanted = set(refs)
    for signal in open_signals(signals):
        for ref in wanted.intersection(signal.finding.evidence):
            of_ref[ref].append(signal.finding)
    return {ref: _comment(found) for ref, found in of_ref.items()}


def _comment(found: list[Finding]) -> str:
    ordered = sorted(found, key=lambda each: each.id)
    told = [f"{each.title.rstrip('.')} ({each.rule})" for each in ordered[:_MOST_SIGNALS]]
    more = len(ordered) - len(told)
    names = "; ".join([*told, *([f"and {more} more"] if more else [])])
    begin = "An open signal names" if len(ordered) == 1 else f"{len(ordered)} open signals name"
    text = f"{begin} this as evidence: {names}."
    return neutral(" ".join(text.split()), _LONGEST_COMMENT)


def still_true(
    wanted: Mapping[str, str | None], field: str, refs: Iterable[str], written: Facts
) -> dict[str, str]:
    """What ``field`` should hold, by ref: what is wanted, and nothing where we wrote something.

    ``written`` is what our fields held when we last wrote to them, by ref. What is wanted and not
    known stays as it is.
    """
    found: dict[str, str] = {}
    for ref in refs:
        text = wanted.get(ref, "")
        if text or (text is not None and written.get(ref, {}).get(field)):
            found[ref] = text
    return found
