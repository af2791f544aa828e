"""Makes a sandbox directory: agency, instance, truth and credentials, or nothing at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path

from vmo_bridge.errors import ConfigError
from vmo_bridge.sandbox import sides
from vmo_bridge.sandbox.agency.meridian import make_agency
from vmo_bridge.sandbox.servicenow import catalogue, seed
from vmo_bridge.sandbox.servicenow.access import new_credentials
from vmo_bridge.sandbox.servicenow.instance import Instance

DEFAULT_SEED = 7
_FILES = ("instance.db", "truth.json", "credentials.json")


def ensure_directory(directory: Path, wanted: int | None) -> None:
    """Make the sandbox in ``directory`` unless one stands there already.

    A directory with another seed than ``wanted`` is left alone: ConfigError.
    """
    truth = directory / "truth.json"
    if truth.exists():
        stands = json.loads(truth.read_text())["seed"]
        if wanted is not None and wanted != stands:
            message = (
                f"sandbox {directory}: seed {stands} stands there, {wanted} was asked for; "
                "leave the seed out to serve it, or name an empty directory"
            )
            raise ConfigError(message)
        return
    chosen = DEFAULT_SEED if wanted is None else wanted
    if directory.exists():
        occupied = [name for name in _FILES if (directory / name).exists()]
        if occupied:
            message = f"sandbox {directory}: {occupied[0]} is there without truth.json; clear it"
            raise ConfigError(message)
    directory.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    try:
        _build(building, chosen)
        _put_in_place(building, directory)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _put_in_place(building: Path, directory: Path) -> None:
    """Rename the whole directory, or, into one that exists, its files with the marker last."""
    if not directory.exists():
        building.rename(directory)
        return
    for name in ("instance.db", "credentials.json", "truth.json"):
        (building / name).replace(directory / name)


def _build(directory: Path, number: int) -> None:
    agency = make_agency(number)
    instance = Instance(directory / "instance.db")
    try:
        with instance.writing():
            for name, parent, _, _ in catalogue.declared():
                if not parent:
                    instance.create_storage(name, _physical(name))
            instance.create_log()
            for table, rows in seed.describing_rows(str(number)):
                instance.put(table, rows)
            for table, rows in seed.content_rows(agency):
                instance.load(table, rows)
            sides.fill(instance, agency)
        instance.db.execute("ANALYZE")
        instance.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        instance.close()
    truth = {"seed": number} | seed.with_ids(agency.truth, str(number))
    (directory / "truth.json").write_text(json.dumps(truth, indent=1) + "\n")
    secret = directory / "credentials.json"
    descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(new_credentials().as_json() | sides.new_secrets(), file, indent=1)


def _physical(root: str) -> dict[str, str]:
    """The columns of a root and of everything that extends it: one physical table holds all."""
    parents = {name: parent for name, parent, _, _ in catalogue.declared()}

    def belongs(name: str) -> bool:
        return name == root or (bool(parents[name]) and belongs(parents[name]))

    return catalogue.kinds(
        line for name, _, _, lines in catalogue.declared() if belongs(name) for line in lines
    )
