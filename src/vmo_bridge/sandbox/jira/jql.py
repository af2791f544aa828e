"""Reads JQL into a small tree: conditions joined by AND, OR and NOT, then the order."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vmo_bridge.sandbox.jira.replies import JiraRefused

_TOKEN = re.compile(
    r"\s*(?:\"((?:[^\"\\]|\\.)*)\"|'((?:[^'\\]|\\.)*)'|(!=|!~|<=|>=|[=<>~(),])|([^\s=!<>~(),\"']+))"
)
_OPERATORS = {"=", "!=", "<", "<=", ">", ">=", "~", "!~"}


@dataclass(frozen=True, slots=True)
class Term:
    """``field operator values``; the operator is in lower case, e.g. ``not in``."""

    field: str
    operator: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts joined by ``and`` or ``or``; ``not`` has one part."""

    how: str
    parts: tuple[Node, ...]


Node = Term | Joined


@dataclass(frozen=True, slots=True)
class Jql:
    """A whole query; ``where`` is None when nothing is restricted. ``order``: (field, desc)."""

    where: Node | None
    order: tuple[tuple[str, bool], ...]


def read(text: str) -> Jql:
    """``text`` as a tree; refused with 400 when it is no JQL."""
    return _Reader(text).whole()


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place = 0
        text = text.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                raise _wrong(f"Illegal character at position {place}")
            place = match.end()
            double, single, mark, word = match.groups()
            if mark is not None:
                self._tokens.append(("mark", mark))
            elif word is not None:
                self._tokens.append(("word", word))
            else:
                quoted = double if double is not None else single
                self._tokens.append(("text", re.sub(r"\\(.)", r"\1", quoted)))
        self._at = 0

    def whole(self) -> Jql:
        where = None
        if self._tokens and not self._is("order"):
            where = self._any()
        order = self._order() if self._is("order") else ()
        if self._at < len(self._tokens):
            raise _wrong(f"Expecting either 'OR' or 'AND' but got '{self._peek()[1]}'")
        return Jql(where, order)

    def _any(self) -> Node:
        parts = [self._all()]
        while self._took("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Joined("or", tuple(parts))

    def _all(self) -> Node:
        parts = [self._one()]
        while self._took("and"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else Joined("and", tuple(parts))

    def _one(self) -> Node:
        if self._took("not"):
            return Joined("not", (self._one(),))
        if self._took("("):
            inner = self._any()
            self._need(")")
            return inner
        return self._term()

    def _term(self) -> Term:
        kind, name = self._next("a field")
        if kind == "mark":
            raise _wrong(f"Expecting a field name but got '{name}'")
        if self._took("is"):
            negated = self._took("not")
            self._next("EMPTY")
            return Term(name, "is not empty" if negated else "is empty", ())
        negated = self._took("not")
        if self._took("in"):
            return Term(name, "not in" if negated else "in", self._list())
        _, operator = self._next("an operator")
        if operator not in _OPERATORS:
            raise _wrong(f"Expecting operator but got '{operator}'")
        return Term(name, operator, (self._value(),))

    def _list(self) -> tuple[str, ...]:
        self._need("(")
        found = [self._value()]
        while self._took(","):
            found.append(self._value())
        self._need(")")
        return tuple(found)

    def _value(self) -> str:
        kind, value = self._next("a value")
        if kind == "mark":
            raise _wrong(f"Expecting a value but got '{value}'")
        if kind == "word" and self._took("("):
            self._need(")")
            return f"{value}()"
        return value

    def _order(self) -> tuple[tuple[str, bool], ...]:
        self._next("ORDER")
        self._need("by")
        found = []
        while True:
            name = self._next("a field")[1]
            desc = self._took("desc")
            if not desc:
                self._took("asc")
            found.append((name, desc))
            if not self._took(","):
                return tuple(found)

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _is(self, word: str) -> bool:
        kind, value = self._peek()
        return kind in {"word", "mark"} and value.lower() == word

    def _took(self, word: str) -> bool:
        found = self._is(word)
        self._at += found
        return found

    def _need(self, word: str) -> None:
        if not self._took(word):
            raise _wrong(f"Expecting '{word}' but got '{self._peek()[1]}'")

    def _next(self, wanted: str) -> tuple[str, str]:
        found = self._peek()
        if found[0] == "end":
            raise _wrong(f"Expecting {wanted} before the end of the query")
        self._at += 1
        return found


def _wrong(reason: str) -> JiraRefused:
    return JiraRefused(400, f"Error in the JQL Query: {reason}.")
