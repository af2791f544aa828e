"""Moments as the store keeps them: whole epoch seconds, UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from vmo_bridge.errors import PluginError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_epoch(moment: datetime) -> int:
    """Whole seconds since 1970 UTC; a naive time is refused, for it would be read as local."""
    if moment.tzinfo is None:
        raise PluginError(f"the time {moment.isoformat()} has no zone; connectors give aware UTC")
    passed = moment - _EPOCH  # half the time that timestamp() takes, some five times a record
    return passed.days * 86_400 + passed.seconds


def from_epoch(seconds: int | None) -> datetime | None:
    """The aware UTC moment, or None."""
    return None if seconds is None else datetime.fromtimestamp(seconds, tz=UTC)


def now() -> datetime:
    """This moment, aware UTC, in whole seconds."""
    return datetime.now(tz=UTC).replace(microsecond=0)
