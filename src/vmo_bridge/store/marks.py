"""How far each stream was read: page cursors of unfinished slices, and watermarks of whole ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlite_utils import Database

from vmo_bridge.store.clock import from_epoch, now, to_epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamMark:
    """What is known of one stream."""

    id: int
    source: str
    name: str
    kinds: tuple[str, ...]
    watermark: datetime | None
    """The newest change of the last whole read, by the source's clock."""
    complete_at: datetime | None
    """When it was last read whole, by ours."""
    expected: int | None
    """How many records the source said there were then."""
    problem: str | None
    problem_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceMark:
    """An unfinished piece of a stream."""

    id: int
    since: datetime | None
    until: datetime | None
    cursor: str | None
    newest: datetime | None
    done: bool
    backfill: bool = False


class Marks:
    """The marks of all streams."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def stream(self, source: str, name: str, kinds: Sequence[str]) -> StreamMark:
        """The mark of a stream, made if it is new."""
        self._db.execute(
            "insert into stream (source, name, kinds) values (?, ?, ?) "
            "on conflict (source, name) do update set kinds = excluded.kinds",
            [source, name, ",".join(kinds)],
        )
        self._db.conn.commit()
        (mark,) = (each for each in self.streams() if (each.source, each.name) == (source, name))
        return mark

    def streams(self) -> list[StreamMark]:
        """All streams ever read, in the order in which they were first read."""
        rows = self._db.execute(
            "select id, source, name, kinds, watermark, complete_at, expected, problem, problem_at "
            "from stream order by id"
        ).fetchall()
        return [
            StreamMark(
                id=row[0],
                source=row[1],
                name=row[2],
                kinds=tuple(row[3].split(",")),
                watermark=from_epoch(row[4]),
                complete_at=from_epoch(row[5]),
                expected=row[6],
                problem=row[7],
                problem_at=from_epoch(row[8]),
            )
            for row in rows
        ]

    def slices(self, stream_id: int) -> list[SliceMark]:
        """The pieces of the read under way; empty where none is."""
        rows = self._db.execute(
            "select id, since, until, cursor, newest, done, backfill from slice "
            "where stream_id = ? order by id",
            [stream_id],
        ).fetchall()
        return [
            SliceMark(
                id=row[0],
                since=from_epoch(row[1]),
                until=from_epoch(row[2]),
                cursor=row[3],
                newest=from_epoch(row[4]),
                done=bool(row[5]),
                backfill=bool(row[6]),
            )
            for row in rows
        ]

    def begin(
        self,
        stream_id: int,
        pieces: Iterable[tuple[datetime | None, datetime | None, str | None]],
        *,
        backfill: bool = False,
    ) -> list[SliceMark]:
        """Note the pieces of a new read as (since, until, cursor).

        A ``backfill`` reads a window beside the stream's own way: it moves no watermark.
        """
        with self._db.atomic():
            self._db.conn.executemany(
                "insert into slice (stream_id, since, until, cursor, done, backfill) "
                "values (?, ?, ?, ?, 0, ?)",
                [
                    (stream_id, _epoch(since), _epoch(until), cursor, backfill)
                    for since, until, cursor in pieces
                ],
            )
        return self.slices(stream_id)

    def advance(self, slice_id: int, *, cursor: str | None, newest: datetime | None) -> None:
        """Move a page cursor; belongs in the transaction that saves the page."""
        self._db.execute(
            "update slice set cursor = ?, newest = max(coalesce(newest, 0), ?) where id = ?",
            [cursor, _epoch(newest) or 0, slice_id],
        )

    def resume(self, stream_id: int) -> None:
        """Note where an interrupted read goes on.

        What was committed late before that place, while nobody read, is behind the cursor: the
        watermark must not pass the place, so that the next read begins before it.
        """
        with self._db.atomic():
            self._db.execute(
                "update slice set resumed_from = coalesce(resumed_from, newest) "
                "where stream_id = ? and not done",
                [stream_id],
            )

    def finish_slice(self, slice_id: int) -> None:
        """A piece is read to its end."""
        with self._db.atomic():
            self._db.execute("update slice set done = 1 where id = ?", [slice_id])

    def complete(self, stream_id: int) -> None:
        """All pieces are done: move the watermark, forget the pieces, in one transaction.

        Never past this moment: one record stamped in the year 2099 would hide all others till then.
        """
        with self._db.atomic():
            self._db.execute(
                "update stream set complete_at = :now, problem = null, "
                "problem_at = null, watermark = (select nullif(max(coalesce(stream.watermark, 0), "
                "min(coalesce(min(resumed_from), :now), coalesce(max(newest), 0), :now)), 0) "
                "from slice where stream_id = stream.id and not backfill) where id = :id",
                {"now": to_epoch(now()), "id": stream_id},
            )
            self._db.execute("delete from slice where stream_id = ? and not backfill", [stream_id])

    def counted(self, stream_id: int, expected: int | None) -> None:
        """How many records the source said it had; None: it does not say."""
        self._db.execute("update stream set expected = ? where id = ?", [expected, stream_id])

    def end_backfill(self, stream_id: int) -> None:
        """All pieces of a backfill are done: forget them, and move nothing."""
        with self._db.atomic():
            self._db.execute("delete from slice where stream_id = ? and backfill", [stream_id])

    def forget(self, stream_id: int) -> None:
        """Begin anew: neither watermark nor cursor counts any more; what is held stays."""
        with self._db.atomic():
            self._db.execute("update stream set watermark = null where id = ?", [stream_id])
            self._db.execute("delete from slice where stream_id = ? and not backfill", [stream_id])

    def fail(self, stream_id: int, problem: str) -> None:
        """Note why a stream could not be read; its pieces stay, to go on from."""
        with self._db.atomic():
            self._db.execute(
                "update stream set problem = ?, problem_at = ? where id = ?",
                [problem, to_epoch(now()), stream_id],
            )


def _epoch(moment: datetime | None) -> int | None:
    return None if moment is None else to_epoch(moment)
