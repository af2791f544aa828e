"""The store: one SQLite file of raw pages, records and versions, marks, findings, outbox."""

from vmo_bridge.store.store import Store

__all__ = ["Store"]
