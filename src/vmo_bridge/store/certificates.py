"""Certificates as they were taken, and the alarms that keep values from being published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlite_utils import Database

from vmo_bridge.records.certificate import Certificate
from vmo_bridge.store.clock import from_epoch, now, to_epoch

_KEPT = 200
"""Certificates kept of a stream: two days of a cycle every 15 minutes, and what is older goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepMark:
    """When a stream's records were last named, and what stands in the way since."""

    swept_at: datetime | None
    hidden: int
    """Records counted and not named then."""
    alarm: str | None
    accepted: int | None
    """A fall to so many records was accepted by a person."""


class Certificates:
    """The certificates of all streams."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def save(self, stream_id: int, run_id: int, certificate: Certificate) -> None:
        """Keep a certificate; the oldest ones of the stream go."""
        self._db.execute(
            "insert into certificate (stream_id, run_id, taken_at, grade, content) "
            "values (?, ?, ?, ?, ?)",
            [
                stream_id,
                run_id,
                to_epoch(certificate.taken_at),
                certificate.grade,
                msgspec.json.encode(certificate).decode(),
            ],
        )
        self._db.execute(
            "delete from certificate where stream_id = :stream and id not in ("
            "select id from certificate where stream_id = :stream order by id desc limit :kept)",
            {"stream": stream_id, "kept": _KEPT},
        )

    def latest(self) -> list[Certificate]:
        """The latest certificate of each stream, in the order in which streams are read."""
        rows = self._db.execute(
            "select content from certificate where id in "
            "(select max(id) from certificate group by stream_id) order by stream_id"
        ).fetchall()
        return [msgspec.json.decode(content, type=Certificate) for (content,) in rows]

    def mark(self, stream_id: int) -> SweepMark:
        """How the sweeps of a stream stand."""
        swept_at, hidden, alarm, accepted = self._db.execute(
            "select swept_at, hidden, alarm, accepted from stream where id = ?", [stream_id]
        ).fetchone()
        return SweepMark(
            swept_at=from_epoch(swept_at), hidden=hidden or 0, alarm=alarm, accepted=accepted
        )

    def swept(self, stream_id: int, *, hidden: int) -> None:
        """All records of a stream were named; ``hidden`` more were only counted."""
        self._db.execute(
            "update stream set swept_at = ?, hidden = ? where id = ?",
            [to_epoch(now()), hidden, stream_id],
        )

    def raise_alarm(self, stream_id: int, alarm: str | None) -> None:
        """Note a fall that nobody explained, or (None) that there is none any more."""
        self._db.execute(
            "update stream set alarm = :alarm, alarm_at = case when :alarm is null then null "
            "else coalesce(alarm_at, :now) end where id = :id",
            {"alarm": alarm, "now": to_epoch(now()), "id": stream_id},
        )

    def alarms(self) -> list[str]:
        """The falls that nobody explained, each with its stream."""
        rows = self._db.execute(
            "select source, name, alarm from stream where alarm is not null order by id"
        ).fetchall()
        return [f"{source}:{name}: {alarm}" for source, name, alarm in rows]

    def accept(self, stream_id: int, held: int) -> None:
        """A person says that the fall is true: so few records there may be from now on."""
        with self._db.atomic():
            self._db.execute(
                "update stream set accepted = ?, alarm = null, alarm_at = null where id = ?",
                [held, stream_id],
            )
