"""The whole suite: everything the core asks of a connector."""

from __future__ import annotations

from vmo_bridge.testing.keeping import KeepingContract
from vmo_bridge.testing.reading import ReadingContract
from vmo_bridge.testing.reconciling import ReconcilingContract
from vmo_bridge.testing.records import RecordsContract
from vmo_bridge.testing.refusing import RefusingContract
from vmo_bridge.testing.trouble import TroubleContract
from vmo_bridge.testing.writing import WritingContract


class ConnectorContract(
    ReadingContract,
    RecordsContract,
    TroubleContract,
    ReconcilingContract,
    KeepingContract,
    RefusingContract,
    WritingContract,
):
    """Everything the core asks of a connector.

    Subclass it as ``Test…`` and give the fixture ``source``. What the source cannot do is skipped,
    with the reason.
    """
