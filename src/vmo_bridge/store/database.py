"""Open or make the store's file: recognise a damaged one, and never overwrite it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from vmo_bridge.errors import StoreDamaged, StoreError
from vmo_bridge.store.migrations import migrations

APPLICATION_ID = 0x564D4F42  # "VMOB": tells our files from any other SQLite file
_CHECK_WHOLE_BELOW = 64 * 1024 * 1024
"""Bytes up to which every page is checked at each opening (well under a second)."""


def open_database(path: Path, *, write: bool) -> Database:
    """Connect to the store at ``path``; makes it when writing and nothing is there.

    Raises ``StoreDamaged`` for a file that is not a whole store, ``StoreError`` if there is none.
    """
    if not path.exists():
        if not write:
            raise StoreError(f"there is no store at {path} yet; 'vmo-bridge sync' makes it")
        _create(path)
    _recognise(path)
    with damage_told(path):
        db = _connect(path)
        _check_pages(db, path)
        if write:
            migrations.apply(db)
        else:
            _refuse_outdated(db, path)
            db.execute("pragma query_only = on")
    return db


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Turn SQLite's word for a broken file into ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "disk" in str(error) or "full" in str(error):
            raise StoreError(
                f"the store {path} cannot be written ({error}); free some disk, nothing is lost"
            ) from error
        raise
    except sqlite3.DatabaseError as error:
        if isinstance(error, (sqlite3.IntegrityError, sqlite3.ProgrammingError)):
            raise
        raise StoreDamaged(
            f"the store {path} is damaged ({error}); it was left as it is. "
            "Move it away and restore a copy, or let the next sync make a new one"
        ) from error


def _create(path: Path) -> None:
    """Make the file under another name first: a store is there as a whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    db = _connect(draft)
    db.execute(f"pragma application_id = {APPLICATION_ID}")
    migrations.apply(db)
    db.conn.execute("pragma wal_checkpoint(truncate)")
    db.close()
    # A link instead of a rename: it fails where meanwhile a store has appeared.
    os.link(draft, path)
    draft.unlink()


def _connect(path: Path) -> Database:
    connection = sqlite3.connect(path, timeout=30)
    db = Database(connection)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    db.execute("pragma temp_store = memory")
    return db


def _recognise(path: Path) -> None:
    """Look at the first bytes before SQLite does: merely opening would change a foreign file."""
    with path.open("rb") as file:
        header = file.read(100)
    if len(header) < 100 or not header.startswith(b"SQLite format 3\0"):
        raise StoreDamaged(
            f"{path} is not a whole SQLite file ({path.stat().st_size} bytes); it was left as it "
            "is. Move it away and restore a copy, or let the next sync make a new one"
        )
    if int.from_bytes(header[68:72], "big") != APPLICATION_ID:
        raise StoreDamaged(
            f"{path} is not a store of VMO Bridge; it was left as it is. Name another file under "
            "bridge.store"
        )


def _check_pages(db: Database, path: Path) -> None:
    if path.stat().st_size <= _CHECK_WHOLE_BELOW:
        (verdict,) = db.execute("pragma quick_check(1)").fetchone()
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)


def _refuse_outdated(db: Database, path: Path) -> None:
    if migrations.pending(db):
        raise StoreError(
            f"the store {path} was made by an older version; run 'vmo-bridge sync' once, "
            "which brings it up to date"
        )
