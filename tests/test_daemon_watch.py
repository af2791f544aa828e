"""A long piece of work gives the daemon's log a sign of life, a short one does not."""

from __future__ import annotations

import logging
import threading

import pytest

from vmo_bridge.daemon import EndingWatch
from vmo_bridge.watch import Stopped


def test_the_log_hears_of_long_work_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    seconds = [0.0]
    watch = EndingWatch(threading.Event(), clock=lambda: seconds[0])
    caplog.set_level(logging.INFO, logger="vmo_bridge.daemon")
    watch.begin("helpdesk:incident", 9000)
    for _ in range(9):
        seconds[0] += 20
        watch.advance(1000)
    assert [record.message for record in caplog.records] == [
        "helpdesk:incident: 3000 of 9000",
        "helpdesk:incident: 6000 of 9000",
        "helpdesk:incident: 9000 of 9000",
    ]


def test_short_work_is_not_worth_a_word(caplog: pytest.LogCaptureFixture) -> None:
    seconds = [0.0]
    watch = EndingWatch(threading.Event(), clock=lambda: seconds[0])
    caplog.set_level(logging.INFO, logger="vmo_bridge.daemon")
    for _ in range(5):
        watch.begin("helpdesk:sys_user")
        seconds[0] += 30
        watch.advance(10)
    assert caplog.records == []


def test_it_asks_to_stop_once_the_daemon_is_told_to_end() -> None:
    ending = threading.Event()
    watch = EndingWatch(ending)
    watch.stop_here()
    ending.set()
    with pytest.raises(Stopped):
        watch.stop_here()
