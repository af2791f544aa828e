"""The demo and the sandbox command on a made-up log, as processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vmo_bridge.settings import load_settings

pytestmark = pytest.mark.e2e
MakeLog = Callable[..., Path]


def bridge(*words: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vmo_bridge.cli", *words],
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def incidents(count: int) -> list[dict[str, str]]:
    """Incidents that were opened, waited for a vendor, and were resolved in March or April."""
    found = []
    for each in range(count):
        common = {
            "number": f"INC{each:07d}",
            "opened_at": f"{each % 28 + 1}/3/2016 08:00",
            "resolved_at": f"{each % 28 + 1}/{each % 2 + 3}/2016 12:00",
            "closed_at": "30/4/2016 12:00",
            "made_sla": "false" if each % 4 == 0 else "true",
        }
        found += [
            common | {"sys_updated_at": common["opened_at"], "incident_state": "Awaiting Vendor"},
            common | {"sys_updated_at": common["closed_at"], "incident_state": "Closed"},
        ]
    return found


def test_the_demo_on_a_log_tells_of_the_log_alone_and_what_stands_is_shown_again(
    make_log: MakeLog, tmp_path: Path
) -> None:
    log = make_log(*incidents(40))
    folder = tmp_path / "demo"
    where = ("demo", "--once", "--dir", str(folder))
    done = bridge(*where, "--servicenow-log", str(log), home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "replaying log.csv (40 incidents)" in done.stdout
    assert "40 ticket" in done.stdout
    assert "signals at the end of the log" in done.stdout
    assert "rule watermelon: not known" in done.stdout
    for word in ("Meridian", "csat", "council", "seed"):
        assert word not in done.stdout
    settings = load_settings(folder / "vmo-bridge.toml")
    assert str(settings.bridge.as_of) == "2016-04-30 12:01:00+00:00"
    listed = bridge(
        "--config", str(folder / "vmo-bridge.toml"), "kpis", "--format", "json", home=tmp_path
    )
    april = {
        each["kpi"]: (each["numerator"], each["n"])
        for each in json.loads(listed.stdout)
        if "last-90-days" in each["id"]
    }
    assert april["sla_attainment"] == (30, 40)

    again = bridge(*where, home=tmp_path)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "serving the log that was replayed here" in again.stdout
    assert "0 records written and read back" in again.stdout
    assert (folder / "sandbox" / "instance.db").exists()


def test_another_log_takes_the_place_of_the_first(make_log: MakeLog, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    for count in (8, 9):
        log = make_log(*incidents(count), name=f"{count}.csv")
        done = bridge(
            "demo", "--once", "--dir", str(folder), "--servicenow-log", str(log), home=tmp_path
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert f" {count} ticket" in done.stdout


@pytest.mark.parametrize("verb", ["demo", "sandbox"])
def test_a_bad_log_is_named_and_nothing_is_made(
    verb: str, make_log: MakeLog, tmp_path: Path
) -> None:
    folder = tmp_path / "made"
    bad = make_log({}, {"opened_at": "yesterday"})
    done = bridge(verb, "--dir", str(folder), "--servicenow-log", str(bad), home=tmp_path)
    assert done.returncode == 2
    assert "line 3, opened_at: 'yesterday' is no moment" in done.stderr
    missing = str(tmp_path / "nowhere.csv.gz")
    done = bridge(verb, "--dir", str(folder), "--servicenow-log", missing, home=tmp_path)
    assert done.returncode == 2
    assert f"log {missing}: cannot be read (No such file" in done.stderr
    both = bridge(verb, "--servicenow-log", str(bad), "--seed", "3", home=tmp_path)
    assert both.returncode == 2
    assert "name one" in both.stderr
    assert not folder.exists()
