"""Moments as SurveyMonkey writes and reads them."""

from __future__ import annotations

from datetime import UTC, datetime

EPOCH = "1970-01-01T00:00:00"


def moment(text: str) -> datetime:
    """A moment, UTC; without a zone it is UTC already. ``ValueError`` for nonsense."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def second(when: datetime) -> str:
    """The second of a moment, as queries write it: UTC without a zone."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
