"""Open or make the store's file: recognise a damaged one, and never overwrite it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from vmo_bridge.errors import StoreDamaged, StoreError
from vmo_bridge.store.migrations import STEPS, migrations

APPLICATION_ID = 0x564D4F42  # "VMOB": tells our files from any other SQLite file
_CACHE_KIB = 64 * 1024
"""Keys of sources have no order: what a page of rows writes is all over the indexes, and of those
the most part has to fit."""
_CHECKPOINT_PAGES = 8_000
"""How many pages (4 KiB) the journal gathers: one that was changed ten times is then moved once."""
_CHECK_WHOLE_BELOW = 64 * 1024 * 1024
"""Bytes up to which every page is checked at each opening (well under a second)."""


def open_database(path: Path, *, write: bool) -> Database:
    """Connect to the store at ``path``; makes it when writing and nothing is there.

    Raises ``StoreDamaged`` for a file that is not a whole store, ``StoreError`` if there is none.
    """
    if not path.exists():
        if not write:
            raise StoreError(f"there is no store at {path} yet; 'vmo-bridge sync' makes it")
        _refuse_orphan(path)
        _create(path)
    _recognise(path)
    db = Database(sqlite3.connect(path, timeout=30))
    try:
        with damage_told(path):
            # Before anything else: the settings may write to the file.
            _check_pages(db, path)
            _refuse_newer(db, path)
            if write:
                _set_up(db)
                migrations.apply(db)
            else:
                _refuse_outdated(db, path)
                db.execute("pragma query_only = on")
    except (sqlite3.OperationalError, UnicodeDecodeError) as error:
        db.close()
        if "locked" in str(error):
            raise
        if any(word in str(error) for word in ("readonly", "unable to open", "disk", "full")):
            raise StoreError(
                f"the store {path} cannot be used by this user ({error}); give the right to read "
                "and write it and its folder (SQLite keeps files beside it), or free some disk"
            ) from error
        # Our own first statements fail on no store but one whose schema is not what it says.
        raise _damaged(path, error) from error
    except BaseException:
        db.close()
        raise
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
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise
    except sqlite3.DatabaseError as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> StoreDamaged:
    return StoreDamaged(
        f"the store {path} is damaged ({error}); it was left as it is. "
        "Move it away and restore a copy, or let the next sync make a new one"
    )


def _create(path: Path) -> None:
    """Make the file under another name first: a store is there as a whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    db = Database(sqlite3.connect(draft))
    draft.chmod(0o600)  # raw payloads are in it; SQLite gives its journals the same rights
    _set_up(db)
    db.execute(f"pragma application_id = {APPLICATION_ID}")
    migrations.apply(db)
    db.conn.execute("pragma wal_checkpoint(truncate)")
    db.close()
    # A link instead of a rename: it fails where meanwhile a store has appeared.
    os.link(draft, path)
    draft.unlink()


def _set_up(db: Database) -> None:
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    db.execute("pragma temp_store = memory")
    db.execute(f"pragma cache_size = -{_CACHE_KIB}")
    db.execute(f"pragma wal_autocheckpoint = {_CHECKPOINT_PAGES}")


def _refuse_orphan(path: Path) -> None:
    """A journal left behind by a store that was moved away would be played into the new one."""
    orphan = path.with_name(path.name + "-wal")
    if orphan.exists() and orphan.stat().st_size:
        raise StoreDamaged(
            f"there is {orphan}, and no store to it; it was left as it is. It belongs to the store "
            "that was here: put it where that store is now, or remove it"
        )


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


def _refuse_newer(db: Database, path: Path) -> None:
    """A step that we do not know was made by a newer version: its data may mean something else."""
    newer = {each.name for each in migrations.applied(db)} - {each.__name__ for each in STEPS}
    if newer:
        raise StoreError(
            f"the store {path} was made by a newer version ({', '.join(sorted(newer))}); "
            "run that version, or restore an older copy"
        )


def _refuse_outdated(db: Database, path: Path) -> None:
    if migrations.pending(db):
        raise StoreError(
            f"the store {path} was made by an older version; run 'vmo-bridge sync' once, "
            "which brings it up to date"
        )
