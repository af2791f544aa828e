"""Makes a sandbox directory: instance, truth and credentials, or nothing at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from vmo_bridge.errors import ConfigError
from vmo_bridge.sandbox import sides
from vmo_bridge.sandbox.agency.meridian import make_agency
from vmo_bridge.sandbox.replay.filling import fill as fill_from_log
from vmo_bridge.sandbox.replay.log import EventLog
from vmo_bridge.sandbox.servicenow import catalogue, seed
from vmo_bridge.sandbox.servicenow.access import new_credentials
from vmo_bridge.sandbox.servicenow.instance import Instance

DEFAULT_SEED = 7
_FILES = ("instance.db", "truth.json", "credentials.json")


def ensure_directory(
    directory: Path, wanted: int | None = None, log: EventLog | None = None
) -> None:
    """Make the sandbox in ``directory`` unless one stands there already: an agency, or a log.

    A directory with another seed than ``wanted``, or another log, is left alone: ConfigError.
    """
    truth = directory / "truth.json"
    if truth.exists():
        _check(directory, json.loads(truth.read_text()), wanted, log)
        return
    if log is not None:
        _ = log.history  # a log with a fault is refused before anything is made
    if directory.exists():
        occupied = [name for name in _FILES if (directory / name).exists()]
        if occupied:
            message = f"sandbox {directory}: {occupied[0]} is there without truth.json; clear it"
            raise ConfigError(message)
    directory.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        _build(building, log or (DEFAULT_SEED if wanted is None else wanted))
        _put_in_place(building, directory)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _check(directory: Path, stands: dict[str, Any], seed: int | None, log: EventLog | None) -> None:
    """Refuse to serve something else than was asked for."""
    held = stands.get("log")
    if log is not None and (held is None or held["sha256"] != log.sha256):
        asked = f"the log {log.name} (sha256 {log.sha256[:12]}…)"
    elif seed is not None and seed != stands.get("seed"):
        asked = f"seed {seed}" if held else str(seed)
    else:
        return
    there = (
        f"the log {held['name']} (sha256 {held['sha256'][:12]}…)"
        if held
        else f"seed {stands['seed']}"
    )
    message = (
        f"sandbox {directory}: {there} stands there, {asked} was asked for; "
        f"leave the {'log' if log else 'seed'} out to serve it, or name an empty directory"
    )
    raise ConfigError(message)


def _put_in_place(building: Path, directory: Path) -> None:
    """Rename the whole directory, or, into one that exists, its files with the marker last."""
    if not directory.exists():
        building.rename(directory)
        return
    for name in ("instance.db", "credentials.json", "truth.json"):
        (building / name).replace(directory / name)


def _build(directory: Path, content: int | EventLog) -> None:
    instance = Instance(directory / "instance.db")
    try:
        with instance.writing():
            for name, parent, _, _ in catalogue.declared():
                if not parent:
                    instance.create_storage(name, _physical(name))
            instance.create_log()
            if isinstance(content, EventLog):
                truth = fill_from_log(instance, content)
            else:
                truth = _fill(instance, content)
        instance.db.execute("ANALYZE")
        instance.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        instance.close()
    (directory / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    secrets = new_credentials().as_json()
    if not isinstance(content, EventLog):
        secrets |= sides.new_secrets()
    secret = directory / "credentials.json"
    descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(secrets, file, indent=1)


def _fill(instance: Instance, number: int) -> dict[str, Any]:
    """Put the agency of a seed into fresh tables; returns what truth.json says of it."""
    agency = make_agency(number)
    for table, rows in seed.describing_rows(str(number)):
        instance.put(table, rows)
    for table, rows in seed.content_rows(agency):
        instance.load(table, rows)
    sides.fill(instance, agency)
    return {"seed": number} | seed.with_ids(agency.truth, str(number))


def _physical(root: str) -> dict[str, str]:
    """The columns of a root and of everything that extends it: one physical table holds all."""
    parents = {name: parent for name, parent, _, _ in catalogue.declared()}

    def belongs(name: str) -> bool:
        return name == root or (bool(parents[name]) and belongs(parents[name]))

    return catalogue.kinds(
        line for name, _, _, lines in catalogue.declared() if belongs(name) for line in lines
    )
