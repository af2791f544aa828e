"""What became of a write, by what the record holds afterwards: a success is seen, not believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from vmo_bridge.connectors.writing import Change
from vmo_bridge.publish.notation import same


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a write ended, and which fields did not hold what was written."""

    state: Literal["stored", "not-stored", "reverted"]
    reason: str = ""
    fields: tuple[str, ...] = ()


def verdict(change: Change, stored: Mapping[str, str]) -> Verdict:
    """Compare what was to be written with what stands there.

    ``not-stored``: a field is missing or still holds what it held (an access rule or an unknown
    field dropped it). ``reverted``: it holds something third (a business rule).
    """
    dropped: dict[str, str] = {}
    reverted: dict[str, str] = {}
    for name, text in {**change.match, **change.values}.items():
        if name not in stored:
            dropped[name] = f"{name} is not stored: the field is unknown or hidden there"
            continue
        now = stored[name]
        if same(now, text):
            continue
        if same(now, change.before.get(name, "")):
            dropped[name] = f"{name} still holds {now!r:.60}: an access rule may guard it"
        else:
            reverted[name] = (
                f"{name} holds {now!r:.60} instead of {text!r:.60}: reverted by the platform"
            )
    if dropped:
        return Verdict("not-stored", next(iter(dropped.values())), (*dropped, *reverted))
    if reverted:
        return Verdict("reverted", next(iter(reverted.values())), tuple(reverted))
    return Verdict("stored")
