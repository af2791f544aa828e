"""Reconcile one stream with its source: what was deleted, what no read brought, what is counted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from vmo_bridge.connectors.abilities import Dated, Deleting, Deletion, Probing, Sweeping, Tally
from vmo_bridge.errors import AccessError, RetryLater, SignInError, SourceError
from vmo_bridge.records.certificate import Certificate, Count
from vmo_bridge.store.certificates import SweepMark
from vmo_bridge.store.clock import now
from vmo_bridge.store.marks import StreamMark
from vmo_bridge.store.sweeps import Sweep
from vmo_bridge.store.tombstones import Burial
from vmo_bridge.sync.grade import graded
from vmo_bridge.sync.keep import Keeper
from vmo_bridge.sync.outcome import StreamOutcome
from vmo_bridge.sync.scope import Care
from vmo_bridge.watch import Watch

_AGES = (timedelta(days=30), timedelta(days=7), timedelta(days=1))
"""The windows of the certificate end so long before the newest change that was read, and at it."""
_FETCH = 200
"""Records asked for by their keys at a time."""
_FALL_OF_FEW = 10
"""A fall of so few records is believed whatever share it is, unless nothing is left."""
_SOONEST = timedelta(hours=1)
"""Counts that disagree have all records named before it is time, but no oftener than this."""


@dataclass(slots=True, kw_only=True)
class Reconciliation:
    """What is done after the read of a stream, and the certificate of it."""

    keeper: Keeper
    mark: StreamMark
    """As it stood before the read."""
    outcome: StreamOutcome
    care: Care
    watch: Watch
    _counts: list[Count] = field(default_factory=list)
    _theirs: int | None = None
    _approximate: bool = False
    _counted: bool = False
    _missing: int = 0
    _extra: int = 0

    def run(self, *, sweep: bool) -> None:
        """Bury what was deleted; count; name all records if it is time or the counts disagree."""
        self._bury_deleted()
        self._count()
        if sweep or self._is_due():
            self._sweep()
        self._judge_fall()

    def certify(self) -> None:
        """Take the certificate of the stream as it stands, whether it could be read or not."""
        store, stream_id = self.keeper.store, self.keeper.stream_id
        certificate = self._certificate()
        with store.transaction():
            if not self.outcome.problem and self._counted:
                store.marks.counted(stream_id, self._theirs)
            store.certificates.save(stream_id, self.keeper.run_id, certificate)
        self.outcome.certificate = certificate

    # -- deletions the source tells of -------------------------------------------------------

    def _bury_deleted(self) -> None:
        connector, since = self.keeper.connector, self.mark.watermark
        if not isinstance(connector, Deleting) or since is None:
            return  # before the first read there was nothing that could have gone
        try:
            told = list(connector.deletions(self.keeper.stream, since - self.care.overlap))
        except (AccessError, SourceError) as error:
            self.outcome.notes.append(f"deletions are not told: {error}")
            return
        self._bury(self._burials(told))

    def _burials(self, told: Iterable[Deletion]) -> list[Burial]:
        return [
            Burial(key=self.keeper.key(each.key), state="deleted", at=each.at, proof=each.proof)
            for each in told
        ]

    def _bury(self, burials: Sequence[Burial]) -> None:
        store, stream_id = self.keeper.store, self.keeper.stream_id
        with store.transaction():
            self.outcome.gone += store.tombstones.bury(
                stream_id, self.keeper.stream.kinds, burials, now()
            )
            proofs = [each for each in burials if each.state == "deleted"]
            store.tombstones.prove(stream_id, proofs)

    # -- counts ------------------------------------------------------------------------------

    def _count(self) -> None:
        self._counted = True
        connector, stream = self.keeper.connector, self.keeper.stream
        cuts = self._cuts()
        tallies: list[Tally] = []
        if isinstance(connector, Dated):
            windows = list(zip([None, *cuts], [*cuts, None], strict=True))
            tallies = connector.tally(stream, windows)
        if not tallies:
            self._counts, self._theirs = [], connector.count(stream)
            return
        ours = self.keeper.store.ledger.tally(self.keeper.stream_id, cuts)
        self._counts = [
            Count(
                since=each.since,
                until=each.until,
                theirs=each.count,
                ours=count,
                their_newest=each.newest,
                our_newest=newest,
            )
            for each, (count, newest) in zip(tallies, ours, strict=True)
        ]
        self._theirs = sum(each.count for each in tallies)
        self._approximate = any(each.approximate for each in tallies)

    def _cuts(self) -> list[datetime]:
        """Where the windows meet: whole minutes, the last at the newest change that was read."""
        mark = self._stream_mark()
        if mark.watermark is None:
            return []
        newest = mark.watermark.replace(second=0, microsecond=0)
        return [newest - age for age in _AGES] + [newest]

    # -- the sweep ---------------------------------------------------------------------------

    def _is_due(self) -> bool:
        every = self.care.sweep_every
        swept_at = self._standing().swept_at
        age = now() - swept_at if swept_at else None
        if every is not None and (age is None or age >= every):
            return True
        draft = self._draft()
        disagree = draft.lacking or draft.surplus
        return bool(disagree) and (age is None or age >= _SOONEST)

    def _sweep(self) -> None:
        connector, store = self.keeper.connector, self.keeper.store
        if not isinstance(connector, Sweeping):
            return
        batches = connector.sweep(self.keeper.stream)
        if batches is None:
            return
        sweep = store.sweep(self.keeper.stream_id)
        self.watch.begin(f"{connector.name}:{self.keeper.stream.name} by name", self._theirs)
        try:
            for batch in batches:
                with store.transaction():
                    sweep.add(
                        (self.keeper.key(each.key), each.key, each.changed_at) for each in batch
                    )
                self.watch.advance(len(batch))
                self.watch.stop_here()
            self._settle(sweep, connector)
        finally:
            sweep.close()
            self.watch.end(f"{self.outcome.gone} gone")
        self._count()

    def _settle(self, sweep: Sweep, connector: Sweeping) -> None:
        """Take back what returned, fetch what no read brought, bury what is named no more."""
        store, stream_id = self.keeper.store, self.keeper.stream_id
        with store.transaction():
            store.tombstones.revive_keys(stream_id, sweep.returned(), now())
        self._fetch(connector, sweep.to_fetch())
        self._missing = sweep.missing()
        extra = sweep.extra()
        fall = self._fall(sweep.count, store.ledger.held(stream_id), len(extra))
        if fall:
            self._extra = len(extra)
            self._alarm(fall)
            return
        extra = self._gone(connector, extra)
        self._bury([Burial(key=key, state="missing", at=now()) for key in extra])
        hidden = max(0, (self._theirs or 0) - sweep.count)
        with store.transaction():
            store.certificates.swept(stream_id, hidden=0 if self._approximate else hidden)

    def _fetch(self, connector: Sweeping, keys: Sequence[str]) -> None:
        """Ask for records by their keys: no read brought them, or not as they are now."""
        for begin in range(0, len(keys), _FETCH):
            for page in connector.fetch(self.keeper.stream, keys[begin : begin + _FETCH]):
                with self.keeper.store.transaction():
                    self.outcome.add(self.keeper.keep(page.records, now(), older_too=True))
            self.watch.stop_here()

    def _gone(self, connector: Sweeping, keys: list[str]) -> list[str]:
        """Those of the keys that do not come when they are asked for: an index may lag.

        A pseudonym cannot be asked for; there the sweep's word counts.
        """
        stream = self.keeper.stream
        if stream.key_field in stream.person_fields:
            return keys
        there: set[str] = set()
        for begin in range(0, len(keys), _FETCH):
            for page in connector.fetch(stream, keys[begin : begin + _FETCH]):
                there |= {str(record[stream.key_field]) for record in page.records}
        return [key for key in keys if key not in there]

    # -- the alarm ---------------------------------------------------------------------------

    def _judge_fall(self) -> None:
        """Raise the alarm where the source counts far less than we hold, else take it back."""
        if self._extra or self._theirs is None:
            return
        held = self.keeper.store.ledger.held(self.keeper.stream_id)
        self._alarm(self._fall(self._theirs, held, held - self._theirs))

    def _fall(self, there: int, held: int, fallen: int) -> str:
        """What to tell of a fall that is too sudden to be believed; empty if there is none."""
        accepted = self._standing().accepted
        if accepted is not None and there >= accepted:
            return ""
        empty = not there and held > 0
        if not empty and fallen <= max(_FALL_OF_FEW, self.care.alarm_share * held):
            return ""
        name = f"{self.keeper.connector.name}:{self.keeper.stream.name}"
        return (
            f"the source has {there} records where we hold {held}; nothing was taken away. "
            "See whether our user lost a right, or something was deleted over there; if the fall "
            f"is true: vmo-bridge certificate --accept {name}"
        )

    def _alarm(self, alarm: str) -> None:
        store, stream_id = self.keeper.store, self.keeper.stream_id
        with store.transaction():
            store.certificates.raise_alarm(stream_id, alarm or None)

    # -- the certificate ---------------------------------------------------------------------

    def _standing(self) -> SweepMark:
        return self.keeper.store.certificates.mark(self.keeper.stream_id)

    def _stream_mark(self) -> StreamMark:
        keeper = self.keeper
        return keeper.store.marks.stream(
            keeper.connector.name, keeper.stream.name, keeper.stream.kinds
        )

    def _draft(self) -> Certificate:
        keeper, standing, mark = self.keeper, self._standing(), self._stream_mark()
        connector, store = keeper.connector, keeper.store
        blanks = self._blanks()  # may find that the source fails
        return Certificate(
            source=connector.name,
            stream=keeper.stream.name,
            taken_at=now(),
            complete_at=mark.complete_at,
            problem=self.outcome.problem or None,
            alarm=standing.alarm,
            counts=tuple(self._counts),
            theirs=self._theirs,
            ours=store.ledger.held(keeper.stream_id),
            approximate=self._approximate,
            can_sweep=isinstance(connector, Sweeping),
            swept_at=standing.swept_at,
            hidden=standing.hidden,
            missing=self._missing,
            extra=self._extra,
            gone=store.tombstones.count(keeper.stream_id),
            quarantined=store.raw.in_quarantine(keeper.stream_id),
            blanks=blanks,
            oldest_unread=self._oldest_unread(mark),
        )

    def _blanks(self) -> tuple[str, ...]:
        """Fields that stay empty; a source that failed is not asked once more.

        A failure here is one of the read: the certificate has to be taken all the same.
        """
        connector = self.keeper.connector
        if self.outcome.problem or not isinstance(connector, Probing):
            return ()
        try:
            return tuple(connector.blanks(self.keeper.stream))
        except (RetryLater, SignInError, AccessError, SourceError) as error:
            self.outcome.problem = str(error)
            return ()

    def _oldest_unread(self, mark: StreamMark) -> datetime | None:
        """From when on changes may be unread: where the last whole read ended, if more came."""
        more = any(each.theirs > each.ours for each in self._counts if each.until is None)
        return mark.watermark if more or self.outcome.problem else None

    def _certificate(self) -> Certificate:
        draft = self._draft()
        grade, reasons = graded(draft, self.care.sweep_every)
        return msgspec.structs.replace(draft, grade=grade, reasons=reasons)
