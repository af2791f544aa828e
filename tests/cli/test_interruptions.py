"""What stands in the diary after an interruption, and what the daemon makes of it."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from datetime import timedelta

import pytest

from vmo_bridge import daemon, pipeline
from vmo_bridge.daemon import CYCLE, Daemon, Ending
from vmo_bridge.errors import ConfigError
from vmo_bridge.hooks.loader import Plugins
from vmo_bridge.pipeline import Bridge
from vmo_bridge.settings import Settings
from vmo_bridge.store import Store
from vmo_bridge.store.clock import now
from vmo_bridge.watch import Stopped


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, Ending])
def test_a_stage_that_was_cut_off_is_not_running_any_more(
    interruption: type[BaseException],
    configure: Callable[..., Settings],
    make_plugins: Callable[..., Plugins],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cut(*_: object, **__: object) -> None:
        raise interruption

    monkeypatch.setattr(pipeline, "detect", cut)
    with Bridge(configure(), make_plugins(), owner="test") as bridge:
        with pytest.raises(interruption):
            bridge.detect()
        run = bridge.store.runs.last("detect")
        assert run is not None
        assert run.state == "interrupted"


def test_where_even_the_diary_cannot_be_written_the_first_error_is_heard(
    configure: Callable[..., Settings],
    make_plugins: Callable[..., Plugins],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ConfigError("the first")

    def full(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(pipeline, "detect", fail)
    with Bridge(configure(), make_plugins(), owner="test") as bridge:
        monkeypatch.setattr(bridge.store.runs, "end", full)
        with pytest.raises(ConfigError, match="the first"):
            bridge.detect()


@pytest.fixture
def cycles(monkeypatch: pytest.MonkeyPatch) -> list[BaseException | None]:
    """Each cycle takes the next of these and raises it; what is left shows how many ran."""
    planned: list[BaseException | None] = []

    def cycle(_: Bridge) -> None:
        raise planned.pop(0) or Stopped("done")

    monkeypatch.setattr(Bridge, "cycle", cycle)
    return planned


def turn(worker: Daemon) -> None:
    worker._guarded(worker._cycle_if_due)


def test_a_restart_makes_up_for_an_interrupted_cycle_at_once(
    configure: Callable[..., Settings],
    make_plugins: Callable[..., Plugins],
    cycles: list[BaseException | None],
) -> None:
    cycles += [Stopped("asked to stop"), Stopped("asked to stop")]
    settings = configure()
    turn(Daemon(settings, make_plugins()))
    turn(Daemon(settings, make_plugins()))
    assert not cycles


@pytest.mark.parametrize("ahead", [timedelta(minutes=1), timedelta(days=400)])
def test_a_clock_that_was_set_back_does_not_silence_the_daemon(
    ahead: timedelta,
    configure: Callable[..., Settings],
    make_plugins: Callable[..., Plugins],
    cycles: list[BaseException | None],
) -> None:
    cycles += [None]
    settings = configure()
    with Store(settings.store_path, owner="test") as store:
        store.runs.set_fact(CYCLE, (now() + ahead).isoformat())
    turn(Daemon(settings, make_plugins()))
    assert not cycles


def test_a_cycle_that_began_just_now_is_not_repeated_by_a_restart(
    configure: Callable[..., Settings],
    make_plugins: Callable[..., Plugins],
    cycles: list[BaseException | None],
) -> None:
    cycles += [None]
    settings = configure()
    with Store(settings.store_path, owner="test") as store:
        store.runs.set_fact(CYCLE, now().isoformat())
    turn(Daemon(settings, make_plugins()))
    assert cycles


def test_a_disk_that_refuses_is_told_once_and_without_a_traceback(
    configure: Callable[..., Settings],
    make_plugins: Callable[..., Plugins],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "/var/lib/bridge.lock")

    monkeypatch.setattr(daemon, "Bridge", refuse)
    worker = Daemon(configure(), make_plugins())
    with caplog.at_level(logging.ERROR, logger="vmo_bridge"):
        turn(worker)
        turn(worker)
    (record,) = caplog.records
    assert record.exc_info is None
    assert "Permission denied" in record.getMessage()


def test_a_clock_longer_than_the_calendar_is_a_mistake_in_the_configuration(
    configure: Callable[..., Settings], make_plugins: Callable[..., Plugins]
) -> None:
    settings = configure("[schedule]\nevery_minutes = 99999999999999\n")
    with pytest.raises(ConfigError, match=r"schedule\.every_minutes: 99999999999999\.0 "):
        Daemon(settings, make_plugins())
