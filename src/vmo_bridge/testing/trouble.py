"""The contract of trouble: what a connector makes of broken records and of a source in trouble."""

# ruff: noqa: S101 - a conformance suite is made of asserts

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import pytest

from vmo_bridge.connectors.contract import Connector, RawRecord, Stream
from vmo_bridge.errors import (
    AccessError,
    RecordError,
    RetryLater,
    SignInError,
    SourceError,
    VmoBridgeError,
)
from vmo_bridge.testing.source import (
    Source,
    Suite,
    keys_of,
    masked,
    need,
    pages_of,
    rows_of,
    told_by,
    whole,
)

_GARBAGE: tuple[Any, ...] = (
    None, "", "nonsense", " ", "-1", "NaN", "9" * 40, "0000-00-00 00:00:00", "\x00", "💥",
    5, -1.5, True, [], ["x"], {}, {"nonsense": 1},
)  # fmt: skip
"""What stands in a field some day."""


class TroubleContract(Suite):
    """A bad record costs that record, a bad answer costs the read, and neither is hidden."""

    def test_nonsense_in_any_field_is_a_record_error_that_names_it(
        self, source: Source, connector: Connector
    ) -> None:
        """Or it is accepted; nothing else may be raised, or the whole stream stands still."""
        for stream in source.chosen(connector):
            for row in rows_of(connector, stream)[:3]:
                for field, changed in _spoilt(masked(stream, row)):
                    _refuse_well(connector, stream, field, changed)

    def test_broken_records_are_refused_by_name(self, source: Source, connector: Connector) -> None:
        """Each of those that the author knows to be broken."""
        need(source.broken, "'broken' records")
        for broken in source.broken:
            (stream,) = (each for each in connector.streams if each.name == broken.stream)
            rows = rows_of(connector, stream)
            assert rows, f"{stream.name} has no record to break"
            changed = {**masked(stream, rows[0]), **broken.changes}
            changed = {name: value for name, value in changed.items() if value is not None}
            reason = _refusal(connector, stream, changed)
            assert reason, f"{stream.name}: {broken.changes} was accepted"
            assert broken.field in reason, f"{stream.name}: {reason!r} names no {broken.field}"

    def test_a_source_that_is_away_is_retry_later_in_seconds(self, source: Source) -> None:
        """The check says so without raising."""
        need(source.unreachable, "'unreachable'")
        assert source.unreachable
        for failed in _failures(source, source.unreachable):
            assert isinstance(failed, RetryLater), f"{failed!r} is not RetryLater"

    def test_wrong_credentials_are_a_sign_in_error(self, source: Source) -> None:
        """The check says so without raising."""
        need(source.wrong_secret, "'wrong_secret'")
        assert source.wrong_secret
        for failed in _failures(source, source.wrong_secret):
            assert isinstance(failed, SignInError), f"{failed!r} is not SignInError"

    def test_an_error_that_hides_in_a_good_answer_becomes_no_page(
        self, source: Source, connector: Connector
    ) -> None:
        """Either the read ends with an error, or it is whole all the same."""
        need(source.hide_error, "'hide_error'")
        assert source.hide_error
        streams = source.chosen(connector)
        before = {each.name: keys_of(each, rows_of(connector, each)) for each in streams}
        source.hide_error()
        noticed = 0
        for stream in streams:
            read: list[RawRecord] = []
            try:
                for piece in whole(connector, stream):
                    for page in connector.read(piece):
                        read += page.records
            except (RetryLater, SourceError, AccessError, SignInError):
                noticed += 1
            else:
                assert keys_of(stream, read) == before[stream.name], (
                    f"{stream.name}: an answer with an error inside was believed"
                )
            assert set(keys_of(stream, read)) <= {*before[stream.name]}
        assert noticed, "no stream noticed anything: does 'hide_error' do something?"

    def test_no_secret_is_shown(self, source: Source, caplog: pytest.LogCaptureFixture) -> None:
        """Not in errors, not in logs of any level, not in what an object says of itself."""
        need(source.secrets, "'secrets'")
        caplog.set_level(logging.DEBUG)
        said: list[str] = []
        for connect in (source.connect, source.wrong_secret, source.unreachable):
            if connect is None:
                continue
            connector = connect()
            try:
                said += [repr(connector), str(connector), repr(vars(connector))]
                said += [row.detail for row in connector.check()]
                pages_of(connector, source.chosen(connector)[0])
            except VmoBridgeError as error:
                said += told_by(error)
            finally:
                connector.close()
        said += [record.getMessage() for record in caplog.records] + [caplog.text]
        for number, secret in enumerate(source.secrets, start=1):
            shown = [text for text in said if secret in text]
            # The text itself is not repeated here, for the same reason.
            assert not shown, f"secret number {number} is shown in {len(shown)} places"


def _spoilt(row: RawRecord) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for field in row:
        yield field, {name: value for name, value in row.items() if name != field}
        for garbage in _GARBAGE:
            yield field, {**row, field: garbage}


def _refuse_well(
    connector: Connector, stream: Stream, field: str, changed: Mapping[str, Any]
) -> None:
    told = f"{stream.name}: {field} = {changed.get(field, '(absent)')!r:.40}"
    try:
        reason = _refusal(connector, stream, changed)
    except Exception as error:
        raise AssertionError(f"{told}: {type(error).__name__}: {error}, not RecordError") from error
    assert reason is None or field in reason, f"{told}: {reason!r} does not name the field"


def _refusal(connector: Connector, stream: Stream, row: RawRecord) -> str | None:
    """Why a raw record is refused; None where it is not, and can be packed for the store."""
    try:
        msgspec.json.encode(list(connector.normalise(stream.name, row)))
    except RecordError as error:
        return error.reason
    return None


def _failures(source: Source, connect: Callable[[], Connector]) -> list[VmoBridgeError]:
    """How reading and counting fail; the check has to fail in a row, and all of it in seconds."""
    connector = connect()
    stream = source.chosen(connector)[0]
    failures: list[VmoBridgeError] = []
    try:
        for attempt in (
            lambda: pages_of(connector, stream),
            lambda: connector.count(stream),
        ):
            begin = time.monotonic()
            try:
                result = attempt()
            except VmoBridgeError as error:
                failures.append(error)
            else:
                assert result is None, f"{stream.name}: no error, but {result!r:.80}"
            took = time.monotonic() - begin
            assert took < source.seconds, f"it took {took:.0f} s to fail"
        assert failures, f"{stream.name}: reading did not fail"
        assert any(row.state == "failed" for row in connector.check()), "the check finds it good"
    finally:
        connector.close()
    return failures
