"""The questions of a form: its columns, each with the wording and the scale it has now."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from vmo_bridge.plugin import Page, Slice
from vmo_bridge_files.books import Wording
from vmo_bridge_files.folder import Export
from vmo_bridge_files.form import FAILURES, Form, made
from vmo_bridge_files.layout import Asked


@dataclass(frozen=True, slots=True)
class Question:
    """A question as the newest file words it."""

    asked: Asked
    hash: str
    stamp: datetime
    """When the first file was made that words it so."""

    @property
    def place(self) -> tuple[datetime, str]:
        """Where it stands in the order of reading."""
        return self.stamp, self.asked.key

    @property
    def record(self) -> dict[str, Any]:
        """As a raw record."""
        scale = self.asked.reader.scale
        return {
            "key": self.asked.key,
            "text": self.asked.text,
            "scale": None if scale is None else list(scale),
            "updated_at": self.stamp.isoformat(),
        }


def pages(form: Form, piece: Slice, page_size: int) -> Iterator[Page]:
    """The questions that are new or were changed since then."""
    look = form.begin()
    refused = dict(look.refused)
    found = _questions(form, look.ready, refused).values()
    after = _place(piece.cursor)
    wanted = [
        each
        for each in sorted(found, key=lambda each: each.place)
        if _is_wanted(form, piece, each) and (after is None or each.place > after)
    ]
    for begin in range(0, len(wanted), page_size):
        page = wanted[begin : begin + page_size]
        last = page[-1]
        yield Page(
            records=[each.record for each in page],
            cursor=json.dumps([last.stamp.isoformat(), last.asked.key]),
            newest=last.stamp,
        )
        for each in page:
            form.books.note_wording(
                form.name, each.asked.key, Wording(each.hash, each.stamp.isoformat())
            )
    form.end(refused)


def count(form: Form) -> int | None:
    """How many there are; None while a file cannot be read."""
    look = form.look()
    refused = dict(look.refused)
    found = _questions(form, look.ready, refused)
    return None if refused or look.waiting else len(found)


def _questions(
    form: Form, exports: Sequence[Export], refused: dict[str, str]
) -> dict[str, Question]:
    """All of them by key, as the newest file words them."""
    found: dict[str, Question] = {}
    for export in exports:
        try:
            columns = form.layout(export).questions
        except FAILURES as reason:
            form.failed(export, reason, refused)
            continue
        for asked in columns:
            wording = _hash(asked)
            if asked.key not in found or found[asked.key].hash != wording:
                found[asked.key] = Question(asked, wording, made(export))
    return {key: _first_seen(form, each) for key, each in found.items()}


def _first_seen(form: Form, question: Question) -> Question:
    """The question as of the first file that worded it so, also where that one is gone."""
    known = form.books.wording(form.name, question.asked.key)
    if known is None or known.hash != question.hash:
        return question
    return replace(question, stamp=min(question.stamp, datetime.fromisoformat(known.stamp)))


def _is_wanted(form: Form, piece: Slice, question: Question) -> bool:
    if piece.until is not None and question.stamp >= piece.until:
        return False
    if piece.since is None or not form.books.kept:
        return piece.since is None or question.stamp >= piece.since
    # A file may be older than the last read and still be new to us.
    known = form.books.wording(form.name, question.asked.key)
    return known is None or known.hash != question.hash


def _hash(asked: Asked) -> str:
    text = json.dumps([asked.text, asked.reader.scale])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _place(cursor: str | None) -> tuple[datetime, str] | None:
    if cursor is None:
        return None
    stamp, key = json.loads(cursor)
    return datetime.fromisoformat(stamp), key
