"""The kill switch: a file beside the store; as long as it is there, nothing is written back.

A file, so that it can be thrown while another process is writing: it is looked at before each call.
"""

from __future__ import annotations

from vmo_bridge.settings import Settings
from vmo_bridge.store.clock import now


class KillSwitch:
    """Whether values may be written back at all, and why not."""

    def __init__(self, settings: Settings) -> None:
        self._off_by_settings = settings.publish.stop
        self.path = settings.store_path.with_name(settings.store_path.name + ".stop")

    def reason(self) -> str:
        """Why nothing is written; empty if writing is allowed."""
        if self._off_by_settings:
            return "publish.stop is on in the configuration"
        try:
            # Whatever somebody wrote into it in a hurry: that it is there is what counts.
            return self.path.read_text(encoding="utf-8", errors="replace").strip() or "stopped"
        except FileNotFoundError:
            return ""

    def stop(self, why: str) -> None:
        """Stop all writing from now on, also that of a process which is at it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(f"{why} ({now():%Y-%m-%d %H:%M} UTC)\n", encoding="utf-8")

    def resume(self) -> bool:
        """Allow writing again; False if nothing had stopped it here."""
        was_on = self.path.exists()
        self.path.unlink(missing_ok=True)
        return was_on
