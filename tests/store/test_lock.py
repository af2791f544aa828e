"""One writer at a time; readers beside it; the lock dies with its owner, however that ends."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vmo_bridge.errors import StoreLocked
from vmo_bridge.store import Store
from vmo_bridge.store.lock import WriterLock

WRITER = """
import sys
from pathlib import Path
from vmo_bridge.store import Store
store = Store(Path(sys.argv[1]), owner="vmo-bridge sync")
store.runs.set_fact("kept", "yes")
with store.transaction():
    store.runs.set_fact("lost", "yes")
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_is_told_who_writes_and_since_when(path: Path) -> None:
    with Store(path, owner="vmo-bridge sync"):
        with pytest.raises(StoreLocked) as caught:
            Store(path, owner="vmo-bridge publish")
        said = rf"{re.escape(str(path))} is being written by 'vmo-bridge sync' \(process "
        assert re.search(rf"{said}{os.getpid()} on .+\) since 0:00:\d\d h:m:s", str(caught.value))
        assert "wait until it has ended" in str(caught.value)
    with Store(path, owner="vmo-bridge publish"):
        pass


def test_readers_work_beside_a_writer_and_see_what_is_committed(path: Path) -> None:
    with Store(path, owner="writer") as writer, Store(path) as one, Store(path) as two:
        writer.runs.set_fact("a", "1")
        assert one.runs.fact("a") == "1"
        with writer.transaction():
            writer.runs.set_fact("a", "2")
            assert one.runs.fact("a") == "1", "not yet"
        assert one.runs.fact("a") == two.runs.fact("a") == "2"


def test_a_killed_writer_gives_its_lock_back_and_leaves_nothing_half_done(path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with pytest.raises(StoreLocked, match=rf"'vmo-bridge sync' \(process {process.pid} on"):
            Store(path, owner="me")
        with Store(path) as reader:
            assert reader.runs.fact("kept") == "yes"
        process.send_signal(signal.SIGKILL)
        process.wait()
    with Store(path, owner="me") as store:
        assert store.runs.fact("kept") == "yes"
        assert store.runs.fact("lost") is None


def test_a_store_that_does_not_open_gives_its_lock_back(path: Path) -> None:
    path.write_bytes(b"no store")
    for _ in range(2):
        with pytest.raises(Exception, match="not a whole SQLite file"):
            Store(path, owner="me")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"owner": 1}', '{"owner": 1, "since": "x"}'])
def test_a_lock_without_readable_words_still_locks(path: Path, content: str) -> None:
    lock = WriterLock(path, "me").acquire()
    lock.path.write_text(content)
    with pytest.raises(StoreLocked, match="written by another process"):
        WriterLock(path, "you").acquire()
    lock.release()
    lock.release()
    WriterLock(path, "you").acquire().release()


def test_words_left_by_an_earlier_owner_do_not_lock(path: Path) -> None:
    WriterLock(path, "a long, long name of an owner").acquire().release()
    lock = WriterLock(path, "me").acquire()
    assert lock.path.read_text().startswith('{"owner": "me"')
    assert lock.path.read_text().count("{") == 1
    lock.release()
