"""The contract of refusals: a source that limits us, or shuts the door in the middle of a run."""

# ruff: noqa: S101 - a conformance suite is made of asserts

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from vmo_bridge.connectors.contract import Connector
from vmo_bridge.errors import RetryLater, SignInError, VmoBridgeError
from vmo_bridge.testing.hub import Hub
from vmo_bridge.testing.source import Source, Suite, need, pages_of, told_by

_HOUR = 3600
_NEAR = timedelta(minutes=2)
"""Between the answer and our look at it lies some time, and headers have whole seconds."""


class RefusingContract(Suite):
    """What is refused is told with its moment or its cause, keeps its pages, shows no secret."""

    @pytest.mark.parametrize("form", ["seconds", "date"])
    def test_a_limit_names_the_moment_from_which_to_go_on(
        self, source: Source, connector: Connector, form: Literal["seconds", "date"]
    ) -> None:
        """``Retry-After`` comes in seconds or as a date; a long one is not waited for."""
        need(source.limit, "'limit'")
        assert source.limit
        stream = source.chosen(connector)[0]
        source.limit(_HOUR, form)
        with pytest.raises(RetryLater) as refused:
            pages_of(connector, stream)
        wanted = datetime.now(tz=UTC) + timedelta(seconds=_HOUR)
        moment = refused.value.retry_at
        assert moment is not None, f"{refused.value} names no moment"
        assert abs(moment - wanted) < _NEAR, f"to go on at {moment}, not at about {wanted}"

    def test_a_sign_in_refused_in_the_middle_ends_the_run_and_keeps_its_pages(
        self, source: Source, tmp_path: Path
    ) -> None:
        """It is no reason to begin anew, and none to call the stream whole."""
        need(source.refuse_sign_in, "'refuse_sign_in'")
        assert source.refuse_sign_in
        refuse, hub = source.refuse_sign_in, Hub(source, tmp_path)
        if hub.pages < 2:
            pytest.skip("no stream has a second page")
        outcome = hub.sync(between=lambda: refuse(True))
        assert outcome is not None
        assert outcome.problem, "the door was shut in the middle, and the stream is called whole"
        assert hub.held(), "what was read before is lost"
        connector = source.connect()
        with pytest.raises(SignInError):
            pages_of(connector, hub.stream)
        connector.close()
        refuse(False)
        hub.whole()
        assert not hub.differs(), hub.differs()

    def test_no_secret_is_shown_in_trouble(
        self, source: Source, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Errors are where addresses, headers and bodies slip out."""
        need(source.secrets, "'secrets'")
        troubles = _troubles(source)
        need(troubles, "'limit', 'refuse_sign_in', 'repeat_token' or 'hide_error'")
        caplog.set_level(logging.DEBUG)
        said: list[str] = []
        for trouble in troubles:
            trouble()
            said += _said(source)
        said += [record.getMessage() for record in caplog.records] + [caplog.text]
        for number, secret in enumerate(source.secrets, start=1):
            shown = [text for text in said if secret in text]
            # The text itself is not repeated here, for the same reason.
            assert not shown, f"secret number {number} is shown in {len(shown)} places"


def _troubles(source: Source) -> list[Callable[[], None]]:
    """All that the source can be made to do, one upon the other; what hides the rest comes last."""
    troubles = [each for each in (source.repeat_token, source.hide_error) if each]
    limit, refuse = source.limit, source.refuse_sign_in
    if limit:
        troubles += [lambda: limit(_HOUR, "seconds"), lambda: limit(_HOUR, "date")]
    if refuse:
        troubles.append(lambda: refuse(True))
    return troubles


def _said(source: Source) -> list[str]:
    """What a connector says that meets trouble."""
    connector = source.connect()
    said: list[str] = []
    try:
        said += [row.detail for row in connector.check()]
        for stream in source.chosen(connector):
            pages_of(connector, stream)
    except VmoBridgeError as error:
        said += told_by(error)
    finally:
        connector.close()
    return said
