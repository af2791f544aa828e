"""The grade of a certificate: what caps it, and why. Pure: it asks nobody."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from vmo_bridge.records.certificate import GRADES, Certificate

_FEW = 0.01
"""Up to this share of a stream, what is lacking is a blemish; beyond, a gap."""


def graded(certificate: Certificate, sweep_every: timedelta | None) -> tuple[str, tuple[str, ...]]:
    """(grade, reasons): the worst of what is found, the gravest first.

    ``sweep_every``: how often all records are named; None where that is switched off.
    """
    found = sorted(_found(certificate, sweep_every), key=lambda each: -GRADES.index(each[0]))
    return (found[0][0] if found else "A"), tuple(reason for _, reason in found)


def _found(it: Certificate, sweep_every: timedelta | None) -> Iterator[tuple[str, str]]:
    if it.alarm:
        yield "F", it.alarm
    if it.complete_at is None:
        yield "F", "never read whole"
    if it.problem:
        yield "D", f"not read this time: {it.problem}"
    yield from _lacking(it)
    if it.quarantined:
        yield (
            "B" if it.quarantined <= _FEW * max(it.ours, 1) else "D",
            f"{it.quarantined} records cannot be read and are in quarantine",
        )
    if it.blanks:
        yield "B", f"not there, or hidden from our user: {', '.join(it.blanks)}"
    if it.hidden:
        yield "B", f"{it.hidden} records are counted by the source and hidden from our user"
    yield from _unproven(it, sweep_every)


def _lacking(it: Certificate) -> Iterator[tuple[str, str]]:
    whole = max(it.theirs or 0, it.ours, 1)
    lacking = max(it.lacking, it.missing)
    if lacking:
        yield (
            "C" if lacking <= _FEW * whole else "D",
            f"{lacking} records of {it.theirs} at the source are not held",
        )
    surplus = max(it.surplus, it.extra)
    if surplus:
        yield (
            "C" if surplus <= _FEW * whole else "D",
            f"{surplus} records are held that the source no longer counts or names",
        )


def _unproven(it: Certificate, sweep_every: timedelta | None) -> Iterator[tuple[str, str]]:
    if it.theirs is None and not it.problem:
        yield "C", "the source could not be asked how many records it has"
    if it.approximate:
        yield "B", "the source's own count is approximate"
    if not it.can_sweep:
        yield "B", "the source cannot name its records: deleted ones are not noticed"
    elif it.swept_at is None:
        yield "B", "its records were not named one by one yet: deleted ones may still be here"
    elif sweep_every and it.taken_at - it.swept_at > 2 * sweep_every:
        yield "B", f"its records were last named one by one on {it.swept_at:%Y-%m-%d %H:%M} UTC"
