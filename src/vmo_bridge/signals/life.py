"""The life of a signal: raised once, seen again, ended. Pure; the moment is an argument."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from vmo_bridge.records import Finding, Signal


def follow(
    previous: Sequence[Signal],
    findings: Sequence[Finding],
    now: datetime,
    *,
    judged: Collection[str] | None = None,
) -> list[Signal]:
    """The signals after a run at ``now``: what was found first, then what was not.

    - *new*: found, and not alive before. ``raised_at`` is ``now``. A signal that returns after it
      had ended is new again: somebody may have acted on the first, and should hear of its return.
    - *open*: found, and alive before. ``raised_at`` is kept; the finding is the latest one.
    - *ended*: alive before, not found. Finding, ``raised_at`` and ``seen_at`` stay as last seen.

    ``judged`` names the rules that could judge in this run (None: all). Signals of other rules stay
    as they are: a rule without data knows nothing, so it ends nothing.

    A second call with the same findings and the same ``now`` changes nothing.
    """
    before = {signal.finding.id: signal for signal in previous}
    found = {finding.id: finding for finding in findings}
    alive = [_seen(finding, before.get(name), now) for name, finding in found.items()]
    return alive + [_unseen(signal, judged) for name, signal in before.items() if name not in found]


def _seen(finding: Finding, before: Signal | None, now: datetime) -> Signal:
    if before is None or before.state == "ended":
        return Signal(finding=finding, state="new", raised_at=now, seen_at=now)
    state = "new" if before.raised_at == now else "open"
    return Signal(finding=finding, state=state, raised_at=before.raised_at, seen_at=now)


def _unseen(signal: Signal, judged: Collection[str] | None) -> Signal:
    if judged is not None and signal.finding.rule not in judged:
        return signal
    return Signal(
        finding=signal.finding,
        state="ended",
        raised_at=signal.raised_at,
        seen_at=signal.seen_at,
    )
