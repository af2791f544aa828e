"""The contracts of keeping and of refusals find connectors that lose, forget, circle or chatter."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from vmo_bridge.connectors.abilities import Seen
from vmo_bridge.connectors.contract import Page, Slice, Stream
from vmo_bridge.errors import RetryLater, SignInError, SourceError, VmoBridgeError
from vmo_bridge.testing import ConnectorContract, KeepingContract, RefusingContract, Source
from vmo_bridge.testing.hub import Hub

PASSWORD = "correct horse battery staple"
CHECKS = [
    name
    for part in (KeepingContract, RefusingContract)
    for name in vars(part)
    if name.startswith("test_")
]
FAR = datetime(2100, 1, 1, tzinfo=UTC)


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


class Honest:
    """Reads the tickets of a platform by keyset and names them; lies are put over its methods."""

    name = "desk"
    remembered: ClassVar[dict[str, Any]]
    """What liars keep between their lives; new for each test."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.platform = inner, inner.platform

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def rows(self) -> list[dict[str, Any]]:
        """All of them in the order in which they changed."""
        rows = self.platform.rows["tickets"].values()
        return sorted(rows, key=lambda row: (row["updated"], row["key"]))

    def read(self, piece: Slice) -> Iterator[Page]:
        for page in self.inner.read(piece):
            self.meet()
            if self.platform.repeats:
                raise SourceError("desk: the page names itself as the next one")
            again = page.records[:1] if self.platform.doubled else []
            yield replace(page, records=[*page.records, *again])

    def meet(self) -> None:
        """Whatever the platform is up to."""
        if self.platform.refuses:
            raise SignInError("desk: refused")
        if self.platform.limit is not None:
            raise RetryLater("desk: 429", retry_at=self.platform.limit)

    def changed_at(self, stream: str, record: Any) -> datetime | None:
        return moment(record["updated"])

    def tally(self, stream: Stream, windows: Any) -> list[Any]:
        return []

    def count(self, stream: Stream) -> int | None:
        return None  # else what a liar lost would be missed, and fetched by its name

    def sweep(self, stream: Stream) -> Iterator[Sequence[Seen]]:
        yield [Seen(key=row["key"], changed_at=moment(row["updated"])) for row in self.rows()]

    def fetch(self, stream: Stream, keys: Sequence[str]) -> Iterator[Page]:
        yield Page(records=[dict(row) for row in self.rows() if row["key"] in keys], cursor=None)

    def paged(self, rows: Sequence[dict[str, Any]]) -> Iterator[Page]:
        """Some rows as pages whose cursor is the place in the order."""
        size = self.platform.page_size
        for start in range(0, len(rows), size):
            page = [dict(row) for row in rows[start : start + size]]
            last = page[-1]
            yield Page(
                records=page,
                cursor=f"{last['updated']:012}|{last['key']}",
                newest=moment(last["updated"]),
            )


Lie = type[Honest]
LIES: list[tuple[str, Lie]] = []


def lie(*checks: str) -> Callable[[Lie], Lie]:
    def noted(kind: Lie) -> Lie:
        LIES.extend((f"test_{check}", kind) for check in checks)
        return kind

    return noted


@lie("the_last_page_is_read_however_full_it_is")
class TakesAFullPageForNone(Honest):
    def read(self, piece: Slice) -> Iterator[Page]:
        size = self.platform.page_size
        pages = list(super().read(piece))
        yield from pages[:-1] if pages and len(pages[-1].records) == size else pages


@lie("a_token_that_repeats_itself_ends_the_read")
class GoesRound(Honest):
    def read(self, piece: Slice) -> Iterator[Page]:
        first, *more = self.inner.read(piece)
        while self.platform.repeats:
            yield first
        yield from [first, *more]


@lie("a_token_that_repeats_itself_ends_the_read")
class JustEnds(Honest):
    def read(self, piece: Slice) -> Iterator[Page]:
        pages = list(self.inner.read(piece))
        yield from pages[:1] if self.platform.repeats else pages


@lie("a_record_that_comes_twice_is_kept_once")
class GivesAnotherTheSecondTime(Honest):
    def read(self, piece: Slice) -> Iterator[Page]:
        for page in super().read(piece):
            *rows, last = page.records
            yield replace(page, records=[*rows, {**last, "title": "half of it"}])


@lie(
    "a_change_in_the_last_second_that_was_read_is_found",
    "what_is_committed_late_is_found_by_the_next_read",
)
class LooksAtTheNewestOnly(Honest):
    def read(self, piece: Slice) -> Iterator[Page]:
        now = len(self.rows()), self.rows()[-1]["updated"]
        if piece.since is None or self.remembered.get("print") != now:
            yield from super().read(piece)
        self.remembered["print"] = now


@lie("what_is_committed_late_is_found_by_the_next_read")
class BeginsAtTheNewest(Honest):
    def read(self, piece: Slice) -> Iterator[Page]:
        newest = self.remembered.get("newest", 0) if piece.since else 0
        rows = [row for row in self.rows() if row["updated"] >= newest]
        self.remembered["newest"] = rows[-1]["updated"]
        yield from self.paged(rows)


@lie("what_is_committed_far_too_late_is_found_by_its_name")
class NamesWithoutMoments(Honest):
    def sweep(self, stream: Stream) -> Iterator[Sequence[Seen]]:
        yield [Seen(key=row["key"]) for row in self.rows()]


@lie("what_changes_while_pages_turn_ends_in_the_store")
class TurnsByOffset(Honest):
    def read(self, piece: Slice) -> Iterator[Page]:
        since = piece.since.timestamp() if piece.since else 0
        start, size = 0, self.platform.page_size
        while rows := [row for row in self.rows() if row["updated"] >= since][start:][:size]:
            yield from self.paged(rows)
            start += size


