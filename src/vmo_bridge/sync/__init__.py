"""Stage 1: pull pages from the sources, normalise them, keep them with where they came from."""

from vmo_bridge.sync.outcome import StreamOutcome
from vmo_bridge.sync.scope import Care, Scope
from vmo_bridge.sync.source import sync_source

__all__ = ["Care", "Scope", "StreamOutcome", "sync_source"]
