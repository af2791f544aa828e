"""Stage 1: pull pages from the sources, normalise them, keep them with where they came from."""

from vmo_bridge.sync.pull import StreamOutcome, sync_source

__all__ = ["StreamOutcome", "sync_source"]
