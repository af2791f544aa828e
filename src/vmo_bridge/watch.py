"""What a long stage tells whoever watches it, and the one thing it asks back: whether to stop."""

from __future__ import annotations

from vmo_bridge.errors import VmoBridgeError


class Stopped(VmoBridgeError):
    """The stage was asked to stop and did so between two transactions; the next run goes on."""


class Watch:
    """Watches in silence; the command line shows a bar instead, the daemon asks to stop."""

    def begin(self, task: str, total: int | None = None) -> None:
        """A piece of work of ``total`` steps begins (None: nobody knows how many)."""

    def advance(self, steps: int = 1) -> None:
        """So many steps are done."""

    def end(self, note: str = "") -> None:
        """The piece of work is over; ``note`` says how it went."""

    def stopping(self) -> bool:
        """Whether to stop at the next safe point."""
        return False

    def stop_here(self) -> None:
        """Raise ``Stopped`` if it is time to stop; called where nothing is half done."""
        if self.stopping():
            raise Stopped("asked to stop; what was read so far is kept, the next run goes on")
