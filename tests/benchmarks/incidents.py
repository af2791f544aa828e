"""So many incidents as cheap to serve as they can be: sorted places, and texts ready but for gaps.

Rows are those of the sample agency over and over, each with a sys_id, number, stamp and title of
its own. They are found by the encoded queries of a keyset read, and by nothing else.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice

START = datetime(2024, 1, 1, tzinfo=UTC)
A_SECOND = 3
"""So many rows changed in one second."""
COLUMNS = 69

Place = tuple[str, str]
"""(sys_updated_on, sys_id), the order in which rows are read."""

_OWN = ("sys_id", "sys_updated_on", "number", "short_description")
_STRIDE, _MODULUS = 0x9E3779B97F4A7C15F39CC0605CEDC835, 1 << 128
_INVERSE = pow(_STRIDE, -1, _MODULUS)
_CONDITION = re.compile(r"(sys_updated_on|sys_id)(>=|<=|>|<|=)(.+)")
_END = "\x7f"


class Incidents:
    """The table: what is in it, and a page of it as JSON."""

    def __init__(self, models: Sequence[Mapping[str, str]], rows: int) -> None:
        self._models = models
        self._places = sorted((_stamp(at // A_SECOND), _sys_id(at)) for at in range(rows))
        self._edits: dict[str, int] = {}
        self._templates: dict[tuple[tuple[str, ...], bool], list[str]] = {}

    def page(
        self, query: str, fields: Sequence[str], *, limit: int, offset: int = 0, pairs: bool = False
    ) -> bytes:
        """The answer to a query; ``pairs``: each value beside its display value."""
        names = tuple(name for name in fields if name in self._models[0])
        templates = self._ready(names, pairs)
        own = [_OWN.index(name) for name in names if name in _OWN for _ in range(1 + pairs)]
        many = len(self._models)
        texts = []
        for stamp, sys_id in islice(self._found(query), offset, offset + limit):
            at = _at(sys_id)
            values = self._own(at, stamp, sys_id)
            texts.append(templates[at % many] % tuple(values[each] for each in own))
        return ('{"result":[' + ",".join(texts) + "]}").encode()

    def count(self, query: str) -> int:
        """How many rows a query has."""
        pieces = [self._range(piece) for piece in query.split("^NQ")]
        if any(ids for *_, ids in pieces):
            return sum(1 for _ in self._found(query))
        return sum(high - low for low, high, _ in pieces)

    def rows(self, fields: Sequence[str]) -> Iterator[list[str]]:
        """The fields of every row."""
        for stamp, sys_id in self._places:
            at = _at(sys_id)
            row = {
                **self._models[at % len(self._models)],
                **dict(zip(_OWN, self._own(at, stamp, sys_id), strict=True)),
            }
            yield [row[name] for name in fields]

    def touch(self, many: int) -> None:
        """Let so many rows change, spread over the table; they move to the end."""
        last = datetime.fromisoformat(self._places[-1][0])
        step = max(len(self._places) // many, 1)
        for turn, (stamp, sys_id) in enumerate(self._places[::step][:many]):
            del self._places[bisect_left(self._places, (stamp, sys_id))]
            self._edits[sys_id] = self._edits.get(sys_id, 0) + 1
            moment = last + timedelta(seconds=1 + turn // A_SECOND)
            insort(self._places, (f"{moment:%Y-%m-%d %H:%M:%S}", sys_id))

    def _own(self, at: int, stamp: str, sys_id: str) -> tuple[str, str, str, str]:
        return sys_id, stamp, f"INC9{at:07d}", f"Incident {at}, edit {self._edits.get(sys_id, 0)}"

    def _ready(self, names: tuple[str, ...], pairs: bool) -> list[str]:
        key = (names, pairs)
        if key not in self._templates:
            self._templates[key] = [_template(model, names, pairs) for model in self._models]
        return self._templates[key]

    def _found(self, query: str) -> Iterator[Place]:
        pieces = query.split("^NQ")
        for low, high, ids in sorted(self._range(piece) for piece in pieces):
            for at in range(low, high):
                if all(low_id <= self._places[at][1] < high_id for low_id, high_id in ids):
                    yield self._places[at]

    def _range(self, conditions: str) -> tuple[int, int, tuple[tuple[str, str], ...]]:
        """First and last place of a set of conditions, and between which sys_ids."""
        low, high = ("", ""), (_END, "")
        least, most = "", _END
        for condition in filter(None, conditions.split("^")):
            if condition.startswith("ORDERBY") or condition == "ORsys_updated_onISEMPTY":
                continue
            match = _CONDITION.fullmatch(condition)
            if match is None:
                raise ValueError(f"the bench does not serve {condition!r}")
            column, operator, value = match.groups()
            if column == "sys_id":
                if operator in (">", ">="):
                    least = max(least, value + (_END if operator == ">" else ""))
                else:
                    most = min(most, value + ("" if operator == "<" else _END))
                continue
            if operator in (">", ">=", "="):
                low = max(low, (value, _END if operator == ">" else ""))
            if operator in ("<", "<=", "="):
                high = min(high, (value, "" if operator == "<" else _END))
        if low[0] == high[0]:  # one second: its sys_ids are in order
            low, high = max(low, (low[0], least)), min(high, (high[0], most))
        first, last = bisect_left(self._places, low), bisect_right(self._places, high)
        return first, last, ((least, most),) if (least, most) != ("", _END) else ()


def _template(model: Mapping[str, str], names: Sequence[str], pairs: bool) -> str:
    """The JSON of a row with ``%s`` where its own values belong."""
    parts = []
    for name in names:
        text = '"%s"' if name in _OWN else json.dumps(model[name]).replace("%", "%%")
        both = f'{{"display_value":{text},"value":{text}}}' if pairs else text
        parts.append(f'"{name}":{both}')
    return "{" + ",".join(parts) + "}"


def _stamp(second: int) -> str:
    return f"{START + timedelta(seconds=second):%Y-%m-%d %H:%M:%S}"


def _sys_id(at: int) -> str:
    """As without order as a real one: an index is filled all over, not at its end."""
    return f"{at * _STRIDE % _MODULUS:032x}"


def _at(sys_id: str) -> int:
    return int(sys_id, 16) * _INVERSE % _MODULUS
