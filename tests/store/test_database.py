"""A store is there as a whole or not at all, and a damaged one is left as it is."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vmo_bridge.errors import StoreDamaged, StoreError
from vmo_bridge.store import Store, database
from vmo_bridge.store.database import damage_told
from vmo_bridge.store.migrations import migrations
from vmo_bridge.store.raw import raw_row

NOW = datetime(2026, 1, 1, tzinfo=UTC)
Digest = Callable[[Path], str]


def filled(path: Path, rows: int = 300) -> Path:
    """A store with some pages in it, closed, all in its one file."""
    with Store(path, owner="test") as store:
        mark = store.marks.stream("desk", "tickets", ["ticket"])
        with store.transaction():
            for number in range(rows):
                row = raw_row(str(number), {"n": number, "text": f"{random.random()}" * 20})
                store.raw.keep(mark.id, 1, NOW, [row])
    return path


def test_each_step_of_the_schema_is_taken_once_and_recorded(path: Path) -> None:
    Store(path, owner="test").close()
    with sqlite3.connect(path) as plain:
        first = plain.execute("select name, applied_at from _sqlite_migrations").fetchall()
    plain.close()
    Store(path, owner="test").close()
    with Store(path, owner="test") as store:
        again = store._db.execute("select name, applied_at from _sqlite_migrations").fetchall()
        assert again == first
        assert [name for name, _ in first] == [each.name for each in migrations.applied(store._db)]
        assert migrations.pending(store._db) == []


def test_a_store_can_be_told_from_any_other_file(path: Path) -> None:
    Store(path, owner="test").close()
    assert path.read_bytes()[68:72] == b"VMOB"
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name, f"{path.name}.lock"]


def test_a_store_is_made_in_folders_that_are_not_there_yet(tmp_path: Path) -> None:
    with Store(tmp_path / "a" / "b" / "s.db", owner="test") as store:
        assert store.versions.counts()["ticket"] == 0


def test_a_creation_that_was_cut_short_leaves_no_store(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(database.os, "link", cut)
        with pytest.raises(KeyboardInterrupt):
            Store(path, owner="test")
    assert not path.exists()
    with Store(path, owner="test") as store:
        assert migrations.pending(store._db) == []
    assert not path.with_name(f"{path.name}.new").exists()


def test_the_leavings_of_a_killed_creation_do_no_harm(path: Path, tmp_path: Path) -> None:
    draft = path.with_name(f"{path.name}.new")
    other = filled(tmp_path / "other.db")
    connection = sqlite3.connect(other)
    connection.execute("insert into fact values ('a', 'b')")
    connection.commit()
    shutil.copy(other, draft)
    shutil.copy(f"{other}-wal", f"{draft}-wal")
    connection.close()
    with Store(path, owner="test") as store:
        assert store.runs.fact("a") is None
        assert store._db.execute("pragma integrity_check").fetchone() == ("ok",)


def test_a_store_that_appeared_meanwhile_is_not_overwritten(path: Path, digest: Digest) -> None:
    filled(path)
    before = digest(path)
    with pytest.raises(FileExistsError):
        database._create(path)
    assert digest(path) == before


def test_reading_makes_no_store(path: Path) -> None:
    with pytest.raises(StoreError, match=r"no store at .*; 'vmo-bridge sync' makes it"):
        Store(path)
    assert list(path.parent.iterdir()) == []


def test_a_store_of_an_older_version_is_brought_up_to_date_by_writing_only(path: Path) -> None:
    Store(path, owner="test").close()
    with sqlite3.connect(path) as plain:
        plain.execute("drop table outbox")
        plain.execute("drop table receipt")
        plain.execute("delete from _sqlite_migrations where name like '%outbox'")
    plain.close()
    with pytest.raises(StoreError, match="older version; run 'vmo-bridge sync' once"):
        Store(path)
    Store(path, owner="test").close()
    with Store(path) as store:
        assert store.outbox.counts() == {}


def test_a_store_from_before_the_voices_gets_their_fields_and_reads_all_again(path: Path) -> None:
    with Store(path, owner="test") as store:
        stream = store.marks.stream("desk", "sys_user", ["person"])
        store.marks.begin(stream.id, [(None, None, None)])
        store._db.execute("update slice set newest = 100")
        store.marks.complete(stream.id)
    with sqlite3.connect(path) as plain:
        for table in ("person", "person_history"):
            plain.execute(f"alter table {table} drop column contact")
        plain.execute("alter table answer drop column scale_min")
        for table in ("link", "link_history", "memory"):
            plain.execute(f"drop table {table}")
        plain.execute("delete from _sqlite_migrations where name like '%voices'")
    plain.close()
    with Store(path, owner="test") as store:
        assert {"contact"} <= set(store._db["person_history"].columns_dict)
        assert list(store.versions.all("link")) == []
        assert dict(store.memory("desk")) == {}
        (mark,) = store.marks.streams()
        assert mark.watermark is None, "what was read before lacks the new fields"
        (sql,) = store._db.execute("select sql from sqlite_master where name = 'answer'").fetchone()
        assert 'check ("scale_min" is cast("scale_min" as real))' in sql


def test_a_step_that_fails_leaves_neither_its_tables_nor_its_record(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store(path, owner="test").close()

    def halfway(db: object) -> None:
        db["half"].create({"id": int}, pk="id")  # type: ignore[index]
        raise ZeroDivisionError

    step = type(migrations)._Migration("m999_halfway", halfway)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_migrations", [*migrations._migrations, step])
        with pytest.raises(ZeroDivisionError):
            Store(path, owner="test")
    with Store(path, owner="test") as store:
        assert "half" not in store._db.table_names()
        assert "m999_halfway" not in [each.name for each in migrations.applied(store._db)]


def empty(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("Dear diary,\n" * 100)


def noise(path: Path) -> None:
    path.write_bytes(random.Random(7).randbytes(8192))


def cut_in_half(path: Path) -> None:
    os.truncate(filled(path), path.stat().st_size // 2)


def cut_to_its_header(path: Path) -> None:
    os.truncate(filled(path), 100)


def cut_in_its_header(path: Path) -> None:
    os.truncate(filled(path), 99)


def overwritten_in_the_middle(path: Path) -> None:
    with filled(path).open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        file.write(b"\xaa" * 20_000)


def zeroed_behind_the_header(path: Path) -> None:
    with filled(path).open("r+b") as file:
        file.seek(100)
        file.write(bytes(4000))


def foreign(path: Path) -> None:
    with sqlite3.connect(path) as plain:
        plain.execute("create table photo (id)")
    plain.close()


def foreign_with_a_journal(path: Path) -> None:
    plain = sqlite3.connect(path)
    plain.execute("pragma journal_mode = wal")
    plain.execute("create table photo (id)")
    plain.commit()
    shutil.copy(path, f"{path}.kept")
    shutil.copy(f"{path}-wal", f"{path}-wal.kept")
    plain.close()
    Path(f"{path}.kept").rename(path)
    Path(f"{path}-wal.kept").rename(f"{path}-wal")


DAMAGES = [
    empty,
    text,
    noise,
    cut_in_half,
    cut_to_its_header,
    cut_in_its_header,
    overwritten_in_the_middle,
    zeroed_behind_the_header,
    foreign,
    foreign_with_a_journal,
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda each: each.__name__)
def test_a_damaged_store_is_recognised_and_left_as_it_is(
    path: Path, digest: Digest, damage: Callable[[Path], None]
) -> None:
    damage(path)
    before = digest(path)
    for owner in (None, "vmo-bridge sync"):
        with pytest.raises(StoreDamaged, match="left as it") as caught:
            Store(path, owner=owner)
        assert str(path) in str(caught.value)
        assert caught.value.exit_code == 5
        assert digest(path) == before
    path.unlink()
    for rest in path.parent.glob(f"{path.name}-*"):
        rest.unlink()
    with Store(path, owner="the lock was given back") as store:
        assert store.versions.counts()["ticket"] == 0


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return filled(tmp_path_factory.mktemp("whole") / "whole.db", 60)


@settings(deadline=None, max_examples=150)
@given(
    # Mostly near the front, where the header and the schema are.
    place=st.integers(0, 200) | st.integers(0, 100_000),
    noise=st.binary(min_size=1, max_size=64) | st.just(bytes(4096)),
)
def test_whatever_is_overwritten_a_damaged_store_keeps_every_byte(
    whole: Path, place: int, noise: bytes
) -> None:
    content = bytearray(whole.read_bytes())
    content[place : place + len(noise)] = noise
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.db"
        path.write_bytes(content)
        for owner in (None, "test"):
            try:
                Store(path, owner=owner).close()
            except StoreError:
                assert path.read_bytes() == content


def test_damage_that_is_found_while_reading_is_told_as_such(
    path: Path, digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_CHECK_WHOLE_BELOW", 0)  # as if it were a large one
    with Store(filled(path)) as store:
        query = "select rootpage from sqlite_master where name = 'ticket'"
        (page,) = store._db.execute(query).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xaa" * 4096)
    before = digest(path)
    with Store(path) as store, pytest.raises(StoreDamaged, match="left as it is"):
        store.tables(as_of=NOW)
    assert digest(path) == before


def test_a_journal_without_its_store_is_not_played_into_a_new_one(
    path: Path, tmp_path: Path
) -> None:
    store = Store(filled(path), owner="test")
    store.runs.set_fact("a", "b")
    orphan = Path(f"{path}-wal").read_bytes()
    store.close()
    path.rename(tmp_path / "moved-away.db")
    Path(f"{path}-wal").write_bytes(orphan)
    with pytest.raises(StoreDamaged, match=r"-wal, and no store to it"):
        Store(path, owner="test")
    assert not path.exists()
    assert Path(f"{path}-wal").read_bytes() == orphan


def test_a_full_disk_is_no_damage(path: Path) -> None:
    with Store(path, owner="test") as store:
        (pages,) = store._db.execute("pragma page_count").fetchone()
        store._db.execute(f"pragma max_page_count = {pages}")
        with pytest.raises(StoreError, match="free some disk") as caught, store.transaction():
            store._db.execute("insert into fact values ('a', ?)", ["x" * 10_000_000])
        assert not isinstance(caught.value, StoreDamaged)
        assert store.runs.fact("a") is None


def test_a_mistake_of_ours_is_not_called_damage(path: Path) -> None:
    with Store(path, owner="test") as store:
        with pytest.raises(sqlite3.OperationalError), damage_told(path):
            store._db.execute("select nonsense from nowhere")
        with pytest.raises(sqlite3.IntegrityError), store.transaction():
            store._db.execute("insert into fact values ('a', null)")


def test_a_store_of_a_newer_version_is_left_to_it(path: Path) -> None:
    with Store(path, owner="test") as store:
        store._db["_sqlite_migrations"].insert(
            {"migration_set": "vmo_bridge", "name": "m999_future", "applied_at": "2030-01-01"}
        )
    for owner in (None, "test"):
        with pytest.raises(StoreError, match=r"newer version \(m999_future\)"):
            Store(path, owner=owner)


def test_a_reader_cannot_write(path: Path) -> None:
    Store(path, owner="test").close()
    with Store(path) as store, pytest.raises(sqlite3.OperationalError, match="readonly"):
        store.runs.set_fact("a", "b")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without the right")
def test_a_store_that_this_user_may_not_write_is_not_called_damaged() -> None:
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from vmo_bridge.errors import StoreDamaged, StoreError\n"
        "from vmo_bridge.store.database import open_database\n"
        "from sqlite_utils import Database\n"
        "Database(memory=True)\n"  # loads what somebody else may not be able to read
        "os.setuid(65534)\n"
        "try: open_database(Path(sys.argv[1]), write=True)\n"
        "except StoreDamaged: print('damaged')\n"
        "except StoreError as error: print(error)\n"
    )
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        store = filled(Path(folder) / "vmo-bridge.db")
        Path(folder).chmod(0o755)
        store.chmod(0o644)
        done = subprocess.run(
            [sys.executable, "-c", code, str(store)], capture_output=True, text=True, check=False
        )
    assert "give the right to read and write it" in done.stdout, done.stdout + done.stderr


def test_a_store_is_closed_to_others(path: Path) -> None:
    Store(path, owner="test").close()
    assert path.stat().st_mode & 0o077 == 0
