"""Cuts a first read into stretches of time that hold about as many issues each.

They meet on whole minutes and are exact, so none is read twice while nothing changes. An issue that
is edited meanwhile leaves its stretch for the last one, which has no end: it is read there, or,
where that was finished before, with the next sync, which begins where the last one had come to.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from vmo_bridge_jira.counting import Counter, Window

_WORTH = 2_000
"""Fewer issues than these are not worth a slice."""
_SLICES_EACH = 4
"""So many slices for each that is read at once: none is waited for long at the end."""
_SHORTEST = timedelta(hours=6)


def windows(counter: Counter, until: datetime | None, now: datetime, at_once: int) -> list[Window]:
    """The whole until then in one window, or in several if they can be read at once."""
    whole: Window = (None, until)
    if at_once == 1:
        return [whole]
    count, _ = counter.count(whole)
    size = max(_WORTH, count // (at_once * _SLICES_EACH))
    oldest = counter.edge(whole, latest=False) if count > size else None
    if oldest is None:
        return [whole]
    end = min(now, until) if until else now
    halved = _halved(counter, (_minute(oldest), _minute(end)), count, size)
    cuts = _joined(list(halved), size)[:-1]
    return list(zip([None, *cuts], [*cuts, until], strict=True))


def _halved(
    counter: Counter, window: tuple[datetime, datetime], count: int, size: int
) -> Iterator[tuple[datetime, int]]:
    """(end, count) of parts, each of ``size`` at most unless it is of the shortest."""
    since, until = window
    middle = _minute(since + (until - since) / 2)
    if count <= size or until - since < _SHORTEST:
        yield until, count
        return
    early = min(counter.count((since, middle))[0], count)
    yield from _halved(counter, (since, middle), early, size)
    yield from _halved(counter, (middle, until), count - early, size)


def _joined(parts: list[tuple[datetime, int]], size: int) -> list[datetime]:
    """The ends of neighbours put together as long as they stay within ``size``."""
    ends: list[datetime] = []
    held = 0
    for end, count in parts:
        if ends and held + count <= size:
            ends[-1], held = end, held + count
        else:
            ends.append(end)
            held = count
    return ends


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
