"""What connectors remember of their sources from run to run, such as calls spent or files taken."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping

from sqlite_utils import Database


class Memory(MutableMapping[str, str]):
    """The memory of one source: a mapping that is saved in the transactions of others."""

    def __init__(self, db: Database, source: str) -> None:
        self._db = db
        self._source = source
        rows = db.execute("select key, value from memory where source = ?", [source]).fetchall()
        self._saved: dict[str, str] = dict(rows)
        self._now = dict(self._saved)
        self._saving = self._saved

    def __getitem__(self, key: str) -> str:
        return self._now[key]

    def __setitem__(self, key: str, value: str) -> None:
        self._now[key] = value

    def __delitem__(self, key: str) -> None:
        del self._now[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._now)

    def __len__(self) -> int:
        return len(self._now)

    def save(self) -> None:
        """Write what changed; belongs in the transaction of what it is remembered of."""
        # A copy: threads that read slices side by side may be remembering something just now.
        self._saving = dict(self._now)
        gone = self._saved.keys() - self._saving.keys()
        self._db.conn.executemany(
            "delete from memory where source = ? and key = ?", [(self._source, key) for key in gone]
        )
        changed = self._saving.items() - self._saved.items()
        self._db.conn.executemany(
            "insert into memory (source, key, value) values (?, ?, ?) "
            "on conflict (source, key) do update set value = excluded.value",
            [(self._source, key, value) for key, value in sorted(changed)],
        )

    def settle(self) -> None:
        """That transaction is over: what was written stands. After a rollback it is not called."""
        self._saved = self._saving
