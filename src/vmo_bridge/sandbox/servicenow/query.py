"""The grammar of encoded queries: text in, sets of conditions out; knows no table."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_WORDS = (
    "NOT IN", "INSTANCEOF", "IN", "DOES NOT CONTAIN", "NOT LIKE", "CONTAINS", "LIKE",
    "STARTSWITH", "ENDSWITH", "ISEMPTY", "ISNOTEMPTY", "EMPTYSTRING", "ANYTHING",
    "BETWEEN", "NSAMEAS", "SAMEAS", "NOTON", "ON",
)  # fmt: skip
_SIGNS = ("!=", ">=", "<=", "!*", "=", ">", "<", "*", "%")
_CONDITION = re.compile(
    r"([a-z0-9_]+(?:\.[a-z0-9_]+)*)("
    + "|".join(re.escape(word) for word in (*_WORDS, *_SIGNS))
    + r")(.*)$",
    re.DOTALL,
)
_RELATED_LIST = re.compile(
    r"(?:^|(?<=\^))RLQUERY(\w+)\.(\w+),(>=|<=|!=|=|>|<)(\d+)(.*?)\^ENDRLQUERY", re.DOTALL
)
_JOIN = re.compile(r"(?:^|(?<=\^))JOIN\w+\.(\w+)=(\w+)\.(\w+)!([^^]*)")
_SAME = {
    "CONTAINS": "LIKE", "*": "LIKE", "!*": "NOT LIKE", "DOES NOT CONTAIN": "NOT LIKE",
    "%": "ENDSWITH",
}  # fmt: skip
_WITHOUT_VALUE = frozenset({"ISEMPTY", "ISNOTEMPTY", "EMPTYSTRING", "ANYTHING"})
_NEEDS_VALUE = frozenset(
    {">", ">=", "<", "<=", "LIKE", "NOT LIKE", "STARTSWITH", "ENDSWITH", "BETWEEN", "INSTANCEOF"}
)


@dataclass(frozen=True, slots=True)
class Condition:
    """``path operator value``; ``path`` may be dot-walked."""

    path: str
    operator: str
    value: str


@dataclass(frozen=True, slots=True)
class Related:
    """Rows of ``table`` whose ``field`` is the ``own`` column: ``count`` of them, or any.

    ``count`` is an operator and a number ("" and 0: any); ``query`` narrows them.
    """

    own: str
    table: str
    field: str
    count: tuple[str, int]
    query: str


@dataclass(slots=True)
class Query:
    """``sets`` are OR-ed; each is a list of AND-ed groups, each group a list of OR-ed conditions.

    ``related`` hold for all sets. ``order`` holds (path, descending). ``invalid`` holds the parts
    the grammar could not read.
    """

    sets: list[list[list[Condition]]] = field(default_factory=lambda: [[]])
    related: list[Related] = field(default_factory=list)
    order: list[tuple[str, bool]] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)


def parse(text: str) -> Query:
    """Read an encoded query; parts that are not in the grammar are listed, never raised."""
    query = Query()
    for part in _related(query, text).split("^"):
        if part in ("", "EQ") or part.startswith("GROUPBY"):
            continue
        if part.startswith("ORDERBY"):
            _order(query, part)
            continue
        joins = part.startswith("OR")
        if part.startswith("NQ"):
            query.sets.append([])
            part = part[2:]  # noqa: PLW2901 — the rest of the part is an ordinary condition
            if not part:
                continue
        condition = _condition(part[2:] if joins else part)
        if condition is None:
            query.invalid.append(part)
        _attach(query.sets[-1], condition, joins=joins)
    for groups in query.sets:
        groups[:] = [group for group in groups if group]
    return query


def _related(query: Query, text: str) -> str:
    """Take related lists and joins out of ``text``; what is left is of the table alone."""

    def related_list(match: re.Match[str]) -> str:
        table, name, sign, number, more = match.groups()
        conditions = more.removeprefix(",m2m").lstrip(",^")
        query.related.append(Related("sys_id", table, name, (sign, int(number)), conditions))
        return ""

    def join(match: re.Match[str]) -> str:
        own, table, name, conditions = match.groups()
        query.related.append(Related(own, table, name, ("", 0), conditions))
        return ""

    return _JOIN.sub(join, _RELATED_LIST.sub(related_list, text))


def _attach(groups: list[list[Condition]], condition: Condition | None, *, joins: bool) -> None:
    """``^OR`` joins the preceding condition's group even when that condition was invalid."""
    if not joins or not groups:
        groups.append([])
    if condition is not None:
        groups[-1].append(condition)


def _order(query: Query, part: str) -> None:
    descending = part.startswith("ORDERBYDESC")
    path = part[len("ORDERBYDESC") if descending else len("ORDERBY") :]
    if re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)*", path):
        query.order.append((path, descending))
    else:
        query.invalid.append(part)


def _condition(part: str) -> Condition | None:
    match = _CONDITION.match(part)
    if match is None:
        return None
    path, operator, value = match.groups()
    operator = _SAME.get(operator, operator)
    if operator in _WITHOUT_VALUE and value:
        return None
    if operator in _NEEDS_VALUE and not value:
        # `sys_id>` with nothing after it is malformed on the platform as well.
        return None
    return Condition(path, operator, value)
