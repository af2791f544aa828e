"""Which column of a file means what, by its header; and what of that changed since the last."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from vmo_bridge_files.answers import AnswerReader
from vmo_bridge_files.headers import PERSONAL, column_key, nearest, plain, position, unique
from vmo_bridge_files.settings import FormEntry, QuestionEntry
from vmo_bridge_files.table import FileRefused


@dataclass(frozen=True, slots=True)
class Asked:
    """A column that is a question."""

    at: int
    key: str
    header: str
    text: str
    reader: AnswerReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The meaning of a file's columns."""

    roles: dict[str, int]
    """Role to column."""
    questions: tuple[Asked, ...]
    dropped: tuple[str, ...]
    """Headers of columns that are neither read nor stored."""
    headers: tuple[str, ...]
    names: tuple[str, ...]
    """The headers by which columns are compared: plain, each once."""

    @property
    def kept(self) -> list[int]:
        """The columns that tell a row apart: all that is read, but for people."""
        people = {self.roles.get("person"), self.roles.get("email")}
        columns = {*self.roles.values(), *(each.at for each in self.questions)} - people
        return sorted((each for each in columns if each is not None), key=self.names.__getitem__)


def layout(form: FormEntry, header_rows: Sequence[Sequence[str]]) -> Layout:
    """Find the columns; ``FileRefused`` names one that is not there, and what comes near it."""
    headers = [each.lstrip("\ufeff").strip() for each in header_rows[form.name_row - 1]]
    texts = header_rows[(form.text_row or form.name_row) - 1]
    names = unique([plain(each) for each in headers])
    if not any(names):
        raise FileRefused("has an empty header; set skip_rows where it stands lower")
    roles = {role: _found(role, name, names, headers) for role, name in form.mapped.items()}
    described = {
        _found("a question", name, names, headers): entry for name, entry in form.questions.items()
    }
    ignored = {position(each, names) for each in form.ignore}
    questions, dropped = [], []
    for at, name in enumerate(names):
        if not name or at in roles.values():
            continue
        if at not in described and (
            at in ignored or plain(headers[at]) in PERSONAL or form.other_columns == "ignore"
        ):
            dropped.append(headers[at])
            continue
        text = " ".join(texts[at].split()) if at < len(texts) else ""
        reader = AnswerReader(described.get(at, QuestionEntry()))
        questions.append(Asked(at, column_key(name), headers[at], text or headers[at], reader))
    return Layout(
        roles=roles,
        questions=tuple(questions),
        dropped=tuple(dropped),
        headers=tuple(headers),
        names=tuple(names),
    )


def _found(role: str, wanted: str, names: list[str], headers: list[str]) -> int:
    at = position(wanted, names)
    if at is None:
        near = nearest(wanted, [each for each in headers if each])
        # Its own names are not listed: where there is no header, they are the first answer.
        there = f"the nearest is {near!r:.100}" if near else "none comes near"
        raise FileRefused(f"has no column {wanted!r} ({role}); {there}")
    return at


def header_hash(names: Sequence[str]) -> str:
    """By this the headers of two files are the same."""
    return hashlib.sha256(json.dumps(list(names)).encode()).hexdigest()[:16]


def changes(before: Sequence[str], now: Sequence[str]) -> str:
    """How a header differs from the one before it; empty if it does not."""
    gone = [each for each in before if each and each not in now]
    new = [each for each in now if each and each not in before]
    told = []
    for each in list(gone):
        near = nearest(each, new)
        if near:
            told.append(f"{each!r} is called {near!r} now and counts as another column")
            gone.remove(each)
            new.remove(near)
    told += [f"{each!r} is gone" for each in gone]
    told += [f"{each!r} is new" for each in new]
    if not told and list(before) != list(now):
        told.append("the columns stand in another order")
    return "; ".join(told)
