"""What people should know of a file that was read all the same: counted, each thing told once."""

from __future__ import annotations


class Notes:
    """Collects remarks about one file by what they say, with the place of the first."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[int, str]] = {}

    def add(self, what: str, place: str) -> None:
        """Note once more that something is so."""
        number, first = self._found.get(what, (0, place))
        self._found[what] = number + 1, first

    def told(self) -> list[str]:
        """One line for each."""
        return [
            f"{what}: {number} (first: {first})" for what, (number, first) in self._found.items()
        ]
