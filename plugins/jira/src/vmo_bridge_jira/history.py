"""The history of one issue: its stretches of state and team, and how often it was reopened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Protocol

from vmo_bridge.plugin import RecordError, Span
from vmo_bridge_jira.raw import Raw
from vmo_bridge_jira.words import DONE_STATES, Words


class Named(Protocol):
    """An issue that can name its parts."""

    base_ref: str

    def part(self, kind: str, name: str = "") -> dict[str, Any]:
        """What a record carries that is made of a part of the issue."""
        ...


class _Move:
    def __init__(self, raw: Raw) -> None:
        self.number = raw.need("id")
        self.at = raw.need_time("at")
        self.field = raw.need("field")
        self.old, self.new = raw.text("from"), raw.text("to")
        self.old_category, self.new_category = raw.text("from_category"), raw.text("to_category")
        if self.field not in ("state", "team"):
            raise RecordError(f"history: field is {self.field!r:.40}, neither state nor team")


class History:
    """Changes in their order; without a history nothing is known of it."""

    def __init__(self, raw: Raw, type_: str, words: Words) -> None:
        self._type = type_
        self._words = words
        self._raw = raw
        given = raw.parts("history")
        self._known = given is not None
        moves = [_Move(each) for each in given or ()]
        self._moves = {
            field: [move for move in moves if move.field == field] for field in ("state", "team")
        }

    @property
    def done_at(self) -> datetime | None:
        """The last move to a status that is done."""
        moves = [
            each.at for each in self._moves["state"] if self._done(each.new, each.new_category)
        ]
        return moves[-1] if moves else None

    @property
    def reopen_count(self) -> int | None:
        """Moves from done to not done; None where a status is of no known category."""
        if not self._known:
            return None
        count = 0
        for move in self._moves["state"]:
            ends = (
                self._state(move.old, move.old_category),
                self._state(move.new, move.new_category),
            )
            if "other" in ends:
                return None
            count += ends[0] in DONE_STATES and ends[1] not in DONE_STATES
        return count

    def spans(self, issue: Named) -> Iterator[Span]:
        """Stretches without a gap, from the beginning of the issue on."""
        if not self._known:
            return
        raw = self._raw
        status, category = raw.need("status"), raw.text("status_category")
        for number, begin, end, theirs, theirs_category in self._stretches(
            "state", status, category
        ):
            yield Span(
                **issue.part("span", f"state-{number}"),
                ticket_ref=issue.base_ref,
                field="state",
                value=self._state(theirs, theirs_category),
                original_value=theirs,
                started_at=begin,
                ended_at=end,
            )
        for number, begin, end, team, _ in self._stretches("team", raw.text("team"), None):
            if team:
                yield Span(
                    **issue.part("span", f"team-{number}"),
                    ticket_ref=issue.base_ref,
                    field="team",
                    value=team,
                    original_value=team,
                    started_at=begin,
                    ended_at=end,
                )

    def _stretches(
        self, field: str, now: str | None, category: str | None
    ) -> Iterator[tuple[int, datetime, datetime | None, str | None, str | None]]:
        """(number, begin, end, value, category) of each, the first before any change."""
        moves = self._moves[field]
        begin = self._raw.need_time("created")
        value = (moves[0].old, moves[0].old_category) if moves else (now, category)
        for number, move in enumerate(moves):
            yield number, begin, move.at, *value
            begin, value = move.at, (move.new, move.new_category)
        yield len(moves), begin, None, *value

    def _state(self, theirs: str | None, category: str | None) -> str:
        return self._words.state(self._type, theirs or "", category)

    def _done(self, theirs: str | None, category: str | None) -> bool:
        return self._state(theirs, category) in DONE_STATES