@lie("a_sync_that_is_stopped_behind_every_page_ends_whole")
class BeginsAnew(Honest):
    def read(self, piece: Slice) -> Iterator[Page]:
        yield from super().read(replace(piece, cursor=None))


@lie("a_clock_that_is_ahead_of_ours_loses_nothing")
class DoesNotBelieveInTomorrow(Honest):
    def read(self, piece: Slice) -> Iterator[Page]:
        now = datetime.now(tz=UTC).timestamp()
        since = piece.since.timestamp() if piece.since else 0
        yield from self.paged([row for row in self.rows() if since <= row["updated"] <= now])


@lie("a_clock_that_is_behind_ours_loses_nothing")
class ReadsTheLastHour(Honest):
    def read(self, piece: Slice) -> Iterator[Page]:
        hour = datetime.now(tz=UTC) - timedelta(hours=1)
        yield from super().read(replace(piece, since=hour if piece.since else None))


@lie("what_is_deleted_is_no_longer_held")
class NamesWhatItNamedBefore(Honest):
    def sweep(self, stream: Stream) -> Iterator[Sequence[Seen]]:
        yield self.remembered.setdefault("names", next(super().sweep(stream)))


@lie("a_limit_names_the_moment_from_which_to_go_on")
class SaysLater(Honest):
    def meet(self) -> None:
        if self.platform.limit is not None:
            raise RetryLater("desk: 429")


@lie("a_limit_names_the_moment_from_which_to_go_on")
class SaysAnyMoment(Honest):
    def meet(self) -> None:
        if self.platform.limit is not None:
            raise RetryLater("desk: 429", retry_at=FAR)


@lie("a_sign_in_refused_in_the_middle_ends_the_run_and_keeps_its_pages")
class TakesARefusalForTheEnd(Honest):
    def read(self, piece: Slice) -> Iterator[Page]:
        try:
            yield from super().read(piece)
        except SignInError:
            return


@lie("no_secret_is_shown_in_trouble")
class ChattersInTrouble(Honest):
    def meet(self) -> None:
        try:
            super().meet()
        except VmoBridgeError as error:
            raise type(error)(f"{error}, with {PASSWORD}") from None


Make = Callable[[type[Honest]], Source]


@pytest.fixture
def make(fakes: Any, platform: Any) -> Make:
    """A source of nine tickets in pages of three."""
    platform.streams = (platform.streams[3],)
    platform.repeats = platform.doubled = platform.refuses = False
    platform.limit = None
    for number in range(9):
        platform.ticket(f"{number}", title=f"t{number}", tick=3600)

    def edit(stream: str, key: str, at: datetime) -> None:
        row = platform.rows[stream][key]
        row |= {"updated": int(at.timestamp()), "title": f"{row['title']}, edited"}

    def delete(stream: str, key: str) -> bool:
        return bool(platform.rows[stream].pop(key))

    def limit(seconds: int, form: str) -> None:
        platform.limit = datetime.now(tz=UTC) + timedelta(seconds=seconds)

    def made(kind: type[Honest]) -> Source:
        kind.remembered = {}

        def connect() -> Any:
            return kind(fakes.Connector(platform))

        def sized(size: int) -> Any:
            platform.page_size = size
            return connect()

        return Source(
            connect=connect,
            change=lambda stream, key: platform.put(stream, key, title="changed"),
            edit=edit,
            delete=delete,
            sized=sized,
            double=lambda: setattr(platform, "doubled", True),
            repeat_token=lambda: setattr(platform, "repeats", True),
            limit=limit,
            refuse_sign_in=lambda refuse: setattr(platform, "refuses", refuse),
            secrets=(PASSWORD,),
        )

    return made


def run(name: str, source: Source, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Run one check by name, as pytest would."""
    check = getattr(ConnectorContract(), name)
    wanted = inspect.signature(check).parameters
    given: dict[str, Any] = {
        "source": source, "tmp_path": folder, "caplog": caplog, "form": "date",
        "connector": source.connect(),
    }  # fmt: skip
    if "hub" in wanted:
        given["hub"] = Hub(source, folder)
    check(**{each: given[each] for each in wanted})


@pytest.mark.parametrize("check", CHECKS)
def test_an_honest_connector_passes(
    check: str, make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run(check, make(Honest), tmp_path, caplog)


@pytest.mark.parametrize(
    ("check", "kind"), LIES, ids=[f"{kind.__name__}-{check[5:]}" for check, kind in LIES]
)
def test_a_lie_is_found(
    check: str, kind: Lie, make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(AssertionError):
        run(check, make(kind), tmp_path, caplog)


def test_every_check_has_a_lie_that_it_finds() -> None:
    assert {*CHECKS} == {check for check, _ in LIES}


def test_what_a_source_gives_no_means_for_is_skipped_by_its_name(
    fakes: Any, make: Make, platform: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bare = Source(connect=lambda: fakes.Connector(platform))
    alone = {"test_a_sync_that_is_stopped_behind_every_page_ends_whole"}
    for number, check in enumerate(sorted({*CHECKS} - alone)):
        (tmp_path / f"{number}").mkdir()
        with pytest.raises(pytest.skip.Exception, match="gives no '"):
            run(check, bare, tmp_path / f"{number}", caplog)


def test_who_cannot_name_its_records_is_skipped_by_its_name(
    fakes: Any, make: Make, platform: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = replace(make(Honest), connect=lambda: fakes.Connector(platform))
    with pytest.raises(pytest.skip.Exception, match="cannot name the records of tickets"):
        run("test_what_is_deleted_is_no_longer_held", source, tmp_path, caplog)
