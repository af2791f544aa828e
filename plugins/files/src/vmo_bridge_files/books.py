"""What is remembered from run to run: files seen and taken, and the header of each form."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec


class Seen(msgspec.Struct, frozen=True):
    """A file as it was at the last look."""

    size: int
    changed_ns: int
    since: float
    """Since when it has been so, in epoch seconds by our clock."""
    sha256: str = ""


class Taken(msgspec.Struct, frozen=True):
    """A file that was read to its end."""

    name: str
    at: str
    rows: int
    form: str
    """Hash of the form's settings: with others, it is read again."""


class Wording(msgspec.Struct, frozen=True):
    """A question as it was seen last."""

    hash: str
    """Of its text and scale."""
    stamp: str
    """When the first file with it was made."""


T = TypeVar("T")


@dataclass(slots=True)
class Books:
    """The memory of the source, by what is kept in it; all keys of a form begin with its name."""

    memory: MutableMapping[str, str]
    kept: bool = False
    """Whether somebody keeps it from run to run; else nothing counts as taken."""

    def seen(self, name: str) -> Seen | None:
        """How a file was at the last look."""
        return self._get(f"seen/{name}", Seen)

    def see(self, name: str, seen: Seen) -> None:
        """Note how it is now."""
        self._put(f"seen/{name}", seen)

    def forget_all_but(self, names: Sequence[str]) -> None:
        """Files that lie there no more need no note; what was taken of them stays known."""
        there = {f"seen/{name}" for name in names}
        for key in [each for each in self.memory if each.startswith("seen/")]:
            if key not in there:
                del self.memory[key]

    def taken(self, form: str, sha256: str, settings: str) -> Taken | None:
        """Whether a file was read with these settings, whatever its name was."""
        taken = self._get(f"taken/{form}/{sha256}", Taken)
        return taken if taken is not None and taken.form == settings else None

    def take(self, form: str, sha256: str, taken: Taken) -> None:
        """Note that a file was read to its end."""
        self._put(f"taken/{form}/{sha256}", taken)

    def top(self, form: str, sha256: str, settings: str) -> list[list[str]] | None:
        """The header rows of a file that was opened with these settings."""
        return self._get(f"top/{form}/{sha256}/{settings}", list[list[str]])

    def note_top(self, form: str, sha256: str, settings: str, rows: list[list[str]]) -> None:
        """Note them."""
        self._put(f"top/{form}/{sha256}/{settings}", rows)

    def header(self, form: str) -> list[str] | None:
        """The header of the last file that was read."""
        return self._get(f"header/{form}", list[str])

    def note_header(self, form: str, names: Sequence[str]) -> None:
        """Note it."""
        self._put(f"header/{form}", list(names))

    def wording(self, form: str, question: str) -> Wording | None:
        """How a question was seen last."""
        return self._get(f"question/{form}/{question}", Wording)

    def note_wording(self, form: str, question: str, wording: Wording) -> None:
        """Note it."""
        self._put(f"question/{form}/{question}", wording)

    def counted(self, form: str) -> tuple[str, int] | None:
        """(which files, how many different rows) of the last count."""
        return self._get(f"count/{form}", tuple[str, int])

    def note_count(self, form: str, files: str, rows: int) -> None:
        """Note it."""
        self._put(f"count/{form}", (files, rows))

    def _get(self, key: str, kind: type[T]) -> T | None:
        """What stands there; what cannot be read any more is as good as nothing."""
        text = self.memory.get(key)
        try:
            return None if text is None else msgspec.json.decode(text, type=kind)
        except msgspec.MsgspecError:
            return None

    def _put(self, key: str, value: object) -> None:
        self.memory[key] = msgspec.json.encode(value).decode()
